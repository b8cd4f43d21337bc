"""The bench's other parts: who is linked with whom, what is installed, what is left out."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_bench import cli
from mycelia_bench.cli import job_of, parse
from mycelia_bench.errors import BenchError, NotHere
from mycelia_bench.install import PROGRAMS
from mycelia_bench.job import QUICK, Job
from mycelia_bench.limits import CHECKS, measure_limits
from mycelia_bench.report import text
from mycelia_bench.results import Results, machine_facts
from mycelia_bench.rounds import measure_all
from mycelia_bench.systems.js_libp2p import JsLibp2p
from mycelia_bench.systems.mycelia_log import offer
from mycelia_bench.topology import DEGREE_MAX, DEGREE_MIN, random_links
from mycelia_protocol.encoding import encode


class Absent(JsLibp2p):
    """A system that this machine lacks."""

    def install(self) -> None:
        """Fail, as an installer does without a network."""
        raise NotHere("no network")


def neighbours(links: dict[int, list[int]]) -> dict[int, set[int]]:
    """Return who is linked with whom, both ways."""
    found: dict[int, set[int]] = {node: set(others) for node, others in links.items()}
    for node, others in links.items():
        for other in others:
            found[other].add(node)
    return found


@given(st.integers(2, 40), st.integers(0, 100))
def test_everybody_can_be_reached(nodes: int, seed: int) -> None:
    """The random links join all into one, nobody has too many, nobody one to itself."""
    around = neighbours(random_links(nodes, seed))
    reached, left = {0}, [0]
    while left:
        new = around[left.pop()] - reached
        reached |= new
        left += sorted(new)
    assert len(reached) == nodes
    assert all(len(others) <= DEGREE_MAX for others in around.values())
    assert all(node not in others for node, others in around.items())


def test_the_job_links_everybody_well() -> None:
    """In the job that is measured everybody has at least the least number of links."""
    around = neighbours(random_links(Job().nodes, Job().seed))
    assert min(map(len, around.values())) >= DEGREE_MIN


@pytest.mark.parametrize("size", [200, 300, 301, 600])
def test_our_records_say_as_much_as_those_of_others(size: int) -> None:
    """The content of an offer has the bytes that the job asks for."""
    assert len(encode(offer(7, size))) == size
    with pytest.raises(ValueError, match="at least"):
        offer(7, 20)


def test_what_is_not_here_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """A system that can't be installed is named in the report, and nothing else fails."""
    results = Results(QUICK, machine_facts())
    rounds: list[int] = []
    measure_all(
        results, [Absent()], 2, with_limits=False, after_round=lambda: rounds.append(len(rounds))
    )
    assert rounds == [0, 1]
    assert "was not measured: no network" in text(results)


def test_limits_are_measured(tmp_path: Path) -> None:
    """Each rate of the machine is there and above nothing."""
    rates = measure_limits(0.005, tmp_path)
    assert CHECKS in rates
    assert all(rate > 0 for rate in rates.values())


@pytest.mark.parametrize("lock", sorted(PROGRAMS.glob("*.txt")), ids=lambda path: path.name)
def test_python_peers_are_pinned(lock: Path) -> None:
    """Each package is pinned to a version and hashes, and no host is named."""
    text_of_lock = lock.read_text("utf-8")
    assert "://" not in text_of_lock
    packages = re.split(r"\n(?=\S)", text_of_lock.strip())
    assert packages
    assert [p for p in packages if not re.match(r"\S+==\S+ (;.*)?\\\n +--hash=sha256:", p)] == []


def test_javascript_peers_are_pinned() -> None:
    """Each package is pinned to a version and a hash; where it comes from is the user's choice."""
    lock = json.loads((PROGRAMS / "package-lock.json").read_text("utf-8"))
    packages = {name: each for name, each in lock["packages"].items() if name}
    assert len(packages) > 50
    assert [name for name, each in packages.items() if "resolved" in each] == []
    assert [n for n, p in packages.items() if not p["integrity"].startswith("sha512-")] == []


def test_a_bench_that_was_broken_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Complete rounds count, as long as the job and the machine are the same."""
    monkeypatch.setattr(cli, "TRIAL", tmp_path / "trial.json")
    results = Results(Job(), {**machine_facts(), "commit": "0123456"})
    results.add(JsLibp2p.about).runs.append({"delivered": 99.0})
    results.save(cli.TRIAL)
    going_on = cli.broken_off(Job())
    assert going_on == results
    rounds: list[int] = []
    measure_all(going_on, [], 3, with_limits=False, after_round=lambda: rounds.append(0))
    assert len(rounds) == 2
    with pytest.raises(BenchError, match="another job or machine"):
        cli.broken_off(QUICK)


def test_arguments_are_read_strictly(capsys: pytest.CaptureFixture[str]) -> None:
    """A small job is one on request; a wrong name gets a hint."""
    assert job_of(parse([])) == Job()
    assert job_of(parse(["--quick", "--nodes", "3"])).nodes == 3
    for words in (["--only", "abacus"], ["--nodes", "1"], ["--runs", "0"]):
        with pytest.raises(SystemExit):
            parse(words)
    assert "there is no 'abacus'" in capsys.readouterr().err
