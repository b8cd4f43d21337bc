"""What this node decides by the policy in force, as drafts that anybody can recompute. Spec: 7.22.

A decision goes to the store right after the state that it was made from: alone, with its grants,
and one at a time. So its place in the own log says which own records it rests on, and its view
says which of others.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from mycelia_protocol.allocate import fits, lack, open_requests
from mycelia_protocol.approvals import unused_consent
from mycelia_protocol.clock import earliest
from mycelia_protocol.encoding import Value
from mycelia_protocol.events import DecisionRequested, Refused
from mycelia_protocol.gather import gather, grant_max
from mycelia_protocol.limits import VIEW_HEADS_MAX
from mycelia_protocol.logs import LogKey, Logs
from mycelia_protocol.policies import in_force
from mycelia_protocol.publish import Draft
from mycelia_protocol.purses import Stock, refusal, stock_of
from mycelia_protocol.rng import Rng
from mycelia_protocol.sharing.decide import Decision, decide
from mycelia_protocol.sharing.views import RequestView
from mycelia_protocol.state import State
from mycelia_protocol.turns import Turns
from mycelia_protocol.types import grant
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.decision import Decided, Override, content
from mycelia_protocol.types.heads import NOTHING, FullHead, View, tag_of
from mycelia_protocol.types.heads import content as view_content
from mycelia_protocol.types.request import Request


class Deciding:
    """Decides, and keeps track of what the own log has told of what this node knows."""

    def __init__(self, state: State, logs: Logs, key: bytes, rng: Rng) -> None:
        self._state: Final = state
        self._logs: Final = logs
        self._key: Final = key
        self._log: bytes | None = None  # the log that the rest is about
        self._told: dict[LogKey, int] = {}  # last seq named, by log
        self._view = NOTHING
        self._turns: Final = Turns(rng)
        self.due_ms: int | None = None  # when there will be something to decide, as far as known

    def store_failed(self) -> None:
        """Forget what was told: perhaps it was not written. It is read from the state again."""
        self._log = None

    def drafts(
        self,
        log: bytes | None,
        shelf: Sequence[Stock],
        now_ms: int,
        clock_ms: int,
        accept_by_ms: int | None,
    ) -> list[Draft]:
        """Return one decision that gives something, with its grants; [] if there is none yet.

        Args:
            log: which own log is written on; None if the next record begins one.
            shelf: what may be given.
            now_ms: a time that never goes back, for the turns.
            clock_ms: the time of the decision.
            accept_by_ms: when the grants are taken back for want of an answer.
        """
        self.due_ms = None
        requests = open_requests(self._state, clock_ms) if shelf else []
        self._turns.keep(each.id for each in requests)
        policy = in_force(self._state)
        for stock in shelf:
            # A look at each request costs less than all that a decision is made from.
            wanted = [each.id for each in requests if self._could_get(stock, each, clock_ms)]
            turns = [self._turns.of(request, now_ms) for request in wanted]
            if not turns or not self._has_come(min(turns), now_ms):
                continue
            inputs = gather(self._state, self._key, stock, policy, clock_ms)
            found = decide(
                inputs.policy, inputs.offer, inputs.requests, inputs.collectives, inputs.as_of_ms
            )
            turns = [self._turns.of(request, now_ms) for request, _ in found.grants]
            if turns and self._has_come(max(turns), now_ms):
                decision, grants = self._decision(log, stock, found), found.grants
                return [*decision, *_grants(stock, grants, accept_by_ms)]
        return []

    def _has_come(self, turn_ms: int, now_ms: int) -> bool:
        """Return whether it is this node's turn; else note when it will be."""
        if turn_ms <= now_ms:
            return True
        self.due_ms = earliest(self.due_ms, turn_ms)
        return False

    def _could_get(self, stock: Stock, request: Statement[Request], clock_ms: int) -> bool:
        """Return whether a request might get something, were it the only one."""
        state, offer = self._state, stock.offer
        return (
            request.author not in (self._key, offer.author)
            and fits(state, stock, request, clock_ms)
            and min(lack(state, request), grant_max(state, self._key, stock, request, clock_ms))
            >= offer.body.lot
        )

    def asked(
        self, log: bytes | None, wish: DecisionRequested, clock_ms: int, accept_by_ms: int
    ) -> list[Draft] | Refused:
        """Return the decision that a person wants, with its grants, or why it can't be.

        Whoever only agrees with the policy agrees with what was shown; so if other grants follow by
        now, nothing does.
        """
        stock = stock_of(self._state, self._key, log, wish.purse, wish.slot, clock_ms)
        if stock is None:
            return Refused(wish.token, "spent", "nothing of this can be granted here")
        inputs = gather(self._state, self._key, stock, in_force(self._state), clock_ms)
        found = decide(
            inputs.policy, inputs.offer, inputs.requests, inputs.collectives, inputs.as_of_ms
        )
        if not wish.reason and (not wish.grants or wish.grants != found.grants):
            reason = "by now the policy gives something else; look once more"
            return Refused(wish.token, "changed", reason)
        override = None
        refs: tuple[bytes, ...] = (wish.purse,)
        if wish.reason:
            objection = self._objection(log, stock, wish, inputs.requests)
            if objection is not None:
                return Refused(wish.token, "override", objection)
            ((chosen, quantity),) = wish.grants
            assert wish.approver is not None
            override = Override(chosen, quantity, wish.reason, wish.approver)
            meant = (wish.purse, chosen, quantity, wish.slot)
            consent = unused_consent(self._state, self._key, wish.approver, meant)
            refs = refs if consent is None else (*refs, consent)
        decision = self._decision(log, stock, found, override, wish.token, refs)
        return [*decision, *_grants(stock, wish.grants, accept_by_ms)]

    def _objection(
        self,
        log: bytes | None,
        stock: Stock,
        wish: DecisionRequested,
        requests: Sequence[RequestView],
    ) -> str | None:
        """Say why a person can't decide so; None if they can."""
        if len(wish.grants) != 1:
            return "who decides otherwise names one request"
        if wish.approver is None or not self._state.is_member(wish.approver):
            return "a member has to approve it"
        ((chosen, quantity),) = wish.grants
        request = next((each for each in requests if each.id == chosen), None)
        asked = self._state.find(chosen, Request)
        if request is None or asked is None:
            return "this request is not open"
        if request.unit != stock.offer.body.unit:
            return "it is asked for in another unit"
        if asked.author in (self._key, stock.offer.author):
            return "nobody is granted what is its own"
        if quantity > request.lacking:
            return f"it lacks only {request.lacking} base units, not {quantity}"
        content = grant.content(quantity, stock.slot)
        draft = Draft(None, "grant", content, (stock.purse, chosen, *stock.credits))
        return refusal(self._state, self._key, log, draft)

    def _decision(
        self,
        log: bytes | None,
        stock: Stock,
        found: Decision,
        override: Override | None = None,
        token: int | None = None,
        refs: tuple[bytes, ...] = (),
    ) -> Iterator[Draft]:
        """Yield the decision, and before it the views that hold what it has no room for."""
        if log is None or log != self._log:
            self._recall(log)
        *more, last = self._views(log)
        for view in more:
            yield Draft(None, "view", view)
        body = content(found, last, stock.left, stock.slot, override)
        yield Draft(token, "decision", body, refs or (stock.purse,))

    def _recall(self, log: bytes | None) -> None:
        """Read from the state what a log has told."""
        self._log, self._told, self._view = log, {}, NOTHING
        own = [
            *((each.order, each.body) for each in self._state.by_author(self._key, View)
              if each.log == log),
            *((each.order, each.body.view) for each in self._state.by_author(self._key, Decided)
              if each.log == log),
        ]  # fmt: skip
        tags = {tag_of(*key): key for key in self._logs.stored_logs()}
        for _, view in sorted(own, key=lambda each: each[0]):
            self._view = view.digest
            self._told |= {tags[head.tag]: head.seq for head in view.heads if head.tag in tags}

    def _views(self, log: bytes | None) -> list[dict[str, Value]]:
        """Return what is known now and was not told, in as many parts as it needs, at least one."""
        changed = []
        for key in self._logs.stored_logs():
            head = self._logs.stored(key)
            if key != (self._key, log) and self._told.get(key) != head.next_seq - 1:
                assert head.id is not None
                changed.append(FullHead(*key, head.next_seq - 1, head.id))
        views = []
        for part in _parts(changed):
            views.append(view_content(self._view, part))
            digest = views[-1]["view"]
            assert isinstance(digest, bytes)
            self._view = digest
        self._told |= {(head.author, head.log): head.seq for head in changed}
        return views


def _parts(heads: Sequence[FullHead]) -> list[Sequence[FullHead]]:
    """Cut a list of heads so that each part fits into a record."""
    starts = range(0, max(len(heads), 1), VIEW_HEADS_MAX)
    return [heads[start : start + VIEW_HEADS_MAX] for start in starts]


def _grants(
    stock: Stock, grants: Sequence[tuple[bytes, int]], accept_by_ms: int | None
) -> Iterator[Draft]:
    """Yield the grants of a decision; the first one names what came back, and then it stays."""
    credits_ = stock.credits
    for request, quantity in grants:
        body = grant.content(quantity, stock.slot, accept_by_ms)
        yield Draft(None, "grant", body, (stock.purse, request, *credits_), follows=True)
        credits_ = ()
