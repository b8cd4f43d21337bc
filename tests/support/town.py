"""A town of two nodes as a run would leave it: sound unless a test breaks it."""

from dataclasses import dataclass, field

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.encoding import Value
from mycelia_protocol.identity import to_text
from mycelia_protocol.record import Record, build_record
from mycelia_protocol.state import State
from mycelia_sim.audit import Held, Holding, copies, read_record
from mycelia_sim.checkers import check_all, gather
from mycelia_sim.facts import Acknowledged, AttemptFact, CutFact, Facts, KillFact
from mycelia_sim.plan import Attempt, Cut, Kill, Plan, PlanLink, PlanNode
from mycelia_sim.scenario import INVARIANTS, SOMETIMES_DEFAULT
from mycelia_sim.verdict import Check

SEEDS = {node: bytes([n + 1]) * 32 for n, node in enumerate(("n0", "n1"))}
KEYS = {node: public_key(seed) for node, seed in SEEDS.items()}
CHARTER = Charter("Test", KEYS["n0"], 0, bytes(16))
PLAN = Plan(
    schema=1,
    scenario="test",
    title="",
    seed=1,
    backend="live",
    warmup_ms=1_000,
    duration_ms=10_000,
    converge_within_ms=5_000,
    receipts="auto",
    nodes=(
        PlanNode("n0", "Oak", "Here", "west", 45.0, -93.3),
        PlanNode("n1", "Elm", "There", "east", 45.0, -93.1),
    ),
    links=(PlanLink("n0", "n1", 0),),
    posts=(),
    cuts=(Cut("p", 1_000, 5_000, "drop", False, 0, (("n0",), ("n1",)), "partition", ()),),
    kills=(Kill("k", 2_000, "n1", 3_000, "keep", 0),),
    shapes=(),
    troubles=(),
    attempts=(Attempt(0, "x00", 100, "forge_author", "n0", "n1"),),
    invariants=INVARIANTS,
    sometimes=tuple(name for name in SOMETIMES_DEFAULT if name != "faults_fired"),
)
Content = dict[str, Value]


@dataclass
class Author:
    """Writes one log."""

    node: str
    records: list[Record] = field(default_factory=list)

    @property
    def log(self) -> bytes:
        """The id of its log."""
        return self.node.encode() * 4

    def write(
        self, kind: str, content: Content, *refs: bytes, at_ms: int = 2_000, signer: str = ""
    ) -> bytes:
        """Write the next record and return its id; `signer` signs in this author's name."""
        last = self.records[-1] if self.records else None
        record = build_record(
            commons=CHARTER.commons,
            seed=SEEDS[signer or self.node],
            author=KEYS[self.node],
            log=self.log,
            seq=last.seq + 1 if last else 0,
            prev=last.id if last else None,
            kind=kind,
            time_ms=at_ms,
            content=content,
            salt=bytes(16),
            refs=refs,
        )
        self.records.append(record)
        return record.id


def thing(quantity: int, **more: Value) -> Content:
    """Return the body of an offer or a request."""
    return {"category": "food.meal", "title": "Soup", "quantity": quantity, "unit": "1", **more}


@dataclass
class Town:
    """Two nodes that share a little while the river is closed; sound unless a test breaks it."""

    authors: dict[str, Author]
    facts: Facts
    ids: dict[str, bytes] = field(default_factory=dict)
    held: dict[str, list[Held]] = field(default_factory=dict)

    def hold(self) -> None:
        """Let both nodes hold everything, and tell the digest of it."""
        everything = [record for author in self.authors.values() for record in author.records]
        everything.sort(key=lambda record: (record.author, record.log, record.seq))
        held = [read_record(r.header, r.signature, r.body) for r in everything]
        self.held = {node: list(held) for node in self.authors}
        state = State(CHARTER)
        for record in everything:
            state.add(record)
        told = (to_text("state", state.digest()), len(everything))
        self.facts.told = dict.fromkeys(self.authors, told)

    def holdings(self) -> list[Holding]:
        """Return what lies on the disks."""
        return [
            Holding(node, CHARTER.founder, CHARTER.encode(), copies(records))
            for node, records in self.held.items()
        ]

    def check(self, plan: Plan = PLAN) -> dict[str, Check]:
        """Run all checkers and return their results by name."""
        evidence = gather(plan, self.facts, self.holdings())
        return {check.name: check for check in check_all(evidence)}


def a_town() -> Town:
    """Return a sound town in which everything that is checked has happened."""
    oak, elm = Author("n0"), Author("n1")
    oak.write("incarnation", {"heads": []}, at_ms=0)
    oak.write("vouch", {"key": KEYS["n1"], "invite": bytes(32)}, at_ms=0)
    elm.write("incarnation", {"heads": []}, at_ms=0)
    ids: dict[str, bytes] = {}
    for author, other in ((oak, elm), (elm, oak)):
        offer = author.write("offer", thing(10, lot=1))
        request = other.write("request", thing(8, urgency="now"))
        grant = author.write("grant", {"quantity": 8}, offer, request)
        other.write("answer", {"accept": True}, grant)
        ids |= {f"{author.node} {k}": v for k, v in (("offer", offer), ("grant", grant))}
        ids[f"{other.node} request"] = request
    facts = Facts(
        began_ms=0,
        keys={node: key.hex() for node, key in KEYS.items()},
        acknowledged=[Acknowledged(ids["n0 offer"].hex(), "n0", "offer", 0, 2_000)],
        cuts={"p": CutFact(100, 1, 1, True, True)},
        kills={"k": KillFact("n1", True, True)},
        attempts=[AttemptFact(0, "forge_author", "n0", True, ("ff" * 32,), "closed")],
        warmed_up_ms=10,
        caught_up_ms=500,
        settled_ms=100,
        looks=4,
    )
    made = Town({"n0": oak, "n1": elm}, facts, ids)
    made.hold()
    return made
