"""Old logs that nodes let go of: what the harness takes for held, and what for lost or made up."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mycelia_node.database import Writer
from mycelia_protocol.compact import compact
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.merkle import Tree
from mycelia_sim.audit import read_form, read_home
from mycelia_sim.evidence_file import read_evidence, write_evidence
from mycelia_sim.forms import form_of, sums
from mycelia_sim.plan import Plan
from mycelia_sim.pruned import pruned_rightly
from mycelia_sim.virtual.disk import MemoryStore
from mycelia_sim.virtual.loop import Loop
from mycelia_sim.virtual.run import Played, play_virtual
from mycelia_sim.vouching import Said, is_confirmed
from support.forgetful import (
    believes_anybody,
    counts_keys,
    goes_too_far,
    keeps_another_form,
    lets_go_of_proofs,
    old_logs,
)
from support.liars import attempt


@pytest.fixture(scope="module")
def sound() -> Played:
    """Return a run with sound nodes."""
    return play_virtual(old_logs())


def verdicts(done: Played) -> dict[str, str]:
    """Return the verdict of each check."""
    return {check.name: check.verdict for check in done.checks}


def test_what_nodes_let_go_of_is_held_and_not_lost(sound: Played) -> None:
    """All checks pass, though most nodes hold much in compact form only, a newcomer too."""
    assert set(verdicts(sound).values()) == {"pass"}
    compact_ones = {
        holding.node: sum(record.is_compact for record in holding.records)
        for holding in sound.evidence.holdings
    }
    assert min(compact_ones.values()) > 10


def test_evidence_keeps_compact_forms(sound: Played, tmp_path: Path) -> None:
    """A run that is judged again from its file comes to the same."""
    path = tmp_path / "evidence"
    write_evidence(path, sound.evidence)
    again = read_evidence(path, sound.evidence.plan)
    assert any(record.is_compact for disk in again.holdings for record in disk.records)
    assert pruned_rightly(again) == pruned_rightly(sound.evidence)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (goes_too_far, "have to be shown signed"),
        (lets_go_of_proofs, "have to be shown signed"),
        (keeps_another_form, "no sum of its log proves it"),
    ],
)
def test_a_defect_shows(
    plant: Callable[[pytest.MonkeyPatch], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever lets go of too much, or believes too much, makes the run fail, and is named."""
    plant(monkeypatch)
    done = play_virtual(old_logs())
    (found,) = [one for one in done.checks if one.name == "pruned_rightly"]
    assert found.verdict == "fail"
    facts = done.evidence.facts
    faults = [each.fault for each in facts.let_go] + [each.fault for each in facts.formed]
    assert any(said in each for each in (found.detail, *faults))


def lied_to(behaviour: str) -> Plan:
    """Return the plan with one adversary."""
    return replace(old_logs(), attempts=(attempt(behaviour, at_ms=6_000),), sometimes=())


def test_forms_that_a_crowd_of_one_confirms_are_not_taken() -> None:
    """10.6: the target asks who confirmed them, and asks no further; unasked ones end the link."""
    done = play_virtual(lied_to("forge_forms"))
    assert set(verdicts(done).values()) == {"pass"}
    (fact,) = done.evidence.facts.attempts
    assert fact.is_delivered
    assert fact.records
    assert "asked 1 times who confirmed it, 0 times for forms" in fact.answer
    assert "FORMS that nobody asked for" in fact.answer


def test_a_sum_that_lies_is_told_and_confirmed_by_nobody() -> None:
    """CHECK-5: its author's records count as before, and stay whole."""
    done = play_virtual(lied_to("missum"))
    assert set(verdicts(done).values()) == {"pass"}
    (liar,) = done.world.cast.liars.values()
    logs = [copy for copy in done.evidence.library.places if copy.author == liar.key]
    assert logs
    assert not any(record.is_compact for copy in logs for record in copy.records)
    for node in done.world.nodes.values():
        assert node.engine is not None
        assert node.engine.checkpoints.refuted


@pytest.mark.parametrize("plant", [counts_keys, believes_anybody])
def test_whoever_believes_a_liar_makes_the_run_fail(
    plant: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CHECK-4: without branches, or without any witness, the crowd of one liar gets its way."""
    plant(monkeypatch)
    found = verdicts(play_virtual(lied_to("forge_forms")))
    assert (found["pruned_rightly"], found["no_forgery"]) == ("fail", "fail")


def test_a_run_in_which_nothing_is_old_shows_nothing() -> None:
    """Neither what was let go of nor a newcomer that starts from it was seen: unknown."""
    plan = replace(old_logs(), compact_after_ms=3_600_000)
    found = verdicts(play_virtual(plan))
    assert (found["logs_pruned"], found["newcomers_formed"]) == ("unknown", "unknown")
    assert found["pruned_rightly"] == "pass"


def test_forms_and_sums_are_those_of_the_protocol(sound: Played) -> None:
    """The harness makes them by itself, and they come out the same; other bytes do not."""
    folds = sound.evidence.folds
    for copy in sound.evidence.library.places:
        tree, forms = Tree(), []
        for record in copy.records:
            forms.append(form_of(record, folds.is_read))
            assert forms[-1] == compact(folds.parse(record))
            again = read_form(record.author, record.log, record.seq, forms[-1])
            assert (again.id, again.refs, again.time_ms) == (record.id, record.refs, record.time_ms)
            tree.add(forms[-1])
        assert list(sums(forms))[-1] == tree.root()


A, B, C, D, FOUNDER = (bytes([n]) * 32 for n in range(5))
MARK, OTHER = b"1" * 32, b"2" * 32


def let_in(author: bytes, *keys: bytes) -> list[Said]:
    """Return vouches."""
    return [Said(author, key, ()) for key in keys]


def named(checkpoint: bytes, *authors: bytes) -> list[Said]:
    """Return acknowledgements."""
    return [Said(author, None, (checkpoint,)) for author in authors]


@pytest.mark.parametrize(
    ("sayings", "is_enough"),
    [
        ([*let_in(FOUNDER, A, B, C), *named(MARK, B, C)], True),
        ([*let_in(FOUNDER, A, B, C), *named(MARK, B)], False),
        ([*let_in(FOUNDER, A, B, C), *named(MARK, A, B)], False),
        ([*let_in(FOUNDER, A, B, C, D), *named(MARK, B, C), *named(OTHER, D, FOUNDER)], False),
        ([*let_in(FOUNDER, A, B), *let_in(B, C, D), *named(MARK, B, C, D)], False),
        ([*let_in(FOUNDER, A, B, C), *let_in(B, D), *let_in(C, D), *named(MARK, D, B)], True),
        ([*let_in(FOUNDER, A, B), *let_in(A, C, D), *named(MARK, B, C, D)], False),
        ([*let_in(FOUNDER, B), *named(MARK, B, C, D)], False),
    ],
)
def test_voices_are_counted_by_branches(sayings: list[Said], is_enough: bool) -> None:
    """CHECK-4: the author, whom it alone let in, and strangers count for nothing."""
    assert is_confirmed(FOUNDER, sayings, MARK, A) is is_enough


def test_who_never_spoke_counts_when_something_is_to_go() -> None:
    """CHECK-6: two of three are enough to believe, and with a fourth not enough to let go."""
    sayings = [*let_in(FOUNDER, A, B, C, D), *named(MARK, B, C)]
    assert is_confirmed(FOUNDER, sayings, MARK, A)
    assert not is_confirmed(FOUNDER, sayings, MARK, A, is_for_good=True)
    sayings += named(MARK, D)
    assert is_confirmed(FOUNDER, sayings, MARK, A, is_for_good=True)


def test_an_older_backup_holds_what_was_let_go_of_later(sound: Played) -> None:
    """A virtual disk that comes back as it was has whole records where they were whole then."""
    store = MemoryStore(Loop(), 1, 1)
    node = sound.world.nodes["n0"]
    assert node.engine is not None
    own = node.engine.key
    log = next(each for each in node.store.load() if each[0].author == own)[:6]
    for record in log:
        store._commit([(0, (record,), ())])
    store._shorten(0, Shorten(own, log[0].log, 3, ((0, 2),)))
    assert [one.is_compact for one in store.records()] == [True] * 3 + [False] * 3
    store.roll_back(1)
    assert not any(one.is_compact for one in store.records())
    assert not store.compact


def test_a_real_store_is_read_with_its_compact_forms(sound: Played, tmp_path: Path) -> None:
    """Plain SQL finds in a node's own file what the virtual disk holds, record by record."""
    home = tmp_path / "home"
    home.mkdir()
    beginning, node = sound.world.beginning, sound.world.nodes["n0"]
    (home / "charter.bin").write_bytes(beginning.charter.encode())
    writer = Writer(home / "node.db", beginning.charter.commons)
    for log in node.store.load():
        writer.write(log, ())
    writer.close()
    holding = read_home("n0", home)
    assert not holding.faults
    known = next(one for one in sound.evidence.holdings if one.node == "n0")
    base = {key for _, key in beginning.base}
    assert [one.ids for one in holding.logs] == [
        one.ids for one in known.logs if one.log not in base
    ]
    assert [one.form for one in holding.records] == [
        one.form for one in known.records if one.log not in base
    ]
    assert any(one.is_compact for one in holding.records)
