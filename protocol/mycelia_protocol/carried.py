"""Taking in what somebody brought by hand. Spec: section 15.4.

The rules are those for records of a peer, save that nobody answers for them: whoever carries a
bundle need not be a member, nor able to read it. So nothing here is a fault, and what can't be
taken in is counted instead.
"""

from collections.abc import Callable, Sequence

from mycelia_protocol.events import Carried
from mycelia_protocol.logs import Intake, Logs
from mycelia_protocol.record import Record


def take_carried(
    logs: Logs,
    token: int,
    records: Sequence[Record],
    commons: bytes,
    is_member: Callable[[bytes], bool],
) -> tuple[Intake, Carried]:
    """Check carried records; return what is new, and the answer to give once that is on disk.

    Records of strangers are left aside: their vouch may lie further on in the bundle, which is
    then offered once more.
    """
    known = [logs.holds(record) for record in records]
    usable = [record.commons == commons and record.body is not None for record in records]
    welcome = [
        record
        for record, fits in zip(records, usable, strict=True)
        if fits and is_member(record.author)
    ]
    intake = logs.take(welcome)
    forged = {id(record) for record in intake.forged}
    strangers = gaps = contested = refused = 0
    for record, was_known, fits in zip(records, known, usable, strict=True):
        if was_known:
            continue
        if not fits or id(record) in forged:
            refused += 1
        elif not is_member(record.author):
            strangers += 1
        elif logs.is_contested((record.author, record.log)):
            contested += 1
        elif not logs.holds(record):
            gaps += 1
    counts = (strangers, gaps, contested, refused)
    return intake, Carried(token, len(intake.accepted), sum(known), *counts)
