"""Laws of forks: whoever holds which end, and in whatever order things came."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from independent.fold import Fold
from independent.records import Rec, read_envelope
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.fork import content
from support.histories import STEPS, Step, history
from support.scribe import Scribe, village


@settings(max_examples=60, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.booleans())
def test_holders_of_either_end_agree(steps: list[Step], rng: random.Random, looks: bool) -> None:
    """FOLD-1, FOLD-3, FOLD-4: any history, parted anywhere, in any order, looked at on the way."""
    charter, records = history(steps)
    first, told = rng.choice(records), Scribe(rng.randbytes(32), charter, rng)
    log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
    others = [each for each in records if each not in log]
    place = rng.randrange(len(log))
    seeds = {scribe.key: scribe.seed for scribe in village(3)[1]}
    rival = Scribe(seeds[first.author], charter, rng)
    rival.log, rival.written = first.log, log[:place]
    for _ in range(rng.randint(1, 4)):
        if rival.written:
            rival.write("withdraw", {}, rng.choice(records).id)
        else:
            rival.write("incarnation", {"heads": []})
    told.write("fork", content([log[place:], rival.written[place:]]))
    digests = set()
    for end in (log, rival.written):
        held = [*others, *end, *told.written]
        rng.shuffle(held)
        state = State(charter)
        for record in held:
            state.add(record)
            if looks:
                state.digest()
        digests.add(state.digest())
        digests.add(Fold(charter.encode(), map(read, held)).digest())
    assert len(digests) == 1


def read(record: Record) -> Rec:
    """Give a record to the second reader."""
    return read_envelope(list(record.envelope()))
