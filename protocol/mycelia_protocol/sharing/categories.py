"""What things are called: two-level codes, such as `food.water`. Spec: appendix C.4 (CC0).

The list helps two people who mean the same to write the same. It is no rule: a record may carry
any code of two words (`THING-1`), and a unit that is unusual for a category is still valid.

The names of groups follow the clusters of humanitarian coordination (food, shelter, health, WASH,
logistics, telecommunications), and what neighbours share besides: energy, tools, care, rides,
skills, land, and the living world itself.
"""

import re
from dataclasses import dataclass
from typing import Final

from mycelia_protocol.limits import CATEGORY_SIZE_MAX
from mycelia_protocol.sharing.aliases import ALIASES

GRAM, MILLILITRE, WATT_HOUR, MINUTE, PIECE = "g", "mL", "W.h", "min", "1"  # UCUM
UNITS: Final = (PIECE, WATT_HOUR, GRAM, MILLILITRE, MINUTE)  # sorted by bytes, as the spec does


@dataclass(frozen=True, slots=True)
class Category:
    """One row of the registry.

    Attributes:
        code: group and word, such as `food.water`.
        name: for people, in the plural where there is one.
        example: what somebody would offer or ask for.
        units: base units that make sense, the usual one first. A hint, never a rule.
    """

    code: str
    name: str
    example: str
    units: tuple[str, ...]

    @property
    def group(self) -> str:
        """The first of the two words."""
        return group_of(self.code)


def _row(code: str, name: str, example: str, *units: str) -> Category:
    return Category(code, name, example, units)


CATEGORIES: Final[tuple[Category, ...]] = (
    _row("care.animal", "Animals", "feed for a dog; a walk with it", MINUTE, GRAM, PIECE),
    _row("care.child", "Looking after children", "an afternoon with two small ones", MINUTE),
    _row("care.cleaning", "Cleaning supplies", "bleach, mops, bin bags", PIECE, MILLILITRE, GRAM),
    _row("care.elder", "Help for old and ill people", "shopping, company, a bath", MINUTE),
    _row("care.hygiene", "Personal hygiene", "soap, toilet paper, sanitary pads", PIECE),
    _row("care.infant", "Things for small children", "nappies, formula, wipes", PIECE, GRAM),
    _row("ecology.care", "Hands for living places", "a clean-up along the river", MINUTE),
    _row("ecology.plant", "Planting", "young trees, native wildflower seed", PIECE, GRAM),
    _row("ecology.soil", "Soil", "compost, mulch, wood chips", GRAM, MILLILITRE),
    _row("ecology.water", "Water for living places", "watering young trees", MILLILITRE),
    _row("education.lesson", "Lessons", "an hour of arithmetic", MINUTE),
    _row("education.school", "School supplies", "notebooks, pens, rucksacks", PIECE),
    _row("energy.electric", "Electricity", "charging from a solar roof", WATT_HOUR),
    _row("energy.fuel", "Fuel for engines", "diesel for a pump", MILLILITRE),
    _row("energy.heat", "Heating", "firewood, gas, a warm room", WATT_HOUR, GRAM, PIECE),
    _row("energy.store", "Batteries, lamps, generators", "a power bank to borrow", PIECE),
    _row("food.dry", "Food that keeps", "flour, rice, tins", GRAM, PIECE),
    _row("food.fresh", "Fresh food", "vegetables, eggs, bread", GRAM, PIECE, MILLILITRE),
    _row("food.meal", "Ready meals", "a warm lunch", PIECE),
    _row("food.water", "Drinking water", "tap water in 10 L cans", MILLILITRE),
    _row("health.medical", "First aid and medical supplies", "bandages, test kits", PIECE),
    _row("health.medicine", "Medicine", "painkillers within their date", PIECE, MILLILITRE),
    _row("health.mind", "Somebody to talk to", "an evening's listening", MINUTE),
    _row("health.protective", "Protective equipment", "masks, gloves, face shields", PIECE),
    _row("health.visit", "Medical and nursing time", "a nurse's visit at home", MINUTE),
    _row("land.plot", "Land to grow on", "a bed in the community garden", PIECE),
    _row("land.seed", "Seeds and seedlings", "bean seed, tomato plants", PIECE, GRAM),
    _row("logistics.storage", "Storage and boxes", "a shelf in a cold room; crates", PIECE),
    _row("shelter.bed", "Places to sleep", "a bed for one night", PIECE),
    _row("shelter.bedding", "Bedding and tents", "blankets, sleeping bags, mats", PIECE),
    _row("shelter.clothing", "Clothing and shoes", "winter coats, socks", PIECE),
    _row("shelter.repair", "Material for homes", "tarpaulins, boards, nails", PIECE, GRAM),
    _row("shelter.room", "Rooms", "a hall for an evening", MINUTE, PIECE),
    _row("skill.advice", "Advice", "tenancy law, forms, money", MINUTE),
    _row("skill.language", "Interpreting and translating", "Somali at the clinic", MINUTE),
    _row("skill.repair", "Repairs", "somebody who mends a boiler", MINUTE),
    _row(
        "telecom.network", "Internet, telephone, radio", "a router; an hour online", PIECE, MINUTE
    ),
    _row("tool.building", "Tools for building and repair", "ladder, drill, spade", PIECE),
    _row("tool.garden", "Garden tools", "wheelbarrow, rake, watering can", PIECE),
    _row("tool.kitchen", "Kitchen equipment", "a large pot, a camping stove", PIECE),
    _row("transport.cargo", "Carrying goods", "a cargo bicycle with its rider", MINUTE, GRAM),
    _row("transport.ride", "Rides", "to the hospital and back", PIECE, MINUTE),
    _row("transport.vehicle", "Vehicles to borrow", "a van for a day", PIECE, MINUTE),
    _row("wash.toilet", "Toilets and showers", "a shower slot, a dry toilet", PIECE, MINUTE),
    _row("wash.water", "Water for washing", "rain water; a filter for it", MILLILITRE, PIECE),
    _row("work.volunteer", "Helping hands", "sorting donations for an hour", MINUTE),
)
BY_CODE: Final = {category.code: category for category in CATEGORIES}
GROUPS: Final = tuple(sorted({category.code.partition(".")[0] for category in CATEGORIES}))

_CODE: Final = re.compile(r"[a-z-]+\.[a-z-]+")
_SIMILARITY_MIN: Final = 0.6  # of difflib's ratio; lower ones only puzzle people


def group_of(code: str) -> str:
    """Return the group of a code: what stands before the dot."""
    return code.partition(".")[0]


def is_code(text: str) -> bool:
    """Return whether a text has the form of a code, listed or not (`THING-1`, and its length)."""
    return len(text) <= CATEGORY_SIZE_MAX and _CODE.fullmatch(text) is not None


def find(text: str) -> Category | None:
    """Return the category that somebody meant: its code, its name, or a known word for it.

    Case, plurals and what stands between the words (`food/water`, `Food Water`) don't matter.
    """
    words = _plain(text)
    for name in (words, *_singulars(words)):
        code = _NAMES.get(name)
        if code is not None:
            return BY_CODE[code]
    return None


def suggest(text: str, most: int = 3) -> list[Category]:
    """Return the categories whose code, name or everyday word is nearest to a text, best first.

    Empty if nothing is near. Of a code that is not known, a known word after the dot comes first.
    """
    import difflib  # only for slips of the pen: the command line starts faster without it

    words = _plain(text)
    meant = find(text.rpartition(".")[2])
    codes = {meant.code: None} if meant else {}  # a dict keeps the order
    near = difflib.get_close_matches(words, sorted(_NAMES), n=4 * most, cutoff=_SIMILARITY_MIN)
    codes |= {_NAMES[name]: None for name in near}
    return [BY_CODE[code] for code in codes][:most]


def _plain(text: str) -> str:
    """Return the words of a text in small letters, with one blank between them."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("_", " ").replace("'", "")))


def _singulars(words: str) -> list[str]:
    """Return what an English plural may be the plural of."""
    ends = (("ies", "y"), ("es", ""), ("s", ""))
    return [words.removesuffix(end) + new for end, new in ends if words.endswith(end)]


# In plain form; a code beats a name, and a name an alias.
_NAMES: Final[dict[str, str]] = (
    {_plain(alias): code for alias, code in ALIASES.items()}
    | {_plain(category.name): category.code for category in CATEGORIES}
    | {_plain(category.code): category.code for category in CATEGORIES}
)
