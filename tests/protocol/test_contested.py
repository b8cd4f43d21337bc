"""What a proof of a fork takes away, and what it leaves."""

import random
from itertools import permutations

import pytest

from mycelia_protocol.purses import give_back
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.statements import read_statement
from mycelia_protocol.types.accounts import creditable
from mycelia_protocol.types.fork import content
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.profile import Profile
from mycelia_protocol.types.promises import grant_state
from support.scribe import Scribe, village


def parting(who: Scribe) -> Scribe:
    """Return another end of somebody's log; what it writes stands beside what that one writes."""
    other = Scribe(who.seed, who.charter, random.Random(len(who.written)))
    other.written, other.log = list(who.written), who.log
    return other


def proof(by: Scribe, one: list[Record], other: list[Record]) -> Record:
    """Let somebody prove a fork by two chains, the last record of each signed."""
    return by.write("fork", content([one, other]))


def folded(charter: object, records: list[Record]) -> State:
    """Return the state of records added in this order."""
    state = State(charter)  # type: ignore[arg-type]
    for record in records:
        state.add(record)
    return state


def all_of(*scribes: Scribe) -> list[Record]:
    """Return what several wrote."""
    return [record for who in scribes for record in who.written]


def test_holders_of_either_end_come_to_the_same_state() -> None:
    """FOLD-3, FOLD-4: in every order, whichever end a replica holds, and beside all else."""
    charter, (mill, oak, elm) = village(3)
    oak.write("profile", {"name": "Oak"})
    offer = oak.offer(10)
    other = parting(oak)
    request = elm.request(5)
    grant = oak.grant(5, offer, request)
    elm.answer(True, grant)
    oak.write("profile", {"name": "Oak, later"})
    other.withdraw(offer)
    other.offer(3)
    told = proof(elm, oak.written[3:], other.written[3:4])
    digests = set()
    for end in (oak, other):
        for seed in range(30):
            records = all_of(mill, end, elm)
            random.Random(seed).shuffle(records)
            state = folded(charter, records)
            digests.add(state.digest())
            assert [each.id for each in state.every(Offer)] == [offer.id]
            assert state.profile(oak.key) == read_body(oak.written[1])
            assert state.contested_logs() == [(oak.key, oak.log, 3)]
            assert state.set_aside(end.written[3].id) is not None
    assert len(digests) == 1
    assert told.id in {record.id for record in elm.written}


def read_body(record: Record) -> object:
    """Return what a record says."""
    statement = read_statement(record)
    assert statement is not None
    return statement.body


def test_the_earliest_place_counts() -> None:
    """FOLD-3: of several proofs the one at the least seq."""
    charter, (mill, oak, elm) = village(3)
    oak.offer(1)
    early = parting(oak)
    early.offer(2)
    oak.offer(3)
    late = parting(oak)
    oak.offer(4)
    late.offer(5)
    proofs = [
        proof(elm, oak.written[3:], late.written[3:]),
        proof(mill, oak.written[2:], early.written[2:]),
    ]
    still = [each for each in all_of(mill, oak, elm) if each not in proofs]
    digests = set()
    for order in permutations(proofs):
        state = folded(charter, [*still, *order])
        digests.add(state.digest())
        assert state.contested_from((oak.key, oak.log)) == 2
    assert len(digests) == 1
    assert folded(charter, [*still, proofs[0]]).contested_from((oak.key, oak.log)) == 3


def test_what_was_promised_before_the_log_parts_stands() -> None:
    """A forked granter's earlier grant still fills its request, and can be received."""
    charter, (mill, oak, elm) = village(3)
    grant = oak.grant(5, oak.offer(10), elm.request(5))
    elm.answer(True, grant)
    other = parting(oak)
    oak.receipt("handed", 5, grant)
    other.withdraw(grant)
    elm.receipt("received", 5, grant)
    proof(mill, oak.written[3:], other.written[3:])
    for end in (oak, other):
        state = folded(charter, all_of(mill, end, elm))
        became = grant_state(state, grant.id)
        assert (became.status, became.handed, became.received) == ("received", None, 5)


def test_a_holder_who_forks_can_spend_no_more_of_its_rights() -> None:
    """Its rights are frozen: what is granted from them after the log parts is nowhere."""
    charter, (mill, oak, elm) = village(3)
    oak.write("profile", {"name": "Oak"})
    rights = mill.rights(10, mill.offer(10), oak)
    request = elm.request(10)
    first = oak.grant(4, rights, request)
    other = parting(oak)
    grants = [oak.grant(6, rights, request), other.grant(6, rights, request)]
    proof(elm, oak.written[3:], other.written[3:])
    for end in (oak, other):
        state = folded(charter, all_of(mill, end, elm))
        assert grant_state(state, first.id).status == "offered"
        assert all(state.statement(grant.id) is None for grant in grants)
        assert state.latest_log(oak.key) is None


def test_returns_of_frozen_rights_are_not_taken_in_again() -> None:
    """The issuer's node names none of them, and the holder's own node writes none."""
    charter, (mill, oak, elm) = village(3)
    oak.write("profile", {"name": "Oak"})
    offer = mill.offer(10)
    rights = mill.rights(10, offer, oak)
    other = parting(oak)
    oak.give_back(4, rights)
    other.offer(1)
    log = oak.log
    oak.reincarnate()
    oak.give_back(4, rights)
    state = folded(charter, all_of(mill, oak, elm))
    named = state.find(offer.id, Offer)
    assert named is not None
    assert len(list(creditable(state, named))) == 2
    told = [each for each in oak.written if each.log == log]
    proof(elm, told[2:], other.written[2:])
    state = folded(charter, all_of(mill, oak, elm))
    assert not list(creditable(state, named))
    assert not list(give_back(state, oak.key, oak.log, 0))


def test_whoever_was_let_in_after_the_log_parted_needs_another_vouch() -> None:
    """The roster is the same for holders of either end; what a lost member wrote waits for it."""
    charter, (mill, oak, elm, ash) = village(4)
    founders = mill.written[:3]  # vouches for oak and elm; the one for ash is oak's here
    other = parting(oak)
    oak.write("vouch", {"key": ash.key})
    other.reincarnate()
    other.log = oak.log
    other.written = [oak.written[0]]
    other.offer(1)
    ash.write("profile", {"name": "Ash"})
    told = proof(ash, oak.written[1:], other.written[1:])
    digests = set()
    for end in (oak, other):
        records = [*founders, *end.written, *ash.written]
        state = State(charter)
        for seed in range(20):
            random.Random(seed).shuffle(records)
            state = folded(charter, records)
            assert state.roster() == sorted([mill.key, oak.key, elm.key])
            assert state.profile(ash.key) is None
            assert not state.is_proven((oak.key, oak.log), 1)
            digests.add(state.digest())
        assert state.member_count == 3
        elm.log, elm.written = b"", []
        again = elm.write("vouch", {"key": ash.key})
        for record in elm.written:
            state.add(record)
        profile = state.profile(ash.key)
        assert isinstance(profile, Profile)
        assert profile.name == "Ash"
        assert [each.id for each in state.introduction(ash.key) or ()][1:] == [again.id]
        assert state.is_proven((oak.key, oak.log), 1)
        assert state.statement(told.id) is not None
    assert len(digests) == 1


def test_two_who_accuse_each_other_from_contested_places_are_both_contested() -> None:
    """FOLD-3: a proof counts wherever it stands, so there is no circle to be cut."""
    charter, (mill, oak, elm) = village(3)
    for who in (oak, elm):
        who.offer(1)
    ends = {who: parting(who) for who in (oak, elm)}
    for who, end in ends.items():
        who.offer(2)
        end.offer(3)
    proof(oak, elm.written[2:], ends[elm].written[2:])
    proof(elm, oak.written[2:3], ends[oak].written[2:])
    digests = set()
    for seed in range(20):
        records = all_of(mill, oak, elm)
        random.Random(seed).shuffle(records)
        state = folded(charter, records)
        digests.add(state.digest())
        assert [seq for _, _, seq in state.contested_logs()] == [2, 2]
        assert not any(state.is_proven((who.key, who.log), 2) for who in (oak, elm))
    assert len(digests) == 1


def test_a_log_may_part_at_its_very_beginning() -> None:
    """FOLD-4: then nothing of it takes part."""
    charter, (mill, oak) = village(2)
    other = parting(oak)
    oak.offer(1)
    other.log = oak.log
    rival = other._append("incarnation", {"heads": [[bytes(8), 1, bytes(32)]]})
    proof(mill, oak.written[:1], [rival])
    for records in (oak.written, [rival]):
        state = folded(charter, [*mill.written, *records])
        assert not state.every(Offer)
        assert state.contested_logs() == [(oak.key, oak.log, 0)]


@pytest.mark.parametrize("near", ["same", "unsigned", "foreign", "loose", "apart", "others"])
def test_near_misses_are_no_proofs(near: str) -> None:
    """FORK-1 to FORK-4: the liar is not helped, and nobody honest is accused."""
    charter, (mill, oak, elm) = village(3)
    oak.offer(1)
    oak.offer(2)
    other = parting(oak)
    oak.offer(3)
    other.offer(4)
    mine, theirs = oak.written[3], other.written[3]
    ends = {
        "same": ([mine], [mine]),
        "unsigned": ([mine], [Record.parse(theirs.header, bytes(64), theirs.body)]),
        "foreign": ([mine], [village(2, seed=2)[1][0].offer(1)]),
        "loose": ([oak.written[2], *other.written[4:], other.written[2]], [theirs]),
        "apart": ([oak.written[2]], [theirs]),
        "others": ([mine], [elm.offer(3)]),
    }[near]
    told = proof(mill, *ends)
    assert read_statement(told) is None
    state = folded(charter, all_of(mill, oak, elm))
    assert not state.contested_logs()
    assert len(state.every(Offer)) == 4
