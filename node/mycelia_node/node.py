"""A node that is in a commons: engine, store, transport and driver, started and stopped as one."""

import asyncio
import logging
import os
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from mycelia_node import notices
from mycelia_node.anchor import Anchor
from mycelia_node.clock import Clock
from mycelia_node.config import Config
from mycelia_node.driver import Driver
from mycelia_node.errors import HomeError, NodeError, RequestError
from mycelia_node.home import Home
from mycelia_node.keys import load_or_create_seal_key
from mycelia_node.reunions import Reunions
from mycelia_node.snapshots import SnapshotKeeper
from mycelia_node.store import SqliteStore
from mycelia_node.tally import Tally, counting
from mycelia_node.transport import Transport
from mycelia_node.watchers import Watchers
from mycelia_protocol.attendance import Reach
from mycelia_protocol.charter import Charter
from mycelia_protocol.encoding import Value
from mycelia_protocol.engine import Engine
from mycelia_protocol.errors import RemoteError
from mycelia_protocol.events import (
    DecisionRequested,
    InviteRequested,
    PublishRequested,
    ShutdownRequested,
    StoreLoaded,
)
from mycelia_protocol.hpke import seal_public_key
from mycelia_protocol.invite import Invite
from mycelia_protocol.join import decode_introduction
from mycelia_protocol.limits import INVITE_SECRET_SIZE
from mycelia_protocol.notices import ForkSeen, Notice, PeerConnected, PeerLost
from mycelia_protocol.options import Options

DAY_MS = 86_400_000

log = logging.getLogger("mycelia.node")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A member to whom there is a link."""

    key: bytes
    address: str
    outbound: bool
    since_ms: int


def read_charter(home: Home) -> Charter | None:
    """Return the charter of the commons that this home is in, or None.

    Raises:
        HomeError: charter.bin is damaged.
    """
    try:
        return Charter.decode(home.charter.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, RemoteError) as error:
        raise HomeError(
            f"{home.charter} can't be used: {error}.",
            "Put it back from a backup, or from another member: it is the same for all.",
        ) from error


class Node:
    """One running node.

    Args:
        on_crash: told of an exception that no part should have let out; the node is dead then.
        is_resting: it talks to nobody and writes nothing by itself; only its store is wanted.
    """

    def __init__(
        self,
        home: Home,
        config: Config,
        charter: Charter,
        seed: bytes,
        clock: Clock,
        watchers: Watchers,
        on_crash: Callable[[BaseException], None],
        *,
        is_resting: bool = False,
    ) -> None:
        self.home: Final = home
        self.config: Final = config
        self.seed: Final = seed
        self.clock: Final = clock
        self.neighbours: dict[int, Neighbour] = {}
        self.forks = 0
        self._watchers = watchers
        options = read_options(home, config)  # first: what fails here leaves the home as it was
        if is_resting:
            options = Options(
                allocate=False,
                discover=False,
                presence=False,
                introduction=options.introduction,
            )
        was_swapped = home.was_swapped()
        resumable_log = home.take_clean()
        loop = asyncio.get_running_loop()
        self.store: Final = SqliteStore(home.database, charter.commons, poster(loop))
        self.reunions: Final = Reunions(home.database, self.store.save_note)
        self.tally: Final = Tally()
        rng, shortcuts = random.SystemRandom(), counting(self.tally)
        engine = Engine(charter, seed, rng, options, shortcuts)
        self._anchor = Anchor(home, self.store.save_note)
        self.driver: Final = Driver(
            engine, self.store, clock, self._noticed, on_crash, self._anchor.doubt
        )
        self.transport: Final = Transport(self.driver.deliver, self.driver.room, clock, on_crash)
        self.engine: Final = engine
        is_restored = resumable_log is None and (was_swapped or not self._anchor.holds)
        self._loaded = StoreLoaded(resumable_log, is_restored, self._anchor.known_since)
        self._snapshots = SnapshotKeeper(home, charter.commons, engine.logs.record_count)

    async def start(self, listener: socket.socket | None) -> None:
        """Read the store, open for links, and make sure the profile is true.

        Raises:
            StoreError: the database is damaged.
        """
        self.load()
        await self.transport.start(listener)
        self._snapshots.start()
        await self.tell_profile()

    def load(self) -> None:
        """Read the store.

        Raises:
            StoreError: the database is damaged.
        """
        self.driver.connect(self.transport)
        try:
            self.driver.load(self._loaded, self._snapshots.open())
            self._anchor.drop()
        except NodeError:
            self.driver.stop()
            self.store.close()
            self._snapshots.discard()
            raise

    async def stop(self) -> None:
        """Tell the neighbours, close everything, and leave the marker of a clean end."""
        self.driver.deliver(ShutdownRequested())
        await self._snapshots.stop()
        await self.transport.stop()
        await asyncio.to_thread(self.store.close)
        await asyncio.sleep(0)  # the store's last reports are already queued: let them be handled
        self.driver.stop()
        self._snapshots.close()
        resumable_log = self.engine.resumable_log
        if resumable_log is not None:
            self.home.mark_clean(resumable_log)

    def reach(self, key: bytes) -> tuple[Reach, int | None]:
        """Return how a member can be reached, and when there was the last sign of it (ms)."""
        is_linked = any(neighbour.key == key for neighbour in self.neighbours.values())
        return self.engine.attendance.reach(key, self.clock.now_ms(), is_linked=is_linked)

    @cached_property
    def seal_private(self) -> bytes:
        """The X25519 key that opens messages to this node.

        Raises:
            HomeError: its file is damaged.
        """
        return load_or_create_seal_key(self.home)

    async def tell_profile(self) -> None:
        """Publish name and addresses unless the last profile already says so."""
        known = self.engine.state.profile(self.engine.key)
        name, addresses = self.config.node.name, self.config.addresses
        seal_key = seal_public_key(self.seal_private)
        told = (known.name, known.addresses, known.seal_key) if known is not None else None
        if told == (name, addresses, seal_key):
            return
        content: dict[str, Value] = {"name": name, "addresses": addresses, "seal_key": seal_key}
        if known is not None and known.about:
            content["about"] = known.about
        try:
            await self.publish("profile", content)
        except RequestError as error:
            log.warning("the profile was not written: %s", error)

    async def publish(
        self, kind: str, content: dict[str, Value], refs: tuple[bytes, ...] = ()
    ) -> bytes:
        """Write a record and return its id once it is on disk.

        Raises:
            RequestError: the engine refused it, or the disk did.
        """
        token, future = self._ask()
        self.driver.deliver(PublishRequested(token, kind, content, refs))
        record = await future
        assert record is not None
        return record

    async def decide(
        self,
        purse: bytes,
        slot: int | None,
        grants: tuple[tuple[bytes, int], ...],
        reason: str = "",
        approver: bytes | None = None,
    ) -> bytes:
        """Write a decision that a person made, with its grants, and return its id; as `publish`.

        Arguments as of `DecisionRequested`.
        """
        token, future = self._ask()
        self.driver.deliver(DecisionRequested(token, purse, slot, grants, reason, approver))
        record = await future
        assert record is not None
        return record

    async def invite(self, days: int) -> Invite:
        """Make an invite that is valid for some days, once it is on disk.

        Raises:
            RequestError: too many are open, or nobody knows where this node can be reached.
            StoreError: it could not be written.
        """
        if not self.config.addresses:
            raise RequestError(
                f"This node listens on {self.config.link.listen} and does not know by which "
                "address others reach it.",
                f"Write advertise into the section [link] of {self.home.config} and restart.",
                code="no-address",
                status=409,
            )
        secret = os.urandom(INVITE_SECRET_SIZE)
        expires_ms = self.clock.now_ms() + days * 86_400_000
        token, future = self._ask()
        self.driver.deliver(InviteRequested(token, secret, expires_ms))
        await future
        commons = self.engine.state.commons
        return Invite(commons, self.engine.key, secret, expires_ms, self.config.addresses)

    def _ask(self) -> tuple[int, "asyncio.Future[bytes | None]"]:
        if self.driver.is_over:
            raise RequestError("The node is stopping.", code="stopping", status=503)
        return self.driver.pending.open()

    def _noticed(self, notice: Notice) -> None:
        """Log a notice, keep the list of neighbours, and tell those who watch."""
        now_ms = self.clock.now_ms()
        match notice:
            case PeerConnected(link, key, outbound, address):
                self.neighbours[link] = Neighbour(key, address, outbound, now_ms)
                self.transport.mark_ready(link)
                self.reunions.met(key, now_ms)
            case PeerLost(link, key):
                self.neighbours.pop(link, None)
                self.reunions.lost(key, now_ms)
            case ForkSeen():
                self.forks += 1
            case _:
                pass
        level, area = notices.place(notice, self.engine.key)
        logger = logging.getLogger(f"mycelia.{area}")
        if logger.isEnabledFor(level):
            logger.log(level, "%s", notices.sentence(self.engine.state, notice))
        if len(self._watchers):
            self._watchers.tell(notices.event(self.engine.state, notice, now_ms))


def read_options(home: Home, config: Config) -> Options:
    """Return what the engine is to know of the owner's choices.

    Raises:
        HomeError: introduction.bin can't be read.
    """
    try:
        introduction = home.introduction.read_bytes() if home.introduction.exists() else None
        if introduction is not None:
            decode_introduction(introduction)
    except (OSError, RemoteError) as error:
        raise HomeError(
            f"{home.introduction} can't be used: {error}.",
            "Put it back from a backup. If the other members know this node, remove it.",
        ) from error
    return Options(
        allocate=config.share.policy != "none",
        decide=config.share.policy == "commons",
        preposition=config.share.preposition,
        confirm_handovers=config.share.receipts == "auto",
        accept_within_ms=config.share.accept_within_s * 1_000,
        compact_after_ms=config.growth.compact_after_days * DAY_MS or None,
        checkpoint_after=config.growth.checkpoint_after or None,
        erase_after_ms=config.growth.erase_after_days * DAY_MS or None,
        dial=config.link.dial,
        discover=config.link.discover,
        presence=config.link.presence,
        introduction=introduction,
    )


def poster(loop: asyncio.AbstractEventLoop) -> Callable[[Callable[[], None]], None]:
    """Return what brings the store's reports into the loop's thread."""

    def post(function: Callable[[], None]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(function)

    return post
