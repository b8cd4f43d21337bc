"""One real daemon and its home: starting, ending in every way, and starting again."""

import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from mycelia_node.errors import NodeError
from mycelia_node.home import SOCKET_PATH_MAX, Home
from mycelia_node.migrations import MIGRATIONS
from node_daemons import DEADLINE_S, ENVIRONMENT, Daemon, Result, cli, founder, wait_for

pytestmark = pytest.mark.daemon
Make = Callable[[str], Daemon]


def up(home: Path) -> Result:
    """Run `up` where it is expected to end by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "mycelia_node", "--home", str(home), "up"],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=DEADLINE_S,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def oak_house(tmp_path: Path, daemon: Make) -> Daemon:
    """A founder's daemon, started."""
    node = daemon("oak")
    assert cli("--home", node.home, "found", "Riverside Commons", "--name", "Oak House").code == 0
    return node.start()


def own_log(node: Daemon) -> str:
    """Return the log that a node writes on."""
    return str(node.status()["log"])


# --- starting ---


def test_up_makes_what_is_missing(daemon: Make) -> None:
    """On nothing at all: folder, key, settings with the port that was free; private; then waits."""
    node = daemon("new").start("--name", "Garden", finds_port=True)
    status = node.status()
    assert (status["state"], status["commons"], status["node"]["name"]) == (
        "no commons",
        None,
        "Garden",
    )
    port = int(status["listen"].rpartition(":")[2])
    assert 7946 <= port < 9000
    assert f'listen = "127.0.0.1:{port}"' in (node.home / "config.toml").read_text()
    assert node.home.stat().st_mode & 0o777 == 0o700
    for path in node.home.iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
    assert node.stop() == 0


def test_found_through_a_waiting_daemon(daemon: Make) -> None:
    """A waiting daemon founds a commons on request and is at once ready to share."""
    node = daemon("new").start()
    founded = node.run("found", "Riverside Commons", "--name", "Garden", "--json").json
    assert (founded["commons"]["name"], founded["node"]["name"], founded["running"]) == (
        "Riverside Commons",
        "Garden",
        True,
    )
    node.offer()
    status = node.status()
    assert (status["state"], status["gate"], status["node"]["name"]) == (
        "running",
        "open",
        "Garden",
    )
    assert node.items("/v1/offers")[0]["author"]["name"] == "Garden"
    assert node.stop() == 0


def test_two_daemons_take_two_ports(daemon: Make) -> None:
    """Each takes the first port that is free."""
    ports = {daemon(name).start(finds_port=True).status()["listen"] for name in ("one", "two")}
    assert len(ports) == 2


def test_a_home_runs_once(oak_house: Daemon) -> None:
    """A second `up` on the same home is refused with the pid of the first, which goes on."""
    refused = up(oak_house.home)
    assert refused.code == 1
    assert f"pid {oak_house.pid}" in refused.err
    assert "down" in refused.err
    assert oak_house.status()["state"] == "running"


def test_a_port_in_use_is_refused(daemon: Make) -> None:
    """A listen address that another program holds is an error that names it."""
    node = daemon("node")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        node.home.mkdir(mode=0o700)
        (node.home / "config.toml").write_text(f'[link]\nlisten = "{address}"\n')
        refused = up(node.home)
    assert refused.code == 1
    assert address in refused.err


@pytest.fixture(scope="module")
def rested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a founder that has run and was stopped; tests break copies of it."""
    node = founder(tmp_path_factory.mktemp("rested") / "home")
    assert node.stop() == 0
    return node.home


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda home: (home / "config.toml").write_text("[nod]\n"), "Did you mean 'node'"),
        (lambda home: (home / "identity.key").write_text("x\n"), "identity.key is damaged"),
        (lambda home: (home / "charter.bin").write_bytes(b"x"), "charter.bin can't be used"),
        (lambda home: (home / "node.db").write_bytes(b"x" * 5000), "node.db is damaged"),
        (lambda home: newer_schema(home / "node.db"), "Upgrade mycelia"),
        (lambda home: (home / "identity.key").unlink(), "identity.key is gone"),
        (
            lambda home: (home / "introduction.bin").write_bytes(b"x"),
            "introduction.bin can't",
        ),
    ],
    ids=["config", "key", "charter", "database", "newer", "no key", "introduction"],
)
def test_a_broken_home_is_explained(
    rested: Path, tmp_path: Path, break_it: Callable[[Path], object], said: str
) -> None:
    """Each broken file stops the start with a clear error and is left as it is."""
    home = shutil.copytree(rested, tmp_path / "home")
    break_it(home)
    before = {p.name: p.read_bytes() for p in home.iterdir() if p.name != "clean"}
    refused = up(home)
    assert refused.code == 1
    assert said in refused.err
    after = {p.name: p.read_bytes() for p in home.iterdir() if p.name != "clean"}
    assert {**after, "lock": b""} == {**before, "lock": b""}


def newer_schema(path: Path) -> None:
    """Mark a database as one of a later version."""
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    connection.close()


def test_a_long_home_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home whose socket path is too long for the system is served elsewhere, for its user."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setitem(ENVIRONMENT, "XDG_RUNTIME_DIR", str(runtime))
    home = tmp_path / "a-folder-with-a-name-that-is-longer-than-anybody-would-type" / ("x" * 60)
    node = Daemon(home)
    home.parent.mkdir()
    try:
        node.start()
        assert len(str(home / "s")) > SOCKET_PATH_MAX
        assert Path(node.ready["socket"]).parent == runtime
        assert node.run("status").code == 0
        assert node.stop() == 0
        assert list(runtime.iterdir()) == []
    finally:
        node.kill()


# --- ending ---


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(oak_house: Daemon, number: signal.Signals) -> None:
    """SIGTERM and Ctrl-C: exit 0, the marker of a clean end, no socket, and the same log after."""
    oak_house.offer()
    log = own_log(oak_house)
    assert oak_house.stop(number) == 0
    assert (oak_house.home / "clean").exists()
    assert not (oak_house.home / "s").exists()
    assert not (oak_house.home / "node.db-wal").exists()
    oak_house.start()
    assert not (oak_house.home / "clean").exists()
    oak_house.offer()
    status = oak_house.status()
    assert (status["log"], status["logs"], status["gate"]) == (log, 1, "open")


def test_down_waits_until_it_is_gone(oak_house: Daemon) -> None:
    """After `down` returns the home is free; a second `down` says that nothing runs (exit 3)."""
    assert oak_house.run("down").code == 0
    with Home.at(oak_house.home).locked():
        pass
    assert oak_house.wait() == 0
    again = oak_house.run("down")
    assert (again.code, "mycelia up" in again.err) == (3, True)


def test_a_kill_loses_nothing_acknowledged(oak_house: Daemon) -> None:
    """SIGKILL while offers are being written: every one that was answered is there afterwards."""
    answered: list[str] = []

    def post() -> None:
        while True:
            try:
                answered.append(oak_house.offer(f"Water {len(answered)}"))
            except NodeError:
                return

    writers = [threading.Thread(target=post) for _ in range(3)]
    for writer in writers:
        writer.start()
    wait_for(lambda: len(answered) >= 60, "60 offers were answered")
    oak_house.kill()
    for writer in writers:
        writer.join(DEADLINE_S)
    oak_house.start()
    kept = {offer["id"] for offer in oak_house.items("/v1/offers")}
    assert set(answered) <= kept
    assert len(kept) <= len(answered) + len(writers)


def test_a_kill_opens_a_new_log(oak_house: Daemon) -> None:
    """After a crash the node writes in a new log that names the old one; the old is not touched."""
    oak_house.offer()
    old = own_log(oak_house)
    oak_house.kill()
    oak_house.start()
    oak_house.offer()
    assert own_log(oak_house) != old
    logs = {log["log"]: log["seq"] for log in oak_house.client.get("/v1/heads")["logs"]}
    assert logs[old] == 2
    assert len(logs) == 2


def test_a_full_disk_refuses_and_recovers(oak_house: Daemon) -> None:
    """When nothing can be written, posting fails with words; the node lives on and recovers."""
    words = ("offer", "add", "food.water", "Water", "1", "L")
    size = (oak_house.home / "node.db-wal").stat().st_size
    resource.prlimit(oak_house.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    refused = oak_house.run(*words)
    assert (refused.code, "could not be written" in refused.err) == (1, True)
    assert "Make room" in refused.err
    invite = oak_house.run("invite")
    assert (invite.code, "not written" in invite.err) == (1, True)
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(oak_house.pid, resource.RLIMIT_FSIZE, unlimited)
    assert oak_house.run(*words).code == 0
    assert oak_house.run("invite").code == 0
    assert len(oak_house.items("/v1/offers")) == 1
    assert oak_house.stop() == 0
    assert len(oak_house.start().items("/v1/offers")) == 1


def test_a_stale_socket_is_replaced(oak_house: Daemon) -> None:
    """The socket file that a killed daemon left behind is no obstacle."""
    oak_house.kill()
    assert (oak_house.home / "s").exists()
    assert oak_house.run("status").code == 3
    oak_house.start()
    assert oak_house.run("status").code == 0


def test_what_the_log_says(tmp_path: Path) -> None:
    """The log tells in plain lines what happened and by whom, and never a traceback."""
    node = founder(tmp_path / "node")
    node.offer("Spring water", 2_000)
    assert node.stop() == 0
    log = node.log.read_text()
    assert "Oak House offers 2 L Spring water" in log
    assert "stopping: SIGTERM" in log
    assert "Traceback" not in log
    assert all(line[:2] == "20" for line in log.splitlines())
