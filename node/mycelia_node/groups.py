"""What waits for the store's writer, and what a group of it comes to."""

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from mycelia_node.arrivals import Arrival
from mycelia_protocol.events import Range
from mycelia_protocol.form_events import Shorten
from mycelia_protocol.record import Record


@dataclass(slots=True)
class Batch:
    """Records that become durable together."""

    number: int
    records: tuple[Record, ...]
    size: int
    arrival: Arrival | None  # None for own ones, and for those that were carried by hand
    erased: tuple[Range, ...]  # places of records that are here and whose words go


@dataclass(slots=True)
class InviteChange:
    """An invite to keep (expires_ms) or to forget (None), and who waits for it."""

    digest: bytes
    expires_ms: int | None
    done: "Future[None]"


@dataclass(slots=True)
class Note:
    """A value to keep under a name; nobody waits for it, and it may be lost."""

    name: str
    value: bytes


Job: TypeAlias = Batch | InviteChange | Note | Shorten


def group_records(group: Iterable[Job]) -> Iterator[Record]:
    """Yield the records of a group in order."""
    for job in group:
        if isinstance(job, Batch):
            yield from job.records


def group_invites(group: Iterable[Job]) -> list[tuple[bytes, int | None]]:
    """Return the invite changes of a group in order."""
    return [(job.digest, job.expires_ms) for job in group if isinstance(job, InviteChange)]


def group_notes(group: Iterable[Job]) -> list[tuple[str, bytes]]:
    """Return the notes of a group in order."""
    return [(job.name, job.value) for job in group if isinstance(job, Note)]


def group_arrivals(group: Iterable[Job]) -> Iterator[Arrival]:
    """Yield by whom the batches of a group came, in order."""
    for job in group:
        if isinstance(job, Batch) and job.arrival is not None:
            yield job.arrival


def group_erased(group: Iterable[Job]) -> list[Range]:
    """Return the places whose words go, of a group in order."""
    return [each for job in group if isinstance(job, Batch) for each in job.erased]
