"""Bodies of policies, views and decisions: what they may hold, and what not."""

from mycelia_protocol.body import WORDS
from mycelia_protocol.encoding import Value, encode
from vectors.bodies import LARGEST, OVERRIDE, ROWS, VIEW, Content, decided
from vectors.suite import derived


def decided_well() -> list[tuple[str, str, Content]]:
    """Return decisions that are well-formed: requirement, comment, content."""
    many = _many()
    return [
        ("DEC-2", "no rows", decided([], ground="nobody")),
        ("DEC-2", "64 rows", decided(many[:64])),
        ("DEC-2", "the first 64 of 65 rows", decided(many)),
        ("DEC-3", "a digest of rows that are elsewhere", decided(many, digest=bytes(32))),
        ("DEC-4", "an override", {**decided(ROWS), **OVERRIDE}),
        ("VIEW-1", "256 heads", decided(ROWS, heads=_heads(256))),
    ]


def decided_badly() -> list[tuple[str, str, str, Content]]:
    """Return what is malformed: kind, requirement, comment, content."""
    many = _many()
    bad: list[tuple[str, str, Content]] = [
        ("DEC-2", "fewer rows than total", decided(ROWS, total=4)),
        ("DEC-2", "63 of 65 rows", {**decided(many), "rows": many[:63]}),
        ("BODY-3", "65 rows", {**decided(many), "rows": many}),
        ("DEC-3", "another digest", decided(ROWS, digest=bytes(32))),
        ("BODY-3", "257 heads", decided(ROWS, heads=_heads(257))),
        *(
            ("DEC-4", f"no {name}", {**decided(ROWS), **_less(name)})
            for name in OVERRIDE
            if name not in WORDS
        ),
        *(("DEC-1", comment, decided([row])) for comment, row in _bad_rows()),
    ]
    head = _heads(2)
    heads: list[tuple[str, str, Value]] = [
        ("VIEW-1", "a head of two", [head[0][:2]]),
        ("VIEW-1", "a log of 7 bytes", [[bytes(7), 0, bytes(8)]]),
        ("VIEW-1", "an id of 32 bytes", [[bytes(8), 0, bytes(32)]]),
        ("VIEW-1", "seq below 0", [[bytes(8), -1, bytes(8)]]),
        ("VIEW-1", "seq is a bool", [[bytes(8), True, bytes(8)]]),
        ("VIEW-2", "heads out of order", [head[1], head[0]]),
        ("VIEW-2", "a log twice", [head[0], head[0]]),
    ]
    documents: list[tuple[str, Value]] = [
        ("no map", encode([])),
        ("no policy", encode({"v": 1})),
    ]
    return [
        *(("decision", *one) for one in bad),
        *(("view", req, comment, {**VIEW, "heads": value}) for req, comment, value in heads),
        *(("policy", "PUT-1", comment, {"document": value}) for comment, value in documents),
    ]


def _many() -> list[Value]:
    """Return more rows than a record has room for."""
    return [[derived(f"row {n}"), 0, None, None, 0] for n in range(65)]


def _heads(count: int) -> list[list[Value]]:
    return [[n.to_bytes(8, "big"), n, bytes(8)] for n in range(count)]


def _less(name: str) -> Content:
    return {key: value for key, value in OVERRIDE.items() if key != name}


def _bad_rows() -> list[tuple[str, Value]]:
    request, factors = derived("first"), [1, 2, 3, 4, 5, 6]
    return [
        ("a row of four", [request, 0, None, None]),
        ("a row of a short id", [request[:31], 0, None, None, 0]),
        ("gates below 0", [request, -1, None, None, 0]),
        ("gates of 11 bits", [request, 1_024, None, None, 0]),
        ("gates are a bool", [request, True, None, None, 0]),
        ("five factors", [request, 0, factors[:5], 0, 0]),
        ("a factor of 1001", [request, 0, [*factors[:5], 1_001], 0, 0]),
        ("a factor that is a bool", [request, 0, [*factors[:5], True], 0, 0]),
        ("factors without a score", [request, 0, factors, None, 0]),
        ("a score without factors", [request, 0, None, 5, 0]),
        ("a score of 1000001", [request, 0, factors, 1_000_001, 0]),
        ("less than nothing given", [request, 0, factors, 0, -1]),
        ("too much given", [request, 0, factors, 0, LARGEST + 1]),
    ]
