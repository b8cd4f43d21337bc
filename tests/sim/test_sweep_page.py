"""The page of a sweep: what the picture shows stands there in words too; nothing is fetched."""

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mycelia_sim.sweep.bed import LOOKS, PLANTS_MAX
from mycelia_sim.sweep.drive import Driven
from mycelia_sim.sweep.line import SeedLine
from mycelia_sim.sweep.page import render
from support.browser import (
    HALF,
    OWN_ERRANDS,
    Listener,
    needs_browser,
    open_page,
    read_png,
    screenshot,
)
from support.sweeps import crashed, failed, passed, swept, unknown, wavering

VOID = {"meta", "br", "img", "input", "link"}


def mixed() -> list[SeedLine]:
    """Return sixty lines with every verdict among them."""
    lines = [passed(seed) for seed in range(60)]
    lines[7] = failed(7)
    lines[9] = failed(9, "no_loss", "record of <b>n03</b> & co is lost", 1)
    lines[20] = unknown(20)
    lines[33] = wavering(33)
    lines[41] = crashed(41)
    return lines


class Balance(HTMLParser):
    """Checks that every element that begins also ends, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag


def test_every_seed_has_a_plant_and_words() -> None:
    """Each seed is a plant that looks like its verdict, and stands in the table of seeds."""
    page = render(swept(mixed()))
    balance = Balance()
    balance.feed(page)
    assert balance.open == []
    for look in LOOKS.values():
        assert f"i.{look.name}{{background-image:" in page
    assert page.count('<i class="pass" title=') == 55
    assert '<i class="late" title="seed 7: late, convergence: ' in page
    words = unescape(re.sub(r"<[^>]+>", " ", page.split("</style>")[1]))
    assert re.search(r"\b55\s+pass\b", words)
    assert re.search(r"pass\s+55\s+0\.\.6, 8, 10\.\.19, 21\.\.32, 34\.\.40, 42\.\.59", words)
    for command in ("--seed 7 ", "--seed 9 ", "--seed 33 ", "--seed 41 "):
        assert f"mycelia sim run village --swarm {command}" in words
    assert 'why = "no_loss: record of <b>NODE</b> & co is lost"' in words
    assert "LocalError: no such timer" in words


def test_what_comes_from_a_run_is_no_markup() -> None:
    """Complaints, titles and changes are escaped wherever they stand."""
    evil = "</style><script>alert(1)</script>"
    lines = [passed(0), failed(1, "no_loss", f"lost {evil}", 1)]
    page = render(swept(lines, changes=(f'title="{evil}"',), title=evil))
    assert "<script" not in page
    assert page.count("</style>") == 1


def test_more_seeds_than_plants_share_them() -> None:
    """When there are too many seeds each plant stands for some, and looks like their worst."""
    lines = [passed(seed) for seed in range(2 * PLANTS_MAX + 1)]
    lines[5] = failed(5)
    page = render(swept(lines, f"0..{2 * PLANTS_MAX}"))
    assert page.count('<i class="pass" title=') + 1 <= PLANTS_MAX
    assert page.count('<i class="late" title=') == 1
    assert "Each plant stands for 3 seeds" in page


def test_what_was_cut_short_says_so() -> None:
    """A page of an interrupted sweep never says that every seed held."""
    driven = Driven(2, 5.0, is_interrupted=True, is_spent=False)
    page = render(swept([passed(0), passed(1)], "0..9", driven=driven))
    assert "Cut short." in page
    assert "Every seed held" not in page
    assert "8 seeds left to play" in page
    assert "mycelia sim sweep village --seeds 0..9" in page
    nothing = render(swept([], "0..9", driven=driven))
    assert "No seed was played." in nothing


@needs_browser
def test_a_browser_shows_it_and_asks_nobody(tmp_path: Path) -> None:
    """In a real browser seeds bloom or wilt, the page is light or dark, and nothing is fetched."""
    page = tmp_path / "index.html"
    page.write_text(render(swept([passed(seed) for seed in range(60)])), "utf-8")
    size, picture = "--window-size=480,900", tmp_path / "light.png"
    listener = Listener()
    try:
        open_page(page, tmp_path, f"--screenshot={picture}", HALF, size, proxy=listener.port)
    finally:
        listener.close()
    assert [line for line in listener.hosts if not OWN_ERRANDS.search(line)] == []
    light = read_png(picture.read_bytes())
    page.write_text(render(swept([failed(seed) for seed in range(60)])), "utf-8")
    dark = screenshot(page, tmp_path, size, "--blink-settings=preferredColorScheme=0")
    assert light.glow(0.2, 0.45) > 0.05  # sixty blossoms on the night
    assert light.glow(0.2, 0.45) > 10 * dark.glow(0.2, 0.45)
    assert sum(light.rows[-8][:3]) > 600
    assert sum(dark.rows[-8][:3]) < 150


@pytest.mark.parametrize("code", sorted(LOOKS))
def test_each_outcome_has_its_own_headline(code: int) -> None:
    """No two exit codes share a headline or a sentence."""
    from mycelia_sim.sweep.page import HEADLINES, OUTCOMES, VERDICTS

    assert len(set(HEADLINES.values())) == len(set(VERDICTS.values())) == len(LOOKS)
    assert code in HEADLINES
    assert code in OUTCOMES
