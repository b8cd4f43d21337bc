"""What makes two failures the same: the check that failed, and in what way.

Ids, node names and amounts differ from seed to seed and from plan to plan, the words around them
do not. So the way a check failed is its first complaint without them. Sweeps group failures by
fingerprint, and shrinking accepts a smaller plan only if it keeps the fingerprint.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mycelia_sim.verdict import Check

CRASH: Final = "harness"  # the check's name when the run itself broke off

_MORE: Final = re.compile(r" \(and \d+ more\)$")
_TEXT_ID: Final = re.compile(r"\bmyc[a-z]?1[02-9ac-hj-np-z]+\b")
_HEX_ID: Final = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b")
_NODE: Final = re.compile(r"\b[nx]\d{2,}\b")
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True, order=True)
class Fingerprint:
    """One way to fail.

    Attributes:
        check: name of the check.
        kind: its first complaint, without ids and amounts.
    """

    check: str
    kind: str

    def __str__(self) -> str:
        """Return it in one line."""
        return f"{self.check}: {self.kind}"


def fingerprints(checks: Iterable[Check]) -> list[Fingerprint]:
    """Return a fingerprint for each failed check: safety first, liveness last."""
    failed = [check for check in checks if check.verdict == "fail"]
    failed.sort(key=lambda check: check.family == "liveness")
    return [Fingerprint(check.name, kind_of(check.detail)) for check in failed]


def kind_of(detail: str) -> str:
    """Return a complaint without what differs from run to run."""
    text = _MORE.sub("", detail.partition(";")[0])
    for pattern, word in ((_TEXT_ID, "ID"), (_HEX_ID, "ID"), (_NODE, "NODE"), (_NUMBER, "N")):
        text = pattern.sub(word, text)
    return text


def of_exception(error: BaseException) -> Fingerprint:
    """Return the fingerprint of a run that an exception ended: what it was, and where."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" in {Path(frames[-1].filename).stem}.{frames[-1].name}" if frames else ""
    return Fingerprint(CRASH, f"{type(error).__name__}{place}")
