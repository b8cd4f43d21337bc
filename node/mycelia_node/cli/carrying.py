"""Commands about bundles: carry out, in, list. All of them work without a daemon too."""

import contextlib
import signal
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from mycelia_node.cli.carried_text import in_text, list_text, out_text
from mycelia_node.cli.progress import Progress, size_text
from mycelia_node.cli.render import say, say_json
from mycelia_node.cli.settings import Group, Settings
from mycelia_node.errors import CarryError, DaemonError, NodeError
from mycelia_node.files import NewFile, bundles_at, check_target, read_pieces, target_of

if TYPE_CHECKING:
    from mycelia_protocol.bundle_reader import Tally

ROUNDS_MAX = 100  # times that all files are offered; each brings something new
ABOUT = "Mycelia-Bundle"
Answer = dict[str, Any]
PATHS = click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)


class Desk(Protocol):
    """Where bundles come from and go to: a running daemon, or the home itself."""

    def giving(
        self, audience: str | None
    ) -> contextlib.AbstractContextManager[tuple[Answer, Iterator[bytes]]]:
        """Give what is known of a fresh bundle, and its bytes."""
        ...

    def take(self, pieces: Iterable[bytes]) -> Answer:
        """Take a bundle in and return what became of it."""
        ...


class DaemonDesk:
    """The daemon that runs on a home, over its socket."""

    def __init__(self, settings: Settings) -> None:
        self._client = settings.client

    def giving(
        self, audience: str | None
    ) -> contextlib.AbstractContextManager[tuple[Answer, Iterator[bytes]]]:
        """Give what is known of a fresh bundle, and its bytes; raises as `Client.get`."""
        from urllib.parse import quote

        query = "" if audience is None else f"?for={quote(audience, safe='')}"
        return self._client.download(f"/v1/bundle{query}", ABOUT)

    def take(self, pieces: Iterable[bytes]) -> Answer:
        """Take a bundle in and return what became of it; raises as `Client.get`."""
        return self._client.upload("/v1/bundle", pieces)


@contextlib.contextmanager
def desk_of(settings: Settings) -> Iterator[Desk]:
    """Give the daemon of a home, or the home itself while none runs.

    Raises:
        NodeError: there is no node, or it is in no commons.
    """
    try:
        settings.client.get("/v1/members")
    except DaemonError as error:
        if error.code != "not-running":
            raise
        from mycelia_node.resting import open_resting

        with open_resting(settings.home) as resting:
            yield resting
    else:
        yield DaemonDesk(settings)


@contextlib.contextmanager
def ending_politely(progress: Progress, words: str = "") -> Iterator[None]:
    """Let SIGTERM and a closed terminal end a command as Ctrl-C does: with everything put away."""

    def end(number: int, frame: object) -> None:
        signal.raise_signal(signal.SIGINT)

    is_main = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGTERM, signal.SIGHUP) if is_main else ()
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except KeyboardInterrupt:
        progress.end()
        click.echo(f"Interrupted. {words}".strip(), err=True)
        raise
    finally:
        progress.end()
        for number, handler in before.items():
            signal.signal(number, handler)


@click.group(cls=Group)
def carry() -> None:
    """Carry records where no network goes.

    A bundle is one file. It may be cut short or damaged: what is whole in it comes in. It may come
    in twice, and by any hand: records prove themselves.
    """


@carry.command("out")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--for", "audience", metavar="PEER", help="leave out what this member holds")
@click.pass_obj
def carry_out(settings: Settings, path: Path, audience: str | None) -> None:
    """Write a bundle to PATH, a folder or a new file that ends in .mycelia.

    It holds all that this node knows; with --for, what the member (by name or key) lacked when it
    was last heard of. The file appears once it is whole.
    """
    check_target(path)
    progress = Progress(settings.as_json)
    with (
        ending_politely(progress),
        desk_of(settings) as desk,
        desk.giving(audience) as (about, blocks),
        NewFile(target_of(path, about)) as file,
    ):
        tally = write_all(file, blocks, about["records"], progress)
        file.keep()
    amounts = {"records": tally.records, "forms": tally.forms}
    answer = {**about, **amounts, "path": str(file.path), "bytes": file.size}
    if settings.as_json:
        say_json(answer)
    else:
        say(out_text(answer))
        click.echo(f"Next: unmount the stick; there, `mycelia carry in {file.path.name}`", err=True)


def write_all(file: NewFile, blocks: Iterator[bytes], records: int, progress: Progress) -> "Tally":
    """Write a bundle as it comes and return what is in it.

    Each chunk is read as on the other side: what is on the stick must be whole.

    Raises:
        CarryError: the file can't be written, or the bundle broke off.
        DaemonError: the daemon is gone.
    """
    from mycelia_protocol.bundle_reader import BundleReader

    reader = BundleReader()
    for block in blocks:
        reader.feed(block)
        file.write(block)
        count = reader.tally.records + reader.tally.forms
        done = f"{count:,} of {records:,} records"
        progress.say(f"{done}, {size_text(file.size)}")
    if not reader.tally.is_whole:
        raise CarryError("The bundle broke off before its end.", "Look at the node's log.")
    return reader.tally


@carry.command("in")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.pass_obj
def carry_in(settings: Settings, paths: tuple[Path, ...]) -> int:
    """Take in bundles: files, or folders with files that end in .mycelia.

    What is taken in is on disk, and told to neighbours. Ends with 1 if something was damaged.
    """
    files = [file for path in paths for file in bundles_at(path)]
    progress = Progress(settings.as_json)
    words = "What came in so far stays; run it again for the rest."
    with ending_politely(progress, words), desk_of(settings) as desk:
        reports = take_all(desk, files, progress)
    answer = {"files": reports, "new": sum(report["new"] for report in reports)}
    if settings.as_json:
        say_json(answer)
    else:
        say(in_text(answer))
    return int(any(report["error"] or report["damaged"] for report in reports))


def take_all(desk: Desk, files: list[Path], progress: Progress) -> list[Answer]:
    """Offer files until nothing new comes; return a report for each.

    One may hold the vouches for the authors of another, or what another's records follow. A file
    that is no bundle for this node does not keep the others out, unless it is the only one.
    """
    reports: dict[Path, Answer] = {}
    open_files = list(files)
    for number in range(1, ROUNDS_MAX + 1):
        new = 0
        for file in open_files:
            words = f"{file.name}" + (f", round {number}" if number > 1 else "")
            report = take_one(desk, file, words, progress, is_alone=len(files) == 1)
            before = reports.get(file)
            new += report["new"]
            if before is not None:
                report["new"] += before["new"]
                report["known"] = before["known"]
            reports[file] = report
        open_files = [file for file in open_files if reports[file]["left"]]
        is_shown = number == 1 and any(reports[file]["unconfirmed"] for file in open_files)
        if not open_files or not (new or is_shown):  # what confirms forms may have come after them
            break
    return [reports[file] for file in files]


def take_one(desk: Desk, file: Path, words: str, progress: Progress, *, is_alone: bool) -> Answer:
    """Offer one file; return its report, with what went wrong as `error`."""
    blank: Answer = dict.fromkeys(("left", "new", "known", "damaged", "unconfirmed"), 0)
    blank |= {"path": str(file), "error": None}
    total = 0
    with contextlib.suppress(OSError):
        total = file.stat().st_size
    done = 0

    def told(size: int) -> None:
        nonlocal done
        done += size
        progress.say(f"{words}: {size_text(done)} of {size_text(total)}")

    try:
        report = desk.take(read_pieces(file, told))
    except NodeError as error:
        if is_alone or error.code not in ("bundle", "commons", "version", "carry"):
            raise
        return {**blank, "error": error.message, "code": error.code}
    left = report["strangers"] + report["gaps"] + report["unconfirmed"]
    return {**blank, **report, "left": left}


@carry.command("list")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path)
)
@click.pass_obj
def carry_list(settings: Settings, paths: tuple[Path, ...]) -> int:
    """Show what is in bundles, without taking anything in.

    Ends with 1 if something is damaged.
    """
    files = [file for path in paths for file in bundles_at(path)]
    names = known_names(settings)
    progress = Progress(settings.as_json)
    with ending_politely(progress):
        reports = [look_into(f, names, progress, is_alone=len(files) == 1) for f in files]
    if settings.as_json:
        say_json({"files": reports})
    else:
        say("\n\n".join(list_text(report) for report in reports))
    return int(any(report["error"] or report["damaged"] for report in reports))


def look_into(file: Path, names: dict[str, str], progress: Progress, *, is_alone: bool) -> Answer:
    """Return what is in a file, or with others beside it why that can't be said, as `error`."""
    from mycelia_node.contents import Contents

    contents = Contents(names)
    try:
        for piece in read_pieces(file, lambda _: progress.say(f"reading {file.name}")):
            contents.take(piece)
        return {"path": str(file), "error": None, **contents.finish()}
    except NodeError as error:
        if is_alone:
            raise
        return {"path": str(file), "error": error.message, "code": error.code, "damaged": 0}


def known_names(settings: Settings) -> dict[str, str]:
    """Return what members are called, by key, as far as a node on this home knows."""
    try:
        members = settings.client.get("/v1/members")["items"]
        return {member["key"]: member["name"] for member in members if member["name"]}
    except NodeError:  # no daemon, or none with a commons
        if not settings.home.database.exists():
            return {}
    from mycelia_node.contents import names_at

    return names_at(settings.home)
