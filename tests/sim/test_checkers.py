"""The checkers on hand-made stores: each finds its kind of wrong, and only that."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from mycelia_sim.checkers import SEEN_IN_VIRTUAL, gather
from mycelia_sim.escrow import overcommitments
from mycelia_sim.facts import AttemptFact, CutFact, Facts, KillFact
from mycelia_sim.scenario import INVARIANTS
from mycelia_sim.verdict import Check, overall
from mycelia_sim.wants import wants_by_side
from support.town import KEYS, PLAN, Content, Town, a_town, thing


@pytest.fixture
def town() -> Town:
    """Return a sound town in which everything that is checked has happened."""
    return a_town()


def verdicts(checks: dict[str, Check]) -> dict[str, str]:
    """Return the checks that did not pass: name -> verdict."""
    return {name: check.verdict for name, check in checks.items() if check.verdict != "pass"}


def test_a_sound_run_passes_every_check(town: Town) -> None:
    """All checks pass, none of them vacuously, and the run passes."""
    checks = town.check()
    assert verdicts(checks) == {}
    assert set(checks) == {*INVARIANTS, *PLAN.sometimes} - SEEN_IN_VIRTUAL
    assert overall(checks.values()) == ("pass", 0)


def drop_everywhere(town: Town) -> None:
    """Take the acknowledged offer and what follows it in its log off every disk."""
    for node in town.held:
        drop_from(town, node)


def drop_from(town: Town, node: str) -> None:
    """Take the acknowledged offer and what follows it in its log off one disk."""
    offer = next(held for held in town.held[node] if held.id == town.ids["n0 offer"])
    town.held[node] = [
        held for held in town.held[node] if held.log != offer.log or held.seq < offer.seq
    ]


def drop_from_author(town: Town) -> None:
    """Take it off the disk of the node that acknowledged it."""
    drop_from(town, "n0")


def drop_from_other(town: Town) -> None:
    """Take it off the other node's disk: late, but not lost."""
    drop_from(town, "n1")


def forge(town: Town) -> None:
    """Let somebody else sign in a member's name."""
    town.authors["n1"].write("offer", thing(3, lot=1), signer="n0")
    town.hold()


def plant(town: Town) -> None:
    """Let an authentic record be one that the adversary sent: then the adversary has a key."""
    record = town.ids["n1 offer"].hex()
    town.facts.attempts = [replace(town.facts.attempts[0], records=(record,))]


def grant_too_much(town: Town) -> None:
    """Grant the same offer once more."""
    refs = (town.ids["n0 offer"], town.ids["n1 request"])
    town.authors["n0"].write("grant", {"quantity": 8}, *refs)
    town.hold()


def accept_too_much(town: Town) -> None:
    """Let a requester accept a second grant beyond what it asked for."""
    oak, elm = town.authors["n0"], town.authors["n1"]
    offer = oak.write("offer", thing(10, lot=1))
    grant = oak.write("grant", {"quantity": 1}, offer, town.ids["n1 request"])
    elm.write("answer", {"accept": True}, grant)
    town.hold()


def entrust(town: Town, quantity: int = 2, log: bytes | None = None) -> bytes:
    """Let n1 grant some of what n0 has left."""
    oak, elm = town.authors["n0"], town.authors["n1"]
    content: Content = {
        "to": KEYS["n1"],
        "log": elm.log if log is None else log,
        "quantity": quantity,
    }
    return oak.write("rights", content, town.ids["n0 offer"])


def wanted(town: Town) -> bytes:
    """Let n0 ask for something that n1 may grant."""
    return town.authors["n0"].write("request", thing(9, urgency="now"))


def grant_beyond_rights(town: Town) -> None:
    """Grant more than rights are to."""
    rights, request = entrust(town), wanted(town)
    town.authors["n1"].write("grant", {"quantity": 3}, rights, request)
    town.hold()


def grant_in_another_log(town: Town) -> None:
    """Grant from rights that were given to another log."""
    rights, request = entrust(town, log=bytes(8)), wanted(town)
    town.authors["n1"].write("grant", {"quantity": 2}, rights, request)
    town.hold()


def return_what_was_granted(town: Town) -> None:
    """Give back rights that were granted."""
    rights, request = entrust(town), wanted(town)
    town.authors["n1"].write("grant", {"quantity": 2}, rights, request)
    town.authors["n1"].write("return", {"quantity": 1}, rights)
    town.hold()


def name_a_return_of_others(town: Town) -> None:
    """Count on rights to another's offer that came back."""
    back = town.authors["n1"].write("return", {"quantity": 2}, entrust(town))
    request = town.ids["n0 request"]
    town.authors["n1"].write("grant", {"quantity": 1}, town.ids["n1 offer"], request, back)
    town.hold()


def entrust_oneself(town: Town) -> None:
    """Give oneself rights."""
    oak = town.authors["n0"]
    content: Content = {"to": KEYS["n0"], "log": oak.log, "quantity": 1}
    oak.write("rights", content, town.ids["n0 offer"])
    town.hold()


def alter_body(town: Town) -> None:
    """Change one byte of one body on one disk."""
    last = town.held["n1"][-1]
    assert last.body is not None
    town.held["n1"][-1] = replace(last, body=last.body[:-1] + b"\0")


def lose_signature(town: Town) -> None:
    """Take the last signature of a log away: then nothing authenticates its end."""
    town.held["n1"] = [
        replace(held, signature=None) if held.author == KEYS["n0"] else held
        for held in town.held["n1"]
    ]


def open_gap(town: Town) -> None:
    """Take one record out of the middle of a log."""
    town.held["n1"] = [held for held in town.held["n1"] if held.id != town.ids["n0 grant"]]


def tell_wrong(town: Town) -> None:
    """Let a node tell a digest that its records do not give."""
    digest, count = town.facts.told["n1"]
    town.facts.told["n1"] = (digest[:-1] + ("q" if digest[-1] != "q" else "p"), count)


def test_what_goes_back_twice_comes_back_once(town: Town) -> None:
    """A holder that lost its disk returns its rights again; to grant them besides is too much."""
    rights, request = entrust(town), wanted(town)
    for _ in range(2):
        town.authors["n1"].write("return", {"quantity": 2}, rights)
    town.hold()
    assert verdicts(town.check()) == {}
    town.authors["n1"].write("grant", {"quantity": 1}, rights, request)
    town.hold()
    assert set(verdicts(town.check())) == {"no_overcommit", "conservation"}


SAFETY: list[tuple[Callable[[Town], None], set[str]]] = [
    (drop_everywhere, {"no_loss"}),
    (drop_from_author, {"no_loss", "convergence"}),
    (forge, {"no_forgery"}),
    (plant, {"no_forgery"}),
    (grant_too_much, {"no_overcommit", "conservation"}),
    (grant_beyond_rights, {"no_overcommit", "conservation"}),
    (grant_in_another_log, {"escrow", "conservation"}),
    (return_what_was_granted, {"no_overcommit", "conservation"}),
    (name_a_return_of_others, {"escrow", "conservation"}),
    (entrust_oneself, {"escrow", "conservation"}),
    (accept_too_much, {"no_overcommit"}),
    (alter_body, {"bodies_intact", "agreement"}),
    (lose_signature, {"no_forgery"}),
    (open_gap, {"author_sequence", "convergence", "recovery"}),
    (tell_wrong, {"agreement", "convergence"}),
]


@pytest.mark.parametrize(
    ("break_it", "failing"), SAFETY, ids=[change.__name__ for change, _ in SAFETY]
)
def test_each_breach_of_safety_is_found(
    town: Town, break_it: Callable[[Town], None], failing: set[str]
) -> None:
    """One thing wrong fails the check that is made for it, and the run fails for safety."""
    break_it(town)
    checks = town.check()
    assert {name for name, verdict in verdicts(checks).items() if verdict == "fail"} == failing
    assert overall(checks.values()) == ("fail", 1)


def test_what_a_liar_grants_may_be_accepted_in_vain(town: Town) -> None:
    """It may turn out void; then who accepted it is right to accept as much of somebody else."""
    accept_too_much(town)
    records = gather(PLAN, town.facts, town.holdings()).library.records
    assert len(overcommitments(records)) == 1
    assert overcommitments(records, [KEYS["n0"]]) == []


def test_a_record_that_is_only_late_fails_for_liveness(town: Town) -> None:
    """A record that some other node lacks is not lost, it has not arrived: exit code 3."""
    drop_from_other(town)
    checks = town.check()
    assert verdicts(checks) == {"convergence": "fail", "recovery": "fail"}
    assert overall(checks.values()) == ("fail", 3)


def set_fact(name: str, value: object) -> Callable[[Facts], None]:
    """Return a change of one fact."""
    return lambda facts: setattr(facts, name, value)


VACUOUS: list[tuple[Callable[[Facts], None], str]] = [
    (set_fact("cuts", {}), "partition_fired"),
    (set_fact("cuts", {"p": CutFact(0, 0, 1, True, True)}), "partition_fired"),
    (set_fact("cuts", {"p": CutFact(9, 1, 0, True, True)}), "partition_fired"),
    (set_fact("cuts", {"p": CutFact(9, 1, 1, False, True)}), "partition_fired"),
    (set_fact("cuts", {"p": CutFact(9, 1, 1, True, False)}), "partition_fired"),
    (set_fact("kills", {}), "kills_fired"),
    (set_fact("attempts", []), "forger_tried"),
    (
        set_fact("attempts", [AttemptFact(0, "forge_author", "n0", False, (), "refused")]),
        "forger_tried",
    ),
    (set_fact("began_ms", 1_000_000), "both_sides_active"),
    (set_fact("acknowledged", []), "no_loss"),
    (set_fact("looks", 0), "bounded"),
]


@pytest.mark.parametrize(("change", "check"), VACUOUS)
def test_what_did_not_happen_makes_a_run_unknown(
    town: Town, change: Callable[[Facts], None], check: str
) -> None:
    """A fault that never fired proves nothing: the run is unknown, not passed."""
    change(town.facts)
    checks = town.check()
    assert verdicts(checks) == {check: "unknown"}
    assert overall(checks.values()) == ("unknown", 2)


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("settled_ms", None, "convergence"),
        ("kills", {"k": KillFact("n1", True, False)}, "recovery"),
        ("crashed", ["n1"], "no_crash"),
    ],
)
def test_each_failure_of_liveness_is_found(
    town: Town, name: str, value: object, check: str
) -> None:
    """What does not come in time fails for liveness: exit code 3."""
    setattr(town.facts, name, value)
    checks = town.check()
    assert verdicts(checks) == {check: "fail"}
    assert overall(checks.values()) == ("fail", 3)


def test_a_kill_that_never_came_is_not_counted(town: Town) -> None:
    """Nobody is said to have come back who was never gone."""
    town.facts.kills = {"k": KillFact("n1", True, True), "late": KillFact("n0", False, False)}
    assert town.check()["recovery"].detail == "1 killed nodes came back whole"


def test_unknown_never_hides_a_failure() -> None:
    """Safety before liveness before unknown before pass; nothing checked is unknown."""

    def check(family: str, verdict: str) -> Check:
        return Check("x", family, verdict, "")  # type: ignore[arg-type]

    def code(*checks: Check) -> int:
        return overall(checks)[1]

    unsafe, dead = check("safety", "fail"), check("liveness", "fail")
    vague, good = check("run", "unknown"), check("safety", "pass")
    cases: Sequence[tuple[tuple[Check, ...], int]] = [
        ((unsafe, dead, vague, good), 1),
        ((dead, vague, good), 3),
        ((vague, good), 2),
        ((good,), 0),
        ((), 2),
    ]
    for checks, expected in cases:
        assert code(*checks) == code(*reversed(checks)) == expected


def test_accounts_count_by_side_and_within_the_cut(town: Town) -> None:
    """Each side's steps are counted, with amounts by unit, and grants over the river apart."""
    counted = gather(PLAN, town.facts, town.holdings()).accounts
    west = counted.sides["west"]
    assert (west["offered"].count, west["offered"].in_cut) == (1, 1)
    assert west["offered"].amounts == {"1": 10}
    assert (west["granted"].amounts, west["accepted"].amounts) == ({"1": 8}, {"1": 8})
    assert counted.crossings == 2


def test_what_is_left_unmet_is_counted_by_side(town: Town) -> None:
    """A request ends full, in part, unmet or withdrawn, by what its author accepted."""
    west, east = town.authors["n0"], town.authors["n1"]
    offer = west.write("offer", thing(5))
    part = east.write("request", thing(20, urgency="days"))
    east.write("answer", {"accept": True}, west.write("grant", {"quantity": 5}, offer, part))
    unmet = east.write("request", thing(3_000, urgency="week", unit="g"))
    east.write("answer", {"accept": False}, west.write("grant", {"quantity": 1}, offer, unmet))
    gone = east.write("request", thing(7, urgency="week"))
    east.write("withdraw", {}, gone)
    town.hold()
    wants = wants_by_side(gather(PLAN, town.facts, town.holdings()))
    assert (wants["west"].full, wants["west"].unmet, wants["west"].amounts()) == (1, 0, "nothing")
    found = wants["east"]
    assert (found.full, found.part, found.unmet, found.withdrawn) == (1, 1, 1, 1)
    assert found.amounts() == "15 x, 3 kg"
