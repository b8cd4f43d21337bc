"""Writing config.toml gently: one line changes, every other byte stays.

The node writes only what it had to choose itself: its first config, the port it found free, the
address of the neighbour who let it in.
"""

import os
import re

from mycelia_node.config import NAME_SIZE_MAX, Config, check_name, parse_config
from mycelia_node.errors import ConfigError
from mycelia_node.home import Home

TEMPLATE = """\
# Mycelia settings. Every line but the first is optional: delete it to get the default back.
version = 1

[node]
name = {name}        # what neighbours see

[link]
# listen = "127.0.0.1:7946"  # host:port; without this line the first free port is taken and kept
# advertise = []             # addresses put into invites and the profile; default: listen
# dial = []                  # addresses kept connected for ever
# discover = true            # dial members by the addresses in their profiles
# presence = true            # say now and then to all members that this node is there

[share]
# policy = "commons"         # commons: by the policy in force | fifo: first come | none: by hand
# receipts = "ask"           # ask: a person confirms hand-overs | auto: the node does it by itself

[growth]
# erase_after_days = 180     # then the words of what is over go, here and everywhere | 0: never
# checkpoint_after = 1024    # records after which the node sums its log up for others | 0: never
# compact_after_days = 0     # of what is older, and confirmed, only what counts is kept | 0: never

[log]
# level = "info"             # debug | info | warning | error
# format = "auto"            # auto | text | json
"""


def create_config(home: Home, name: str) -> None:
    """Write the first config.toml of a home; an existing one is left alone."""
    if not home.config.exists():
        text = TEMPLATE.format(name=quote(check_name(name)))
        home.write_private(home.config, text.encode())


def default_name() -> str:
    """Return the name a node gets when nobody gave one: the machine's."""
    name = "".join(character for character in os.uname().nodename if character.isprintable())
    return name.split(".")[0][:NAME_SIZE_MAX] or "node"


def set_value(home: Home, section: str, key: str, value: str | list[str]) -> Config:
    """Change one line of config.toml, keep all others, and return what it says now.

    Raises:
        ConfigError: the file is written in a way that this can't change safely.
    """
    text = home.config.read_text("utf-8")
    literal = (
        quote(value) if isinstance(value, str) else f"[{', '.join(quote(item) for item in value)}]"
    )
    changed = with_line(text, section, key, f"{key} = {literal}")
    config = parse_config(changed, str(home.config))
    expected = value if isinstance(value, str) else tuple(value)
    if getattr(getattr(config, section), key) != expected:
        raise ConfigError(
            f"{home.config} is written in a way that can't be changed by line.",
            f"Write {key} = {literal} into its section [{section}] yourself.",
        )
    home.write_private(home.config, changed.encode())
    return config


def with_line(text: str, section: str, key: str, line: str) -> str:
    """Return the text with a section's key set by this line; every other byte as it was.

    A commented-out `# key = ...` gives its place, and a comment behind the value stays.
    """
    lines = text.splitlines(keepends=True)
    start = next(
        (n for n, old in enumerate(lines) if re.match(rf"\s*\[\s*{section}\s*\]", old)), None
    )
    if start is None:
        gap = "" if text.endswith("\n") or not text else "\n"
        return f"{text}{gap}\n[{section}]\n{line}\n"
    end = next(
        (n for n in range(start + 1, len(lines)) if re.match(r"\s*\[", lines[n])), len(lines)
    )
    for pattern in (rf"\s*{key}\s*=", rf"\s*#\s*{key}\s*="):
        for n in range(start + 1, end):
            if re.match(pattern, lines[n]):
                comment = re.search(r"\s+#[^\"'\]]*$", lines[n].rstrip("\n"))
                lines[n] = line + (comment.group() if comment else "") + "\n"
                return "".join(lines)
    if not lines[start].endswith("\n"):
        lines[start] += "\n"
    lines.insert(start + 1, line + "\n")
    return "".join(lines)


def quote(text: str) -> str:
    """Return a TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'
