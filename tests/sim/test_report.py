"""What a run says to people: columns that hold, whatever the names in them."""

from mycelia_sim.report import check_lines
from mycelia_sim.scenario import INVARIANTS, SOMETIMES
from mycelia_sim.verdict import Check


def test_details_of_checks_stand_in_one_column() -> None:
    """However long a check's name is, what it found begins where the others' does."""
    names = [*INVARIANTS, *SOMETIMES, "within_limits"]
    lines = check_lines([Check(name, "safety", "unknown", "found") for name in names])
    assert {line.index("found") for line in lines} == {13 + max(map(len, names))}
    assert check_lines([]) == []
