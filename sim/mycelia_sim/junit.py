"""What a run or a sweep came to, as the JUnit XML that CI systems read.

One `testsuite` in `testsuites`; a check of a run, or a seed of a sweep, is a `testcase`. What
failed has a `failure`, what broke off an `error`. What is unknown is `skipped`: CI systems know no
better word, so a run that proved nothing is green there; its exit code is 2.

Source: the schema of the Jenkins xUnit plugin, junit-10.xsd, and the older one of Ant's tasks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal
from xml.etree import ElementTree

FILE_NAME: Final = "junit.xml"

# What XML 1.0 can't hold, escaped or not: control characters, surrogates, two non-characters.
_UNFIT: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Ending = Literal["failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case.

    Attributes:
        group: what it is filed under, dots between the parts.
        ending: None if it passed.
        kind: of what sort a failure is, in one word.
        message: in one sentence.
        more: all there is to say about a failure.
    """

    group: str
    name: str
    ending: Ending | None = None
    kind: str = ""
    message: str = ""
    more: str = ""
    time_s: float = 0.0


def write_junit(
    path: Path,
    name: str,
    cases: Sequence[Case],
    *,
    properties: Mapping[str, str],
    time_s: float,
    said: str,
) -> None:
    """Write a suite.

    Args:
        name: of the suite, dots between its parts.
        properties: what was run.
        time_s: what all of it took.
        said: what people were told.

    Raises: OSError.
    """
    counts = {
        "tests": str(len(cases)),
        "failures": _count(cases, "failure"),
        "errors": _count(cases, "error"),
        "skipped": _count(cases, "skipped"),
        "time": f"{time_s:.3f}",
    }
    root = ElementTree.Element("testsuites", counts)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    about = {"name": _fit(name), **counts, "timestamp": now, "hostname": "localhost"}
    suite = ElementTree.SubElement(root, "testsuite", about)
    listed = ElementTree.SubElement(suite, "properties")
    for key, value in properties.items():
        ElementTree.SubElement(listed, "property", {"name": _fit(key), "value": _fit(value)})
    for case in cases:
        _add(suite, case)
    ElementTree.SubElement(suite, "system-out").text = _fit(said)
    ElementTree.SubElement(suite, "system-err")
    ElementTree.indent(root, " ")
    path.write_bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True) + b"\n")


def _add(suite: ElementTree.Element, case: Case) -> None:
    about = {"classname": case.group, "name": case.name, "time": f"{case.time_s:.3f}"}
    made = ElementTree.SubElement(suite, "testcase", {k: _fit(v) for k, v in about.items()})
    if case.ending is None:
        return
    why = {"message": _fit(case.message)}
    if case.ending != "skipped":
        why["type"] = _fit(case.kind)
    ending = ElementTree.SubElement(made, case.ending, why)
    ending.text = _fit(case.more) or None


def _count(cases: Sequence[Case], ending: Ending) -> str:
    return str(sum(case.ending == ending for case in cases))


def _fit(text: str) -> str:
    """Return a text that XML can hold; what it can't is shown as what it was."""
    return _UNFIT.sub(lambda found: f"\\x{ord(found.group()):02x}", text)
