"""The executor: order, the timer, and what happens when the engine breaks."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mycelia_node.clock import Clock
from mycelia_node.driver import Driver
from mycelia_node.errors import RequestError
from mycelia_node.node import poster
from mycelia_node.store import SqliteStore
from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import (
    Accepted,
    Event,
    InvitesLoaded,
    Notify,
    Output,
    PublishRequested,
    RecordsStored,
    Refused,
    StoreLoaded,
    TimerFired,
)
from mycelia_protocol.form_events import CompactLoaded, FormsRead, ReadForms, Shorten, Shortened
from mycelia_protocol.notices import Notice, StoreTroubled
from node_daemons import DEADLINE_S, ENVIRONMENT, cli
from node_records import COMMONS, make_log

SEED = b"\1" * 32


class ScriptedEngine(Engine):
    """An engine that notes its events and answers as a test has written."""

    def __init__(self) -> None:
        import random

        super().__init__(Charter("X", public_key(SEED), 0, b"0" * 16), SEED, random.Random(1))
        self.events: list[Event] = []
        self.answers: dict[type, list[Output] | Exception] = {}
        self.due: int | None = None
        self.woken = asyncio.Event()

    @property
    def due_ms(self) -> int | None:
        """When the test wants to be woken."""
        return self.due

    def handle(self, event: Event, now_ms: int) -> list[Output]:
        """Return what the test has written."""
        self.events.append(event)
        if isinstance(event, TimerFired):
            self.due = None
            self.woken.set()
        answer = self.answers.get(type(event), [])
        if isinstance(answer, Exception):
            raise answer
        return answer


class Rig:
    """A driver with a scripted engine and a real store."""

    def __init__(self, path: Path) -> None:
        loop = asyncio.get_running_loop()
        self.engine = ScriptedEngine()
        self.notices: list[Notice] = []
        self.crashes: list[BaseException] = []
        self.doubts: list[int] = []
        self.store = SqliteStore(path, COMMONS, poster(loop))
        self.driver = Driver(
            self.engine,
            self.store,
            Clock(),
            self.notices.append,
            self.crashes.append,
            self.doubts.append,
        )

    def ask(self) -> tuple[int, "asyncio.Future[bytes | None]"]:
        """Ask for a record to be written."""
        token, future = self.driver.pending.open()
        self.driver.deliver(PublishRequested(token, "offer", {}))
        return token, future


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    """A driver on a store of its own."""
    rig = Rig(tmp_path / "node.db")
    yield rig
    rig.driver.stop()
    rig.store.close()


async def test_loading_comes_in_order(rig: Rig) -> None:
    """The engine gets records, then invites, then the end of loading."""
    rig.driver.load(StoreLoaded(b"12345678"))
    assert rig.engine.events == [InvitesLoaded({}), StoreLoaded(b"12345678")]


async def test_logs_are_shortened_and_read_in_whatever_form(rig: Rig) -> None:
    """`Shorten` and `ReadForms` reach the store, its reports the engine, and a start tells more."""
    records = make_log(count=4)
    place = (records[0].author, records[0].log)
    rig.store.submit(1, tuple(records))
    rig.engine.answers = {
        RecordsStored: [Shorten(*place, 3, ((0, 1),))],
        Shortened: [ReadForms(5, *place, 3, 0, 10_000, is_proved=True)],
    }
    async with asyncio.timeout(DEADLINE_S):
        while len(rig.engine.events) < 3:  # noqa: ASYNC110  the store alone wakes the loop
            await asyncio.sleep(0)
    stored, done, read = rig.engine.events
    assert (stored, done) == (RecordsStored(1), Shortened(*place, is_done=True))
    assert isinstance(read, FormsRead)
    assert [each.is_compact for each in read.records] == [True, True, False]
    rig.driver.load(StoreLoaded(None))
    assert CompactLoaded({place: 3}) in rig.engine.events


async def test_the_timer_fires_when_it_is_due(rig: Rig) -> None:
    """`TimerFired` comes at the time the engine names, not before, and again only when asked."""
    clock = Clock()
    rig.engine.due = clock.now_ms() + 50
    due_ms = rig.engine.due
    rig.driver.deliver(InvitesLoaded({}))
    async with asyncio.timeout(DEADLINE_S):
        await rig.engine.woken.wait()
    assert clock.now_ms() >= due_ms
    assert rig.engine.events.count(TimerFired()) == 1


async def test_answers_find_those_who_asked(rig: Rig) -> None:
    """`Accepted` and `Refused` reach the one whose token they carry, in any order."""
    (one, first), (two, second) = rig.ask(), rig.ask()
    rig.engine.answers[RecordsStored] = [
        Refused(two, "schema", "title is missing"),
        Accepted(one, b"id"),
        Refused(-1, "schema", "of the engine itself"),
    ]
    rig.driver.deliver(RecordsStored(1))
    assert await first == b"id"
    with pytest.raises(RequestError, match="title is missing"):
        await second


async def test_a_broken_engine_is_loud_and_final(rig: Rig) -> None:
    """An exception out of the engine is told once, nobody waits for ever, nothing runs on."""
    _, waiting = rig.ask()
    rig.engine.answers[RecordsStored] = ZeroDivisionError("bug")
    rig.driver.deliver(RecordsStored(1))
    assert [type(crash) for crash in rig.crashes] == [ZeroDivisionError]
    with pytest.raises(RequestError) as caught:
        await waiting
    assert caught.value.status == 503
    before = len(rig.engine.events)
    rig.driver.deliver(RecordsStored(2))
    assert len(rig.engine.events) == before
    assert rig.driver.is_over


async def test_an_event_inside_an_event_waits(rig: Rig) -> None:
    """What is delivered while the engine's outputs are performed is handled afterwards."""

    def tell(notice: Notice) -> None:
        rig.notices.append(notice)
        if len(rig.notices) == 1:
            rig.driver.deliver(RecordsStored(2))
            assert rig.engine.events == [RecordsStored(1)]

    rig.driver._on_notice = tell
    rig.engine.answers[RecordsStored] = [
        Notify(StoreTroubled("one")),
        Notify(StoreTroubled("two")),
    ]
    rig.driver.deliver(RecordsStored(1))
    assert rig.engine.events == [RecordsStored(1), RecordsStored(2)]
    assert [n.reason for n in rig.notices if isinstance(n, StoreTroubled)] == ["one", "two"] * 2


BROKEN = """
import sys
from mycelia_node.cli import main
from mycelia_protocol.engine import Engine
from mycelia_protocol.events import PublishRequested

handle = Engine.handle
def broken(self, event, now_ms):
    if isinstance(event, PublishRequested) and event.kind == "offer":
        raise ZeroDivisionError("a bug in the core")
    return handle(self, event, now_ms)
Engine.handle = broken
main.main(sys.argv[1:])
"""


@pytest.mark.daemon
def test_a_bug_in_the_core_ends_the_process(tmp_path: Path) -> None:
    """The daemon ends with code 1 and a traceback, answers who waits, and leaves no marker."""
    home = tmp_path / "home"
    assert cli("--home", home, "found", "Riverside Commons").code == 0
    with subprocess.Popen(
        [sys.executable, "-c", BROKEN, "--home", str(home), "up", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
            refused = cli("--home", home, "offer", "add", "food.water", "Water", "1", "L")
            _, err = process.communicate(timeout=DEADLINE_S)
        finally:
            process.send_signal(signal.SIGKILL)
    assert refused.code == 1
    assert "stopping" in refused.err
    assert process.returncode == 1
    assert "ZeroDivisionError: a bug in the core" in err
    assert not (home / "clean").exists()
