"""Real node processes for tests, each with a home of its own, and the command line in-process."""

import contextlib
import io
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mycelia_node.cli import main
from mycelia_node.cli.client import Client
from mycelia_node.config import load_config
from mycelia_node.config_edit import create_config, default_name, set_value
from mycelia_node.home import Home
from support.nursery import Forked, fork

ROOT = Path(__file__).parents[1]
DEADLINE_S = 20.0
ENVIRONMENT = {
    **{key: value for key, value in os.environ.items() if not key.startswith("MYCELIA_")},
    "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("protocol", "node")),
    "PYTHONWARNINGS": "error",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as JSON."""
        return json.loads(self.out)


def cli(*words: str | Path) -> Result:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main.main([str(word) for word in words])
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int), f"{words} ended with {code!r}"
    assert "Traceback" not in err.getvalue()
    return Result(code, out.getvalue(), err.getvalue())


def wait_for(claim: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Wait until a claim holds; fail the test when it does not in time."""
    end = time.monotonic() + deadline_s
    while not claim():
        assert time.monotonic() < end, f"after {deadline_s:g} s still not: {what}"
        time.sleep(0.02)


def settle_port(home: Home) -> None:
    """Write a free port into the settings, far from where daemons look for one by themselves."""
    home.create()
    create_config(home, default_name())
    if load_config(home).link.listen:
        return
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            address = ("127.0.0.1", random.randrange(12_000, 32_000))
            probe.bind(address)
            set_value(home, "link", "listen", "{}:{}".format(*address))
            return


class Daemon:
    """One `mycelia up` on one home, started and stopped as often as a test likes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.log = home.with_name(f"{home.name}.log")
        self.client = Client(Home.at(home))
        self.ready: dict[str, Any] = {}
        self._process: subprocess.Popen[str] | Forked | None = None

    def start(self, *words: str, finds_port: bool = False, program: Path | None = None) -> "Daemon":
        """Start and wait for the ready line.

        Args:
            words: options of `mycelia up`.
            program: a mutant of the node, to be run in its place. It is started from nothing; the
                node itself is forked from a process that has imported it.
            finds_port: the daemon is to find a free port by itself. Else the test gives it one that
                no other daemon on the machine, from another run of tests say, will find free
                between two starts.
        """
        if not finds_port:
            settle_port(Home.at(self.home))
        line = ["up", "--json", "--home", str(self.home), *words]
        with self.log.open("a") as log:
            if program is None:
                self._process = fork(line, ENVIRONMENT, log)
            else:
                self._process = subprocess.Popen(
                    [sys.executable, program, *line],
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=ENVIRONMENT,
                    start_new_session=True,
                )
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], DEADLINE_S)
        said = self._process.stdout.readline() if readable else ""
        assert said, f"not ready: {self.log.read_text()}"
        self.ready = json.loads(said)
        assert self.ready["event"] == "ready"
        return self

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end, return the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        assert self._process is not None
        code = self._process.wait(DEADLINE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        return code

    def kill(self) -> None:
        """End it as a power cut would, if it runs."""
        if self._process is not None:
            self.stop(signal.SIGKILL)

    def run(self, *words: str) -> Result:
        """Run a command on this home."""
        return cli("--home", self.home, *words)

    def status(self) -> dict[str, Any]:
        """Return `GET /v1/status`."""
        return self.client.get("/v1/status")

    def items(self, path: str) -> list[dict[str, Any]]:
        """Return the items of a list."""
        items = self.client.get(path)["items"]
        assert isinstance(items, list)
        return items

    def offer(
        self,
        title: str = "Drinking water",
        quantity: int = 200_000,
        category: str = "food.water",
    ) -> str:
        """Offer some water and return the record's id."""
        body: dict[str, object] = {
            "category": category,
            "title": title,
            "quantity": quantity,
            "unit": "mL",
        }
        return str(self.client.post("/v1/offers", body)["id"])

    def request(self, quantity: int = 20_000, category: str = "food.water") -> str:
        """Ask for some water and return the record's id."""
        body: dict[str, object] = {
            "category": category,
            "title": "Water",
            "quantity": quantity,
            "unit": "mL",
            "urgency": "now",
        }
        return str(self.client.post("/v1/requests", body)["id"])

    def invite(self) -> str:
        """Return a fresh invite."""
        return str(self.client.post("/v1/invites", {"days": 1})["invite"])


class Watch:
    """A reader of a daemon's events in a thread of its own."""

    def __init__(self, daemon: Daemon) -> None:
        self.events: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._read, args=(daemon.client,), daemon=True)
        self._thread.start()

    def _read(self, client: Client) -> None:
        for event in client.stream("/v1/events"):
            self.events.append(event)

    def wait_for(self, name: str, **fields: object) -> dict[str, Any]:
        """Return the first event of this name with these fields, waiting for it if need be."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [
                event
                for event in list(self.events)
                if event["event"] == name and all(event.get(k) == v for k, v in fields.items())
            ]
            return bool(found)

        wait_for(look, f"event {name} with {fields}")
        return found[0]

    def join(self) -> None:
        """Wait until the stream has ended."""
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()


def founder(home: Path, name: str = "Oak House") -> Daemon:
    """Found a commons without a daemon, then start one."""
    assert cli("--home", home, "found", "Riverside Commons", "--name", name).code == 0
    return Daemon(home).start()


def part(node: Daemon) -> None:
    """Let a node dial nobody."""
    settle_port(Home.at(node.home))
    path = node.home / "config.toml"
    path.write_text(path.read_text().replace("[link]\n", "[link]\ndiscover = false\n"))
