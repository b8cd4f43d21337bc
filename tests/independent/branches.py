"""Section 10.5: who says that a checkpoint is right, counted by branches."""

from typing import Any


def believed(inputs: dict[str, Any]) -> bool:
    """CHECK-4, straight from its words."""
    founder, author = inputs["founder"], inputs["author"]
    pairs = [(by, key) for by, key in inputs["vouches"] if by != author or author == founder]

    def reached(gone: str | None) -> set[str]:
        found = {founder}
        while True:
            more = {key for by, key in pairs if by in found and key not in (gone, author)} - found
            if not more:
                return found
            found |= more

    members = reached(None)
    carried = {each: members - reached(each) - {each} for each in members - {founder}}
    heads = members - set().union(*carried.values())
    branch_of = {key: top for top in heads for key in {top} | carried.get(top, set())}
    branch_of.pop(author, None)
    named = {by for by, ids in inputs["acknowledged"] if inputs["checkpoint"] in ids}
    spoke = {branch_of[by] for by, _ in inputs["acknowledged"] if by in branch_of}
    agree = {branch_of[by] for by in named if by in branch_of}
    return len(agree) >= 2 and 2 * len(agree) > len(spoke)
