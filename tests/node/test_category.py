"""Categories as people type them: words become codes, slips get the nearest one."""

import json

import pytest

from mycelia_node.category import CategoryError, read_category, unit_hint
from mycelia_protocol.sharing.categories import CATEGORIES
from node_daemons import cli


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("food.water", "food.water"),
        ("Food Water", "food.water"),
        ("food/water", "food.water"),
        ("Drinking water", "food.water"),
        ("Tylanol", "health.medicine"),
        ("diapers", "care.infant"),
        ("Batteries", "energy.store"),
    ],
)
def test_what_people_type(typed: str, code: str) -> None:
    """Codes, names, brands, slips and plurals lead to the code that was meant."""
    assert read_category(typed) == code


@pytest.mark.parametrize(
    ("typed", "nearest"),
    [
        ("food.watr", "food.water"),
        ("helth.mask", "health.protective"),
        ("care.higiene", "care.hygiene"),
        ("shelter.bedds", "shelter.bed"),
    ],
)
def test_a_slip_gets_the_nearest_code(typed: str, nearest: str) -> None:
    """A mistyped code is refused, its nearest code named first, and the way out told."""
    with pytest.raises(CategoryError) as caught:
        read_category(typed)
    assert caught.value.action.startswith(f"Did you mean {nearest} (")
    assert "--new-category" in caught.value.action
    assert read_category(typed, as_is=True) == typed


def test_what_is_near_nothing() -> None:
    """Without anything near, the groups are named; no code of one's own can be made of it."""
    with pytest.raises(CategoryError) as caught:
        read_category("Zzz")
    assert "care, ecology" in caught.value.action
    assert "--new-category" not in caught.value.action
    with pytest.raises(CategoryError):
        read_category("Zzz", as_is=True)


def test_an_unusual_unit_is_only_remarked() -> None:
    """Water by the piece gets a remark; the usual unit and codes of one's own get none."""
    assert unit_hint("food.water", "1") == ("Drinking water: usually in mL; this is in pieces.")
    assert unit_hint("food.water", "mL") == ""
    assert unit_hint("music.strings", "1") == ""


def test_the_list_for_people_and_programs() -> None:
    """`mycelia categories` lists all without a node; with a word, the one that is meant."""
    assert len(cli("categories").out.splitlines()) == len(CATEGORIES) + 1
    assert [row["code"] for row in json.loads(cli("categories", "--json").out)] == [
        category.code for category in CATEGORIES
    ]
    assert cli("categories", "diapers").out.splitlines()[1].startswith("care.infant")
    assert "Nothing is near" in cli("categories", "zzzzzz").err
