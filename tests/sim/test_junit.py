"""junit.xml: what CI systems read of runs and sweeps, whatever is in the texts."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from mycelia_sim.checkers import check_all, gather
from mycelia_sim.junit import Case, write_junit
from mycelia_sim.report import Outcome, write_cases
from mycelia_sim.sweep.junit import write_sweep
from support.sweeps import crashed, failed, passed, swept, unknown, wavering
from support.town import PLAN, a_town

COUNTED = {"tests", "failures", "errors", "skipped", "time"}
SHAPES = {  # element -> attributes, and children in order; from junit-10.xsd, and Ant's schema
    "testsuites": (COUNTED, ["testsuite"]),
    "testsuite": (
        COUNTED | {"name", "timestamp", "hostname"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), ["property"]),
    "property": ({"name", "value"}, []),
    "testcase": ({"classname", "name", "time"}, ["failure", "error", "skipped"]),
    "failure": ({"message", "type"}, []),
    "error": ({"message", "type"}, []),
    "skipped": ({"message"}, []),
    "system-out": (set(), []),
    "system-err": (set(), []),
}


def read(path: Path) -> ElementTree.Element:
    """Read a file, check its shape and its sums, and return the suite."""
    root = ElementTree.fromstring(path.read_bytes())
    for element in root.iter():
        attributes, children = SHAPES[element.tag]
        assert set(element.attrib) == attributes
        order = [children.index(child.tag) for child in element]
        assert order == sorted(order)
    (suite,) = root
    sums = {"failures": "failure", "errors": "error", "skipped": "skipped", "tests": "testcase"}
    for name, tag in sums.items():
        assert int(suite.attrib[name]) == len(list(suite.iter(tag))) == int(root.attrib[name])
    return suite


def endings(suite: ElementTree.Element) -> dict[str, str]:
    """Return test case -> how it ended."""
    return {
        case.attrib["name"]: case[0].tag if len(case) else "" for case in suite.iter("testcase")
    }


def test_each_check_of_a_run_is_a_test_case(tmp_path: Path) -> None:
    """What failed says so with its detail and the replay command; what is unknown is skipped."""
    town = a_town()
    town.facts.settled_ms = None
    town.facts.cuts["p"] = replace(town.facts.cuts["p"], bytes=0, connections=0)
    evidence = gather(PLAN, town.facts, town.holdings())
    outcome = Outcome(evidence, check_all(evidence), "mycelia sim replay here")
    write_cases(tmp_path, outcome, "FAIL: a town")
    suite = read(tmp_path / "junit.xml")
    found = endings(suite)
    assert (found["convergence"], found["partition_fired"], found["no_loss"]) == (
        "failure",
        "skipped",
        "",
    )
    assert set(found) == {check.name for check in outcome.checks}
    (failure,) = suite.iter("failure")
    assert "did not agree within 5 s" in failure.attrib["message"]
    assert (failure.text or "").endswith("replay: mycelia sim replay here")
    assert suite.findtext("system-out") == "FAIL: a town"


def test_each_seed_of_a_sweep_is_a_test_case(tmp_path: Path) -> None:
    """Failures, crashes and runs that can't be repeated are told apart from what is unknown."""
    lines = [passed(0), failed(1), unknown(2), wavering(3), crashed(4)]
    write_sweep(replace(swept(lines), folder=tmp_path), "FAIL")
    suite = read(tmp_path / "junit.xml")
    words = ["", "failure", "skipped", "failure", "error"]
    assert endings(suite) == {f"seed {n}": word for n, word in enumerate(words)}
    said = ["".join(case.itertext()) for case in suite.iter("testcase")]
    assert "--seed 1 " in said[1]
    assert "trace_digest, events differ" in said[3]
    assert "LocalError: no such timer" in said[4]
    write_sweep(replace(swept([replace(passed(0), seen=())]), folder=tmp_path), "UNKNOWN")
    assert endings(read(tmp_path / "junit.xml"))["all seeds together"] == "skipped"


def test_any_text_can_be_read_back(tmp_path: Path) -> None:
    """Markup is escaped, and what no XML can hold is shown as its number."""
    bad = 'a <b> & "c" ]]> \x00\x1b[2K\ud800\uffff 🌱 é\n'
    path = tmp_path / "junit.xml"
    case = Case(bad, bad, "failure", bad, bad, bad)
    write_junit(path, bad, [case], properties={bad: bad}, time_s=1.5, said=bad)
    suite = read(path)
    good = 'a <b> & "c" ]]> \\x00\\x1b[2K\\xd800\\xffff 🌱 é\n'
    (failure,) = suite.iter("failure")
    assert failure.text == suite.findtext("system-out") == good
    assert failure.attrib["message"] == suite.attrib["name"] == good
    assert suite.attrib["time"] == "1.500"
