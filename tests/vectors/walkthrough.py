"""Write the happy path of spec section 1.1 in real bytes, between its two markers.

`python tests/vectors/walkthrough.py [--check]`. The bytes come from the fixed keys of the vectors.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "protocol"))

from mycelia_protocol.charter import Charter
from mycelia_protocol.encoding import Value
from mycelia_protocol.identity import to_text
from mycelia_protocol.invite import invite_digest
from mycelia_protocol.messages import Push, encode_message
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.state import State
from vectors.suite import KEYS, SEEDS, TIME_MS, derived

SPEC = Path(__file__).parents[2] / "spec.md"
BEGIN, END = "<!-- walkthrough:begin -->", "<!-- walkthrough:end -->"
WIDTH = 96  # hexadecimal digits a line


class Writer:
    """One collective that writes its log."""

    def __init__(self, name: str, commons: bytes) -> None:
        self.name = name
        self.commons = commons
        self.log = derived(f"walkthrough log of {name}", 8)
        self.last: Record | None = None

    def write(self, kind: str, content: dict[str, Value], *refs: bytes) -> Record:
        """Append one record."""
        seq = 0 if self.last is None else self.last.seq + 1
        self.last = build_record(
            commons=self.commons,
            seed=SEEDS[self.name],
            author=KEYS[self.name],
            log=self.log,
            seq=seq,
            prev=self.last.id if self.last else None,
            kind=kind,
            time_ms=TIME_MS + 1_000 * seq,
            content=content,
            salt=derived(f"walkthrough salt {self.name} {seq}", 16),
            refs=refs,
        )
        return self.last


def story() -> tuple[Charter, list[tuple[str, Record]]]:
    """Return the charter and the records of the happy path, each with what it is."""
    charter = Charter("Riverside", KEYS["mill"], TIME_MS, derived("walkthrough charter", 16))
    mill, oak = Writer("mill", charter.commons), Writer("oak", charter.commons)
    thing: dict[str, Value] = {"category": "food.water", "title": "Drinking water", "unit": "mL"}
    told = [("Mill's incarnation", mill.write("incarnation", {"heads": []}))]
    secret = invite_digest(derived("walkthrough secret", 16))
    vouch: dict[str, Value] = {"key": KEYS["oak"], "invite": secret}
    told.append(("Mill vouches for Oak", mill.write("vouch", vouch)))
    offer = mill.write("offer", {**thing, "quantity": 20_000, "lot": 500})
    told.append(("Mill offers 20 L in lots of 500 mL", offer))
    told.append(("Oak's incarnation", oak.write("incarnation", {"heads": []})))
    request = oak.write("request", {**thing, "quantity": 5_000, "urgency": "now"})
    told.append(("Oak requests 5 L", request))
    grant = mill.write("grant", {"quantity": 5_000}, offer.id, request.id)
    told.append(("Mill grants 5 L", grant))
    told.append(("Oak accepts", oak.write("answer", {"accept": True}, grant.id)))
    handed: dict[str, Value] = {"side": "handed", "quantity": 5_000}
    told.append(("Mill hands over", mill.write("receipt", handed, grant.id)))
    received: dict[str, Value] = {"side": "received", "quantity": 5_000}
    told.append(("Oak has received", oak.write("receipt", received, grant.id)))
    return charter, told


def block() -> str:
    """Return the text between the markers."""
    charter, told = story()
    state = State(charter)
    lines = [
        "```",
        f"Mill's key   {to_text('key', KEYS['mill'])}",
        f"Oak's key    {to_text('key', KEYS['oak'])}",
        *_field("charter", charter.encode()),
        *_field("commons id", charter.commons),
    ]
    for title, record in told:
        state.add(record)
        assert record.signature is not None
        assert record.body is not None
        lines += ["", f"{title}: kind {record.kind}, seq {record.seq}"]
        lines += _field("header", record.header)
        lines += _field("id", record.id)
        lines += _field("signature", record.signature)
        lines += _field("body", record.body)
    lines += ["", "The frame that pushes the last record, before encryption"]
    lines += _field("frame", encode_message(Push((told[-1][1],))))
    lines += ["", "State after all nine records"]
    lines += _field("digest", state.digest())
    return "\n".join([*lines, "```"])


def _field(name: str, data: bytes) -> list[str]:
    """Return the lines that show some bytes."""
    digits = data.hex()
    rows = [digits[start : start + WIDTH] for start in range(0, len(digits), WIDTH)]
    return [f"{name:<12} {rows[0]}", *(f"{'':<12} {row}" for row in rows[1:])]


def with_block(text: str) -> str:
    """Return the specification's text with a fresh block."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{block()}\n{END}{after}"


def main() -> int:
    """Write the block, or with --check say whether it is fresh."""
    text = SPEC.read_text(encoding="utf-8")
    fresh = with_block(text)
    if "--check" in sys.argv[1:]:
        if text != fresh:
            print("spec.md: the walk-through is stale; run `make vectors`")  # noqa: T201
        return int(text != fresh)
    SPEC.write_text(fresh, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
