"""The style of CONTRIBUTING.md, executed: what a machine can check, no reviewer has to."""

import ast
import gc
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
# A letter in brackets keeps each pattern from matching the line that it stands on.
LEFT_BEHIND = re.compile(
    r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K]|NotImplemented[E]rror|for[ ]now)\b"
    r"|^(<{7}|>{7})(?= )"  # of a merge
)
# Not after a word, a dot or a URL's host: `runs/home/` and `example.org/home/` are fine.
MACHINE_PATH = re.compile(r"(?<![\w.~*/-])/(ho[m]e|roo[t]|User[s]|wor[k]|op[t])/")
SOURCE_ROOTS = ("protocol", "node", "sim", "tests", "bench")
# Published by others and kept byte for byte.
FOREIGN = ("tests/vectors/external/", "sim/mycelia_sim/data/", "LICENSE")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = Function | ast.ClassDef | ast.Module


@cache
def files() -> tuple[Path, ...]:
    """Return all files of the project, relative to its root: tracked, or new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    if listed.returncode == 0:
        names = listed.stdout.decode().split("\0")
    else:  # an unpacked source distribution
        names = [str(p.relative_to(ROOT)) for r in SOURCE_ROOTS for p in (ROOT / r).rglob("*.*")]
        names = [name for name in names if "__pycache__" not in name]
    ours = {name for name in names if name and not name.startswith(FOREIGN)}
    return tuple(Path(name) for name in sorted(ours) if (ROOT / name).is_file())


def with_suffix(*suffixes: str) -> list[Path]:
    """Return the project's files with one of these suffixes; there must be some."""
    found = [path for path in files() if path.suffix in suffixes]
    assert found, f"no file ends in {suffixes}: the check would pass without looking at anything"
    return found


def text_of(path: Path) -> str:
    """Return a file's text."""
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a Python file's syntax tree."""
    gc.disable()  # all trees together are a million objects, and none of them is garbage
    try:
        return ast.parse(text_of(path), filename=str(path))
    finally:
        gc.freeze()
        gc.enable()


def functions_of(tree: ast.Module) -> Iterator[Function]:
    """Yield all functions of a file, also those inside classes and functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public_parts(tree: ast.Module) -> Iterator[tuple[str, Documented]]:
    """Yield the module itself and its public classes, functions and methods, with their names."""
    yield "(module)", tree
    for part in tree.body:
        if not isinstance(part, Function | ast.ClassDef) or part.name.startswith("_"):
            continue
        yield part.name, part
        members = part.body if isinstance(part, ast.ClassDef) else []
        for member in members:
            if isinstance(member, Function) and not member.name.startswith("_"):
                yield f"{part.name}.{member.name}", member


def test_no_python_file_is_too_long() -> None:
    """A file is one idea: at most 400 lines."""
    lengths = {path: len(text_of(path).splitlines()) for path in with_suffix(".py")}
    too_long = [f"{path} has {lines}" for path, lines in lengths.items() if lines > FILE_LINES_MAX]
    assert too_long == []


def test_no_function_is_too_long() -> None:
    """A function fits on one screen: at most 70 lines, decorators not counted."""
    too_long = [
        f"{path}:{function.lineno} {function.name} has {lines}"
        for path in with_suffix(".py")
        for function in functions_of(tree_of(path))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert too_long == []


def test_nothing_is_left_behind() -> None:
    """Work that is put off lives in the issue tracker, never as a marker in a file."""
    found = [
        f"{path}:{number} {line.strip()}"
        for path in with_suffix(".py", ".md", ".toml", ".sql", ".yaml", ".yml", ".html", ".js")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if LEFT_BEHIND.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_caught"),
    [
        ("# FIX" + "ME later", True),
        ("<" * 7 + " HEAD", True),
        ("raise NotImplemented" + "Error", True),
        ("a method, fixmes and hacking", False),
    ],
)
def test_the_pattern_of_left_behind_words(line: str, is_caught: bool) -> None:
    """The pattern finds the markers as words of their own and nothing else."""
    assert (LEFT_BEHIND.search(line) is not None) == is_caught


def test_no_path_of_somebodys_machine() -> None:
    """A path that exists on one machine alone has no place in the project."""
    found = [
        f"{path}:{number} {line.strip()[:100]}"
        for path in with_suffix(".py", ".md", ".toml", ".json", ".sql", ".yaml", ".yml", "")
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if MACHINE_PATH.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_caught"),
    [
        ("cd /ho" + "me/ada/mycelia", True),
        ('"/wo' + 'rk/main"', True),
        ("runs/home/node.db", False),
        ("https://example.org/home/", False),
        ("~/.local/share/mycelia", False),
    ],
)
def test_the_pattern_of_machine_paths(line: str, is_caught: bool) -> None:
    """The pattern finds absolute paths of a person's or a builder's machine, and nothing else."""
    assert (MACHINE_PATH.search(line) is not None) == is_caught


@pytest.mark.parametrize("root", ["protocol", "node", "sim", "bench"])
def test_public_parts_say_what_they_are(root: str) -> None:
    """Every module and every public class, function and method has a docstring."""
    paths = [path for path in with_suffix(".py") if path.parts[0] == root]
    assert paths
    bare = [
        f"{path}: {name}"
        for path in paths
        for name, part in public_parts(tree_of(path))
        if not ast.get_docstring(part)
    ]
    assert bare == []


def test_every_test_says_what_it_proves() -> None:
    """A test's docstring is the claim that it proves."""
    bare = [
        f"{path}:{function.lineno} {function.name}"
        for path in with_suffix(".py")
        if path.parts[0] == "tests" and path.name.startswith("test_")
        for function in functions_of(tree_of(path))
        if function.name.startswith("test_") and not ast.get_docstring(function)
    ]
    assert bare == []


def test_docstrings_begin_with_a_sentence() -> None:
    """The first line of a docstring stands alone: a blank line follows it."""
    ragged = [
        f"{path}: {lines[0]!r}"
        for path in with_suffix(".py")
        for node in ast.walk(tree_of(path))
        if isinstance(node, Documented)
        and len(lines := (ast.get_docstring(node) or "").splitlines()) > 1
        and lines[1].strip()
    ]
    assert ragged == []


def test_each_document_has_one_title() -> None:
    """A Markdown file has one H1, and it comes first."""
    wrong = []
    for path in with_suffix(".md"):
        without_code = re.sub(
            r"^(```|~~~).*?^\1", "", text_of(path), flags=re.DOTALL | re.MULTILINE
        )
        titles = re.findall(r"^# .+$", without_code, flags=re.MULTILINE)
        if len(titles) != 1 or not without_code.lstrip().startswith(titles[0]):
            wrong.append(f"{path}: {titles}")
    assert wrong == []


def test_text_files_are_clean() -> None:
    """Text ends with one line feed, has no carriage return and no blank at a line's end."""
    unclean = []
    for path in with_suffix(".py", ".md", ".toml", ".sql", ".yaml", ".yml", ".json"):
        text = text_of(path)
        if text and (not text.endswith("\n") or text.endswith("\n\n") or "\r" in text):
            unclean.append(f"{path}: its end or its line ends")
        unclean += [
            f"{path}:{number} blanks at the end"
            for number, line in enumerate(text.splitlines(), 1)
            if line != line.rstrip()
        ]
    assert unclean == []
