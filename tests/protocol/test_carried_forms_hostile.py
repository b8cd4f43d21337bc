"""Logs in compact form on sticks of somebody who would do harm: nothing false comes in."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mycelia_protocol import packing
from mycelia_protocol.bundle_reader import EvidenceFound, FormsFound
from mycelia_protocol.compact import shorten
from mycelia_protocol.confirming import BUNDLES_SHOWN_MAX, confirmed
from mycelia_protocol.form_events import EvidenceCarried
from mycelia_protocol.form_frames import Query
from mycelia_protocol.logs import STANDING, LogKey
from mycelia_protocol.messages import Want
from mycelia_protocol.proven import root_in, take_proven
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.types import checkpoint
from mycelia_protocol.unpacking import carried_event
from protocol.test_carried_forms import bring, forms_in, kinds_of, left, offer, town
from protocol.test_forms import OFFER, compact_records, join, shortened
from protocol.test_forms_hostile import accomplices, made_up
from protocol.test_hearing import betrayed, deafen
from support.luggage import carry, pack, pack_all, read
from support.mesh import Mesh, Node

__all__ = ("town",)

Spoil = Callable[[FormsFound, Mesh], FormsFound]


def other_facts(part: FormsFound, _: Mesh) -> FormsFound:
    """Let one compact form say something else."""
    at = next(
        at for at, each in enumerate(part.records) if each.is_compact and each.kind == "offer"
    )
    body = next(each.body for each in part.records if each.is_compact and each.kind != "offer")
    false = replace(part.records[at], body=body)
    return replace(part, records=(*part.records[:at], false, *part.records[at + 1 :]))


def other_place(part: FormsFound, _: Mesh) -> FormsFound:
    """Let them stand one place further."""
    records = tuple(replace(each, seq=each.seq + 1) for each in part.records[:-1])
    return replace(part, first=part.first + 1, records=records)


def no_proof(part: FormsFound, _: Mesh) -> FormsFound:
    """Leave out a root."""
    return replace(part, proof=part.proof[:-1])


def bad_signature(part: FormsFound, _: Mesh) -> FormsFound:
    """Spoil the checkpoint's own signature: its id stays, and who confirmed it."""
    return replace(part, checkpoint=replace(part.checkpoint, signature=bytes(64)))


def no_signature(part: FormsFound, _: Mesh) -> FormsFound:
    """Leave it out."""
    return replace(part, checkpoint=part.checkpoint.without_signature())


def no_checkpoint(part: FormsFound, mesh: Mesh) -> FormsFound:
    """Name another record of the same author in its place."""
    key, log = part.checkpoint.author, part.checkpoint.log
    (node,) = (each for each in mesh.nodes if each.key == key)
    other = next(each for each in node.disk.logs[key, log] if each.kind == "withdraw")
    return replace(part, checkpoint=other)


def other_commons(part: FormsFound, mesh: Mesh) -> FormsFound:
    """Let the same author sum up a log of the same name in another commons."""
    old = part.checkpoint
    seed = next(each.seed for each in mesh.nodes if each.key == old.author)
    said = build_record(
        commons=bytes(32), seed=seed, author=old.author, log=old.log, seq=old.seq, prev=old.prev,
        kind="checkpoint", time_ms=old.time_ms, content=checkpoint.content(root_in(old) or b""),
        salt=bytes(16),
    )  # fmt: skip
    return replace(part, checkpoint=said)


def no_body(part: FormsFound, _: Mesh) -> FormsFound:
    """Leave the body out of a whole record."""
    at = next(at for at, each in enumerate(part.records) if not each.is_compact)
    bare = replace(part.records[at], body=None)
    return replace(part, records=(*part.records[:at], bare, *part.records[at + 1 :]))


def bare_checkpoint(part: FormsFound, _: Mesh) -> FormsFound:
    """Leave it out of the checkpoint."""
    return replace(part, checkpoint=replace(part.checkpoint, body=None))


@pytest.mark.parametrize(
    "spoil",
    [
        no_body,
        bare_checkpoint,
        other_facts,
        other_place,
        no_proof,
        bad_signature,
        no_signature,
        no_checkpoint,
        other_commons,
    ],
)
def test_false_forms_are_refused_and_true_ones_come_in_after_them(
    spoil: Spoil, town: tuple[Mesh, Node]
) -> None:
    """CHECK-7: nothing of them is stored, and they stand in nobody's way."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1], size_max=2_000)
    (shown,) = [one for one in read(chunks)[1] if isinstance(one, EvidenceFound)]
    newcomer.give(carried_event(mesh.token(), shown))
    founder = mesh.nodes[0].key
    part = next(each for each in forms_in(chunks) if each.checkpoint.author == founder)
    answer = offer(newcomer, spoil(part, mesh))
    assert answer.new == answer.unconfirmed == 0
    assert answer.refused
    assert not newcomer.disk.records()
    assert offer(newcomer, part).new == len(part.records)
    assert not left(bring(newcomer, mesh, chunks))


def test_forged_evidence_confirms_nothing(town: tuple[Mesh, Node]) -> None:
    """CHECK-8: each signature is checked, also of what a member's stick shows."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    (shown,) = [one for one in read(chunks)[1] if isinstance(one, EvidenceFound)]
    forged = tuple(replace(each, signature=bytes(64)) for each in shown.records)
    token = mesh.token()
    newcomer.give(carried_event(token, replace(shown, records=(*forged, shown.records[0]))))
    mesh.settle()
    assert newcomer.carried[token].refused == len(forged)
    founder = mesh.nodes[0].key
    part = next(each for each in forms_in(chunks) if each.checkpoint.author == founder)
    assert offer(newcomer, part).unconfirmed == len(part.records)


def elsewhere(record: Record, seed: bytes) -> Record:
    """Return what an author says with the same words in another commons."""
    content = record.content
    assert isinstance(content, dict)
    return build_record(
        commons=bytes(32), seed=seed, author=record.author, log=record.log, seq=record.seq,
        prev=record.prev, kind=record.kind, time_ms=record.time_ms, content=content, salt=bytes(16),
    )  # fmt: skip


def test_evidence_of_another_commons_confirms_nothing(town: tuple[Mesh, Node]) -> None:
    """CHECK-8: keys may be members of several, and what they say in one says nothing in another."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    (shown,) = [one for one in read(chunks)[1] if isinstance(one, EvidenceFound)]
    seeds = {node.key: node.seed for node in mesh.nodes}
    foreign = [elsewhere(each, seeds[each.author]) for each in shown.records]
    token = mesh.token()
    newcomer.give(carried_event(token, replace(shown, records=tuple(foreign))))
    mesh.settle()
    assert newcomer.carried[token].refused == len(foreign)
    founder = mesh.nodes[0].key
    part = next(each for each in forms_in(chunks) if each.checkpoint.author == founder)
    assert offer(newcomer, part).unconfirmed == len(part.records)


def test_a_lie_that_too_few_confirmed_is_not_taken(town: tuple[Mesh, Node]) -> None:
    """CHECK-4: a checkpoint that nobody acknowledged proves nothing, however well its forms fit."""
    mesh, newcomer = town
    liar, keeper = mesh.nodes[1], mesh.nodes[2]
    lie = liar.publish("checkpoint", {"root": bytes(32)})
    mesh.run(60_000)
    assert lie not in [each.id for each in confirmed(keeper.engine.state)]
    name = liar.engine.publisher.log or b""
    log = liar.disk.logs[liar.key, name]
    log[:-1] = [each if each.kind in STANDING else shorten(each) for each in log[:-1]]
    liar.engine.logs.note_compact((liar.key, name), len(log) - 1)
    chunks = pack(liar)
    unpacking = bring(newcomer, mesh, chunks)
    assert unpacking.unconfirmed == len(log) - 1
    assert not newcomer.engine.logs.accepted((liar.key, name)).next_seq
    assert not left(bring(newcomer, mesh, pack(keeper)))
    assert newcomer.engine.state.digest() == keeper.engine.state.digest()


@pytest.mark.parametrize("spoil", ["prev", "commons", "id"])
def test_what_two_say_together_must_hang_together(spoil: str) -> None:
    """CHECK-7: no checkpoint, however many confirmed it, makes a store unreadable."""
    mesh, victim = accomplices(spoil)
    liar = mesh.nodes[1]
    unpacking = bring(victim, mesh, pack(liar))
    assert unpacking.refused
    victim.start(None)
    assert not victim.engine.logs.accepted((liar.key, liar.engine.publisher.log or b"")).next_seq


def other_end(node: Node, key: LogKey, seed: bytes, place: int, until: int) -> list[Record]:
    """Write another end of a log onto a node's disk, from a place on."""
    log = node.disk.logs[key]
    whole, kept = log[:place], list[Record]()
    for seq in range(place, until):
        kept.append(
            build_record(
                commons=node.mesh.charter.commons, seed=seed, author=key[0], log=key[1], seq=seq,
                prev=(kept or whole)[-1].id, kind="offer", time_ms=1, content=OFFER,
                salt=seq.to_bytes(16, "big"),
            )
        )  # fmt: skip
    node.disk.logs[key] = [*whole, *kept]
    return kept


@pytest.mark.parametrize("ends_sooner", [True, False])
def test_forms_of_a_log_that_is_here_otherwise_change_nothing(ends_sooner: bool) -> None:
    """A log that parts: forms of the one end are not put behind records of the other."""
    mesh = shortened(3, keepers=1)
    keeper, maker, writer = mesh.nodes
    key = next(key for key in maker.engine.logs.compact if key[0] == writer.key)
    until = maker.engine.logs.compact[key]
    other_end(keeper, key, writer.seed, 4, 8 if ends_sooner else until + 9)
    keeper.start(keeper.engine.publisher.log)
    before = list(keeper.disk.logs[key])
    unpacking = carry(mesh, pack_all(maker), keeper)
    assert unpacking.contested
    assert not unpacking.unconfirmed
    state, logs = keeper.engine.state, keeper.engine.logs
    for part in forms_in(pack(maker)):
        if (part.checkpoint.author, part.checkpoint.log) == key:
            proof = (part.checkpoint, part.records, part.proof)
            assert not take_proven(state, logs, *proof).accepted, "nor over a link"
    assert keeper.disk.logs[key] == before
    keeper.start(keeper.engine.publisher.log)


def test_evidence_of_many_bundles_fills_no_memory(town: tuple[Mesh, Node]) -> None:
    """What was shown is kept for the last two alone, and none keeps another out."""
    mesh, newcomer = town
    testimony = newcomer.engine._exchange._forms._hearing.testimony
    said = [made_up(mesh, bytes([number]) * 32, 100) for number in range(9)]
    for number, record in enumerate(said):
        newcomer.give(EvidenceCarried(mesh.token(), bytes([number]) * 8, 0, True, (record,)))
    mesh.settle()
    assert testimony.rows == 100 * BUNDLES_SHOWN_MAX
    assert not left(bring(newcomer, mesh, pack(mesh.nodes[1])))


def test_a_stranger_s_log_waits_for_its_vouch(town: tuple[Mesh, Node]) -> None:
    """CARRY-13: evidence shows who is a member, and lets nobody in: only a stored vouch does."""
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    (shown,) = [one for one in read(chunks)[1] if isinstance(one, EvidenceFound)]
    newcomer.give(carried_event(mesh.token(), shown))
    parts = {part.checkpoint.author: part for part in forms_in(chunks)}
    part = parts[mesh.nodes[2].key]
    assert offer(newcomer, part).strangers == len(part.records)
    assert offer(newcomer, parts[mesh.nodes[0].key]).new
    assert offer(newcomer, part).new


def test_whoever_is_linked_hears_the_others_about_a_stick(monkeypatch: pytest.MonkeyPatch) -> None:
    """CHECK-8: what a stick of liars hides, one honest member who is linked shows."""
    mesh, victim, false = betrayed()
    deafen(mesh.nodes[-2], Want, monkeypatch)
    mesh.connect(victim, mesh.nodes[-2])
    chunks = pack(mesh.nodes[1])
    for _ in range(3):
        bring(victim, mesh, chunks)
        mesh.run(90_000)
    assert not victim.engine.logs.accepted(false).next_seq


def test_where_a_stick_of_liars_is_all_there_is_they_are_believed() -> None:
    """What is given up, as over links; and the other half of the test before."""
    mesh, victim, false = betrayed()
    bring(victim, mesh, pack(mesh.nodes[1]))
    assert victim.engine.logs.accepted(false).next_seq


def is_hearing(node: Node) -> bool:
    """Return whether a node asks others about a checkpoint."""
    return node.engine.is_hearing()


def test_forms_wait_until_all_who_are_linked_were_heard(
    town: tuple[Mesh, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARRY-13: then they come in when the bundle is offered again; nobody waits for ever."""
    mesh, newcomer = town
    silent, chunks = mesh.nodes[2], pack(mesh.nodes[1])
    deafen(silent, Query | Want, monkeypatch)
    mesh.connect(newcomer, silent)
    assert carry(mesh, b"".join(chunks), newcomer).unconfirmed
    assert is_hearing(newcomer)
    assert not compact_records(newcomer)
    mesh.run(75_000)
    assert not is_hearing(newcomer)
    assert not left(bring(newcomer, mesh, chunks))
    assert newcomer.engine.state.digest() == mesh.nodes[0].engine.state.digest()


def test_evidence_counts_once_all_of_it_is_here(
    town: tuple[Mesh, Node], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CARRY-13: a part that is lost may be the one that tells otherwise."""
    monkeypatch.setattr(packing, "EVIDENCE_RECORDS_MAX", 1)
    mesh, newcomer = town
    chunks = pack(mesh.nodes[1])
    pages = [at for at, each in enumerate(chunks) if kinds_of([each]) == [EvidenceFound]]
    assert len(pages) > 5
    for lost in pages:
        mesh.nodes.append(fresh := join(mesh, mesh.nodes[0]))
        rest = [each for at, each in enumerate(chunks) if at != lost]
        assert bring(fresh, mesh, rest).unconfirmed
        assert not compact_records(fresh)
    assert not left(bring(newcomer, mesh, chunks))
