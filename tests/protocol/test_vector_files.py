"""The files of vectors themselves: fresh, well-formed, complete, and the same for everybody."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from vectors import make_vectors
from vectors.reading import FOLDER, SUITES, load

# Suites that judge no bytes: something comes out of each case.
COMPUTED = {"digest", "state", "distance", "scoring", "metrics", "transcript"}
TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int}


def violations(value: Any, schema: dict[str, Any], place: str = "file") -> list[str]:
    """Return where `value` breaks `schema`, for the words of JSON Schema that ours uses."""
    known = {"$schema", "title", "type", "required", "additionalProperties", "properties"}
    assert set(schema) <= known | {"items", "enum", "pattern"}
    if "type" in schema and type(value) is not TYPES[schema["type"]]:
        return [f"{place} is no {schema['type']}"]
    found = []
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is {value!r}")
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(f"{place} is {value!r}")
    found += [f"{place} has no {name}" for name in schema.get("required", []) if name not in value]
    if isinstance(value, dict):
        for name, item in value.items():
            inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
            if inner is False:
                found.append(f"{place} has a {name}")
            elif inner:
                found += violations(item, inner, f"{place}.{name}")
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            found += violations(item, schema["items"], f"{place}[{number}]")
    return found


def test_files_are_what_the_code_writes() -> None:
    """The tool, run as CI runs it, finds no difference."""
    tool = Path(make_vectors.__file__)
    command = [sys.executable, str(tool), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_stale_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A changed case, a missing file and a file that nobody writes are all reported."""
    monkeypatch.setattr(make_vectors, "FOLDER", tmp_path)
    make_vectors.write()
    assert make_vectors.differences() == []
    changed = tmp_path / "identity.json"
    changed.write_text(
        changed.read_text(encoding="utf-8").replace("Riverside", "Riversyde"), "utf-8"
    )
    (tmp_path / "log.json").unlink()
    (tmp_path / "stranger.json").write_text("{}\n", encoding="utf-8")
    lines = "\n".join(make_vectors.differences())
    assert "+++ code" in lines
    assert "--- log.json" in lines
    assert "stranger.json: no code writes this file" in lines


@pytest.mark.parametrize("suite", SUITES)
def test_files_fit_the_schema(suite: str) -> None:
    """Each file has the shape of schema.json, whatever its cases hold."""
    data = load(suite)
    assert violations(data, load("schema")) == []
    assert data["suite"] == suite
    assert data["count"] == len(data["cases"])
    assert [case["id"] for case in data["cases"]] == [
        f"{suite}-{number:03}" for number in range(1, data["count"] + 1)
    ]
    for case in data["cases"]:
        assert ("error" in case) == (case["result"] == "invalid")
        assert set(case["flags"]) <= set(data["notes"])
    assert set(data["notes"]) == {flag for case in data["cases"] for flag in case["flags"]}


def test_the_schema_can_fail() -> None:
    """The check of the schema notices a missing, an unknown and a wrong entry."""
    data = load("identity")
    data["cases"][0]["result"] = "acceptable"
    data["cases"][1]["verdict"] = "valid"
    del data["cases"][2]["steps"]
    found = violations(data, load("schema"))
    assert found == [
        "file.cases[0].result is 'acceptable'",
        "file.cases[1] has a verdict",
        "file.cases[2] has no steps",
    ]


@pytest.mark.parametrize("suite", SUITES)
def test_files_are_plain(suite: str) -> None:
    """Files are ASCII with LF, hex is lower case, and large integers are strings."""
    raw = (FOLDER / f"{suite}.json").read_bytes()
    assert raw.isascii()
    assert b"\r" not in raw
    assert raw.endswith(b"}\n")
    numbers: list[int] = []
    json.loads(raw, parse_int=lambda text: numbers.append(int(text)))
    assert max(numbers, default=0) < 2**31


def test_each_suite_has_both_verdicts() -> None:
    """Every suite has valid cases, and each that judges bytes has invalid ones."""
    for suite in SUITES:
        results = {case["result"] for case in load(suite)["cases"]}
        assert results == ({"valid"} if suite in COMPUTED else {"valid", "invalid"}), suite


def test_every_rule_of_decoding_has_an_invalid_case() -> None:
    """Each requirement that tells a reader to refuse bytes is broken by some case."""
    broken = {
        req
        for suite in SUITES
        for case in load(suite)["cases"]
        if case["result"] == "invalid"
        for req in case["req"]
    }
    families = {"ENC": 8, "KEY": 5, "ID": 4, "REC": 9, "BODY": 3, "INC": 2, "PLACE": 2, "POL": 9}
    single = {"VOUCH-1", "PROF-1", "THING-1", "OFFER-1", "LOG-2", "SESS-1", "SESS-2"}
    wanted = {f"{name}-{n}" for name, count in families.items() for n in range(1, count + 1)}
    wanted |= single | {"SESS-4", "SESS-5", "CARRY-1", "CARRY-4"}
    assert sorted(wanted - broken) == ["ID-1"]  # which speaks to writers
