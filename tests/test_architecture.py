"""The direction of imports, and proof that the tools which watch over it are awake.

A contract that nobody has seen fail may be looking at nothing. So each one is also run on a copy of
the packages in which it is broken on purpose, and must say so.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE_ROOTS = ("protocol", "node", "sim")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {each["name"]: each for each in PYPROJECT["tool"]["importlinter"]["contracts"]}
BANNED = PYPROJECT["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-api"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the packages and of their settings."""
    return copied(tmp_path)


def copied(folder: Path) -> Path:
    """Copy the packages and their settings into a folder, and return it."""
    for name in SOURCE_ROOTS:
        ignored = shutil.ignore_patterns("__pycache__", "*.csv", "vendor")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def plant(folder: Path, module: str, line: str) -> None:
    """Add one line of code at the end of a module of the copy."""
    root = {"mycelia_protocol": "protocol", "mycelia_node": "node", "mycelia_sim": "sim"}
    path = folder / root[module.split(".")[0]] / (module.replace(".", "/") + ".py")
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the packages in `folder`, not on the ones that are installed."""
    path = os.pathsep.join(str(folder / name) for name in SOURCE_ROOTS)
    program = (
        "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())"
    )
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def lint_style(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run ruff's rule on banned imports over the packages in `folder`."""
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "TID251", "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_imports_keep_their_direction() -> None:
    """Every contract on imports holds for the code as it is."""
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in result.stdout


def test_the_core_uses_no_banned_module() -> None:
    """The core imports no clock, no source of randomness and nothing that does I/O."""
    result = lint_style(ROOT)
    assert result.returncode == 0, result.stdout


# Contract -> the modules and the line in each that break it.
BREACHES = {
    "protocol <- node <- sim": [
        ("mycelia_protocol.planted", "import mycelia_node"),
        ("mycelia_protocol.planted", "import mycelia_sim"),
        ("mycelia_node.planted", "import mycelia_sim"),
    ],
    "inside the core": [("mycelia_protocol.overlay", "import mycelia_protocol.peers")],
    "record families know nothing of each other": [
        ("mycelia_protocol.types.offer", "import mycelia_protocol.types.grant")
    ],
    "the core does no I/O": [
        ("mycelia_protocol.planted", f"import {name}")
        for name in CONTRACTS["the core does no I/O"]["forbidden_modules"]
    ],
    "what adversaries do is apart from where they do it": [
        ("mycelia_sim.adversaries.planted", f"import {name}")
        for name in CONTRACTS["what adversaries do is apart from where they do it"][
            "forbidden_modules"
        ]
    ],
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What is said about a copy with all of these breaches in it: to read all modules is long."""
    folder = copied(tmp_path_factory.mktemp("broken"))
    for breaches in BREACHES.values():
        for module, line in breaches:
            plant(folder, module, line)
    result = lint_imports(folder)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("contract", BREACHES)
def test_every_breach_is_caught(complaints: str, contract: str) -> None:
    """An import against the direction, sideways or of what is forbidden is named with its place."""
    assert f"{contract} BROKEN" in complaints
    wanted = [f"{module} -> {line.split()[1]} (" for module, line in BREACHES[contract]]
    assert [one for one in wanted if one not in complaints] == []


def test_a_module_without_a_place_is_caught(complaints: str) -> None:
    """A new module of the core that no layer names is a breach, too."""
    _, _, unplaced = complaints.partition("The following modules are not listed as layers:")
    assert unplaced.split()[:2] == ["-", "mycelia_protocol.planted"]


def test_an_import_from_the_bottom_to_the_top_is_caught(copy: Path) -> None:
    """An upward import in the core is caught, however many others it brings with it."""
    plant(copy, "mycelia_protocol.record", "import mycelia_protocol.engine")
    result = lint_imports(copy)
    assert result.returncode == 1, result.stdout + result.stderr
    assert "inside the core BROKEN" in result.stdout
    assert "mycelia_protocol.record -> mycelia_protocol.engine (" in result.stdout


def test_every_contract_is_seen_to_fail() -> None:
    """Each contract has breaches above in which it is broken; a new one needs its own."""
    assert set(CONTRACTS) == set(BREACHES)
    for breaches in BREACHES.values():
        assert breaches
    for contract in ("the core does no I/O", "what adversaries do is apart from where they do it"):
        assert "time" in CONTRACTS[contract]["forbidden_modules"]


def test_every_record_family_is_in_the_contract() -> None:
    """No family is left out of the contract that keeps them apart, but for what they share."""
    folder = ROOT / "protocol" / "mycelia_protocol" / "types"
    shared = {
        *("__init__", "base", "heads", "place", "things"),
        *("accounts", "dependents", "ledger", "parties", "promises", "rows"),
    }
    families = {path.stem for path in folder.glob("*.py")} - shared
    listed = CONTRACTS["record families know nothing of each other"]["modules"]
    assert {name.rsplit(".", 1)[1] for name in listed} == families


def test_banned_modules_in_the_core_are_caught(copy: Path) -> None:
    """Ruff catches each banned module in the core, and lets node and sim use them."""
    for name in BANNED:
        for package in ("mycelia_protocol", "mycelia_node", "mycelia_sim"):
            plant(copy, f"{package}.planted", f"import {name.split('.')[0]}\nprint({name})")
    result = lint_style(copy)
    assert result.returncode == 1, result.stderr
    missed = [name for name in BANNED if f"`{name}` is banned" not in result.stdout]
    assert missed == []
    assert "planted.py" in result.stdout
    assert "mycelia_node" not in result.stdout
    assert "mycelia_sim" not in result.stdout


def test_both_lists_name_the_same_modules() -> None:
    """What ruff bans by name in the core is forbidden to import-linter as well."""
    forbidden = set(CONTRACTS["the core does no I/O"]["forbidden_modules"])
    assert {name for name in BANNED if "." not in name} <= forbidden


def test_types_are_checked_strictly(tmp_path: Path) -> None:
    """Mypy, with the project's settings, refuses a function without types and a wrong one."""
    wrong = tmp_path / "wrong.py"
    wrong.write_text("def bare(x):\n    return x\n\n\ncount: int = 'three'\n", encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--config-file"]
    result = subprocess.run(
        [*command, str(ROOT / "pyproject.toml"), str(wrong)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "[no-untyped-def]" in result.stdout
    assert "[assignment]" in result.stdout
