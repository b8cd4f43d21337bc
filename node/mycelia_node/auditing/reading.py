"""Auditing a home: its database is read beside the daemon, in a process of its own.

An audit may take minutes of one core. Within the daemon it would hold up everything else.
"""

import contextlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mycelia_node.database import read_everything, unusable
from mycelia_node.errors import HomeError, RequestError
from mycelia_node.home import Home
from mycelia_node.nearest import hint
from mycelia_node.node import read_charter
from mycelia_protocol.auditing import Audit, Auditor
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.horizon import LogKey
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.baselines import BASELINES, baseline
from mycelia_protocol.sharing.policy import Policy, read_policy, write_policy


def audit_home(
    home: Home, as_of_ms: int, other: Policy | None, tell: Callable[[str], None]
) -> Audit:
    """Make all decisions of a home's records once more, and say how everybody fared.

    Args:
        home: of a node, whether its daemon runs or not.
        as_of_ms: the time for which figures are told.
        other: a policy to compare with.
        tell: takes how far it is, in words.

    Raises:
        RequestError: it is in no commons yet.
        HomeError: its lock can't be taken.
        StoreError: its database can't be read.
    """
    charter = read_charter(home)
    if charter is None:
        raise RequestError(
            f"There is no commons at {home.path} yet.",
            "Use `mycelia found NAME` or `mycelia join INVITE`, or name another --home.",
            code="no-commons",
            status=409,
        )
    tell("Reading all records ...")
    logs = _records(home)
    total = sum(each.kind == "decision" for log in logs.values() for each in log)
    tell(f"Adding up {sum(map(len, logs.values())):,} records ...")
    auditor = Auditor(charter, logs, as_of_ms, other)
    tell("Looking at what was known at each decision ...")
    for done in auditor.steps():
        tell(f"{done:,} of {total:,} decisions made once more")
    return auditor.audit


def _records(home: Home) -> dict[LogKey, list[Record]]:
    """Return all records of a home, and leave the marker of a clean end true.

    Raises:
        StoreError: its database can't be read.
    """
    with contextlib.ExitStack() as stack:
        is_closed = False
        try:
            stack.enter_context(home.locked())
            is_closed = home.clean.exists()
        except HomeError as error:
            if error.code != "in-use":
                raise
        try:
            return read_everything(home.database, is_closed=is_closed, is_bare=True)
        except (sqlite3.Error, MyceliaError) as error:
            raise unusable(home.database, error) from error


def policy_named(asked: str) -> Policy:
    """Return a baseline by its name, or the policy in a file as `policy show --json` writes it.

    Raises:
        RequestError: there is no such baseline or file, or it holds no policy.
    """
    path = Path(asked)
    if path.suffix != ".json":
        return baseline(baseline_name(asked))
    try:
        told: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RequestError(f"{asked} can't be read: {error}.", code="policy") from error
    document = told.get("document", told) if isinstance(told, dict) else told
    try:
        previous = document["previous"]
        document["previous"] = None if previous is None else bytes.fromhex(previous)
        return read_policy(write_policy(document))
    except (MyceliaError, KeyError, TypeError, ValueError) as error:
        raise RequestError(
            f"{asked} holds no policy: {error}.",
            "Begin with `mycelia policy show --json > mine.json`.",
            code="policy",
        ) from error


def baseline_name(asked: str) -> str:
    """Return the name of a baseline, whichever way it is spelt.

    Raises:
        RequestError: there is none.
    """
    name = asked.replace("-", "_")
    if name not in BASELINES:
        raise RequestError(
            f"There is no baseline {asked!r}.", hint(asked, BASELINES), code="policy"
        )
    return name
