"""Bundles on real disks: full, read-only, broken off; large ones in little memory."""

import contextlib
import errno
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mycelia_node.errors import CarryError
from mycelia_node.files import NewFile, bundles_at, explain, plain, read_pieces, target_of
from node_daemons import ENVIRONMENT, Daemon, cli, wait_for
from node_luggage import fill, look, out

RECORDS = 1_000  # of 16 kB each
ABOUT = {"name": "Riverside", "maker": {"name": "Oak"}, "audience": None}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A resting home whose store is large; no test changes it."""
    return large_home(tmp_path_factory.mktemp("large"), RECORDS)


def large_home(folder: Path, count: int) -> Path:
    """Make a resting home with so many large records."""
    home = folder / "home"
    assert cli("--home", home, "found", "Riverside", "--name", "Oak House").code == 0
    fill(home, count)
    return home


@pytest.fixture(scope="module")
def bundle(large: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of all that it holds."""
    return Path(out(large, tmp_path_factory.mktemp("stick") / "large.mycelia")["path"])


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """An empty folder."""
    path = tmp_path / "stick"
    path.mkdir()
    return path


SLOW_STICK = """
import sys, time
from mycelia_node.cli import main
from mycelia_node.files import NewFile

write, written = NewFile.write, 0
def slowly(self, data):
    global written
    written += len(data)
    if written > 2_000_000:
        time.sleep(1)  # whoever waits until it is begun has all the time there is
    write(self, data)
NewFile.write = slowly
main.main(sys.argv[1:])
"""


def command(*words: str | Path) -> "subprocess.Popen[str]":
    """Start a command as a process of its own; what it writes goes to a slow stick."""
    return subprocess.Popen(
        [sys.executable, "-c", SLOW_STICK, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )


def begun(stick: Path) -> bool:
    """Return whether a bundle is being written."""
    return any(path.stat().st_size > 1_000_000 for path in stick.glob(".*.part"))


def peak_kib(pid: int) -> int:
    """Return the most memory that a process has had, in KiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1])


@pytest.mark.daemon
def test_ctrl_c_leaves_nothing(large: Path, stick: Path) -> None:
    """Interrupted in the middle, whether by Ctrl-C or by a polite kill, it takes its file away."""
    for number in (signal.SIGINT, signal.SIGTERM):
        process = command("--home", large, "carry", "out", stick)
        try:
            wait_for(lambda: begun(stick), "it is writing")
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
        finally:
            process.kill()
        assert (process.returncode, "Interrupted." in err) == (130, True)
        assert list(stick.iterdir()) == []
    assert out(large, stick)["records"] == RECORDS


@pytest.mark.daemon
@pytest.mark.slow
def test_a_daemon_that_dies_leaves_no_half_bundle(large: Path, stick: Path, tmp_path: Path) -> None:
    """When the daemon is killed while a bundle comes from it, no file appears."""
    shutil.copytree(large, tmp_path / "home")
    daemon = Daemon(tmp_path / "home").start()
    process = command("--home", daemon.home, "carry", "out", stick)
    try:
        wait_for(lambda: begun(stick), "it is writing")
        process.send_signal(signal.SIGSTOP)
        daemon.kill()
        process.send_signal(signal.SIGCONT)
        _, err = process.communicate(timeout=20)
    finally:
        process.kill()
        daemon.kill()
    assert (process.returncode, "did not answer" in err) == (3, True)
    assert list(stick.iterdir()) == []


@pytest.mark.daemon
def test_a_full_stick_is_explained(large: Path, stick: Path) -> None:
    """On a real file system without room the command says so, and leaves nothing on it."""
    mounted = f"mount -t tmpfs -o size=4m none {stick}"
    words = f"{sys.executable} -m mycelia_node --home {large} carry out {stick}"
    script = f"{mounted} || exit 99; {words}; code=$?; ls -A {stick} | wc -l >&2; exit $code"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no mount of one's own here: {done.stderr.strip()[:100]}")
    assert done.returncode == 1
    assert "There is no room left on" in done.stderr
    assert done.stderr.splitlines()[-1].strip() == "0"


@pytest.mark.daemon
@pytest.mark.slow
def test_a_large_bundle_takes_little_memory(tmp_path: Path) -> None:
    """A daemon takes in 130 MB, and gives them out again, with a fraction of that in memory."""
    home = large_home(tmp_path, 8_000)
    bundle = Path(out(home, tmp_path / "large.mycelia")["path"])
    daemon = twin_of(home, tmp_path / "twin")
    try:
        before = peak_kib(daemon.pid)
        assert "8,000 new of 8,000" in daemon.run("carry", "in", str(bundle)).out
        assert "0 new of 8,000" in daemon.run("carry", "in", str(bundle)).out
        assert out(daemon.home, tmp_path / "again.mycelia")["records"] >= 8_000
        grown, size = peak_kib(daemon.pid) - before, bundle.stat().st_size // 1024
        assert grown < size // 3, f"{size} KiB took {grown} KiB"
    finally:
        daemon.kill()


def twin_of(home: Path, twin: Path) -> Daemon:
    """Return a running node with the key and charter of another, and an empty store."""
    twin.mkdir(mode=0o700)
    for name in ("charter.bin", "identity.key", "config.toml"):
        (twin / name).write_bytes((home / name).read_bytes())
        (twin / name).chmod(0o600)
    return Daemon(twin).start()


@pytest.mark.daemon
@pytest.mark.slow
def test_a_full_disk_of_the_node_is_told(large: Path, bundle: Path, tmp_path: Path) -> None:
    """When the node can't write what comes in, the command fails with words; later it works."""
    daemon = twin_of(large, tmp_path / "home")
    try:
        limit = (4_000_000, resource.RLIM_INFINITY)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, limit)
        refused = daemon.run("carry", "in", str(bundle))
        assert (refused.code, "not written" in refused.err) == (1, True), refused
        assert "Make room" in refused.err
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, unlimited)
        assert daemon.run("carry", "in", str(bundle)).code == 0
        assert daemon.client.get("/v1/heads")["records"] >= RECORDS
        assert daemon.stop() == 0
    finally:
        daemon.kill()


@pytest.mark.daemon
@pytest.mark.slow
def test_an_upload_that_breaks_off_leaves_the_daemon_well(
    large: Path, bundle: Path, tmp_path: Path
) -> None:
    """Who goes away in the middle of an upload leaves what came in, and a daemon that works."""
    daemon = twin_of(large, tmp_path / "home")
    try:
        process = command("--home", daemon.home, "carry", "in", bundle)
        wait_for(lambda: daemon.client.get("/v1/heads")["records"] > 200, "some has come in")
        process.kill()
        process.communicate()
        assert "new of" in daemon.run("carry", "in", str(bundle)).out
        assert daemon.client.get("/v1/heads")["records"] >= RECORDS
        assert daemon.stop() == 0
        assert "Traceback" not in daemon.log.read_text()
    finally:
        daemon.kill()


# --- files alone ---


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    """Before `keep` there is only a hidden part; an error in between takes that away too."""
    path = tmp_path / "a.mycelia"
    with NewFile(path) as file:
        file.write(b"one")
        assert not path.exists()
        assert bundles_or_none(tmp_path) == []
        file.keep()
    assert path.read_bytes() == b"one"
    with contextlib.suppress(KeyboardInterrupt), NewFile(tmp_path / "b.mycelia") as file:
        file.write(b"two")
        raise KeyboardInterrupt
    assert [one.name for one in tmp_path.iterdir()] == ["a.mycelia"]


def bundles_or_none(folder: Path) -> list[Path]:
    """Return the bundles in a folder."""
    try:
        return bundles_at(folder)
    except CarryError:
        return []


@pytest.mark.parametrize("links", [True, False])
def test_no_file_is_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    """A file that came up meanwhile stays, also where the file system knows no links, as FAT."""

    def no_link(source: object, target: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    path = tmp_path / "a.mycelia"
    with NewFile(path) as file:
        file.write(b"mine")
        path.write_bytes(b"theirs")
        with pytest.raises(CarryError, match="exists by now"):
            file.keep()
    assert path.read_bytes() == b"theirs"
    with NewFile(tmp_path / "b.mycelia") as file:
        file.write(b"mine")
        file.keep()
    assert (tmp_path / "b.mycelia").read_bytes() == b"mine"
    assert len(list(tmp_path.iterdir())) == 2


def test_names_say_what_a_bundle_is(tmp_path: Path) -> None:
    """Commons, maker, day and audience stand in the name, in letters that every disk takes."""
    about = {
        "name": "Riverside / Côte",
        "maker": {"name": "  Oak\\House: ***"},
        "audience": {"name": "市場"},
    }
    path = target_of(tmp_path, about)
    assert re.fullmatch(r"riverside-cote_oak-house_\d{4}-\d\d-\d\d_for\.mycelia", path.name)
    path.touch()
    assert target_of(tmp_path, about).name == f"{path.stem}_2.mycelia"
    assert plain("." * 300) == "x"
    assert len(plain("a" * 300)) == 40
    assert target_of(tmp_path / "named.mycelia", ABOUT) == tmp_path / "named.mycelia"


@pytest.mark.parametrize(
    ("number", "said", "code"),
    [
        (errno.ENOSPC, "no room left", "full"),
        (errno.EFBIG, "FAT32", "full"),
        (errno.EROFS, "only be read", "carry"),
        (errno.EACCES, "may not use", "carry"),
        (errno.EIO, "pulled out", "gone"),
        (errno.ENODEV, "pulled out", "gone"),
        (errno.ENOENT, "mounted", "gone"),
        (errno.EINVAL, "can't be used: Invalid", "carry"),
    ],
)
def test_errors_of_disks_in_words(number: int, said: str, code: str) -> None:
    """Each way in which a stick fails has words and what to do."""
    error = explain(Path("/media/stick/a.mycelia"), OSError(number, os.strerror(number)))
    assert (said in str(error), error.code) == (True, code)


def test_a_file_too_large_for_its_disk(tmp_path: Path) -> None:
    """A write beyond what the file system takes is told, and nothing is left; by a real limit."""
    code = (
        "import resource, sys; from pathlib import Path; from mycelia_node.files import NewFile\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        "  with NewFile(Path(sys.argv[1])) as file:\n"
        "    file.write(bytes(100_000)); file.keep()\n"
        "except Exception as error: print(type(error).__name__, error.code)\n"
    )
    path = tmp_path / "a.mycelia"
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.stdout == "CarryError full\n", done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_read_is_told(tmp_path: Path) -> None:
    """Pieces come in order with their sizes told after each; what can't be read has words."""
    path = tmp_path / "a.mycelia"
    path.write_bytes(bytes(600_000))
    told: list[int] = []
    assert b"".join(read_pieces(path, told.append)) == bytes(600_000)
    assert sum(told) == 600_000
    assert len(told) == 3
    with pytest.raises(CarryError, match="mounted"):
        list(read_pieces(tmp_path / "none", told.append))


def test_a_bundle_of_a_large_store_is_whole(bundle: Path) -> None:
    """What was written is what a reader finds, run by run."""
    found = look(bundle)
    assert found["whole"]
    assert found["signed"]
    assert found["unauthentic"] == 0
    assert found["kinds"] == {"incarnation": 1, "x-large": RECORDS - 1}


@pytest.fixture(autouse=True)
def _no_strays(tmp_path: Path) -> Iterator[None]:
    """Nothing hidden stays behind in any test."""
    yield
    assert list(tmp_path.rglob(".*.part")) == []
