"""Who or what a fault hits, as written: selectors in words, tables that draw some, and groups.

    all, side:west, district:Midway, island:0, node:n03     by where they stand
    minority, majority                                      two drawn parts of all nodes
    any:3, best_connected:2                                 so many
    not:side:west                                           all others
    rest                                                    in a group: whom no other group names

Whom a selector names is resolved by `draws/choosing.py`, once the nodes are known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.backends import NODES_MAX
from mycelia_sim.errors import ScenarioError, nearest
from mycelia_sim.grammar.kinds import Integer, Share, choose, table_schema, text_of, wrong
from mycelia_sim.sites import SIDES
from mycelia_sim.tables import JsonSchema, Key, Table

GROUP_WORDS: Final = ("sides", "islands")
REST: Final = "rest"
_PLAIN: Final = ("all", "minority", "majority", REST)
_NAMED: Final = ("side", "district", "node")
_COUNTED: Final = ("island", "any", "best_connected")
SELECTOR_PATTERN: Final = (
    rf"^(not:)?({'|'.join(_PLAIN)}|({'|'.join(_NAMED)}):.+|({'|'.join(_COUNTED)}):[0-9]+)$"
)


def check_text(value: Any) -> str:
    """Return a selector in words, if it has the form of one.

    Raises: ScenarioError with the nearest form.
    """
    text = text_of(value)
    kind, _, name = text.removeprefix("not:").partition(":")
    if not name and kind in _PLAIN and not text.endswith(":"):
        return text
    if kind == "side" and name in SIDES:
        return text
    if name and kind in ("district", "node"):
        return text
    if kind in _COUNTED and name.isascii() and name.isdecimal():
        return text
    forms = [*_PLAIN, *(f"side:{side}" for side in SIDES), "district:NAME", "node:ID"]
    forms += [f"{kind}:1" for kind in _COUNTED]
    raise ScenarioError(f"'{text}' selects nothing{nearest(text, forms)}")


@dataclass(frozen=True, slots=True)
class Selector:
    """Some nodes, or some links of some nodes.

    Attributes:
        pool: selectors in words; those whom any of them names.
        excluded: those who are taken out of the pool.
        ids: node ids; in place of `pool`.
        any, share, best_connected: draw so many of them, such a part (at least one), or take those
            with the most links; at most one of the three. None of them: all.
        links: for faults of links: draw so many links that touch them.
    """

    pool: tuple[str, ...] = ("all",)
    excluded: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    any: int | None = None
    share: float | None = None
    best_connected: int | None = None
    links: int | None = None

    def __post_init__(self) -> None:
        """Refuse a table that says two things at once."""
        names = ("any", "share", "best_connected")
        given = [name for name in names if getattr(self, name) is not None]
        if len(given) > 1:
            raise ScenarioError(f"says both {given[0]} and {given[1]}; choose one")


@dataclass(frozen=True, slots=True)
class Texts:
    """One selector in words, or a list of them."""

    def read(self, value: Any) -> tuple[str, ...]:
        """Return the texts."""
        texts = [value] if isinstance(value, str) else value
        if not isinstance(texts, list) or not texts:
            raise wrong("a selector such as 'side:west', or a list of them", value)
        found = tuple(check_text(text) for text in texts)
        if any(text.removeprefix("not:") == REST for text in found):
            raise ScenarioError("'rest' has a meaning only in groups")
        return found

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"$ref": "#/$defs/selectors"}


@dataclass(frozen=True, slots=True)
class Ids:
    """A list of node ids."""

    def read(self, value: Any) -> tuple[str, ...]:
        """Return the ids."""
        if not isinstance(value, list) or not value:
            raise wrong("a list of node ids", value)
        return tuple(text_of(one) for one in value)

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"type": "array", "items": {"type": "string"}, "minItems": 1}


_NODE_KEYS: Final = (
    Key("from", Texts(), "out of whom", "all", "pool"),
    Key("not", Texts(), "whom not", None, "excluded"),
    Key("ids", Ids(), "node ids, instead of from", None),
    Key("any", Integer(1, NODES_MAX), "draw so many of them", None),
    Key("share", Share(), "draw such a part of them, at least one", None),
    Key("best_connected", Integer(1, NODES_MAX), "take so many with the most links", None),
)
_LINKS: Final = Key("links", Integer(1, 100_000), "draw so many links that touch them", None)


@dataclass(frozen=True, slots=True)
class Select:
    """Who is meant: a selector in words, a list of such, or a table that draws some.

    Attributes:
        of_links: whether links can be drawn.
    """

    of_links: bool = False

    def read(self, value: Any) -> Selector:
        """Return the selector."""
        if not isinstance(value, dict):
            return Selector(Texts().read(value))
        values = Table(value, "").read(self.keys)
        if "ids" in value and "from" in value:
            raise ScenarioError("says both ids and from; choose one")
        return Selector(**{name: given for name, given in values.items() if given is not None})

    @property
    def keys(self) -> tuple[Key, ...]:
        """What may stand in the table."""
        return (*_NODE_KEYS, _LINKS) if self.of_links else _NODE_KEYS

    @property
    def definition(self) -> str:
        """Name of the schema's definition."""
        return "link-selection" if self.of_links else "selection"

    def schema(self) -> JsonSchema:
        """Return the schema."""
        return {"$ref": f"#/$defs/{self.definition}"}

    def whole_schema(self) -> JsonSchema:
        """Return what the definition holds."""
        return {"anyOf": [{"$ref": "#/$defs/selectors"}, table_schema(self.keys)]}


Grouping = tuple[tuple[str, ...], ...] | str


@dataclass(frozen=True, slots=True)
class Groups:
    """A list of groups, each a list of selectors; or "sides" or "islands", a group for each."""

    def read(self, value: Any) -> Grouping:
        """Return the groups, or the word."""
        if isinstance(value, str):
            return choose(value, GROUP_WORDS)
        if not isinstance(value, list):
            raise wrong("a list of lists of texts", value)
        if len(value) < 2 or not all(isinstance(group, list) and group for group in value):
            raise ScenarioError("names at least two groups, each a list of texts, none empty")
        return tuple(tuple(check_text(text) for text in group) for group in value)

    def schema(self) -> JsonSchema:
        """Return the schema."""
        text: JsonSchema = {"$ref": "#/$defs/selector"}
        group = {"type": "array", "items": text, "minItems": 1}
        listed = {"type": "array", "items": group, "minItems": 2}
        return {"anyOf": [{"enum": list(GROUP_WORDS)}, listed]}
