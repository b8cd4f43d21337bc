"""Auditing a home: its database is read beside the daemon, in a process of its own.

An audit may take minutes of one core. Within the daemon it would hold up everything else.
"""

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mycelia_node.auditing.stacks import Stacks
from mycelia_node.errors import HomeError, RequestError
from mycelia_node.home import Home
from mycelia_node.nearest import hint
from mycelia_node.node import read_charter
from mycelia_protocol.archive import Archive
from mycelia_protocol.auditing import Audit, Auditor, Progress
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.recompute import Finding
from mycelia_protocol.sharing.baselines import BASELINES, baseline
from mycelia_protocol.sharing.policy import Policy, read_policy, write_policy


def audit_home(
    home: Home,
    as_of_ms: int,
    other: Policy | None,
    tell: Callable[[str], None],
    note: Callable[[Finding], None] = lambda _: None,
) -> Audit:
    """Make all decisions of a home's records once more, and say how everybody fared.

    Args:
        home: of a node, whether its daemon runs or not. If it does not, none can be started now.
        as_of_ms: the time for which figures are told.
        other: a policy to compare with.
        tell: takes how far it is, in words.
        note: takes each decision that somebody should look at, as soon as it is found.

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
    with _opened(home, charter.commons) as stacks:
        tell(f"Looking through {sum(stacks.logs.values()):,} records ...")
        auditor = Auditor(charter, Archive(stacks), as_of_ms, other)
        for step in auditor.steps():
            tell(_told(step))
            if step.found is not None:
                note(step.found)
    return auditor.audit


def _told(step: Progress) -> str:
    what = f"{step.done:,} of {step.total:,}"
    if step.stage == "decisions":
        return f"{what} decisions made once more"
    return f"What became of {what} offers and requests"


@contextlib.contextmanager
def _opened(home: Home, commons: bytes) -> Iterator[Stacks]:
    """Open the records of a home, and leave the marker of a clean end true.

    Raises:
        HomeError: its lock can't be taken.
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
        stacks = Stacks(home.database, commons, is_closed=is_closed)
        stack.callback(stacks.close)
        yield stacks


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
