"""The registry of categories: well-formed, complete, and found by everyday words."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mycelia_protocol.errors import SchemaError
from mycelia_protocol.limits import CATEGORY_SIZE_MAX
from mycelia_protocol.sharing.aliases import ALIASES
from mycelia_protocol.sharing.categories import (
    BY_CODE,
    CATEGORIES,
    GROUPS,
    find,
    group_of,
    is_code,
    suggest,
)
from mycelia_protocol.types.things import UNITS, check_category

CITY = Path(__file__).parents[3] / "sim" / "mycelia_sim" / "data" / "twin-cities-2020.csv"


def test_every_row_is_well_formed() -> None:
    """Codes are valid, sorted, each once; units are base units, each once; texts are there."""
    codes = [category.code for category in CATEGORIES]
    assert codes == sorted(set(codes))
    assert 40 <= len(codes) <= 50
    for category in CATEGORIES:
        assert check_category(category.code) == category.code
        assert len(category.code) <= CATEGORY_SIZE_MAX
        assert set(category.units) <= set(UNITS)
        assert len(set(category.units)) == len(category.units) > 0
        assert category.name
        assert category.example
        assert category.group == group_of(category.code)
        assert category.group in GROUPS


def test_the_city_finds_all_its_categories() -> None:
    """Each code in the listing of the Twin Cities is in the registry."""
    with CITY.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    used = {
        code
        for row in rows
        for column in ("gives", "wants", "wants_urgently")
        for code in row[column].split()
    }
    assert len(used) > 10
    assert used <= set(BY_CODE)


def test_aliases_lead_somewhere_and_hide_no_code() -> None:
    """An alias leads to a code of the registry, and finding it gives that code."""
    assert len(ALIASES) > 500
    wrong = {alias: code for alias, code in ALIASES.items() if code not in BY_CODE}
    assert wrong == {}
    lost = {alias for alias, code in ALIASES.items() if getattr(find(alias), "code", "") != code}
    assert lost == set()


def test_codes_and_names_find_themselves() -> None:
    """Each code and each name finds its own category, however it is written."""
    for category in CATEGORIES:
        for text in (category.code, category.code.upper(), category.code.replace(".", " / ")):
            assert find(text) is category
        assert find(category.name) is category


@pytest.mark.parametrize("text", ["", " ", ".", "zzz", "\N{SNOWMAN}", "x" * 5_000])
def test_nonsense_is_found_nowhere(text: str) -> None:
    """What is near nothing is found as nothing and suggests nothing."""
    assert find(text) is None
    assert suggest(text) == []


def test_suggestions_are_few_and_each_once() -> None:
    """At most as many as asked for, none twice, the same every time."""
    for text in ("food.watr", "waterr", "tol.buildng", "blankett"):
        found = suggest(text, 3)
        assert 1 <= len(found) <= 3
        assert len({category.code for category in found}) == len(found)
        assert suggest(text, 3) == found


@given(st.text("ab-.Z é", max_size=45))
def test_the_form_of_a_code_is_that_of_records(text: str) -> None:
    """What has the form of a code here is what a record may carry, and nothing else."""
    try:
        is_carried = check_category(text) == text and 3 <= len(text) <= CATEGORY_SIZE_MAX
    except SchemaError:
        is_carried = False
    assert is_code(text) == is_carried
