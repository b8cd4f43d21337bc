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


def cases(suite: str) -> Callable[[Callable[[Case], None]], Callable[[], None]]:
    """Return a decorator that makes a test of all cases of one suite; it names each that fails.

    There are thousands, and most take less than it would to start and report a test of its own.
    """
    found = load(suite)["cases"]
    assert found, f"{suite}.json has no case"

    def decorate(test: Callable[[Case], None]) -> Callable[[], None]:
        def every() -> None:
            failed: list[BaseException] = []
            for case in found:
                try:
                    test(case)
                except (Exception, pytest.fail.Exception) as error:
                    error.add_note(f"{case['id']}: {case['comment']}")
                    failed.append(error)
            if failed:
                raise BaseExceptionGroup(f"{suite}.json, {len(failed)} of {len(found)}", failed)

        every.__doc__ = test.__doc__
        return every

    return decorate


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
