"""Laws of compact forms: who holds a log in compact form comes to the same as who holds it all."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from mycelia_protocol.charter import Charter
from mycelia_protocol.compact import compact, expand
from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types import KINDS
from mycelia_protocol.types.fork import content
from support.histories import STEPS, Step, history
from support.scribe import Scribe, village
from vectors.bodies import GOOD


def folded(charter: Charter, records: list[Record]) -> State:
    """Return the state of some records, added one by one."""
    state = State(charter)
    for record in records:
        state.add(record)
    return state


def shortened(records: list[Record], rng: random.Random) -> list[Record]:
    """Return the same records, all logs up to some place each in compact form, as if told so."""
    cuts = {(each.author, each.log): rng.randrange(40) for each in records}
    return [
        expand(each.commons, each.author, each.log, each.seq, compact(each))
        if each.seq < cuts[each.author, each.log]
        else each
        for each in records
    ]


def same(charter: Charter, records: list[Record], rng: random.Random) -> None:
    """Fold records, and the same in part in compact form, in another order: all is equal."""
    fewer = shortened(records, rng)
    rng.shuffle(fewer)
    full, short = folded(charter, records), folded(charter, fewer)
    assert short.digest() == full.digest()
    for name in KINDS_WITH_ROWS:
        assert short.rows(name) == full.rows(name)
    for one in (full.statement(each.id) for each in records):
        if one is not None and KINDS[one.kind].derive is not None:
            assert short.derived(one.id) == full.derived(one.id)
    assert short.roster() == full.roster()


@settings(max_examples=40, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_compact_logs_fold_to_the_same(steps: list[Step], rng: random.Random) -> None:
    """FORM-3: any history, any places, any order."""
    charter, records = history(steps)
    same(charter, records, rng)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.randoms(use_true_random=False))
def test_forks_part_compact_logs_too(steps: list[Step], rng: random.Random) -> None:
    """FOLD-3: a proof about a place that is here in compact form has the same effect."""
    charter, records = history(steps)
    first = rng.choice(records)
    log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
    seeds = {scribe.key: scribe.seed for scribe in village(3)[1]}
    place = rng.randrange(len(log))
    rival, teller = (
        Scribe(seed, charter, rng) for seed in (seeds[first.author], rng.randbytes(32))
    )
    rival.log, rival.written = first.log, log[:place]
    if place:
        rival.write("withdraw", {}, rng.choice(records).id)
    else:
        rival.write("incarnation", {"heads": []})
    teller.write("fork", content([log[place:], rival.written[place:]]))
    same(charter, records + teller.written, rng)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False))
def test_decisions_that_a_compact_log_only_names_still_count(rng: random.Random) -> None:
    """ESC-3: what a grant that can't be covered names is a decision, or no decision, as before."""
    charter, scribes = village(3)
    giver, taker, _ = scribes
    offer, request = giver.offer(8), taker.request(12)
    named: list[Record] = []
    for _ in range(rng.randrange(1, 5)):
        writer, kind = rng.choice(scribes), rng.choice(("decision", "view", "message", "offer"))
        fields = dict(GOOD[kind])
        if rng.random() < 0.3:
            fields.pop(rng.choice(sorted(fields)))
        refs = (offer.id,) if kind == "decision" else ()
        named.append(writer.write(kind, fields, *refs))
    for _ in range(rng.randrange(1, 5)):
        backs = rng.sample(named, rng.randrange(len(named) + 1))
        giver.grant(rng.randrange(1, 9), offer, request, None, *backs)
    records = [record for scribe in scribes for record in scribe.written]
    rng.shuffle(records)
    same(charter, records, rng)
