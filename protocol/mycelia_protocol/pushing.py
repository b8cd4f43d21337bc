"""Sending what is new along its tree, to those who take it now. Spec: sections 9.5 and 10.2.

Who evidently holds a record is not pushed it. To a neighbour that is slow, or that would count too
many frames, nothing is pushed; heads tell it of records later, and of words others do.
"""

from mycelia_protocol.logs import LogKey
from mycelia_protocol.messages import Push
from mycelia_protocol.presence import Presence
from mycelia_protocol.reconcile import Reconcile
from mycelia_protocol.record import Record
from mycelia_protocol.runs import chunks, heights
from mycelia_protocol.session import PUSHED, Quota
from mycelia_protocol.spread import Spread
from mycelia_protocol.told import Say


class Pusher:
    """Knows which links take more now."""

    def __init__(self, spread: Spread, reconcile: Reconcile) -> None:
        self._spread = spread
        self._reconcile = reconcile
        # PUSH, records in it, and PRESENCE; in order of link
        self._quotas: dict[int, tuple[Quota, Quota, Quota]] = {}
        self._full: set[int] = set()  # links whose peer is slow

    def opened(self, link: int) -> None:
        """Begin with a member."""
        fresh = (link, (Quota(Push), Quota(PUSHED), Quota(Presence)))
        self._quotas = dict(sorted([*self._quotas.items(), fresh], key=lambda item: item[0]))

    def closed(self, link: int) -> None:
        """End with a member."""
        self._quotas.pop(link, None)
        self._full.discard(link)

    def filled(self, link: int, *, is_full: bool) -> None:
        """Note whether so much waits on a link that nothing is to be pushed there."""
        if link in self._quotas:
            (self._full.add if is_full else self._full.discard)(link)

    def push(self, records: list[Record], source: int | None, now_ms: int) -> list[Say]:
        """Return pushes of records that a link (None: this node) brought."""
        says: list[Say] = []
        pushes = _pushes(records)
        authors = {record.author for record in records}
        is_pushed = self._spread.is_pushed
        for link, (quota, pushed, _) in self._quotas.items():
            quota.renew(now_ms)
            pushed.renew(now_ms)
            is_spent = quota.is_spent or pushed.is_spent
            if link == source or is_spent or link in self._full:
                continue
            wanted = {author for author in authors if is_pushed(link, author)}
            if not wanted:
                continue
            told = self._reconcile.told_by(link)
            fresh = [
                record
                for record in records
                if record.author in wanted
                and told.get((record.author, record.log), 0) <= record.seq
            ]
            chosen = pushes if len(fresh) == len(records) else _pushes(fresh)
            quota.spend(len(chosen))
            pushed.spend(len(fresh))
            for push, ends in chosen:
                for key, next_seq in ends:
                    self._reconcile.gave(link, key, next_seq)
                says.append(Say(link, push))
        return says

    def pass_on(self, presence: Presence, source: int | None, now_ms: int) -> list[Say]:
        """Return what says a member's word to the others along its tree."""
        return [
            Say(link, presence)
            for link, (_, _, quota) in self._quotas.items()
            if link != source
            and link not in self._full
            and self._spread.is_pushed(link, presence.author)
            and quota.take(now_ms)
        ]


def _pushes(records: list[Record]) -> list[tuple[Push, list[tuple[LogKey, int]]]]:
    """Return what pushes these records, each with how far it brings which logs."""
    return [(Push(chunk), list(heights(chunk).items())) for chunk in chunks(records)]
