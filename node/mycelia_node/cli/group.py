"""The top of the command tree: lazy commands, options that stand anywhere, exit codes.

    0 ok   1 failed   2 usage   3 no daemon runs here   4 not allowed

stdout is the answer; everything else goes to stderr. A command's module is imported only when the
command is used, so that `mycelia status` costs little more than Python itself.
"""

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from mycelia_node.cli.settings import COMMON_OPTIONS
from mycelia_node.errors import DaemonError, NodeError, RequestError
from mycelia_node.nearest import hint

EXIT_FAILED, EXIT_NOT_RUNNING, EXIT_NOT_ALLOWED, EXIT_INTERRUPTED = 1, 3, 4, 130
ENTRY_POINTS = "mycelia.commands"  # further groups, by other packages

# name -> (module, short help); the order is that of a first evening
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("mycelia_node.cli.running", "run this node in the foreground"),
    "found": ("mycelia_node.cli.entering", "found a commons and be its first member"),
    "invite": ("mycelia_node.cli.entering", "make an invite for one newcomer"),
    "join": ("mycelia_node.cli.entering", "join a commons with an invite"),
    "status": ("mycelia_node.cli.running", "show this node, its commons and its neighbours"),
    "members": ("mycelia_node.cli.reaching", "show who is in, and who can be reached"),
    "offer": ("mycelia_node.cli.things", "offer something; list, show, withdraw offers"),
    "request": ("mycelia_node.cli.things", "ask for something; list, show, withdraw requests"),
    "board": ("mycelia_node.cli.things", "show everything that is open"),
    "categories": ("mycelia_node.cli.things", "list what things are called, or find a word"),
    "grant": ("mycelia_node.cli.granting", "answer grants and confirm hand-overs"),
    "rights": ("mycelia_node.cli.rights", "let others grant from your offers"),
    "policy": ("mycelia_node.cli.policies", "show or set by what offers are given away"),
    "why": ("mycelia_node.cli.policies", "say who gets an offer, and why"),
    "consent": ("mycelia_node.cli.deciding", "agree that somebody gets something out of turn"),
    "decide": ("mycelia_node.cli.deciding", "say who gets an offer of yours"),
    "audit": ("mycelia_node.cli.auditing", "make all decisions once more; see how all fared"),
    "merged": ("mycelia_node.cli.merged", "say what links that came back have brought"),
    "party": ("mycelia_node.cli.parties", "speak for living places and people without a node"),
    "message": ("mycelia_node.cli.messages", "write what only one member can read"),
    "erase": ("mycelia_node.cli.erasing", "let go of the words of what is over"),
    "carry": (
        "mycelia_node.cli.carrying",
        "carry records on a stick where no network goes",
    ),
    "export": ("mycelia_node.cli.exchanging", "write the board for spreadsheets, programs, paper"),
    "import": ("mycelia_node.cli.importing", "take offers and requests from a spreadsheet"),
    "watch": ("mycelia_node.cli.running", "print events as they happen"),
    "down": ("mycelia_node.cli.running", "stop the node politely"),
}
NAMES_IN_PYTHON = {"import": "import_board"}  # where a command can't be called what it is


class LazyGroup(click.Group):
    """Loads commands when they are used, and gives every error its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, own ones first."""
        return [*COMMANDS, *sorted(_entry_points())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return the command."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(COMMANDS[cmd_name][0])
            command = getattr(module, NAMES_IN_PYTHON.get(cmd_name, cmd_name))
            assert isinstance(command, click.Command)
            return command
        load = _entry_points().get(cmd_name)
        if load is None:
            return None
        command = load()
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; an unknown one is an error with the nearest name."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            known = self.list_commands(ctx)
            if args[0] not in known:
                ctx.fail(f"No such command {args[0]!r}. {hint(args[0], known)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing any."""
        rows = [(name, text) for name, (_, text) in COMMANDS.items()]
        rows += [(name, f"see `mycelia {name} --help`") for name in sorted(_entry_points())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run; in standalone mode turn every expected error into words and an exit code."""

        def run() -> Any:
            return click.Group.main(
                self, args, prog_name or "mycelia", complete_var, standalone_mode=False, **extra
            )

        return _guarded(run, args) if standalone_mode else run()


def _guarded(run: Callable[[], Any], args: Sequence[str] | None) -> None:
    """Run the command line and end the process with the right code."""
    as_json = "--json" in (sys.argv[1:] if args is None else args)
    try:
        result = run()
    except click.UsageError as error:
        if as_json:
            _complain(as_json, "usage", error.format_message(), "")
        else:
            error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _complain(as_json, "failed", error.format_message(), "")
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    except NodeError as error:
        _complain(as_json, error.code, error.message, error.action)
        sys.exit(_exit_code(error))
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our answer has had enough
        sys.exit(EXIT_FAILED)
    except OSError as error:
        if error.filename is None:
            raise  # no file of the user's: a bug, and to be seen as one
        _complain(as_json, "file", f"{error.filename}: {error.strerror}.", "")
        sys.exit(EXIT_FAILED)
    sys.exit(result if isinstance(result, int) else 0)


def _exit_code(error: NodeError) -> int:
    if isinstance(error, DaemonError):
        return EXIT_NOT_RUNNING
    if isinstance(error, RequestError) and error.status == 403:
        return EXIT_NOT_ALLOWED
    return EXIT_FAILED


def _complain(as_json: bool, code: str, message: str, action: str) -> None:
    """Say on stderr what happened and what to do next."""
    if as_json:
        answer = {"code": code, "message": message, "action": action}
        click.echo(json.dumps(answer, ensure_ascii=False), err=True)
        return
    click.echo(f"Error: {message}", err=True)
    if action:
        click.echo(f"  {action}", err=True)


def _entry_points() -> dict[str, Callable[[], object]]:
    """Return name -> loader of the groups that other installed packages bring."""
    from importlib.metadata import entry_points

    return {point.name: point.load for point in entry_points(group=ENTRY_POINTS)}


def _say_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        from importlib.metadata import version

        click.echo(f"mycelia {version('mycelia')}")
        ctx.exit()


VERSION_OPTION = click.Option(
    ["--version"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="say which version this is",
)

main = LazyGroup(
    name="mycelia",
    params=[*COMMON_OPTIONS, VERSION_OPTION],
    help="A commons for collectives that keeps working when the network breaks.\n\n"
    "Begin with `mycelia found NAME` or `mycelia join INVITE`, then `mycelia up`.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
