"""The evidence of a run as one file, so that it can be judged again without running it again.

What is kept is what the checkers looked at, not what they made of it: the bytes of every record on
every disk, what the run saw happen, and when records came to lie where. Records that lie on many
disks are kept once. A gzipped MessagePack map:

    schema     of this file
    plan       hash of the plan that ran
    facts      `Facts` as plain values
    records    [header, signature or nil, body or nil], or [author, log, seq, compact form]
    logs       numbers of records, in the order in which they lie on a disk
    shelves    numbers of logs: what lies on one disk
    disks      [node, founder, charter, number of the shelf, what could not be read]
    sightings  [record, born ms, for each node of the plan: ms after that, or nil], or nil
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]  # the package has no stubs

from mycelia_sim.audit import Held, Holding, LogCopy, copies, read_form, read_record
from mycelia_sim.errors import ScenarioError
from mycelia_sim.evidence import Evidence, gather
from mycelia_sim.facts import Facts, Sightings
from mycelia_sim.plan import Plan
from mycelia_sim.plan_file import plan_hash
from mycelia_sim.strict_json import build

FILE_NAME: Final = "evidence.msgpack.gz"
EVIDENCE_SCHEMA: Final = 6


# --- writing ---


def write_evidence(path: Path, evidence: Evidence) -> None:
    """Write down what a run left.

    Raises: OSError.
    """
    packer = _Packer()
    disks = [
        [h.node, h.founder, h.charter, packer.shelf(h.logs), h.faults] for h in evidence.holdings
    ]
    data = {
        "schema": EVIDENCE_SCHEMA,
        "plan": plan_hash(evidence.plan),
        "facts": asdict(evidence.facts),
        "records": packer.records,
        "logs": packer.logs,
        "shelves": packer.shelves,
        "disks": disks,
        "sightings": _sightings(evidence),
    }
    packed: Any = msgpack.packb(data)
    path.write_bytes(gzip.compress(packed, compresslevel=3, mtime=0))


class _Packer:
    """Numbers what lies on disks; logs that are one object stay one."""

    def __init__(self) -> None:
        self.records: list[tuple[object, ...]] = []
        self.logs: list[list[int]] = []
        self.shelves: list[list[int]] = []
        self._records: dict[tuple[object, ...], int] = {}
        self._logs: dict[LogCopy, int] = {}
        self._shelves: dict[tuple[int, ...], int] = {}

    def shelf(self, logs: Sequence[LogCopy]) -> int:
        """Return the number of what lies on one disk."""
        numbers = tuple(map(self._log, logs))
        number = self._shelves.setdefault(numbers, len(self.shelves))
        if number == len(self.shelves):
            self.shelves.append(list(numbers))
        return number

    def _log(self, log: LogCopy) -> int:
        number = self._logs.setdefault(log, len(self.logs))
        if number == len(self.logs):
            self.logs.append([self._record(record) for record in log.records])
        return number

    def _record(self, record: Held) -> int:
        key: tuple[object, ...] = (record.header, record.signature, record.body)
        if record.is_compact:
            key = (record.author, record.log, record.seq, record.form)
        number = self._records.setdefault(key, len(self.records))
        if number == len(self.records):
            self.records.append(key)
        return number


def _sightings(evidence: Evidence) -> list[list[Any]] | None:
    sightings = evidence.sightings
    if sightings is None:
        return None
    nodes = [node.id for node in evidence.plan.nodes]
    rows: list[list[Any]] = []
    for record in sightings.records():
        born_ms, reached = sightings.born_ms(record), sightings.reached(record)
        assert born_ms is not None
        times = [None if node not in reached else reached[node] - born_ms for node in nodes]
        rows.append([record, born_ms, times])
    return rows


# --- reading ---


@dataclass(frozen=True, slots=True)
class Recorded:
    """Sightings as a run wrote them down: record -> when it was born, and when it reached whom."""

    born: Mapping[bytes, int]
    arrivals: Mapping[bytes, Mapping[str, int]]

    def records(self) -> Iterator[bytes]:
        """Yield every record that anybody saw."""
        return iter(self.born)

    def born_ms(self, record: bytes) -> int | None:
        """Return when a record first came to lie on a disk."""
        return self.born.get(record)

    def reached(self, record: bytes) -> Mapping[str, int]:
        """Return when it came to each node that holds it, or lost it to no fault."""
        return self.arrivals.get(record, {})


def read_evidence(path: Path, plan: Plan, holdings: Sequence[Holding] | None = None) -> Evidence:
    """Read what a run of this plan left.

    Args:
        holdings: what lies on its disks, where those are still there; else as it was written down.

    Raises: ScenarioError when the file can't be read, or is of another plan.
    """
    try:
        data = msgpack.unpackb(gzip.decompress(path.read_bytes()))
        if data["schema"] != EVIDENCE_SCHEMA:
            raise ScenarioError(
                f"{path}: is of schema {data['schema']}, not {EVIDENCE_SCHEMA}: another version of "
                "Mycelia wrote it; `mycelia sim replay` plays the run again"
            )
        if data["plan"] != plan_hash(plan):
            raise ScenarioError(
                f"{path}: is not of this plan: plan.json was changed after the run; "
                "`mycelia sim run --plan` plays the plan as it is now"
            )
        facts = build(Facts, data["facts"], f"{path.name}: facts")
        return gather(plan, facts, holdings or _holdings(data), _recorded(data, plan))
    except (OSError, EOFError, zlib.error) as error:
        raise ScenarioError(f"{path}: cannot be read: {error}") from error
    except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
        raise ScenarioError(f"{path}: is damaged: {type(error).__name__}: {error}") from error


def _holdings(data: dict[str, Any]) -> list[Holding]:
    records = [
        read_record(*parts) if len(parts) == 3 else read_form(*parts) for parts in data["records"]
    ]
    logs = []
    for numbers in data["logs"]:
        (log,) = copies([records[number] for number in numbers])
        logs.append(log)
    shelves = [tuple(logs[number] for number in numbers) for numbers in data["shelves"]]
    return [
        Holding(node, founder, charter, shelves[shelf], faults)
        for node, founder, charter, shelf, faults in data["disks"]
    ]


def _recorded(data: dict[str, Any], plan: Plan) -> Sightings | None:
    rows = data["sightings"]
    if rows is None:
        return None
    nodes = [node.id for node in plan.nodes]
    arrivals = {
        record: {
            node: born_ms + after_ms
            for node, after_ms in zip(nodes, times, strict=True)
            if after_ms is not None
        }
        for record, born_ms, times in rows
    }
    return Recorded({record: born_ms for record, born_ms, _ in rows}, arrivals)
