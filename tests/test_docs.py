"""The documents, executed: commands parse, targets and links exist, examples do what they say."""

import contextlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from mycelia_node.cli import main

ROOT = Path(__file__).parents[1]
DOCUMENTS = tuple(
    sorted(
        path
        for folder in (".", "protocol", "node", "sim", "bench", "tests/vectors")
        for path in (ROOT / folder).glob("*.md")
    )
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
SHELL = {"sh", "console", "bash"}
PATH_IN_CODE = re.compile(r"`((?:protocol|node|sim|tests|bench)/[\w./-]+)`")


def name_of(path: Path) -> str:
    """Return a document's path from the root, for names of tests."""
    return str(path.relative_to(ROOT))


every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)


def blocks(path: Path, languages: set[str]) -> Iterator[str]:
    """Yield the fenced blocks of a document that are in one of these languages."""
    for language, text in FENCE.findall(path.read_text(encoding="utf-8")):
        if language in languages:
            yield text


def shell_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a document's shell blocks, continued lines joined, comments left out."""
    for block in blocks(path, SHELL):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.split("  #")[0].strip()


def commands_in(line: str) -> Iterator[list[str]]:
    """Yield the words after each `mycelia` of a shell line, up to a pipe, a redirection or so."""
    for inner in re.findall(r"\$\((.*?)\)", line):
        yield from commands_in(inner)
    words: list[str] | None = None
    for token in (*shlex.shlex(line, posix=True, punctuation_chars=True), ";"):
        if set(token) <= set("();<>|&"):
            if words is not None:
                yield words
            words = None
        elif words is not None:
            words.append(token)
        elif token.rsplit("/", 1)[-1] == "mycelia":
            words = []


def mycelia_commands(path: Path) -> list[list[str]]:
    """Return the words after `mycelia` of every command line in a document's shell blocks."""
    return [words for line in shell_lines(path) for words in commands_in(line)]


def parse(words: list[str]) -> None:
    """Parse a command line as `mycelia` would, without running it.

    Raises:
        click.UsageError: no such command or option, or a value of the wrong kind.
    """
    context = main.make_context("mycelia", words)
    command: click.Command = main
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command = found
        context = command.make_context(name, rest, parent=context)


@every_document
def test_commands_exist(path: Path) -> None:
    """Each `mycelia ...` line of a shell block is a command that the program understands."""
    for words in mycelia_commands(path):
        try:
            parse(words)
        except click.exceptions.Exit:  # --help has answered and ends here
            continue
        except click.UsageError as error:
            pytest.fail(f"mycelia {shlex.join(words)}: {error.format_message()}")


def test_the_readme_shows_commands() -> None:
    """The README has command lines, so that the test above looks at something."""
    commands = mycelia_commands(ROOT / "README.md")
    verbs = {word for words in commands for word in words}
    assert {"found", "up", "invite", "join", "offer", "request", "board", "down"} <= verbs


def test_commands_are_found_in_shell_lines() -> None:
    """A command is found behind words of the shell, inside `$(...)`, and ends at a redirection."""
    line = 'while mycelia a "b c" >> x.txt; do :; done & .venv/bin/mycelia d "$(mycelia e)" || echo'
    assert sorted(commands_in(line)) == [["a", "b c"], ["d", "$(mycelia e)"], ["e"]]


@pytest.mark.parametrize("words", ["fly", "offer --no-such-option", "sim run"])
def test_a_wrong_command_is_noticed(words: str) -> None:
    """A command line that does not exist fails the check of commands."""
    with pytest.raises(click.UsageError):
        parse(shlex.split(words))


def make_targets() -> set[str]:
    """Return the targets of the Makefile that `make help` lists."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", text, flags=re.MULTILINE))


@every_document
def test_make_targets_exist(path: Path) -> None:
    """Each `make target` in a document is a target of the Makefile."""
    text = path.read_text(encoding="utf-8")
    lines = [line for line in shell_lines(path) if line.startswith("make ")]
    lines += re.findall(r"`(make [a-z -]+)`", text)
    named = {word for line in lines for word in line.split()[1:] if "=" not in word}
    assert named <= make_targets()


def test_every_target_is_explained_and_phony() -> None:
    """`make help` lists every target that is not a file, each with its comment."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == make_targets()
    assert {"help", "setup", "demo", "test", "check", "lint", "types", "bench"} <= make_targets()


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", title.lower()) for title in titles)
    return {title.strip().replace(" ", "-") for title in kept}


@every_document
def test_links_resolve(path: Path) -> None:
    """Each relative link leads to a file of the project, and its anchor to a heading."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        found = (path.parent / target).resolve() if target else path
        assert found.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors(found), f"{link}: no such heading"


@every_document
def test_paths_in_code_exist(path: Path) -> None:
    """A path written as `protocol/...`, `tests/...` and so on is there, wildcards aside."""
    named = PATH_IN_CODE.findall(path.read_text(encoding="utf-8"))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert missing == []


def code_map(folder: str) -> set[str]:
    """Return the names of modules, as `name`, `part/name` or `part/`, that the code map gives."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.split(f"### `{folder}/`")[1].split("\n### ")[0].split("\n## ")[0]
    return set(re.findall(r"`([a-z_]+(?:/[a-z_]+)*/?)`", section)) - {"fifo", f"{folder}/"}


@pytest.mark.parametrize("folder", ["protocol", "node", "sim"])
def test_the_code_map_names_what_is_there(folder: str) -> None:
    """Each module that the map names exists, and no module at the top of the package is missing."""
    package = ROOT / folder / f"mycelia_{folder}"
    named = code_map(folder)
    is_there = {
        name for name in named if (package / name).is_dir() or (package / f"{name}.py").is_file()
    }
    others = {"now_ms", "rng", "agreement", "unknown"}  # words of code that are no modules
    assert named - is_there - others == set()
    if folder != "sim":
        modules = {path.stem for path in package.glob("[a-z]*.py")}
        assert modules - named == set()


def test_the_example_of_driving_the_engine_runs() -> None:
    """The Python example of protocol/README.md runs and prints what is written below it."""
    path = ROOT / "protocol" / "README.md"
    (program,) = blocks(path, {"python"})
    (expected,) = blocks(path, {"text"})
    assert len(program.splitlines()) <= 45
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(program, "protocol/README.md", "exec"), {"__name__": "__main__"})
    assert printed.getvalue() == expected
