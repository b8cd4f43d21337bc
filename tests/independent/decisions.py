"""Sections 7.20 to 7.22: bodies of policies, views and decisions."""

from collections.abc import Callable
from typing import Any

from independent.keys import h
from independent.policy import read_policy
from independent.text import is_bytes, is_integer
from independent.wire import LARGEST, Refused, encode

MOST = 1_000_000_000
GROUNDS = ("nobody", "alone", "floor", "score", "posted", "tie", "lot", "had", "nearer")
VIEW = {"view": (bytes, 32, 32), "heads": (list, 0, 256)}
TABLES: dict[str, tuple[int, dict[str, tuple[Any, ...]]]] = {
    "policy": (0, {"document": (bytes, 1, 12_288)}),
    "view": (0, dict(VIEW)),
    "decision": (
        1,
        {
            **VIEW,
            "policy": (bytes, 32, 32),
            "as_of_ms": (int, 0, LARGEST),
            "slot?": (int, 0, 255),
            "left": (int, 0, MOST),
            "total": (int, 0, LARGEST),
            "rows": (list, 0, 64),
            "digest": (bytes, 32, 32),
            "ground": (str, GROUNDS),
            "margin?": (int, -1_000_000, 1_000_000),
            "chosen?": (bytes, 32, 32),
            "quantity?": (int, 1, MOST),
            "reason?": (str, 1, 400),
            "approver?": (bytes, 32, 32),
        },
    ),
}


def _view(body: dict[str, Any], log: bytes) -> bool:
    heads = body["heads"]
    if not all(isinstance(head, list) and len(head) == 3 for head in heads):
        return False
    fit = all(is_bytes(a, 8) and is_integer(b) and is_bytes(c, 8) for a, b, c in heads)
    tags = [head[0] for head in heads]
    return fit and tags == sorted(set(tags))


def _decision(body: dict[str, Any], log: bytes) -> bool:
    rows, total = body["rows"], body["total"]
    who = [name for name in ("chosen", "quantity", "approver") if name in body]
    return (
        _view(body, log)
        and all(map(_is_row, rows))
        and len(rows) == min(total, 64)
        and (total > 64 or body["digest"] == h("rows", *map(encode, rows)))
        and len(who) in (0, 3)
    )


def _is_row(row: Any) -> bool:
    match row:
        case [request, gates, factors, score, given]:
            scored = factors is None and score is None
            if isinstance(factors, list) and len(factors) == 6:
                scored = all(is_integer(each, 0, 1_000) for each in factors)
                scored = scored and is_integer(score, 0, 1_000_000)
            is_right = is_bytes(request, 32) and is_integer(gates, 0, 1_023)
            return scored and is_right and is_integer(given, 0, MOST)
        case _:
            return False


def _policy(body: dict[str, Any], log: bytes) -> bool:
    try:
        read_policy(body["document"])
    except Refused:
        return False
    return True


RULES: dict[str, Callable[[dict[str, Any], bytes], bool]] = {
    "view": _view,
    "decision": _decision,
    "policy": _policy,
}
