"""How tests read the vectors."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mycelia_protocol.errors import RemoteError

FOLDER = Path(__file__).parent
SUITES = sorted(path.stem for path in FOLDER.glob("*.json") if path.stem != "schema")
Case = dict[str, Any]


def load(name: str) -> dict[str, Any]:
    """Return one file of the folder."""
    data: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return data


def cases(suite: str) -> pytest.MarkDecorator:
    """Return a decorator that runs a test with each case of one suite."""
    found = load(suite)["cases"]
    assert found, f"{suite}.json has no case"
    named = [pytest.param(c, id=f"{c['id']} {c['comment'][:60]}") for c in found]
    return pytest.mark.parametrize("case", named)


def judge(case: Case, read: Callable[[Case], Any]) -> None:
    """Run `read` on the input: it must return the steps, or fail with the error of the case."""
    if case["result"] == "valid":
        found = read(case["in"])
        assert {name: found[name] for name in case["steps"]} == case["steps"]
    else:
        with pytest.raises(RemoteError) as caught:
            read(case["in"])
        assert caught.value.code == case["error"]


def unhex(text: str | None) -> bytes | None:
    """Read bytes that may be absent."""
    return None if text is None else bytes.fromhex(text)


def envelope(parts: list[str | None]) -> tuple[bytes, bytes | None, bytes | None]:
    """Read an envelope: header, signature, body."""
    header, signature, body = map(unhex, parts)
    assert header is not None
    return header, signature, body
