"""What is remembered of texts that were looked at, so that they need not be looked at again."""

from mycelia_protocol.limits import CATEGORY_SIZE_MAX
from mycelia_protocol.types import things


def test_texts_that_are_too_long_are_not_remembered() -> None:
    """A substitute may be as long as a body: a thousand of those would take 64 MB for good."""
    kept = [each for each in vars(things).values() if hasattr(each, "cache_info")]
    assert kept
    before = [each.cache_info().misses for each in kept]
    long = "a" * (CATEGORY_SIZE_MAX + 1)
    assert not things.is_word(long)
    assert not things.is_category(f"food.{long}")
    assert [each.cache_info().misses for each in kept] == before
    assert things.is_word("food")
    assert things.is_category("food.water")
