"""What a run says to people: columns that hold, whatever the names in them."""

import re
from pathlib import Path

from mycelia_sim.checkers import CHECKERS, SEEN_IN_VIRTUAL
from mycelia_sim.report import check_lines
from mycelia_sim.scenario import INVARIANTS, SOMETIMES
from mycelia_sim.verdict import Check


def test_details_of_checks_stand_in_one_column() -> None:
    """However long a check's name is, what it found begins where the others' does."""
    names = [*INVARIANTS, *SOMETIMES, "within_limits"]
    lines = check_lines([Check(name, "safety", "unknown", "found") for name in names])
    assert {line.index("found") for line in lines} == {13 + max(map(len, names))}
    assert check_lines([]) == []


def test_the_readme_says_what_each_check_claims() -> None:
    """Its table has every check, and marks those that are left out on real nodes."""
    text = (Path(__file__).parents[2] / "sim" / "README.md").read_text("utf-8")
    table = text.partition("| check | family | claim |")[2].partition("\n\n")[0]
    rows = {name: row for row in table.splitlines() for name in re.findall(r"`(\w+)`[,\s]", row)}
    assert set(rows) == {*CHECKERS, "within_limits"}
    assert {name for name, row in rows.items() if "(virtual)" in row} == SEEN_IN_VIRTUAL
