"""The keys of each kind of fault, and what they make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from mycelia_sim.backends import CARRY, CUTS, DISKS, FAULTS, KILLS, MODES, SHAPES, UPSETS
from mycelia_sim.errors import ScenarioError
from mycelia_sim.fault import Carry, Clog, Crash, Degrade, Effect, Lines, Partition, Upset
from mycelia_sim.grammar.keys import QUALITIES
from mycelia_sim.grammar.kinds import Choice, Flag, Name
from mycelia_sim.grammar.measures import COUNT, NUMBER, OFFSET, TIME, Drawn, Duration, Often, Window
from mycelia_sim.grammar.selectors import Groups, Select, Selector
from mycelia_sim.tables import REQUIRED, Key
from mycelia_sim.units import Distribution

Values = dict[str, Any]

COMMON: Final = (
    Key("name", Name(), "for people, and for the streams of its draws", None),
    Key("do", Choice(FAULTS), "what happens"),
    Key("at", Drawn(TIME), "when; or else every", None),
    Key("every", Often(), "again and again, at such a rate", None),
    Key("between", Window(), "with every: from when to when", None),
)


def _lasts(default: Any = REQUIRED, name: str = "for") -> Key:
    return Key(name, Drawn(TIME), "how long", default, "lasts")


_MODE: Final = (
    Key("mode", Choice(MODES), "what becomes of messages", "drop"),
    Key("delay", Duration(), "mode delay: how much later all is", "2 s", "delay_ms"),
)
_ONEWAY: Final = Key("oneway", Flag(), "only in one direction", False)
_ANY: Final = Key("select", Select(), "whom", {"any": 1})
_LINES: Final = (
    Key("select", Select(of_links=True), "which links; one of all if left out", None),
    Key("groups", Groups(), "instead of select: the links between groups", None),
)
_RESTART: Final = Key("restart_after", Drawn(TIME), "how long it is down", "5 s")


@dataclass(frozen=True, slots=True)
class Form:
    """What may be said of one kind of fault, and what that makes."""

    keys: tuple[Key, ...]
    make: Callable[[Values], Effect]


def _lines(values: Values) -> Lines:
    """Return which links a fault is about."""
    select, groups = values.pop("select"), values.pop("groups")
    if select is not None and groups is not None:
        raise ScenarioError("says both select and groups; choose one")
    _check_oneway(groups, values["oneway"])
    found: Lines = groups if groups is not None else select or Selector(links=1)
    return found


def _check_oneway(groups: Any, oneway: bool) -> None:
    if oneway and isinstance(groups, tuple) and len(groups) != 2:
        raise ScenarioError("oneway cuts the way from the first group to the second: name two")


def _partition(values: Values) -> Effect:
    _check_oneway(values["groups"], values["oneway"])
    return Partition(bridge=None, **values)


def _bridge(values: Values) -> Effect:
    return Partition(bridge=values.pop("select"), oneway=False, **values)


def _isolate(values: Values) -> Effect:
    return Clog(lines=values.pop("select"), up=None, down=None, **values)


def _clog(values: Values) -> Effect:
    return Clog(lines=_lines(values), up=None, down=None, **values)


def _flap(values: Values) -> Effect:
    if min(values["up"].most, values["down"].most) < 10:
        raise ScenarioError("up and down are at least 10 ms each")
    return Clog(lines=_lines(values), **values)


def _degrade(values: Values) -> Effect:
    if all(values[shape] is None for shape in SHAPES):
        raise ScenarioError(f"says nothing of how the links are; known here: {', '.join(SHAPES)}")
    return Degrade(lines=_lines(values), **values)


def _crash(values: Values) -> Effect:
    return Crash(records=None, **values)


def _wipe(values: Values) -> Effect:
    return Crash(disk="wipe", records=None, **values)


def _restore_old(values: Values) -> Effect:
    return Crash(disk="restore_old", **values)


def _upset(values: Values) -> Effect:
    return Upset(values["select"], values.get("amount"))


def _carry(values: Values) -> Effect:
    return Carry(**values)


def _amount(name: str, kind: Drawn, says: str, default: Any = REQUIRED) -> Key:
    return Key(name, kind, says, default, "amount")


FORMS: Final[dict[str, Form]] = {
    "partition": Form(
        (_lasts(), Key("groups", Groups(), "between whom nothing passes"), *_MODE, _ONEWAY),
        _partition,
    ),
    "bridge": Form(
        (_lasts(), Key("groups", Groups(), "between whom nothing passes"), _ANY, *_MODE), _bridge
    ),
    "isolate": Form((_lasts(), _ANY, *_MODE, _ONEWAY), _isolate),
    "clog": Form((_lasts(), *_LINES, *_MODE, _ONEWAY), _clog),
    "swizzle_clog": Form((_lasts(), *_LINES, *_MODE, _ONEWAY), _clog),
    "flap": Form(
        (
            _lasts(),
            *_LINES,
            Key("up", Drawn(TIME), "how long the links work", "exponential(2 s)"),
            Key("down", Drawn(TIME), "how long they do not", "exponential(1 s)"),
            *_MODE,
            _ONEWAY,
        ),
        _flap,
    ),
    "degrade": Form((_lasts(), *_LINES, *QUALITIES, _ONEWAY), _degrade),
    "crash": Form(
        (_ANY, _RESTART, Key("disk", Choice(DISKS), "what becomes of the disk", "keep")), _crash
    ),
    "wipe": Form((_ANY, _RESTART), _wipe),
    "restore_old": Form(
        (_ANY, _RESTART, Key("records", Drawn(COUNT), "how many it lacks", "uniform(1, 20)")),
        _restore_old,
    ),
    "pause": Form((_lasts(), _ANY), _upset),
    "slow": Form(
        (_lasts(), _ANY, _amount("each", Drawn(TIME), "what each event takes", "5 ms")), _upset
    ),
    "restart": Form((_lasts("1 s", "restart_after"), _ANY), _upset),
    "leave": Form((_lasts(), _ANY), _upset),
    "join": Form((_ANY,), _upset),
    "clock_bump": Form((_ANY, _amount("by", Drawn(OFFSET), "how far the clock jumps")), _upset),
    "clock_drift": Form(
        (_lasts(), _ANY, _amount("ppm", Drawn(NUMBER), "how fast the clock runs")), _upset
    ),
    "disk_full": Form((_lasts(), _ANY), _upset),
    "carry": Form(
        (
            _lasts("2 s"),
            Key("from", Select(), "at whose node a bundle is made; one is drawn", "all", "source"),
            Key("to", Select(), "at whose node it is taken in; one is drawn", "all", "target"),
        ),
        _carry,
    ),
}
assert set(FORMS) == set(FAULTS) == {*CUTS, *KILLS, *UPSETS, "degrade", CARRY}


def make(do: str, values: Values) -> tuple[Distribution | None, Effect]:
    """Return how long a fault lasts, and what it does.

    Raises: ScenarioError when its keys contradict each other.
    """
    lasts: Distribution | None = values.pop("lasts", None)
    return lasts, FORMS[do].make(values)
