"""Fixtures of the node's tests: everything started is ended, whatever happens."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node_daemons import Daemon, cli, founder
from node_stores import MemoryKit, StoreKit


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Callable[[str], Daemon]]:
    """Make daemons by name, not started; those that still run at the end are killed."""
    made: dict[str, Daemon] = {}

    def make(name: str) -> Daemon:
        return made.setdefault(name, Daemon(tmp_path / name))

    yield make
    for each in made.values():
        each.kill()


@pytest.fixture(scope="module")
def oak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A running founder called Oak House, shared by the tests of one file."""
    started = founder(tmp_path_factory.mktemp("oak") / "home")
    yield started
    started.kill()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Daemon, Daemon]]:
    """Two running members that are connected, shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("pair")
    one = founder(folder / "one")
    two = Daemon(folder / "two")
    try:
        assert cli("--home", two.home, "join", one.invite(), "--name", "Bakery").code == 0
        two.start()
        yield one, two
    finally:
        one.kill()
        two.kill()


@pytest.fixture
def sqlite_kit(tmp_path: Path) -> Iterator[StoreKit]:
    """The real store."""
    kit = StoreKit(tmp_path / "node.db")
    yield kit
    kit.store.close()


@pytest.fixture(params=["sqlite", "memory"])
def kit(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreKit]:
    """Every store that there is, one after the other."""
    if request.param == "memory":
        yield MemoryKit(tmp_path)
    else:
        yield request.getfixturevalue("sqlite_kit")
