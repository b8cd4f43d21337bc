"""config.toml, read strictly.

An unknown key or a wrong value is an error that names the line's nearest right name: a setting that
is silently ignored is worse than none. Writing is the business of `config_edit.py`.
"""

import re
import tomllib
from dataclasses import dataclass, fields
from typing import Literal, TypeVar, cast

from mycelia_node.errors import ConfigError
from mycelia_node.home import Home
from mycelia_node.nearest import hint
from mycelia_protocol.limits import ACCEPT_WITHIN_MS

LISTEN_PORT_FIRST = 7946
LISTEN_HOST = "127.0.0.1"
WILDCARD_HOSTS = ("", "0.0.0.0", "::")  # noqa: S104  compared with; nobody can dial them
NAME_SIZE_MAX = 80  # characters; spec section 7.4
ADDRESSES_MAX = 8  # spec section 7.4


@dataclass(frozen=True, slots=True)
class NodeSection:
    """[node]"""

    name: str = ""


@dataclass(frozen=True, slots=True)
class LinkSection:
    """[link]"""

    listen: str = ""
    advertise: tuple[str, ...] = ()
    dial: tuple[str, ...] = ()
    discover: bool = True
    presence: bool = True


@dataclass(frozen=True, slots=True)
class ShareSection:
    """[share]"""

    policy: Literal["commons", "fifo", "none"] = "commons"
    preposition: bool = False
    receipts: Literal["ask", "auto"] = "ask"
    accept_within_s: int = ACCEPT_WITHIN_MS // 1_000


@dataclass(frozen=True, slots=True)
class GrowthSection:
    """[growth]"""

    erase_after_days: int = 180
    checkpoint_after: int = 1_024
    compact_after_days: int = 0


@dataclass(frozen=True, slots=True)
class LogSection:
    """[log]"""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "text", "json"] = "auto"


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, checked."""

    node: NodeSection = NodeSection()
    link: LinkSection = LinkSection()
    share: ShareSection = ShareSection()
    growth: GrowthSection = GrowthSection()
    log: LogSection = LogSection()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where others can reach this node: what to put into invites and the profile."""
        if self.link.advertise:
            return self.link.advertise
        host = self.link.listen.rpartition(":")[0].strip("[]")
        return () if host in WILDCARD_HOSTS else (self.link.listen,)


SECTIONS = {
    "node": NodeSection,
    "link": LinkSection,
    "share": ShareSection,
    "growth": GrowthSection,
    "log": LogSection,
}
NUMBERS = {  # least and most
    "growth.checkpoint_after": (0, 1_000_000),  # records
    "growth.compact_after_days": (0, 36_500),
    "growth.erase_after_days": (0, 36_500),  # a hundred years
    "share.accept_within_s": (1, 2_592_000),  # thirty days
}
CHOICES = {
    "share.policy": ("commons", "fifo", "none"),
    "share.receipts": ("ask", "auto"),
    "log.level": ("debug", "info", "warning", "error"),
    "log.format": ("auto", "text", "json"),
}
TYPE_WORDS = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    tuple: "a list of texts in quotes",
}

Section = TypeVar("Section")


def load_config(home: Home) -> Config:
    """Read config.toml; a missing file means all defaults.

    Raises:
        ConfigError: not TOML, an unknown key, a wrong type or value; the message names it.
    """
    try:
        text = home.config.read_text("utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{home.config} can't be read ({error}).", "Mend or remove it."
        ) from error
    return parse_config(text, str(home.config))


def parse_config(text: str, where: str = "config.toml") -> Config:
    """Check the text of a config file; `where` is named in errors.

    Raises:
        ConfigError: as `load_config`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}.", "Mend that line.") from error
    version = document.pop("version", 1)
    if type(version) is not int or version != 1:
        raise ConfigError(
            f"{where} is of version {version!r}; this program knows version 1.",
            "Upgrade mycelia, or set version = 1.",
        )
    for name in document:
        if name not in SECTIONS:
            raise ConfigError(f"{where}: unknown section [{name}].", hint(name, SECTIONS))
    sections: dict[str, object] = {
        name: _read_section(section, name, document.get(name, {}), where)
        for name, section in SECTIONS.items()
    }
    return Config(
        cast("NodeSection", sections["node"]),
        cast("LinkSection", sections["link"]),
        cast("ShareSection", sections["share"]),
        cast("GrowthSection", sections["growth"]),
        cast("LogSection", sections["log"]),
    )


def _read_section(section: type[Section], name: str, table: object, where: str) -> Section:
    """Check one table against the fields of its dataclass."""
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: {name} is a section; write [{name}].")
    known = {field.name: field for field in fields(section)}  # type: ignore[arg-type]
    values: dict[str, object] = {}
    for key, value in table.items():
        if key not in known:
            raise ConfigError(f"{where}: unknown key {name}.{key}.", hint(key, known))
        values[key] = _read_value(f"{name}.{key}", value, known[key].default, where)
    return section(**values)


def _read_value(path: str, value: object, default: object, where: str) -> object:
    """Check one value's type, choices and form."""
    if isinstance(value, list) and isinstance(default, tuple):
        if not all(isinstance(item, str) for item in value):
            raise ConfigError(f"{where}: {path} is a list of texts in quotes.")
        if len(value) > ADDRESSES_MAX and path == "link.advertise":
            raise ConfigError(f"{where}: {path} holds at most {ADDRESSES_MAX} addresses.")
        return tuple(check_address(item, f"{where}: {path}") for item in value)
    if type(value) is not type(default):
        raise ConfigError(f"{where}: {path} is {TYPE_WORDS[type(default)]}, not {value!r}.")
    least, most = NUMBERS.get(path, (0, 1))
    if isinstance(value, int) and not least <= value <= most:
        raise ConfigError(f"{where}: {path} is {least} to {most}, not {value}.")
    choices = CHOICES.get(path)
    if choices and value not in choices:
        raise ConfigError(f"{where}: {path} can't be {value!r}.", hint(str(value), choices))
    if path == "link.listen":
        split_host_port(str(value), f"{where}: {path}")
    if path == "node.name" and not 1 <= len(str(value)) <= NAME_SIZE_MAX:
        raise ConfigError(f"{where}: {path} has 1 to {NAME_SIZE_MAX} characters.")
    return value


def split_host_port(text: str, where: str) -> tuple[str, int]:
    """Take `host:port` or `[v6]:port` apart.

    Raises:
        ConfigError: it is neither.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not host or not port.isdecimal() or not port.isascii() or int(port) > 65535:
        raise ConfigError(f"{where}: {text!r} is not an address.", "Write host:port.")
    return host, int(port)


def check_address(text: str, where: str) -> str:
    """Return an address to dial, `host:port` or a ws:// or wss:// URL, if it is one.

    Raises:
        ConfigError: it is neither.
    """
    if text.startswith(("ws://", "wss://")):
        if len(text) > 200 or not re.fullmatch(r"wss?://[^\s/?#@]+(/[^\s?#]*)?", text):
            raise ConfigError(f"{where}: {text!r} is not a usable WebSocket URL.")
        return text
    _, port = split_host_port(text, where)
    if not port or len(text) > 200:
        raise ConfigError(f"{where}: {text!r} is not an address to dial.", "Write host:port.")
    return text


def check_name(name: str) -> str:
    """Return the name of a collective if it is one.

    Raises:
        ConfigError: it is empty, too long, or holds characters that break a line.
    """
    name = name.strip()
    if not 1 <= len(name) <= NAME_SIZE_MAX or not name.isprintable():
        raise ConfigError(
            f"{name!r} is not a name.", f"Use 1 to {NAME_SIZE_MAX} printable characters."
        )
    return name
