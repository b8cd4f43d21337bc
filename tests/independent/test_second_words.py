"""Every vector of members' words about themselves through the second reader."""

from independent.frames import mark_of, read_word
from independent.test_second_reader import Case, cases, judge


@cases("presence")
def test_presence(case: Case) -> None:
    """Section 10.6: what a member says of itself, and the mark of a store."""
    inputs = case["in"]
    if inputs["op"] == "mark":
        heads: list[list[object]] = [
            [bytes.fromhex(author), bytes.fromhex(log), int(seq), bytes.fromhex(prefix)]
            for author, log, seq, prefix in inputs["heads"]
        ]
        assert mark_of(heads).hex() == case["steps"]["mark"]
    else:
        commons, data = bytes.fromhex(inputs["commons"]), bytes.fromhex(inputs["bytes"])
        judge(case, lambda: read_word(commons, data))
