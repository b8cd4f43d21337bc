"""The panorama in a real browser: it draws what it is given, and asks nobody for anything."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from mycelia_sim.panorama import render
from mycelia_sim.timeline import Timeline
from support.browser import OWN_ERRANDS, Listener, needs_browser, open_page, screenshot
from support.outage import country, outage, summary, with_violation

pytestmark = needs_browser

DARKEST_MS = 33_000
RUN = outage()


def write(folder: Path, run: Timeline, verdict: str = "pass") -> Path:
    """Write a run's page and return its path."""
    path = folder / "panorama.html"
    path.write_text(render(run, summary(run, verdict)), "utf-8")
    return path


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Yield something that counts every connection that the browser tries."""
    listener = Listener()
    yield listener
    listener.close()


@pytest.mark.parametrize(
    ("run", "plants"), [(RUN, 30), (with_violation(outage(8, seed=3)), 8)], ids=["30", "8"]
)
def test_every_node_has_a_plant(tmp_path: Path, run: Timeline, plants: int) -> None:
    """After its scripts have run the page shows a plant and a row for each node."""
    dom = open_page(write(tmp_path, run), tmp_path, "--dump-dom")
    assert f'data-plants="{plants}"' in dom
    assert dom.count("<tr data-plant=") == plants
    assert "no-script" not in re.findall(r"<html[^>]*>", dom)[0]


def test_thousands_of_nodes_are_drawn(tmp_path: Path) -> None:
    """A page of two thousand nodes draws its beds."""
    dom = open_page(write(tmp_path, country(2_000, samples=40)), tmp_path, "--dump-dom")
    found = re.search(r'data-plants="(\d+)"', dom)
    assert found
    assert 40 < int(found[1]) <= 100


def test_the_moment_is_told(tmp_path: Path) -> None:
    """At a moment of the outage clock, slider and living line say what the samples say."""
    dom = open_page(write(tmp_path, RUN), tmp_path, "--dump-dom", at_ms=DARKEST_MS)
    told = re.search(r'<p id="told"[^>]*>(.*?)</p>', dom)
    clock = re.search(r'<output id="clock"[^>]*>(.*?)</output>', dom)
    slider = re.search(r'aria-valuetext="([^"]*)"', dom)
    assert told
    assert clock
    assert slider
    sample = next(sample for sample in RUN.samples if sample.t_ms == DARKEST_MS)
    assert clock[1] == "0:33"
    assert "The river is cut" in unescape(told[1])
    assert f"{100 * sample.agreeing / 30:.0f} % agree" in unescape(told[1])
    assert slider[1].startswith("0:33: ")
    assert "wilted" in slider[1]


def test_the_garden_glows_and_wilts(tmp_path: Path) -> None:
    """The picture itself, pixel by pixel, has far less colour in the outage than before it."""
    page = write(tmp_path, RUN)
    window = "--window-size=480,620"
    bloom = screenshot(page, tmp_path, window, at_ms=7_000)
    dark = screenshot(page, tmp_path, window, at_ms=DARKEST_MS)
    assert bloom.glow(0.4, 0.8) > 4 * dark.glow(0.4, 0.8)


def test_light_and_dark_follow_the_system(tmp_path: Path) -> None:
    """Below the picture the page is light or dark, as the reader's system asks."""
    page = write(tmp_path, RUN)
    size = "--window-size=480,900"
    light = screenshot(page, tmp_path, size)
    dark = screenshot(page, tmp_path, size, "--blink-settings=preferredColorScheme=0")
    assert sum(light.rows[-8][:3]) > 600
    assert sum(dark.rows[-8][:3]) < 150


def test_nothing_is_asked_of_any_network(tmp_path: Path, listener: Listener) -> None:
    """With every way out of the browser watched, the page makes no connection."""
    open_page(write(tmp_path, RUN), tmp_path, "--dump-dom", proxy=listener.port)
    assert [line for line in listener.hosts if not OWN_ERRANDS.search(line)] == []
    probe = tmp_path / "probe.html"
    probe.write_text('<img src="http://probe.invalid/x.png">', "utf-8")
    open_page(probe, tmp_path, "--dump-dom", proxy=listener.port)
    assert any("probe.invalid" in line for line in listener.hosts), "the watch is asleep"


def test_a_script_in_a_name_does_not_run(tmp_path: Path) -> None:
    """Even markup that got into the page could not run: the policy names one script alone."""
    page = write(tmp_path, RUN)
    html = page.read_text("utf-8")
    evil = "<script>document.title='taken'</script><b onclick=1 id=x></b>"
    page.write_text(html.replace("<main>", f"<main>{evil}"), "utf-8")
    dom = open_page(page, tmp_path, "--dump-dom")
    assert "<title>taken</title>" not in dom
    assert 'data-plants="30"' in dom


@pytest.mark.parametrize("flag", ["--force-prefers-reduced-motion", "--window-size=360,740"])
def test_other_readers_get_the_same(tmp_path: Path, flag: str) -> None:
    """With little motion or a narrow screen the page comes up whole."""
    dom = open_page(write(tmp_path, RUN), tmp_path, "--dump-dom", flag)
    assert 'data-plants="30"' in dom
    assert "30 thriving" in dom
