"""Two readers that share no code come to the same state from any set of records."""

from hypothesis import given, settings
from hypothesis import strategies as st

from independent.fold import Fold
from independent.records import read_envelope
from mycelia_protocol.digest_rows import KINDS_WITH_ROWS
from mycelia_protocol.encoding import encode
from mycelia_protocol.state import State
from support.histories import STEPS, Step, history


@settings(max_examples=120, deadline=None)
@given(STEPS, st.sets(st.integers(0, 60), max_size=6), st.sets(st.integers(0, 60)))
def test_two_readers_agree(steps: list[Step], lost: set[int], erased: set[int]) -> None:
    """FOLD-1: rows and digest are the same, also where records are missing in between.

    And also where one of the two holds only the facts of some, and the other all words (BODY-5).
    """
    charter, written = history(steps)
    records = [record for place, record in enumerate(written) if place not in lost]
    state = State(charter)
    for place, record in enumerate(records):
        state.add(record.without_words() if place in erased else record)
    fold = Fold(charter.encode(), [read_envelope(list(each.envelope())) for each in records])
    rows = fold.rows()
    for kind in KINDS_WITH_ROWS:
        assert list(map(encode, state.rows(kind))) == list(map(encode, rows[kind])), kind
    assert fold.digest() == state.digest()
