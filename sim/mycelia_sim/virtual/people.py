"""People at virtual nodes: they make the planned posts, and know what became of earlier ones."""

import contextlib
from collections.abc import Mapping
from typing import Final

from mycelia_protocol.errors import LocalError
from mycelia_protocol.recount import counted_anew
from mycelia_protocol.types.accounts import account_of
from mycelia_protocol.types.base import Statement
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import grant_state, grants_to, request_state
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights
from mycelia_sim.facts import Facts
from mycelia_sim.plan import Post
from mycelia_sim.posting import COMPLAINT, DISPUTABLE, asked_again, renewal_of, rights_of, thing_of
from mycelia_sim.virtual.node import VirtualNode

RECOUNTS: Final = 1 << 48  # from here on tokens are of what people count anew, not of posts
RECOUNT_AFTER_MS: Final = (5_000, 20_000)  # after a node came back without all it had written


def frozen_things(node: VirtualNode) -> list[str]:
    """Return the purses and requests whose past a node says that it can't know, in hex."""
    if node.engine is None:
        return []
    state, key = node.engine.state, node.engine.key
    things: list[Statement[object]] = [*state.by_author(key, Offer), *state.by_author(key, Request)]
    things += state.addressed_to(key, Rights)
    return [thing.id.hex() for thing in things if node.engine.is_frozen(thing.id)]


class People:
    """Makes posts.

    Attributes:
        posted: number of a post -> id of the record that its node acknowledged.
    """

    def __init__(self, nodes: Mapping[str, VirtualNode], facts: Facts) -> None:
        self.posted: dict[int, bytes] = {}
        self._nodes = nodes
        self._facts = facts

    def post(self, token: int, post: Post) -> None:
        """Make one post, as far as its node is up and knows what it is about."""
        node = self._nodes[post.node]
        target = None if post.of is None else self.posted.get(post.of)
        if not node.is_up or (post.of is not None and target is None):
            self._facts.skipped += 1
        elif post.kind == "withdraw" and target is not None:
            node.publish(token, "withdraw", {}, (target,))
        elif post.kind == "rights" and target is not None:
            self._entrust(token, node, post, target)
        elif post.kind == "renew" and target is not None:
            node.publish(token, "renew", renewal_of(post, self._facts.began_ms), (target,))
        elif post.kind == "dispute" and target is not None:
            self._dispute(token, node, target)
        else:
            node.publish(token, post.kind, thing_of(post, self._facts.began_ms))

    def recount(self, token: int, node: VirtualNode, now_ms: int) -> int:
        """Let a node's people count anew what it may have spent or taken without remembering it.

        Of offers that they withdraw, they offer half of what the node takes to be left: the rest
        they keep for whoever comes and was promised it. They ask anew for half of what the node
        takes to be lacking.

        Returns:
            The next free token.
        """
        return self._ask_anew(self._offer_anew(token, node, now_ms), node)

    def _offer_anew(self, token: int, node: VirtualNode, now_ms: int) -> int:
        engine = node.engine
        if engine is None:
            return token
        for offer in engine.state.by_author(engine.key, Offer):
            account, lot = account_of(engine.state, offer.id), offer.body.lot
            if account.withdrawn or not engine.is_frozen(offer.id):
                continue
            left = min(account.free) // 2 // lot * lot
            node.publish(token, "withdraw", {}, (offer.id,))
            if left:
                with contextlib.suppress(LocalError):  # its time is over
                    again = counted_anew(engine.state, offer, left, now_ms)
                    node.publish(token + 1, "offer", again)
            token += 2
        return token

    def _ask_anew(self, token: int, node: VirtualNode) -> int:
        """Withdraw what grants wait for that the node does not dare to accept, and ask anew."""
        engine = node.engine
        if engine is None:
            return token
        for asked in engine.state.by_author(engine.key, Request):
            given = [grant_state(engine.state, one.id) for one in grants_to(engine.state, asked.id)]
            derived, wanted = request_state(engine.state, asked.id), asked.body
            is_waited_for = any(each.status == "offered" for each in given)
            if derived.withdrawn or not is_waited_for or not engine.is_frozen(asked.id):
                continue
            node.publish(token, "withdraw", {}, (asked.id,))
            left = (wanted.quantity - derived.filled) // 2
            if left:
                node.publish(token + 1, "request", asked_again(wanted, left))
            token += 2
        return token

    def _dispute(self, token: int, node: VirtualNode, request: bytes) -> None:
        """Let a node dispute the first grant to a request of its own that it accepted."""
        assert node.engine is not None
        state = node.engine.state
        grants = grants_to(state, request)
        done = (one.id for one in grants if grant_state(state, one.id).status in DISPUTABLE)
        grant = next(done, None)
        if grant is None:
            self._facts.skipped += 1
        else:
            node.publish(token, "dispute", dict(COMPLAINT), (grant,))

    def _entrust(self, token: int, node: VirtualNode, post: Post, offer: bytes) -> None:
        """Let a node give rights, if its state knows of something left and of the holder's log."""
        assert node.engine is not None
        state = node.engine.state
        holder = bytes.fromhex(self._facts.keys[post.to or ""])
        log = state.latest_log(holder)
        known = state.find(offer, Offer) is not None
        left = account_of(state, offer).free[0] if known else 0
        rights = rights_of(post, left, self._facts.began_ms)
        if log is None or rights is None:
            self._facts.skipped += 1
            return
        if post.slots:
            rights["slot"] = 0
        node.publish(token, "rights", {"to": holder, "log": log, **rights}, (offer,))
