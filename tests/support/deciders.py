"""Collectives that decide by the policy in force, with a bias or without it."""

import random
from collections.abc import Callable, Iterable

from mycelia_protocol.archive import LogKey
from mycelia_protocol.encoding import Value
from mycelia_protocol.gather import gather
from mycelia_protocol.policies import in_force
from mycelia_protocol.purses import stocks
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.baselines import BASELINES, baseline, document
from mycelia_protocol.sharing.change import Inputs
from mycelia_protocol.sharing.decide import decide
from mycelia_protocol.sharing.policy import write_policy
from mycelia_protocol.state import State
from mycelia_protocol.types.decision import Override, content
from mycelia_protocol.types.heads import NOTHING, FullHead
from mycelia_protocol.types.heads import content as view_content
from support.scribe import Scribe

NOW_MS = 1_700_000_000_000
Bias = Callable[[Inputs], Inputs]


class Decider:
    """Writes decisions of one collective, and the grants that follow, perhaps with a bias."""

    def __init__(self, writer: Scribe, *others: Scribe) -> None:
        self.writer = writer
        self.others = others
        self._told: dict[bytes, int] = {}
        self._view = NOTHING
        self._seen: dict[bytes, int] | None = None  # how much of whose log; None for all

    def hear(self, rng: random.Random) -> None:
        """Let some more of what the others wrote arrive; from now on nothing comes by itself."""
        before = self._seen or {}
        self._seen = {
            each.key: rng.randint(before.get(each.key, 0), len(each.written))
            for each in self.others
        }

    def known(self) -> State:
        """Return the state of what this collective knows."""
        state = State(self.writer.charter)
        for record in [*self.writer.written, *(r for who in self.others for r in self._of(who))]:
            state.add(record)
        return state

    def decide(
        self,
        purse: Record,
        bias: Bias | None = None,
        override: Override | None = None,
        lies: dict[str, Value] | None = None,
        as_of_ms: int = NOW_MS,
    ) -> Record:
        """Decide on a purse of which something is left, from all that is known, and grant."""
        state = self.known()
        shelf = stocks(state, self.writer.key, self.writer.log, as_of_ms)
        stock = next(each for each in shelf if each.purse == purse.id)
        inputs = gather(state, self.writer.key, stock, in_force(state), as_of_ms)
        inputs = bias(inputs) if bias else inputs
        decision = decide(
            inputs.policy, inputs.offer, inputs.requests, inputs.collectives, as_of_ms
        )
        body = content(decision, self._heads(), stock.left, stock.slot, override)
        record = self.writer.write("decision", {**body, **(lies or {})}, purse.id)
        due = decision.grants if override is None else ((override.chosen, override.quantity),)
        for request, quantity in due:
            self.writer.write("grant", {"quantity": quantity}, purse.id, request, record.id)
        return record

    def _of(self, who: Scribe) -> list[Record]:
        return who.written if self._seen is None else who.written[: self._seen.get(who.key, 0)]

    def _heads(self) -> dict[str, Value]:
        last = [self._of(who)[-1] for who in self.others if self._of(who)]
        changed = [each for each in last if self._told.get(each.author) != each.seq]
        self._told |= {each.author: each.seq for each in changed}
        heads = [FullHead(each.author, each.log, each.seq, each.id) for each in changed]
        body = view_content(self._view, heads)
        assert isinstance(body["view"], bytes)
        self._view = body["view"]
        return body


def by_log(scribes: Iterable[Scribe]) -> dict[LogKey, list[Record]]:
    """Return everything that was written, by log."""
    logs: dict[LogKey, list[Record]] = {}
    for record in [r for who in scribes for r in who.written]:
        logs.setdefault((record.author, record.log), []).append(record)
    return logs


def quarter(scribes: list[Scribe], rng: random.Random, steps: int) -> None:
    """Let collectives offer, ask, decide, answer and hand over, each from what it has heard."""
    deciders = [Decider(one, *(o for o in scribes if o is not one)) for one in scribes]
    epoch, before = 0, None
    for _ in range(steps):
        decider = rng.choice(deciders)
        writer = decider.writer
        decider.hear(rng)
        as_of_ms = NOW_MS + sum(len(each.written) for each in scribes) + rng.randint(-9, 9)
        match rng.choice(("ask", "ask", "offer", "decide", "decide", "settle", "policy")):
            case "ask":
                writer.request(rng.randint(1, 9))
            case "offer":
                writer.offer(rng.randint(1, 20), rng.randint(1, 3))
            case "policy":
                policy = {**document(rng.choice(BASELINES)), "epoch": epoch, "previous": before}
                data = write_policy({**policy, "window_s": rng.choice((1, 9_999))})
                scribes[0].write("policy", {"document": data})
                epoch, before = epoch + 1, baseline("fifo").id
            case "settle":
                _settle(writer, scribes, rng)
            case _:
                shelf = stocks(decider.known(), writer.key, writer.log, as_of_ms)
                spendable = {each.purse for each in shelf}
                offers = [each for each in writer.written if each.id in spendable]
                if offers:
                    decider.decide(rng.choice(offers), as_of_ms=as_of_ms)


def _settle(writer: Scribe, scribes: list[Scribe], rng: random.Random) -> None:
    """Answer a grant to an own request, and say on both sides what changed hands."""
    own = {each.id for each in writer.written if each.kind == "request"}
    for giver in scribes:
        grants = [r for r in giver.written if r.kind == "grant" and r.refs[1] in own]
        if grants:
            grant = rng.choice(grants)
            writer.answer(rng.random() < 0.8, grant)
            giver.receipt("handed", rng.randint(0, 4), grant)
            if rng.random() < 0.5:
                writer.receipt("received", rng.randint(1, 4), grant)
