"""What honest nodes do about each adversary: real engines, real sessions, virtual time."""

from dataclasses import replace
from functools import lru_cache

import pytest

from mycelia_protocol.attendance import Reach
from mycelia_protocol.types.accounts import account_of, purse_of
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import grant_state
from mycelia_sim import backends
from mycelia_sim.adversaries.behaviours import BEHAVIOURS
from mycelia_sim.adversaries.cast import adversary_ids
from mycelia_sim.adversaries.flooding import (
    FLOOD_PUSHES,
    FLOOD_RECORDS,
    LONE_PUSHES,
)
from mycelia_sim.plan import Attempt
from mycelia_sim.virtual.run import Played, play_virtual
from mycelia_sim.virtual.world import World
from support.liars import a_plan, attempt

LATE_MS = 12_000  # by then the victim has written something


@lru_cache(maxsize=24)
def played(*attempts: Attempt, duration_ms: int = 45_000, nodes: int = 5) -> Played:
    """Run a small city with adversaries, in which no check may fail.

    A run is the same however often it is played, so tests that look at the same one share it.
    """
    done = play_virtual(a_plan(*attempts, duration_ms=duration_ms, nodes=nodes))
    failed = [str(check) for check in done.checks if check.verdict == "fail"]
    assert not failed, failed
    return done


def liar_key(world: World) -> bytes:
    """Return the key of the only adversary."""
    (liar,) = world.cast.liars.values()
    return liar.key


def blamed_codes(done: Played) -> set[str]:
    """Return for what the adversary was held responsible."""
    assert done.world.facts.blames is not None
    return {blame.code for blame in done.world.facts.blames}


def stored_everywhere(done: Played, author: bytes) -> list[int]:
    """Return how many records of an author each node holds."""
    nodes = done.world.nodes.values()
    return [sum(record.author == author for record in node.records()) for node in nodes]


def test_scenarios_name_the_behaviours_that_there_are() -> None:
    """What a scenario may ask for has a script, and each script can be asked for."""
    assert set(backends.BEHAVIOURS) == set(BEHAVIOURS)


@pytest.mark.parametrize("behaviour", sorted(BEHAVIOURS))
def test_an_attempt_reaches_its_target_and_harms_nobody(behaviour: str) -> None:
    """Honest logs agree, nothing forged is stored, nobody honest is blamed, memory is bounded."""
    done = played(attempt(behaviour, at_ms=LATE_MS))
    (fact,) = done.world.facts.attempts
    assert fact.is_delivered, fact.answer
    assert done.world.facts.settled_ms is not None
    assert done.world.facts.looks > 100
    assert not done.world.facts.overruns


def test_equal_seeds_give_equal_runs() -> None:
    """Adversaries draw from the plan's streams alone, whatever they do: each does one thing."""
    does = [
        replace(attempt(one, n, at_ms=3_000 + 500 * n), adversary=f"x{n:02}")
        for n, one in enumerate(sorted(BEHAVIOURS))
    ]
    plan = a_plan(*does, duration_ms=20_000, posts_each=1)
    digests = set[str]()
    for _ in range(2):
        world = World(plan)
        world.run()
        delivered = {fact.behaviour for fact in world.facts.attempts if fact.is_delivered}
        assert delivered == set(BEHAVIOURS)
        digests.add(world.trace_digest)
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("behaviour", "planted"), [("forge_author", 1), ("forge_signature", 1), ("break_chain", 2)]
)
@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_forger_is_cut_off(behaviour: str, planted: int, n: int) -> None:
    """LOG-2: what the victim did not sign is stored nowhere, and its sender loses the link."""
    done = played(attempt(behaviour, n, at_ms=LATE_MS))
    (fact,) = done.world.facts.attempts
    assert len(fact.records) == planted
    assert fact.answer.startswith("closed the link: forged")
    assert blamed_codes(done) == {"forged"}


def test_a_forger_that_targets_its_victim_gets_no_further() -> None:
    """A node is told records in its own name: it stores none and writes on in the same log."""
    done = played(attempt("forge_author", at_ms=LATE_MS, target="n2", victim="n2"))
    node = done.world.nodes["n2"]
    assert node.engine is not None
    assert len(node.engine.publisher.own_logs()) == 1


def test_a_record_with_an_altered_body_is_refused() -> None:
    """REC-9: the header's hash tells, and the true record stays."""
    done = played(attempt("alter_body", at_ms=LATE_MS))
    assert blamed_codes(done) == {"record"}


@pytest.mark.parametrize("n", range(4))
def test_a_fork_is_noticed_by_everybody_and_blamed_on_its_author(n: int) -> None:
    """LOG-7, LOG-8: where two branches meet both sides see it; no honest link breaks."""
    done = played(attempt("equivocate", n, at_ms=LATE_MS))
    world = done.world
    assert world.facts.forks is not None
    assert {fork.node for fork in world.facts.forks} == set(world.nodes)
    assert {fork.author for fork in world.facts.forks} == {liar_key(world).hex()}
    (liar,) = world.cast.liars.values()
    assert done.evidence.library.contested == frozenset(liar.forked)
    assert world.facts.blames == []
    assert _links_lost(done) == 0


@pytest.mark.parametrize("n", range(4))
def test_a_fork_is_proven_to_everybody_and_all_agree_beside_it(n: int) -> None:
    """LOG-9, FOLD-4: whichever end a node holds, it knows where the log parts, and the state."""
    done = played(attempt("equivocate", n, at_ms=LATE_MS))
    (liar,) = done.world.cast.liars.values()
    states = [node.engine.state for node in done.world.nodes.values() if node.engine is not None]
    assert {tuple(state.contested_logs()) for state in states} == {((*liar.forked[0], 3),)}
    assert len({state.digest() for state in states}) == 1
    proofs = {each.id for state in states for each in state.every(Fork)}
    assert 1 <= len(proofs) <= len(states)


def test_other_logs_of_an_equivocator_still_agree() -> None:
    """A fork concerns one log: what the adversary writes elsewhere is on every node."""
    done = played(
        attempt("equivocate", 0, at_ms=LATE_MS), attempt("future_time", 1, at_ms=LATE_MS + 9_000)
    )
    (forked,) = done.evidence.library.contested
    logs = {
        (record.author, record.log)
        for node in done.world.nodes.values()
        for record in node.records()
        if record.author == liar_key(done.world)
    }
    (other,) = logs - {forked}
    assert {node.store.log(other) for node in done.world.nodes.values()} == {10}


def test_replayed_records_are_known_and_a_replayed_message_does_not_decrypt() -> None:
    """SESS-3: the same records again change nothing; the same bytes again end the session."""
    done = played(attempt("replay", at_ms=LATE_MS))
    assert blamed_codes(done) == {"decrypt"}
    assert stored_everywhere(done, liar_key(done.world)) == [0] * 5


def test_a_flood_of_good_records_is_stored_and_one_of_frames_is_cut() -> None:
    """Spec 9.5: records are taken as they are; frames beyond the rate close the link."""
    done = played(attempt("flood", at_ms=LATE_MS))
    assert blamed_codes(done) == {"rate"}
    counts = stored_everywhere(done, liar_key(done.world))
    assert len(set(counts)) == 1
    assert counts[0] == FLOOD_PUSHES * FLOOD_RECORDS + LONE_PUSHES


def test_a_withholder_delays_nothing_for_long() -> None:
    """REP-5: it claims all logs and answers nothing; what people write arrives all the same."""
    attempts = [
        Attempt(n, f"x{n:02}", 2_000, "withhold", f"n{n}", "n4") for n in range(4)
    ]  # every node but one has such a peer
    done = played(*attempts)
    worst_us = max(
        max(journey.arrivals.values()) - journey.born_us for journey in done.world.journeys.values()
    )
    assert worst_us < 1_000_000


def test_lies_about_heads_open_no_log_and_fill_no_memory() -> None:
    """INC-3: false heads of a node's own log cost it one new log at most, whatever it is told."""
    attempts = [attempt("lie_digest", n, at_ms=2_000 + 5_000 * n) for n in range(6)]
    done = played(*attempts)
    node = done.world.nodes["n0"]
    assert node.engine is not None
    assert len(node.engine.publisher.own_logs()) <= 2
    assert done.world.scales.most["heads of one peer"] > 300


def test_overdrawn_grants_are_void_on_every_node_and_counted_against_the_liar_alone() -> None:
    """ESC-3, ESC-6: each replica voids the same grants, whatever it heard first."""
    done = played(attempt("overdraw", at_ms=LATE_MS))
    liar = liar_key(done.world)
    void = set[frozenset[bytes]]()
    for node in done.world.nodes.values():
        assert node.engine is not None
        state = node.engine.state
        found = set[bytes]()
        for offer in state.every(Offer):
            ledger = account_of(state, offer.id).ledger
            for spent in ledger.overdrawn:
                assert offer.author == liar
                if state.find(spent, Grant):
                    assert grant_state(state, spent).status == "overdrawn"
                else:
                    assert purse_of(state, spent).outcome == "overdrawn"
                found.add(spent)
            assert sum(ledger.held.values()) <= offer.body.quantity
        void.add(frozenset(found))
    (same,) = void
    assert len(same) >= 2


def test_records_from_the_future_are_taken_as_they_are() -> None:
    """Time decides nothing: they are stored everywhere, and honest clocks do not follow."""
    done = played(attempt("future_time", at_ms=LATE_MS))
    assert stored_everywhere(done, liar_key(done.world)) == [10] * 5
    latest = max(
        record.time_ms
        for record in done.evidence.library.records.values()
        if record.author != liar_key(done.world)
    )
    assert latest < done.world.facts.began_ms + 200_000


def test_everything_over_a_limit_is_refused() -> None:
    """Section 3: frames, bodies, headers, lists and handshakes over their limits end the link."""
    done = played(attempt("oversize", at_ms=LATE_MS))
    (fact,) = done.world.facts.attempts
    assert fact.answer == "refused 5 of 5 frames, and the handshake"


def test_noise_ends_a_link_and_noise_in_a_body_says_nothing() -> None:
    """SESS-5, BODY: unreadable frames close; malformed records are stored and have no meaning."""
    done = played(attempt("garbage", at_ms=LATE_MS))
    assert {"encoding"} <= blamed_codes(done)
    unread = {node.engine.state.unread for node in done.world.nodes.values() if node.engine}
    assert len(unread) == 1
    assert unread.pop() >= 6


def test_hanging_links_keep_nobody_out() -> None:
    """Links without a greeting make room and time out; honest links stay."""
    done = played(attempt("slowloris", at_ms=LATE_MS))
    (fact,) = done.world.facts.attempts
    assert fact.answer == "closed 180 of 180 hanging links"
    assert _links_lost(done) == 0


def test_a_crowd_of_links_pushes_no_honest_one_out() -> None:
    """One key holds one link to each node, however often it dials."""
    done = played(*(attempt("eclipse", n, at_ms=2_000 + 17_000 * n) for n in range(2)))
    assert _links_lost(done) == 0
    assert done.world.scales.most["links of members"] <= 4


def test_nobody_rests_because_another_says_so() -> None:
    """PRES-3: words without pause are heard once; a word in another's name ends the link."""
    done = played(attempt("babble", at_ms=LATE_MS), duration_ms=90_000)
    (fact,) = done.world.facts.attempts
    assert fact.answer.startswith("closed the link"), fact.answer
    assert "forged" in blamed_codes(done)
    victim = done.world.beginning.keys[attempt("babble").victim]
    for node in done.world.nodes.values():
        assert node.engine is not None
        now_ms = node.clock.read(done.world.loop.now_us)
        reach, _ = node.engine.attendance.reach(victim, now_ms, is_linked=False)
        assert node.engine.key == victim or reach == Reach.CONNECTED


def test_many_adversaries_at_once() -> None:
    """Each behaviour twice, by five colluding keys, on all nodes: honest nodes go on."""
    names = sorted(BEHAVIOURS)
    attempts = [
        Attempt(
            n,
            f"x{n % 5:02}",
            1_000 + 400 * n,
            names[n % len(names)],
            f"n{n % 7}",
            f"n{(n + 3) % 7}",
        )
        for n in range(2 * len(names))
    ]
    done = played(*attempts, nodes=7)
    assert len(done.world.facts.attempts) == 2 * len(names)
    delivered = {fact.behaviour for fact in done.world.facts.attempts if fact.is_delivered}
    assert delivered == set(names)
    assert _links_lost(done) == 0


def test_an_attempt_that_the_end_overtakes_is_told_as_what_it_was() -> None:
    """Every planned attempt has its fact, also those that were never begun."""
    attempts = [attempt("withhold", n, at_ms=14_000) for n in range(2)]
    done = played(*attempts, duration_ms=15_000)
    answers = [fact.answer for fact in done.world.facts.attempts]
    assert answers[1].startswith("never begun")
    assert [fact.n for fact in done.world.facts.attempts] == [0, 1]
    assert adversary_ids(tuple(attempts)) == ("x00",)


def _links_lost(done: Played) -> int:
    """Return how many planned links are not up at the end, or were blamed for something."""
    world = done.world
    keys = {world.beginning.keys[node]: node for node in world.nodes}
    up = {
        (node.id, keys[key])
        for node in world.nodes.values()
        if node.engine is not None
        for link in node.engine.peers.ready_links()
        if (key := node.engine.peers.key_of(link)) in keys and key is not None
    }
    planned = {(link.dialer, link.listener) for link in world.plan.links}
    return len(planned - up)
