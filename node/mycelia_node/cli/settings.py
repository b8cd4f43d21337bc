"""`--home` and `--json`: accepted before and after every command's name."""

from dataclasses import dataclass
from typing import Any

import click

from mycelia_node.cli.client import Client
from mycelia_node.home import Home


@dataclass(slots=True)
class Settings:
    """What the common options said."""

    home_path: str | None = None
    as_json: bool = False

    @property
    def home(self) -> Home:
        """The home that was named, or the default one."""
        return Home.at(self.home_path)

    @property
    def client(self) -> Client:
        """A client of the daemon that runs on the home."""
        return Client(self.home)


def _note_home(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    settings = ctx.find_root().ensure_object(Settings)
    if value is not None:
        settings.home_path = value


def _note_json(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        ctx.find_root().ensure_object(Settings).as_json = True


COMMON_OPTIONS = (
    click.Option(
        ["--home"],
        metavar="DIR",
        expose_value=False,
        callback=_note_home,
        help="the node's folder (default: $MYCELIA_HOME, else ~/.local/share/mycelia)",
    ),
    click.Option(
        ["--json"],
        is_flag=True,
        expose_value=False,
        callback=_note_json,
        help="answer as JSON, for programs",
    ),
)


class Command(click.Command):
    """A command that takes the common options too."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(COMMON_OPTIONS)


class Group(click.Group):
    """A group of such commands that takes them too."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.extend(COMMON_OPTIONS)
