"""What all suites of vectors share: the container, test keys, and values as JSON."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

SPEC_VERSION: Final = "1"
NAMES: Final = ("mill", "oak", "elm", "ash")  # collectives of the examples; mill founds the commons
TIME_MS: Final = 1_700_000_000_000  # when the examples begin


def derived(purpose: str, size: int = 32) -> bytes:
    """Return bytes that look random and never change: keys, salts and log ids of the examples."""
    return hashlib.sha256(b"mycelia test vectors: " + purpose.encode()).digest()[:size]


SEEDS: Final = {name: derived(f"seed of {name}") for name in NAMES}
KEYS: Final = {name: public_key(seed) for name, seed in SEEDS.items()}


@dataclass(slots=True)
class Suite:
    """One file of vectors.

    Attributes:
        name: file name without ".json", and prefix of the case ids.
        notes: what each flag means, and what is lost by getting it wrong.
        cases: the cases, in the order in which they were added.
    """

    name: str
    notes: dict[str, str]
    cases: list[dict[str, Json]] = field(default_factory=list)

    def valid(
        self,
        comment: str,
        req: str,
        inputs: dict[str, Json],
        steps: dict[str, Json],
        *flags: str,
    ) -> None:
        """Add a case that must be accepted; `steps` says what comes out, and what on the way."""
        self._add(comment, req, inputs, steps, flags, None)

    def invalid(
        self,
        comment: str,
        req: str,
        inputs: dict[str, Json],
        error: str,
        *flags: str,
        steps: dict[str, Json] | None = None,
    ) -> None:
        """Add a case that must be refused with the error code `error`; `steps` hold even so."""
        self._add(comment, req, inputs, steps or {}, flags, error)

    def _add(
        self,
        comment: str,
        req: str,
        inputs: dict[str, Json],
        steps: dict[str, Json],
        flags: tuple[str, ...],
        error: str | None,
    ) -> None:
        assert set(flags) <= set(self.notes), f"a flag of {flags} has no note"
        case: dict[str, Json] = {
            "id": f"{self.name}-{len(self.cases) + 1:03}",
            "req": list(req.split()),
            "comment": comment,
            "flags": list(flags),
            "in": inputs,
            "steps": steps,
            "result": "invalid" if error else "valid",
        }
        if error:
            case["error"] = error
        self.cases.append(case)

    def render(self) -> str:
        """Return the file's text: one case a line, so that a changed case is a changed line."""
        assert len({json.dumps(case["in"]) for case in self.cases}) == len(self.cases), "twice"
        head = {
            "suite": self.name,
            "spec": SPEC_VERSION,
            "schema": "schema.json",
            "count": len(self.cases),
            "notes": self.notes,
        }
        lines = [f" {json.dumps(key)}: {json.dumps(value)}," for key, value in head.items()]
        cases = ",\n".join("  " + json.dumps(case) for case in self.cases)
        return "\n".join(["{", *lines, ' "cases": [', cases, " ]", "}", ""])


def tagged(value: Value) -> Json:
    """Write a value so that no reader of JSON can mistake its type or lose a digit."""
    match value:
        case None:
            return {"nil": None}
        case bool():
            return {"bool": value}
        case int():
            return {"int": str(value)}
        case str():
            return {"str": value}
        case bytes():
            return {"bin": value.hex()}
        case dict():
            return {"map": [[key, tagged(item)] for key, item in sorted(value.items())]}
        case list() | tuple():
            return {"array": [tagged(item) for item in value]}
        case _:
            raise TypeError(f"{type(value).__name__} has no encoding")


def plain(value: object) -> Json:
    """Write plain values: integers as decimal strings, bytes as hex, tuples as arrays."""
    match value:
        case None | bool() | str():
            return value
        case int():
            return str(value)
        case bytes():
            return value.hex()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} has no plain form")


def hex_or_none(data: bytes | None) -> str | None:
    """Write bytes that may be absent."""
    return None if data is None else data.hex()
