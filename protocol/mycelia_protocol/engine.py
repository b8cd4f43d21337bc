"""The node's core: one deterministic machine that owns and routes all the others.

`handle(event, now_ms) -> list[Output]` and `due_ms` are all there is. The executor (a node's
driver, a simulated world) performs the outputs in order and reports what happened; it delivers
`LinkClosed` exactly once for each `LinkOpened`, and `RecordsStored` or `StoreFailed` exactly once
for each `StoreRecords`.

    events ──> Engine ──┬─> Peers      handshakes, greetings, strangers
                        ├─> Door       newcomers and their invites
                        ├─> Exchange   Logs: what is authentic; Reconcile: heads, WANT, RECORDS
                        ├─> State      what all stored records together say
                        ├─> OwnLog     Publisher; RestoreGate: whether it may spend; Steward
                        └─> Overlay    whom to dial

An own record leaves only once it is on disk; others' records are relayed at once; heads are told
from the store alone. Only a `RemoteError` is caught here; anything else is a bug and must be loud.
Spec: sections 8 to 10.
"""

from collections.abc import Iterable
from typing import Final, assert_never

from mycelia_protocol import events, form_events
from mycelia_protocol.attendance import Attendance
from mycelia_protocol.charter import Charter
from mycelia_protocol.checkpoints import READ_TOKEN
from mycelia_protocol.clock import Clock, earliest
from mycelia_protocol.close_codes import CLOSE_DONE, CLOSE_RESTING, CLOSE_SPARE
from mycelia_protocol.crypto import public_key
from mycelia_protocol.door import Decision, Door, Greet, TurnAway, WriteVouch
from mycelia_protocol.errors import InvalidTransition, LocalError
from mycelia_protocol.events import Event, Notify, Output, Refused
from mycelia_protocol.exchange import Exchange
from mycelia_protocol.forks import Proof
from mycelia_protocol.form_events import EvidenceCarried, FormsCarried
from mycelia_protocol.join import decode_introduction, is_introduced
from mycelia_protocol.limits import REGION_CELL
from mycelia_protocol.logs import Logs
from mycelia_protocol.messages import Message, Records, Refuse, Welcome
from mycelia_protocol.notices import CatchingUp, MemberJoined, RecordArrived, StoreTroubled
from mycelia_protocol.options import Options
from mycelia_protocol.overlay import Overlay
from mycelia_protocol.own_log import OwnLog
from mycelia_protocol.peers import JoinAsked, MessageCame, Outcome, PeerGone, PeerReady, Peers
from mycelia_protocol.publish import Draft
from mycelia_protocol.record import Record
from mycelia_protocol.replicate import Fault, Step
from mycelia_protocol.rng import Rng
from mycelia_protocol.shortcuts import Shortcuts
from mycelia_protocol.told import Say
from mycelia_protocol.types.erase import Erase

TRAFFIC = events.LinkOpened | events.PublishRequested | events.DecisionRequested


class Engine:
    """One node of one commons.

    Args:
        charter: what founded the commons.
        seed: this node's Ed25519 seed, 32 bytes.
        rng: decides whom to ask and when; gives keys, ids and salts. On a real node cryptographic.
        shortcuts: for simulated worlds, and to count what passes.
    """

    def __init__(
        self,
        charter: Charter,
        seed: bytes,
        rng: Rng,
        options: Options | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.options: Final = options or Options()
        shortcuts = shortcuts or Shortcuts()
        self.state: Final = shortcuts.first_state(charter)
        logs = shortcuts.first_logs()
        self._charter_bytes = charter.encode()
        kept = self.options.introduction
        self._own_chain, contacts = ((), ()) if kept is None else decode_introduction(kept)
        commons = self.state.commons
        self.attendance: Final = Attendance(
            commons, seed, self.state, rng, shortcuts.attest, is_spoken=self.options.presence
        )
        key = public_key(seed)
        self._exchange = Exchange(self.state, logs, rng, key, self.options, self.attendance)
        self.replicate: Final = self._exchange.replicate
        self.is_hearing: Final = self._exchange.is_hearing
        erasures = self.replicate.erasures
        self._own = OwnLog(seed, self.state, logs, erasures, self.options, rng)
        self.publisher: Final = self._own.publisher
        self.key: Final = self.publisher.key
        self.gate: Final = self._own.gate
        self.checkpoints: Final = self._own.checkpoints
        self.peers: Final = Peers(
            commons, seed, self.key, rng, self._admits, self._own_introduction, shortcuts
        )
        self._overlay = Overlay(self.options.dial, contacts, self.options.discover, rng)
        self._door = Door(self.state)
        self._is_loaded = self._is_stopping = False
        self._clock = Clock()

    @property
    def logs(self) -> Logs:
        """All logs, and how far each is stored."""
        return self.replicate.logs

    @property
    def resumable_log(self) -> bytes | None:
        """The log that the next start may write on after a clean end now, or None."""
        return self._own.resumable

    def is_frozen(self, thing: bytes) -> bool:
        """Return whether this node may have forgotten what a purse or a request of its came to."""
        return self._own.steward.is_frozen(thing)

    @property
    def due_ms(self) -> int | None:
        """When `TimerFired` should next be delivered (ms), or None."""
        if not self._is_loaded or self._is_stopping:
            return None
        due_ms = earliest(
            self.peers.due_ms, self._exchange.due_ms, self._overlay.due_ms, self._own.due_ms
        )
        return None if due_ms is None else self._clock.showing(due_ms)

    def handle(self, event: Event, now_ms: int) -> list[Output]:
        """Take in what happened and return what must be done, in order.

        Raises:
            InvalidTransition: traffic before `StoreLoaded`.
        """
        if not self._is_loaded and isinstance(event, TRAFFIC):
            raise InvalidTransition(f"{type(event).__name__} before StoreLoaded")
        steady_ms = self._clock.read(now_ms)
        return self._route(event, steady_ms) + self._flush(steady_ms)

    def _route(self, event: Event, now_ms: int) -> list[Output]:
        match event:
            case events.SnapshotLoaded(snapshot):
                for part in (self.logs, self.state, self.replicate.erasures):
                    part.rest_on(snapshot)
                return []
            case events.RecordsLoaded(records):
                return self._load(records)
            case events.InvitesLoaded(invites):
                self._door.load(invites)
                return []
            case events.StoreLoaded():
                return self._loaded(event, now_ms)
            case events.LinkOpened(link, outbound, address):
                if outbound:
                    self._overlay.opened(link, address)
                return self._perform(self.peers.opened(link, outbound, address, now_ms), now_ms)
            case events.FrameReceived(link, data):
                return self._perform(self.peers.received(link, data, now_ms), now_ms)
            case events.LinkFilled(link) | events.LinkDrained(link):
                self.replicate.filled(link, is_full=isinstance(event, events.LinkFilled))
                return []
            case events.LinkClosed(link, reason, code):
                gone = self.peers.gone(link, reason)  # nothing, if it was closed here
                outputs = self._perform(gone, now_ms)
                self._overlay.closed(link, now_ms, is_broken=bool(gone) and code is None)
                return outputs
            case events.DialFailed(address, _):
                self._overlay.failed(address, now_ms)
                return []
            case events.PublishRequested(token, kind, content, refs):
                return [*self._own.publish(Draft(token, kind, content, refs))]
            case events.DecisionRequested():
                return [*self._own.decide(event)]
            case events.InviteRequested(token, secret, expires_ms):
                return self._door.invite(token, secret, expires_ms, self._clock.shown_ms)
            case events.RecordsStored(batch):
                return self._stored(batch, now_ms)
            case events.StoreFailed(batch, reason):
                return self._store_failed(batch, reason, now_ms)
            case form_events.FormsRead(token, records) if token == READ_TOKEN:
                found = self.checkpoints.read(records, now_ms, self._clock.shown_ms)
                return [] if found is None else [Notify(found)]
            case events.RecordsRead() | form_events.FormsRead():
                return self._perform(self._exchange.read(event, now_ms), now_ms)
            case form_events.Shortened() | form_events.CompactLoaded():
                self._exchange.note_compact(event, now_ms)
                return []
            case events.RecordsCarried() | FormsCarried() | EvidenceCarried():
                outputs = self._perform(self._exchange.carried(event, now_ms), now_ms)
                return self._own.with_doubt(outputs, self._clock.shown_ms)
            case events.HeadsCarried(maker, heads):
                if self.state.is_member(maker):
                    self.gate.carried(maker, heads, self.publisher.log)
                return self._check_gate()
            case events.ShutdownRequested():
                return self._shut_down(now_ms)
            case events.TimerFired():
                return self._timer(now_ms)
            case _:
                assert_never(event)

    # --- starting and stopping ---

    def _load(self, records: tuple[Record, ...]) -> list[Output]:
        for record in records:
            self.logs.load(record)
            self.state.add(record)
        self.replicate.erasures.admit(records)
        return []

    def _loaded(self, store: events.StoreLoaded, now_ms: int) -> list[Output]:
        """Begin: everything on disk has been read."""
        self._is_loaded = True
        self.attendance.is_awaited = store.resumable_log is not None  # it said that it rests
        outputs = self._own.loaded(store, now_ms, self._clock.shown_ms)
        self._exchange.loaded(now_ms)
        for key in self.state.roster():
            self._learn_addresses(key)
        self._own.steward.changed(now_ms)
        return [*outputs, *self._check_gate()]

    def _shut_down(self, now_ms: int) -> list[Output]:
        self._is_stopping = True
        outputs = self._perform(self.replicate.rest(now_ms), now_ms)
        for link in self.peers.ready_links():
            closing = self.peers.close(link, CLOSE_RESTING, "resting")
            outputs.extend(self._perform(closing, now_ms))
        return outputs

    # --- peers ---

    def _perform(self, steps: Iterable[Outcome | Step], now_ms: int) -> list[Output]:
        """Route what a machine said: frames to sessions, happenings to their handlers."""
        outputs: list[Output] = []
        for step in steps:
            match step:
                case Say(link, message):
                    outputs.extend(self.peers.send(link, message))
                case Fault(link, error):
                    outputs.extend(self._perform(self.peers.misbehaved(link, error), now_ms))
                case PeerReady(link, key, session, trip_ms):
                    self._overlay.identified(link, key)
                    opened = self._exchange.opened(link, key, session, now_ms, trip_ms)
                    outputs.extend(self._perform(opened, now_ms))
                case PeerGone(link, key):
                    if told := self.replicate.reconcile.worth_keeping(link):
                        outputs.append(events.SaveHeads(key, told))
                    self._overlay.lost(link)
                    outputs.extend(self._perform(self._exchange.closed(link, now_ms), now_ms))
                case JoinAsked(link, key, secret):
                    decision = self._door.asked(link, key, secret, self._clock.shown_ms)
                    outputs.extend(self._decide(decision, now_ms))
                case MessageCame(link, message):
                    outputs.extend(self._heard(link, message, now_ms))
                case Proof():
                    self._own.witness.found(step, now_ms)
                case _:
                    outputs.append(step)
        return outputs

    def _heard(self, link: int, message: Message, now_ms: int) -> list[Output]:
        """Take a member's frame, watching for what it says of this node's own logs."""
        key = self.peers.key_of(link)
        if key is not None:
            self._own.heard(key, message)
        heard = self._perform(self._exchange.heard(link, message, now_ms), now_ms)
        outputs = self._own.with_doubt(heard, self._clock.shown_ms)
        if key is not None and isinstance(message, Records):
            fetched, total = self.replicate.reconcile.progressed(link, now_ms)
            if total:
                outputs.append(Notify(CatchingUp(key, fetched, total)))
        if key is not None and self.replicate.reconcile.has_told_all(link):
            self.gate.shown(key, self.replicate.reconcile.told_by(link))
            outputs.extend(self._check_gate())
        return outputs

    def _admits(self, key: bytes, chain: tuple[Record, ...]) -> bool:
        """Return whether the roster or the chain that it showed makes a key a member."""
        return self.state.is_member(key) or is_introduced(self.state.charter, chain, key)

    def _own_introduction(self) -> tuple[Record, ...]:
        return tuple(self.state.introduction(self.key) or self._own_chain)

    def _decide(self, decision: Decision, now_ms: int) -> list[Output]:
        """Carry out what the door decided on a newcomer."""
        match decision:
            case WriteVouch(draft):
                try:
                    self.publisher.ask(draft)
                except LocalError:  # too much is waiting to be written
                    assert draft.token is not None
                    return self._not_written(draft.token, "", now_ms)
                return []
            case Greet(link, key):
                known = (self.key, self._own_introduction())
                chain = tuple(self.state.introduction(key, known) or ())
                return self._perform([Say(link, Welcome(self._charter_bytes, chain))], now_ms)
            case TurnAway(link, code, reason):
                told = self._perform([Say(link, Refuse(code, reason))], now_ms)
                return told + self._perform(self.peers.close(link, CLOSE_DONE, code), now_ms)

    # --- the store ---

    def _stored(self, number: int, now_ms: int) -> list[Output]:
        """Fold what is on disk, tell who waits for it, and look at what follows."""
        members = self.state.member_count
        batch, steps = self.replicate.stored(number, now_ms)
        outputs: list[Output] = []
        for record in batch.records:
            if batch.is_again:
                self.state.learn_words(record)
                continue
            self.state.add(record)
            outputs.append(Notify(RecordArrived(record)))
            if record.kind in ("profile", "vouch"):
                self._learn_addresses(record.author)
            erasure = self.state.find(record.id, Erase) if record.kind == "erase" else None
            if erasure is not None:
                self.state.forget_words(erasure)
        outputs.extend(self._perform(steps, now_ms))
        if batch.is_own:
            outputs.extend(self._written(now_ms))
        if self.state.member_count != members:
            outputs += self._perform(self.replicate.reconcile.ask_everyone(now_ms), now_ms)
        shown_ms = self._clock.shown_ms
        outputs.extend(self._own.stored(batch.records, now_ms, shown_ms, is_own=batch.is_own))
        outputs.extend(self._check_gate())
        return outputs

    def _written(self, now_ms: int) -> list[Output]:
        """Answer those whose records are on disk."""
        notices, done = self._own.written()
        outputs: list[Output] = [Notify(notice) for notice in notices]
        for token, record in done:
            guest = self._door.written(token)
            if guest is None:
                outputs.append(events.Accepted(token, record))
                continue
            outputs += [events.DeleteInvite(guest.digest), Notify(MemberJoined(guest.key))]
            outputs.extend(self._decide(Greet(guest.link, guest.key), now_ms))
        return outputs

    def _store_failed(self, number: int, reason: str, now_ms: int) -> list[Output]:
        """Carry on from what is on disk; nobody is told that something was written."""
        batch, is_first = self.replicate.failed(number, now_ms)
        outputs: list[Output] = []
        if batch.is_own:
            for token in self.publisher.failed():
                outputs.extend(self._not_written(token, reason, now_ms))
        if batch.answer is not None:
            outputs.append(Refused(batch.answer.token, "store", f"not written: {reason}"))
        outputs += self._own.store_failed(now_ms)
        return [*outputs, Notify(StoreTroubled(reason))] if is_first else outputs

    def _not_written(self, token: int, reason: str, now_ms: int) -> list[Output]:
        """Tell whoever asked for a record that it was not written."""
        decision = self._door.not_written(token)
        if decision is not None:
            return self._decide(decision, now_ms)
        return [Refused(token, "store", f"the record could not be written: {reason}")]

    # --- the own log ---

    def _flush(self, now_ms: int) -> list[Output]:
        records, refusals = self._own.flush(self._clock.shown_ms)
        if not records:
            return [*refusals]
        steps = self.replicate.store(records, is_own=True)
        return [*refusals, *self._perform(steps, now_ms)]

    def _check_gate(self) -> list[Output]:
        # A newcomer's store is empty, but its own vouches say that it is not alone.
        members = max(self.state.member_count, len(self._own_chain) + 1)
        return self._own.check_gate(members, self._clock.steady_ms)

    def _learn_addresses(self, key: bytes) -> None:
        profile = self.state.profile(key)
        if profile is not None:
            self._overlay.heard_of(key, profile.addresses, self.key)
            if profile.place is not None:
                corner = (profile.place.lat_e7, profile.place.lon_e7)
                self._overlay.regions[key] = (corner[0] // REGION_CELL, corner[1] // REGION_CELL)

    # --- time ---

    def _timer(self, now_ms: int) -> list[Output]:
        """Do what is due."""
        if not self._is_loaded or self._is_stopping:
            return []
        outputs = self._perform(self.peers.timer(now_ms), now_ms)
        outputs.extend(self._perform(self._exchange.timer(now_ms, self._clock.shown_ms), now_ms))
        outputs.extend(events.Dial(address) for address in self._overlay.timer(now_ms))
        if (spare := self._overlay.surplus()) is not None:
            closing = self.peers.close(spare, CLOSE_SPARE, "spare: links enough without it")
            outputs.extend(self._perform(closing, now_ms))
        outputs.extend(self._own.timer(now_ms, self._clock.shown_ms))
        return outputs
