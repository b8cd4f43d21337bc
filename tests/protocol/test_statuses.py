"""How far offers and requests are, in a word, step by step of one story."""

from mycelia_protocol.limits import UNCONFIRMED_AFTER_MS
from mycelia_protocol.state import State
from mycelia_protocol.statuses import is_unconfirmed, offer_status, request_status
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request
from support.scribe import Scribe, village

NOW_MS = 1_700_000_000_000


def words(*scribes: Scribe, now_ms: int = NOW_MS) -> tuple[str, str]:
    """Return what is said of the only offer and the only request."""
    state = folded(*scribes)
    (offer,), (request,) = state.every(Offer), state.every(Request)
    return offer_status(state, offer, now_ms), request_status(state, request, now_ms)


def folded(*scribes: Scribe) -> State:
    """Return the state of what these wrote."""
    state = State(scribes[0].charter)
    for record in [record for scribe in scribes for record in scribe.written]:
        state.add(record)
    return state


def test_an_offer_and_a_request_go_through_all_their_states() -> None:
    """From open over granted to fulfilled, with what is given on in between."""
    _, (mill, oak) = village(2)
    offer, request = mill.offer(5), oak.request(6)
    assert words(mill, oak) == ("open", "open")
    one = mill.grant(2, offer, request)
    assert words(mill, oak) == ("part_granted", "part_granted")
    two = mill.grant(3, offer, request)
    assert words(mill, oak) == ("fully_granted", "part_granted")
    for grant, amount in ((one, 2), (two, 3)):
        oak.answer(True, grant)
        mill.receipt("handed", amount, grant)
    oak.receipt("received", 2, one)
    assert words(mill, oak) == ("fully_granted", "part_fulfilled")
    oak.receipt("received", 4, two)
    assert words(mill, oak) == ("fulfilled", "fulfilled")


def test_times_and_withdrawals_end_them() -> None:
    """What is over by the clock has expired until it is renewed; others may meet a request."""
    _, (mill, oak) = village(2)
    offer = mill.offer(5)
    request = oak.request(5)
    mill.write("renew", {"expires_ms": NOW_MS}, offer.id)
    oak.write("renew", {"expires_ms": NOW_MS}, request.id)
    assert words(mill, oak) == ("expired", "expired")
    assert words(mill, oak, now_ms=NOW_MS - 1) == ("open", "open")
    mill.write("renew", {"expires_ms": NOW_MS + 1}, offer.id)
    mill.withdraw(offer)
    oak.write("withdraw", {"met_elsewhere": True}, request.id)
    assert words(mill, oak) == ("withdrawn", "met_elsewhere")


def test_one_sided_hand_overs_are_counted_apart() -> None:
    """Three days after one side's receipt the hand-over is unconfirmed, until the other's comes."""
    _, (mill, oak) = village(2)
    grant = mill.grant(5, mill.offer(5), oak.request(5))
    oak.answer(True, grant)
    mill.receipt("handed", 5, grant)

    def unconfirmed(now_ms: int) -> bool:
        state = folded(mill, oak)
        (found,) = state.every(Grant)
        return is_unconfirmed(state, found, now_ms)

    end_ms = mill.written[-1].time_ms + UNCONFIRMED_AFTER_MS
    assert [unconfirmed(end_ms - 1), unconfirmed(end_ms)] == [False, True]
    oak.receipt("received", 5, grant)
    assert not unconfirmed(end_ms)
