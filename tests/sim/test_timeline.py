"""timeline.json: what is written can be read again, and nothing else can."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_sim.errors import ScenarioError
from mycelia_sim.strict_json import build
from mycelia_sim.timeline import (
    FILE_NAME,
    Event,
    Fault,
    Message,
    Sample,
    Timeline,
    check,
    load_timeline,
    write_timeline,
)
from support.outage import outage, with_violation

SMALL = outage(6, seed=1)


def damaged(tmp_path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """Return the path of a timeline that was changed behind the writer's back."""
    path = tmp_path / FILE_NAME
    write_timeline(path, SMALL)
    data = json.loads(path.read_text("utf-8"))
    change(data)
    path.write_text(json.dumps(data), "utf-8")
    return path


@pytest.mark.parametrize("timeline", [SMALL, with_violation(outage(12, seed=2))])
def test_what_is_written_can_be_read(tmp_path: Path, timeline: Timeline) -> None:
    """A timeline comes back from its file unchanged."""
    path = tmp_path / FILE_NAME
    write_timeline(path, timeline)
    assert load_timeline(path) == timeline


def test_a_file_has_a_line_for_each_sample(tmp_path: Path) -> None:
    """People can look at a timeline with their usual tools: samples and events are lines."""
    path = tmp_path / FILE_NAME
    write_timeline(path, SMALL)
    lines = path.read_text("utf-8").splitlines()
    assert sum(line.startswith('{"t_ms"') and '"union"' in line for line in lines) == len(
        SMALL.samples
    )


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d.update(schema=2), "is of schema 2"),
        (lambda d: d.update(colour="red"), "unknown key 'colour'"),
        (lambda d: d.pop("samples"), "'samples' is missing"),
        (lambda d: d.update(samples=[]), "has no sample"),
        (lambda d: d.update(backend="paper"), "unknown backend 'paper'"),
        (lambda d: d.update(duration_ms=0), "duration_ms must be above 0"),
        (lambda d: d.update(seed=True), "seed: must be int, not True"),
        (lambda d: d.update(seed=2**60), "out of range"),
        (lambda d: d.update(title=3), "title: must be str"),
        (lambda d: d.update(nodes={}), "nodes: must be a list"),
        (lambda d: d["nodes"].append(d["nodes"][0]), "each with its own id"),
        (lambda d: d["nodes"][0].update(lat=float("nan")), "out of range"),
        (lambda d: d["nodes"][0].pop("lon"), "nodes[0]: 'lon' is missing"),
        (lambda d: d["nodes"].__setitem__(0, 7), "nodes[0]: must be an object"),
        (lambda d: d["links"].append(["n00", "n77"]), "links names a node 'n77'"),
        (lambda d: d["links"].append(["n00"]), "must have 2 values"),
        (lambda d: d["faults"][0].update(until_ms=-1), "ends before it begins"),
        (lambda d: d["faults"][0]["groups"][0].append("x"), "names a node 'x'"),
        (lambda d: d["samples"][1]["have"].append(1), "samples[1] must say something of all 6"),
        (lambda d: d["samples"][1].update(have=[1.5] * 6), "neither null nor a count"),
        (lambda d: d["samples"][1].update(peers=[-1] * 6), "neither null nor a count"),
        (lambda d: d["samples"][1].update(peers="many"), "peers: must be a list"),
        (lambda d: d["samples"][1].update(union=0), "union is less than what one node holds"),
        (lambda d: d["samples"][1].update(agreeing=7), "agreeing must be 0 to 6"),
        (lambda d: d["samples"][1].update(t_ms=-5), "lies before"),
        (lambda d: d["events"][0].update(kind="party"), "unknown kind 'party'"),
        (lambda d: d["events"][0].update(node="n99"), "events names a node 'n99'"),
    ],
)
def test_a_damaged_file_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], says: str
) -> None:
    """Whatever is wrong with a file is refused, and the message names the place."""
    with pytest.raises(ScenarioError) as caught:
        load_timeline(damaged(tmp_path, change))
    assert says in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", "\xff"])
def test_what_is_no_timeline_is_refused(tmp_path: Path, text: str) -> None:
    """A file that is something else is refused."""
    path = tmp_path / FILE_NAME
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ScenarioError):
        load_timeline(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A folder without a timeline is an error that names the path."""
    with pytest.raises(ScenarioError, match=FILE_NAME):
        load_timeline(tmp_path / FILE_NAME)


def test_nothing_contradictory_is_written(tmp_path: Path) -> None:
    """A writer notices its own mistakes before there is a file."""
    with pytest.raises(ScenarioError):
        write_timeline(tmp_path / FILE_NAME, replace(SMALL, samples=()))
    assert list(tmp_path.iterdir()) == []


def test_nodes_of_a_violation_must_exist() -> None:
    """Messages around a violation are between nodes of the run."""
    timeline = with_violation(SMALL)
    assert timeline.violation is not None
    stray = Message(1, None, "n00", "nowhere", "HAVE", "")
    with pytest.raises(ScenarioError, match="nowhere"):
        check(replace(timeline, violation=replace(timeline.violation, messages=(stray,))), "t")


COUNTS = st.lists(st.none() | st.integers(0, 2**53 - 1), max_size=5).map(tuple)
NAMES = st.text(max_size=5)


@given(
    st.builds(
        Sample,
        st.integers(0, 10**9),
        st.integers(0, 10**9),
        COUNTS,
        COUNTS,
        st.integers(0, 10**6),
    )
    | st.builds(Event, st.integers(0, 10**9), NAMES, NAMES, NAMES, NAMES)
    | st.builds(
        Fault,
        NAMES,
        NAMES,
        st.integers(),
        st.integers(),
        st.lists(st.lists(NAMES, max_size=3).map(tuple), max_size=2).map(tuple),
        st.lists(NAMES, max_size=3).map(tuple),
        st.lists(st.tuples(NAMES, NAMES), max_size=2).map(tuple),
        NAMES,
    ).filter(lambda fault: max(abs(fault.at_ms), abs(fault.until_ms)) < 2**53)
)
def test_parts_survive_json(part: Sample | Event | Fault) -> None:
    """Any part of a timeline that goes through JSON comes back equal."""

    def plain(value: object) -> object:
        return {name: getattr(value, name) for name in type(value).__dataclass_fields__}  # type: ignore[attr-defined]

    text = json.dumps(plain(part))
    assert build(type(part), json.loads(text), "part") == part
