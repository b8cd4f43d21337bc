"""A run in which old parts of logs are let go of, and defects in how that is done."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mycelia_protocol import shortening
from mycelia_protocol.compact import shorten
from mycelia_protocol.confirming import Testimony, Witnesses
from mycelia_protocol.record import Record
from mycelia_protocol.shortening import Shortener
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.checkpoint import Checkpoint
from mycelia_sim.plan import Cut, Plan, Trouble
from mycelia_sim.virtual import disk
from support.liars import a_plan

Planted = pytest.MonkeyPatch
LATE = Trouble("late", "join", 0, 11_000, "n4", 0)
CUT = Cut("river", 1_500, 5_000, "drop", False, 0, (("n0", "n1"), ("n2", "n3")), "partition", ())


def old_logs() -> Plan:
    """Return a plan in which all let go of what is old, and a newcomer starts from what is left."""
    plan = a_plan(nodes=5, duration_ms=14_000, posts_each=4, cuts=(CUT,))
    return replace(
        plan,
        checkpoint_after=4,
        acknowledge_within_ms=500,
        compact_after_ms=1_000,
        converge_within_ms=15_000,
        presence=False,
        compacting=tuple(node.id for node in plan.nodes),
        troubles=(LATE,),
        sometimes=("logs_pruned", "newcomers_formed"),
    )


def asks_nobody(planted: Planted) -> None:
    """A node that lets go of what it alone found right."""
    planted.setattr(shortening, "confirmed", lambda state, _silent: state.every(Checkpoint))


def goes_too_far(planted: Planted) -> None:
    """A node that lets go of more than the checkpoint covers."""
    over = Shortener._over

    def beyond(
        self: Shortener, checkpoint: Statement[Checkpoint], clock_ms: int
    ) -> Iterator[tuple[int, int]]:
        yield from over(self, checkpoint, clock_ms)
        yield checkpoint.order[2], checkpoint.order[2]

    planted.setattr(Shortener, "_over", beyond)


def lets_go_of_proofs(planted: Planted) -> None:
    """A node that lets go of what has to be shown with its signature."""
    planted.setattr(shortening, "KEPT", frozenset())


def keeps_another_form(planted: Planted) -> None:
    """A disk that keeps another form of a record than its own."""

    def altered(record: Record) -> Record:
        form = shorten(record)
        return replace(form, time_ms=form.time_ms + 1) if record.kind == "offer" else form

    planted.setattr(disk, "shorten", altered)


def counts_keys(planted: Planted) -> None:
    """A node that counts keys, and not who let them in: one liar is as many as it likes."""

    def confirm(self: Witnesses, checkpoint: bytes, author: bytes) -> bool:
        named = self._named_by.get(checkpoint, set()) - {author}
        return 2 * len(named) > len(self._all - {author})

    planted.setattr(Witnesses, "confirm", confirm)


def believes_anybody(planted: Planted) -> None:
    """A node that takes forms although nobody confirmed what proves them."""
    planted.setattr(Testimony, "confirms", lambda self, checkpoint: True)
