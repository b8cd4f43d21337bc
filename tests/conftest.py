"""What holds for all tests: the order of the files, and what makes it cheap to start a process."""

import gc
import os
import signal
from pathlib import Path
from typing import Final

import pytest

HERE: Final = Path(__file__).parent
# The files that take longest, longest first. A worker plays a file as a whole: were one of these
# the last, the other workers would wait for it. What is not named comes after, in its own order.
LONGEST_FIRST: Final = (
    "sim/test_live.py",
    "sim/test_seeds.py",
    "sim/test_parity.py",
    "sim/test_sweep.py",
    "sim/test_adversaries.py",
    "test_readme.py",
    "sim/test_panorama_browser.py",
    "bench/test_tiny_run.py",
    "sim/test_shrink_command.py",
    "sim/test_replay.py",
    "sim/test_sweep_dask.py",
    "node/test_daemon.py",
    "node/test_two_nodes.py",
    "sim/test_oracle.py",
    "node/test_carry.py",
    "node/test_carry_files.py",
    "properties/test_encoding_laws.py",
    "properties/test_fold_laws.py",
    "independent/test_second_reader.py",
    "sim/test_panorama.py",
)

# Nothing here speaks TLS. aiohttp reads the authorities of the whole system all the same when it
# is imported, which is a fifth of what the start of a node costs; in tests there are none.
os.environ["SSL_CERT_FILE"] = os.environ["SSL_CERT_DIR"] = os.devnull
# Who wants no bytecode beside the source does not want hundreds of processes to compile it either.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    os.environ["PYTHONPYCACHEPREFIX"] = str(HERE.parent / ".pytest_cache" / "bytecode")


def pytest_configure() -> None:
    """Refuse a name that no file has any more: it would be no order."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Who starts the tests in the background of a script has them, and all that they start and
        # mean to interrupt, ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # until all tests are collected: none of what that makes is garbage
    missing = [name for name in LONGEST_FIRST if not (HERE / name).exists()]
    if missing:
        raise pytest.UsageError(f"tests/conftest.py, LONGEST_FIRST: no {', '.join(missing)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first."""
    rank = {HERE / name: n for n, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


def pytest_collection_finish() -> None:
    """Look for garbage again, as often as a node does, but not among modules and tests."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()
