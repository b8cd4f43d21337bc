"""What an audit says on a terminal and on its page, from histories of real records."""

import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from mycelia_node.auditing.page import render
from mycelia_node.auditing.told import lines
from mycelia_node.auditing.view import audit_view
from mycelia_protocol.archive import Archive
from mycelia_protocol.auditing import Auditor
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.types.decision import Override
from support.deciders import NOW_MS, Decider, by_log, quarter
from support.scribe import Scribe, village

VOID = {"meta", "br"}
HOSTILE = "<script>alert(1)</script>\x1b[2J"


def view_of(scribes: list[Scribe]) -> dict[str, Any]:
    """Return an audit of all that was written, with another policy to compare with."""
    day_ms = 86_400_000
    archive = Archive.of(by_log(scribes))
    auditor = Auditor(scribes[0].charter, archive, NOW_MS + day_ms, baseline("lottery"))
    for _ in auditor.steps():
        pass
    return audit_view(auditor.audit)


@pytest.fixture(scope="module")
def honest() -> dict[str, Any]:
    """Return an audit in which all is well."""
    _, scribes = village(3)
    quarter(scribes, random.Random(5), steps=60)
    return view_of(scribes)


@pytest.fixture(scope="module")
def doubtful() -> dict[str, Any]:
    """Return an audit with an omission, an override, a hostile name, and a living place."""
    _, (mill, oak, elm) = village(3)
    elm.write("profile", {"name": HOSTILE})
    oak.write("party", {"form": "ecosystem", "name": "River"})
    decider, first, second = Decider(mill, oak, elm), oak.request(40_000), elm.request(40_000)
    override = Override(second.id, 15_000, "they have <b>a clinic</b>", elm.key)
    decider.decide(mill.offer(15_000), override=override)
    decider.decide(
        mill.offer(15_000),
        bias=lambda inputs: replace(
            inputs, requests=[each for each in inputs.requests if each.id != first.id]
        ),
    )
    return view_of([mill, oak, elm])


class Outline(HTMLParser):
    """Checks that every element that is opened is closed, and counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        self.seen[tag] = self.seen.get(tag, 0) + 1
        assert tag not in ("script", "img", "link", "iframe", "object")
        assert not {"src", "href", "onclick", "onload"} & {n for n, v in attrs if v and v[0] != "#"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        assert self.open.pop() == tag


def outlined(page: str) -> Outline:
    """Read a page."""
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    return outline


def test_the_page_is_whole_asks_nobody_and_names_every_table(
    honest: dict[str, Any], doubtful: dict[str, Any]
) -> None:
    """It is well-formed, has no script and no address, and each table has caption and heads."""
    for view in (honest, doubtful):
        page = render(view, "today")
        seen = outlined(page).seen
        assert seen["table"] == seen["caption"] == seen["thead"] >= 5
        assert page.count('scope="row"') == seen["tr"] - seen["table"]
        assert re.search(r"https?://|url\(", page) is None
        assert "default-src 'none'" in page


def test_the_page_says_first_whether_all_is_well(
    honest: dict[str, Any], doubtful: dict[str, Any]
) -> None:
    """Headline and findings follow from the decisions; what others wrote stays text."""
    assert "<h1>As the policy says.</h1>" in render(honest, "today")
    page = render(doubtful, "today")
    assert "<h1>Not what the policy says.</h1>" in page
    assert page.count('<article class="finding') == 2
    assert "they have &lt;b&gt;a clinic&lt;/b&gt;" in page
    assert "alert(1)&lt;/script&gt;" in page
    assert "\x1b" not in page
    unknown = honest["decisions"] | {"unknown": 1, "same": honest["decisions"]["count"] - 1}
    assert "Not everything can be checked." in render(honest | {"decisions": unknown}, "today")


def test_the_terminal_says_the_same(honest: dict[str, Any], doubtful: dict[str, Any]) -> None:
    """Counts first, then who was served, and nothing that steers a terminal."""
    told = list(lines(honest))
    number = honest["decisions"]["count"]
    assert number > 5
    assert told[0] == f"{number} of {number} decisions came out the same."
    told = list(lines(doubtful))
    assert any("left out mycr1" in line for line in told)
    assert any("a person chose mycr1" in line and "a clinic" in line for line in told)
    assert "1 of 2 decisions came out the same." in told
    assert any("River: health unknown" in line for line in told)
    assert not any("\x1b" in line for line in told)
    assert any(line.startswith("WOULD GAIN") for line in told)
