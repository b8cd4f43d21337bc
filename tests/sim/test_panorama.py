"""The panorama as a file: what it says without scripts, and that it asks nothing of anybody."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mycelia_sim.checkers import CHECKERS
from mycelia_sim.cli import sim
from mycelia_sim.errors import ScenarioError
from mycelia_sim.panorama import PAGE_NAME, render, write_panorama
from mycelia_sim.panorama.tables import CHECK_MEANING
from mycelia_sim.timeline import FILE_NAME, Timeline, write_timeline
from mycelia_sim.verdict import EXIT_USAGE
from support.outage import country, outage, summary, with_violation

RUN = outage()
PAGE = render(RUN, summary(RUN))
ASSETS = Path(__file__).parents[2] / "node/mycelia_node/page/assets"


def words(page: str) -> str:
    """Return what a browser without scripts shows as text, folded tables included."""
    body = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


def data_of(page: str) -> dict[str, Any]:
    """Return the run that the page's script gets."""
    found = re.search(r'<script type="application/json" id="run"[^>]*>(.*?)</script>', page)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


@pytest.mark.parametrize(
    ("verdict", "headline", "says"),
    [
        ("pass", "The commons held.", "Pass: every check was made"),
        ("fail", "A promise was broken.", "The check no_forgery failed"),
        ("unknown", "This run proves nothing yet.", "The check kills_fired is unknown"),
    ],
)
def test_the_verdict_stands_in_plain_words(verdict: str, headline: str, says: str) -> None:
    """The page says the verdict, and which check decided it, without any script."""
    told = words(render(RUN, summary(RUN, verdict)))
    assert headline in told
    assert says in told


def test_a_liveness_failure_is_told_apart() -> None:
    """Something that came too late is not called broken."""
    found = summary(RUN, "fail")
    checks: Any = found["checks"]
    for check in checks:
        check["verdict"] = "fail" if check["name"] == "convergence" else "pass"
    assert "It did not heal in time." in words(render(RUN, found))


def test_the_story_is_told_without_scripts() -> None:
    """Faults, the worst moment, the heal, the amounts and the replay command are plain text."""
    told = words(PAGE)
    for part in (
        "30 collectives",
        "0:08 to 0:34: the river is cut.",
        "3 nodes lost power",
        "At its darkest, at 0:33",
        "2.1 s after the links came back",
        "11 forged records reached a node; none was kept",
        "Nothing was promised twice",
        "Amounts are drawn from the seed",
        "31 grants went to the other side",
        str(summary(RUN)["replay"]),
    ):
        assert part in told


def test_every_picture_has_words_beside_it() -> None:
    """Each plot has a table, the garden has a row a plant, and no image is without a name."""
    plots = re.findall(r'<figure class="plot".*?</figure>', PAGE, flags=re.DOTALL)
    assert len(plots) == 4
    assert all(plot.count("<tr>") > 20 for plot in plots)
    assert PAGE.count('<tr data-plant="') == 30
    assert '<canvas id="garden" aria-hidden="true">' in PAGE
    assert 'aria-live="polite"' in PAGE
    for svg in re.findall(r"<svg[^>]*>", PAGE):
        assert 'aria-hidden="true"' in svg or ('role="img"' in svg and "aria-label=" in svg)


def test_the_plots_tell_the_samples() -> None:
    """The numbers under the curves are those of the samples."""
    lacks = [
        sum(sample.union - have for have in sample.have if have is not None)
        for sample in RUN.samples
    ]
    assert f"At most {max(lacks):,} at" in words(PAGE)
    low = min(sample.agreeing for sample in RUN.samples)
    assert f"At worst {100 * low / 30:.0f} % agreed" in words(PAGE)


def test_the_page_asks_nothing_of_anybody() -> None:
    """No address of any kind is in the page, and its policy forbids every request."""
    markup = re.sub(r"<script.*?</script>", "", PAGE, flags=re.DOTALL)
    assert not re.search(r"https?:|\burl\(|@import|<link|<iframe|\bsrc=", markup)
    assert not re.search(r"https?:|\bfetch\(|XMLHttp|import\(|WebSocket|new Image|Beacon", PAGE)
    assert set(re.findall(r'href="([^"]*)"', markup)) <= {
        "#story",
        *(f"#plant-{state}" for state in ("thriving", "drowsy", "wilted", "resting", "seed")),
    }
    assert "default-src 'none'" in PAGE


def test_only_the_script_of_the_page_may_run() -> None:
    """The policy names the hash of the one script that is there."""
    scripts = re.findall(r"<script>(.*?)</script>", PAGE, flags=re.DOTALL)
    assert len(scripts) == 1
    digest = b64encode(sha256(scripts[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in PAGE


def test_names_are_never_markup() -> None:
    """Whatever a run calls its nodes and faults stays text."""
    evil = "</script><img src=x onerror=alert(1)>"
    nodes = tuple(replace(node, name=evil, district=evil, side=evil) for node in RUN.nodes)
    faults = tuple(replace(fault, label=evil) for fault in RUN.faults)
    events = tuple(replace(event, text=evil) for event in RUN.events)
    run = replace(RUN, nodes=nodes, faults=faults, events=events, title=evil, scenario=evil)
    page = render(run, {**summary(RUN), "replay": evil, "note": evil})
    assert "<img" not in page
    assert page.count("</script>") == PAGE.count("</script>")
    assert data_of(page)["plants"][0]["name"] == evil


def test_a_violation_is_drawn_only_if_there_was_one() -> None:
    """The space-time diagram shows every message around the violation, lost ones apart."""
    assert "Around the first violation" not in PAGE
    run = with_violation(RUN)
    assert run.violation is not None
    page = render(run, summary(run, "fail"))
    drawing = re.search(r'<svg class="spacetime".*?</svg>', page, flags=re.DOTALL)
    assert drawing
    assert drawing[0].count('<path class="message') == len(run.violation.messages)
    assert drawing[0].count('class="message lost"') == 1
    name = next(node.name for node in run.nodes if node.id == "n03")
    assert f"n03 ({name}) stores an offer" in words(page)


def test_the_script_gets_the_whole_run() -> None:
    """What the script draws is the run: every plant, sample, link, fault, and loud event."""
    data = data_of(PAGE)
    assert len(data["plants"]) == 30
    assert data["times"] == [sample.t_ms for sample in RUN.samples]
    assert len(data["links"]) == len(RUN.links)
    assert [plant["have"][10] for plant in data["plants"]] == list(RUN.samples[10].have)
    cut = [link for link in data["links"] if len(link) > 2]
    sides = [plant["side"] for plant in data["plants"]]
    assert cut
    assert all(
        (sides[a] != sides[b]) == (len(link) > 2) for link in data["links"] for a, b in [link[:2]]
    )
    loud = [event for event in RUN.events if event.kind in ("cut", "heal", "kill", "restart")]
    assert len([e for e in data["events"] if e[2] in ("cut", "heal", "kill", "restart")]) == len(
        loud
    )


def test_the_same_run_gives_the_same_page() -> None:
    """A page is a function of its run."""
    assert render(outage(), summary(RUN)) == PAGE


@pytest.mark.parametrize(
    ("run", "most"),
    [(RUN, 400_000), (outage(1), 200_000), (outage(400, duration_ms=50_000), 1_500_000)],
    ids=["30", "1", "400"],
)
def test_pages_stay_small(run: Timeline, most: int) -> None:
    """A page of a small run has well under a megabyte, one of hundreds of nodes hardly more."""
    assert len(render(run, summary(run)).encode()) < most


def test_thousands_of_nodes_share_beds() -> None:
    """Ten thousand nodes are at most some hundred beds, which together hold every node once."""
    run = country(10_000, samples=60)
    page = render(run, summary(run))
    data = data_of(page)
    assert len(page.encode()) < 2_000_000
    assert len(data["plants"]) <= 100
    assert sum(plant["n"] for plant in data["plants"]) == 10_000
    for plant in data["plants"]:
        assert all(sum(change[1:]) == plant["n"] for change in plant["tally"])
    assert "10,000 nodes" in words(page)


def test_a_run_without_faults_samples_or_figures_can_be_drawn() -> None:
    """The poorest run there can be still makes a page."""
    run = replace(RUN, faults=(), events=(), latency=(), links=(), samples=RUN.samples[:1])
    told = words(render(run, {}))
    assert "Nothing was broken on purpose." in told
    assert "No plant in the garden ever wilted." in told


def test_a_run_folder_is_drawn(tmp_path: Path) -> None:
    """The page lies beside the files from which it was drawn."""
    write_timeline(tmp_path / FILE_NAME, RUN)
    (tmp_path / "summary.json").write_text(json.dumps(summary(RUN)), "utf-8")
    assert write_panorama(tmp_path) == tmp_path / PAGE_NAME
    assert (tmp_path / PAGE_NAME).read_text("utf-8") == PAGE


def test_the_command_draws_a_run_again(tmp_path: Path) -> None:
    """`mycelia sim report` writes the page and names it; a folder without a run is wrong usage."""
    write_timeline(tmp_path / FILE_NAME, RUN)
    (tmp_path / "summary.json").write_text(json.dumps(summary(RUN)), "utf-8")
    done = CliRunner().invoke(sim, ["report", str(tmp_path)])
    assert (done.exit_code, str(tmp_path / PAGE_NAME) in done.output) == (0, True)
    told = json.loads(CliRunner().invoke(sim, ["report", str(tmp_path), "--json"]).output)
    assert told["size"] == (tmp_path / PAGE_NAME).stat().st_size
    (tmp_path / FILE_NAME).unlink()
    assert CliRunner().invoke(sim, ["report", str(tmp_path)]).exit_code == EXIT_USAGE


def test_every_check_is_explained() -> None:
    """Whatever a run can be checked for, the page says in plain words what that means."""
    assert set(CHECKERS) == set(CHECK_MEANING)


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_folder_without_a_summary_is_refused(tmp_path: Path, text: str | None) -> None:
    """A run folder that is not whole is an error that names the file."""
    write_timeline(tmp_path / FILE_NAME, RUN)
    if text is not None:
        (tmp_path / "summary.json").write_text(text, "utf-8")
    with pytest.raises(ScenarioError, match="summary"):
        write_panorama(tmp_path)


def luminance(colour: str) -> float:
    """Return the relative luminance of "#rrggbb", as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
@pytest.mark.parametrize("ink", ["text", "soft", "teal", "rose", "amber", "violet", "bad"])
@pytest.mark.parametrize("paper", ["ground", "panel"])
def test_colours_can_be_read(theme: str, ink: str, paper: str) -> None:
    """Every colour of words and lines has a contrast of 4.5 to 1 on both grounds (WCAG AA)."""
    base = (ASSETS / "base.css").read_text("utf-8")
    rule = {
        "light": re.search(r"^:root\{(.*?)\}", base, re.MULTILINE),
        "dark": re.search(r"^:root\[data-theme=dark\]\{(.*?)\}", base, re.MULTILINE),
        "print": re.search(
            r":not\(\[data-theme=light\]\)\{(--ground:#fff.*?)\}",
            (ASSETS / "print.css").read_text("utf-8"),
        ),
    }[theme]
    assert rule
    colours = dict(re.findall(r"--(\w+):(#\w+)", rule[1]))
    shades = [
        luminance(c if len(c) == 7 else "#" + "".join(2 * d for d in c[1:]))
        for c in (colours[ink], colours[paper])
    ]
    assert (max(shades) + 0.05) / (min(shades) + 0.05) >= 4.5


def test_both_ways_into_the_dark_look_alike() -> None:
    """The dark theme by choice has the colours of the dark theme by the system's setting."""
    base = (ASSETS / "base.css").read_text("utf-8")
    chosen = re.search(r"^:root\[data-theme=dark\]\{(.*?)\}", base, re.MULTILINE)
    system = re.search(r":root:not\(\[data-theme=light\]\)\{(.*?)\}", base)
    assert chosen
    assert system
    assert chosen[1] == system[1]
