"""Vectors of what members say of themselves and of their stores, through the second reader."""

from independent.frames import mark_of, name_changes, read_word
from independent.test_second_reader import Case, cases, judge, plain


@cases("presence")
def test_presence(case: Case) -> None:
    """Section 10.7: what a member says of itself, and the mark of a store."""
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


@cases("changes")
def test_changes(case: Case) -> None:
    """Section 10.1.2: CHANGES name logs by their places."""
    then: list[list[object]] = [[bytes.fromhex(each) for each in log] for log in case["in"]["then"]]

    def read() -> dict[str, object]:
        heads = name_changes(then, bytes.fromhex(case["in"]["bytes"]))
        return {"heads": [[plain(each) for each in row] for row in heads]}

    judge(case, read)
