"""Section 15: bundles in files."""

from typing import Any

from independent.bodies import open_body
from independent.forms import lengthen, root_beside, shorten
from independent.keys import h, prefix, verify
from independent.records import Rec, read_body, read_envelope
from independent.text import is_bytes, is_integer
from independent.wire import Refused, decode, encode

START = bytes.fromhex("96c4088f6d7963656c0d0a")
CHUNK_MOST = 1_048_576
CHUNKS_MOST = 4_194_304


def find_chunks(data: bytes) -> tuple[list[list[Any]], list[list[int]]]:
    """Go through a whole stream; return its chunks, and the places between them.

    A chunk is [bundle id, number, check, signature, payload, start, end].
    """
    chunks: list[list[Any]] = []
    gaps: list[list[int]] = []
    place = lost = 0
    while place < len(data):
        chunk = read_chunk(data, place)
        if chunk is None:
            following = data.find(START, place + 1)
            place = following if following > 0 else len(data)
            continue
        if lost < place:
            gaps.append([lost, place])
        chunks.append(chunk)
        place = lost = chunk[-1]
    if lost < len(data):
        gaps.append([lost, len(data)])
    return chunks, gaps


def read_chunk(data: bytes, start: int) -> list[Any] | None:
    """Read the chunk that begins here, if one does: its length is that of its one encoding."""
    if not data.startswith(START, start):
        return None
    for width in (1, 2, 3, 5):  # of the number
        at = start + 11 + 10 + width + 34 + 66  # where the payload's length is told
        form = {0xC4: 1, 0xC5: 2, 0xC6: 4}.get(data[at] if at < len(data) else 0)
        if form is None:
            continue
        end = at + 1 + form + int.from_bytes(data[at + 1 : at + 1 + form], "big")
        if end > min(len(data), at + 5 + CHUNK_MOST):
            continue
        try:
            fields = decode(data[start:end], at + CHUNK_MOST)
        except Refused:
            continue
        if is_chunk(fields):
            assert isinstance(fields, list)
            return [*fields[1:], start, end]
    return None


def is_chunk(fields: Any) -> bool:
    """Say whether six fields make a chunk whose check fits."""
    if not isinstance(fields, list) or len(fields) != 6:
        return False
    _, bundle, number, check, signature, payload = fields
    fit = is_bytes(bundle, 8) and is_integer(number, 0, CHUNKS_MOST - 1) and is_bytes(check, 32)
    if not fit or not is_bytes(signature, 64) or not isinstance(payload, bytes):
        return False
    if len(payload) > CHUNK_MOST:
        return False
    return bool(check == h("chunk", bundle, number.to_bytes(8, "big"), payload))


class Bundle:
    """What is in a stream, for a reader that wants bundles of one commons."""

    def __init__(self, data: bytes, commons: bytes) -> None:
        self.commons = commons
        self.records: list[Rec] = []
        self.evidence: list[tuple[int, bool, list[Rec]]] = []
        self.parts: list[
            tuple[Rec, int, list[Rec], bool]
        ] = []  # checkpoint, first, records, proved
        self.heads = self.ignored = self.refused = self.repeated = self.others = 0
        self.label: list[Any] | None = None
        self.label_signed = False
        self.total: int | None = None
        chunks, self.damaged = find_chunks(data)
        if not chunks:
            raise Refused("bundle", "CARRY-1")
        self.own: dict[int, list[Any]] = {}
        for chunk in chunks:
            known = self.own.get(chunk[1])
            if chunk[0] == chunks[0][0] and known is not None and known[2] == chunk[2]:
                self.repeated += 1
                continue
            is_own = chunk[0] == chunks[0][0] and known is None
            if is_own:
                self.own[chunk[1]] = chunk
            else:
                self.others += 1
            self.open(chunk, is_own)
        self.damaged.sort()

    @property
    def signed(self) -> int:
        """How many chunks the maker signed."""
        return sum(self.is_signed(chunk) for chunk in self.own.values())

    def is_signed(self, chunk: list[Any]) -> bool:
        """Say whether the maker, as far as it is known, signed a chunk."""
        return self.label is not None and verify(
            self.label[2], prefix("carry") + chunk[2], chunk[3]
        )

    def open(self, chunk: list[Any], is_own: bool) -> None:
        """Read a payload."""
        if not self.read_payload(chunk, is_own):
            self.damaged.append(chunk[5:])

    def read_payload(self, chunk: list[Any], is_own: bool) -> bool:
        """Take note of what a chunk holds; say whether its fields are right."""
        try:
            value: Any = decode(chunk[4], CHUNK_MOST)
        except Refused:
            return False
        if not isinstance(value, list) or not value or type(value[0]) is not int:
            return False
        kind, fields = value[0], value[1:]
        if kind in (1, 4):
            return self.read_label(chunk, fields, kind == 4, is_own)
        if kind == 6:
            return self.read_part(fields)
        if kind == 7:
            return self.read_evidence(fields)
        if kind not in (2, 3):
            self.ignored += 1
            return True
        if len(fields) != 1 or not isinstance(fields[0], list) or len(fields[0]) > 4_096:
            return False
        if kind == 3:
            self.read_records(fields[0], self.records)
            return True
        if not all(map(is_head, fields[0])):
            return False
        if is_own and self.is_signed(chunk):
            self.heads += len(fields[0])
        return True

    def read_records(self, rows: list[Any], found: list[Rec]) -> None:
        """Read envelopes one by one."""
        for row in rows:
            try:
                found.append(read_envelope(row))
            except Refused:
                self.refused += 1

    def read_evidence(self, fields: list[Any]) -> bool:
        """Read vouches and acknowledgements; say whether the fields are right."""
        match fields:
            case [place, bool(last), list(rows)]:
                if not is_integer(place, 0, 4_095) or len(rows) > 256:
                    return False
            case _:
                return False
        shown: list[Rec] = []
        self.read_records(rows, shown)
        self.evidence.append((place, last, shown))
        return True

    def read_part(self, fields: list[Any]) -> bool:
        """Read some of a log in whatever form; say whether the fields are right."""
        match fields:
            case [list(), first, list(rows), list(roots)]:
                is_fit = is_integer(first, 0) and 1 <= len(rows) <= 4_096 and len(roots) <= 128
            case _:
                return False
        if not is_fit or not all(is_bytes(one, 32) for one in roots):
            return False
        records: list[Rec] = []
        try:
            sum_ = read_envelope(fields[0])
            if first + len(rows) > sum_.seq:
                return False
            for seq, row in enumerate(rows, first):
                if isinstance(row, bytes):
                    records.append(lengthen(*sum_.log, seq, row))
                    continue
                records.append(read_envelope(row))
                if (records[-1].log, records[-1].seq) != (sum_.log, seq):
                    return False
        except Refused:
            self.refused += len(rows) - (first > 0)
            return True
        leaves = [row if isinstance(row, bytes) else None for row in rows]
        self.parts.append((sum_, first, records, is_proved(sum_, first, records, leaves, roots)))
        return True

    def read_label(self, chunk: list[Any], fields: list[Any], ends: bool, is_own: bool) -> bool:
        """Take note of a label; say whether its fields are right."""
        if fields and type(fields[0]) is int and fields[0] != 1:
            raise Refused("version", "CARRY-4")
        if len(fields) != (8 if ends else 6) or not is_integer(fields[0], 1, 1):
            return False
        commons, maker, made, audience, basis, *totals = fields[1:]
        if not (is_bytes(commons, 32) and is_bytes(maker, 32) and is_integer(made)):
            return False
        if not (audience is None or is_bytes(audience, 32)):
            return False
        if not (basis is None or is_integer(basis)) or not all(map(is_integer, totals)):
            return False
        if is_own and commons != self.commons:
            raise Refused("commons", "CARRY-4")
        if is_own:
            self.total = totals[0] if ends else self.total
            is_signed = verify(maker, prefix("carry") + chunk[2], chunk[3])
            if self.label is None or (is_signed and not self.label_signed):
                self.label, self.label_signed = fields[:6], is_signed
        return True


def is_proved(
    sum_: Rec, first: int, records: list[Rec], leaves: list[bytes | None], roots: list[bytes]
) -> bool:
    """CHECK-7: say whether a checkpoint proves records, but for who confirmed it."""
    body = None if sum_.body is None else open_body(sum_.body)
    if sum_.kind != "checkpoint" or body is None or not sum_.is_signed():
        return False
    said = read_body(sum_.kind, sum_.log[1], len(sum_.refs), *body[1:])
    if said is None or any(
        r.body is None and not leaf for r, leaf in zip(records, leaves, strict=True)
    ):
        return False
    forms = [leaf or shorten(record) for record, leaf in zip(records, leaves, strict=True)]
    try:
        found = root_beside(sum_.seq, first, forms, roots)
    except Refused:
        return False
    hangs = all(
        record.fields[1] == sum_.fields[1] and (at == 0 or record.prev == records[at - 1].id)
        for at, record in enumerate(records)
        if not leaves[at]
    )
    is_once = len({record.id for record in records}) == len(records)
    return bool(found == said["root"] and hangs and is_once)


def is_head(row: Any) -> bool:
    """Say whether a row of HEADS is one."""
    match row:
        case [author, log, seq, first]:
            is_id = is_bytes(author, 32) and is_bytes(log, 8) and is_bytes(first, 8)
            return is_id and is_integer(seq, 1)
        case _:
            return False


def write_chunk(fields: list[Any]) -> bytes:
    """Return the bytes of a chunk again, to see that there is one encoding."""
    return encode([START[3:], *fields])
