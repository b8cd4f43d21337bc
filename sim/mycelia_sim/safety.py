"""The safety checkers: what must never happen, judged from what lies on the nodes' disks.

Each has its own arithmetic and shares none with the protocol's fold, except `agreement`, which is
about that fold. Every failure names a first example.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from mycelia_protocol.charter import Charter
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.identity import to_text
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_sim.audit import Held, Holding, Verifier, roster
from mycelia_sim.facts import Facts
from mycelia_sim.verdict import Check, Verdict


def safety(name: str, problems: Sequence[str], found: str, *, is_known: bool = True) -> Check:
    """Return a safety check: fail with the first problem, else pass, or unknown."""
    verdict: Verdict = "fail" if problems else "pass" if is_known else "unknown"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Check(name, "safety", verdict, f"{problems[0]}{more}" if problems else found)


def lost_records(facts: Facts, holdings: Sequence[Holding]) -> list[str]:
    """Return the acknowledged records that are gone: nowhere, or not where they were promised."""
    ids = {holding.node: {record.hex() for record in holding.ids()} for holding in holdings}
    somewhere = {record for held in ids.values() for record in held}
    lost = []
    for saved in facts.acknowledged:
        if saved.record not in somewhere:
            lost.append(f"{saved.kind} {saved.record[:16]} of {saved.node} is on no node")
        elif saved.record not in ids.get(saved.node, set()):
            lost.append(
                f"{saved.kind} {saved.record[:16]} is gone from {saved.node}, which acknowledged it"
            )
    return lost


def no_loss(facts: Facts, holdings: Sequence[Holding]) -> Check:
    """Check that every node still holds what it told its own user is saved."""
    faults = [fault for holding in holdings for fault in holding.faults]
    lost = lost_records(facts, holdings)
    count = len(facts.acknowledged)
    found = f"all {count} acknowledged records are on the nodes that acknowledged them"
    return safety("no_loss", faults + lost, found, is_known=count > 0)


def forged_records(
    facts: Facts, holdings: Sequence[Holding], verifier: Verifier
) -> list[tuple[str, Held]]:
    """Return (node, record) of everything stored that its author never signed, or is no member."""
    planted = {record for attempt in facts.attempts for record in attempt.records}
    found: list[tuple[str, Held]] = []
    for holding in holdings:
        members = roster(holding)
        bad = {record.id for record in verifier.unauthentic(holding.records)}
        found += [
            (holding.node, record)
            for record in holding.records
            if record.id in bad or record.id.hex() in planted or record.author not in members
        ]
    return found


def no_forgery(facts: Facts, holdings: Sequence[Holding], verifier: Verifier) -> Check:
    """Check that every stored record is authentic and by a member."""
    problems = [
        f"{node} stores a {record.kind} {record.id.hex()[:16]} that "
        f"{record.author.hex()[:16]} never signed"
        for node, record in forged_records(facts, holdings, verifier)
    ]
    count = sum(len(holding.records) for holding in holdings)
    found = f"all {count} records on {len(holdings)} disks are authentic"
    return safety("no_forgery", problems, found, is_known=count > 0)


def overcommitments(holding: Holding) -> list[str]:
    """Return where one node's records promise or accept more than there is.

    A grant counts while its requester has not declined it and its provider has not taken it back.
    """
    of_kind: dict[str, dict[bytes, Held]] = defaultdict(dict)
    for record in holding.records:
        of_kind[record.kind][record.id] = record
    answers: dict[bytes, list[Held]] = defaultdict(list)
    for answer in of_kind["answer"].values():
        answers[answer.refs[0]].append(answer)
    withdrawn = {(record.author, record.refs[0]) for record in of_kind["withdraw"].values()}
    promised: dict[bytes, int] = defaultdict(int)
    accepted: dict[bytes, int] = defaultdict(int)
    for grant in of_kind["grant"].values():
        offer, request = (of_kind[k].get(grant.refs[n]) for n, k in enumerate(("offer", "request")))
        if offer is None or request is None or (grant.author, grant.id) in withdrawn:
            continue
        said = {a.content.get("accept") for a in answers[grant.id] if a.author == request.author}
        amount = int(grant.content.get("quantity", 0))
        if True in said:
            accepted[request.id] += amount
        if said != {False}:
            promised[offer.id] += amount
    problems = []
    for kind, sums, verb in (("offer", promised, "promised"), ("request", accepted, "accepted")):
        for record_id, amount in sorted(sums.items()):
            most = int(of_kind[kind][record_id].content.get("quantity", 0))
            if amount > most:
                place = f"{kind} {record_id.hex()[:16]}"
                problems.append(f"{holding.node}: {amount} {verb} of {place}, which has {most}")
    return problems


def no_overcommit(holdings: Sequence[Holding]) -> Check:
    """Check on every node that no offer is promised and no request accepted beyond its amount."""
    problems = [problem for holding in holdings for problem in overcommitments(holding)]
    grants = len({r.id for holding in holdings for r in holding.records if r.kind == "grant"})
    found = f"{grants} grants stay within their offers and requests on every node"
    return safety("no_overcommit", problems, found, is_known=grants > 0)


def bodies_intact(holdings: Sequence[Holding]) -> Check:
    """Check that every body is there and is the one whose hash was signed."""
    problems = [
        f"{holding.node}: the body of {record.kind} {record.id.hex()[:16]} is missing or altered"
        for holding in holdings
        for record in holding.records
        if not record.has_body
    ]
    count = sum(len(holding.records) for holding in holdings)
    return safety("bodies_intact", problems, f"{count} bodies match", is_known=count > 0)


def author_sequence(holdings: Sequence[Holding]) -> Check:
    """Check that logs have no gap, hang together, and are the same wherever they are held."""
    problems: list[str] = []
    place: dict[tuple[bytes, bytes, int], tuple[bytes, str]] = {}
    for holding in holdings:
        previous: Held | None = None
        for record in holding.records:
            is_first = previous is None or (previous.author, previous.log) != (
                record.author,
                record.log,
            )
            before = None if is_first else previous
            expected = (0, None) if before is None else (before.seq + 1, before.id)
            if (record.seq, record.prev) != expected:
                problems.append(
                    f"{holding.node}: log {record.log.hex()} breaks at seq {record.seq}"
                )
            key = (record.author, record.log, record.seq)
            known = place.setdefault(key, (record.id, holding.node))
            if known[0] != record.id:
                problems.append(
                    f"log {record.log.hex()} differs at seq {record.seq} "
                    f"on {known[1]} and {holding.node}"
                )
            previous = record
    logs = {key[:2] for key in place}
    return safety("author_sequence", problems, f"{len(logs)} logs are whole", is_known=bool(logs))


def state_digest(holding: Holding) -> str:
    """Fold one node's records through the protocol and return the digest in text form.

    Raises: MyceliaError when a record can't be read by the protocol.
    """
    state = State(Charter.decode(holding.charter))
    for record in holding.records:
        state.add(Record.parse(record.header, record.signature, record.body))
    return to_text("state", state.digest())


def agreement(facts: Facts, holdings: Sequence[Holding]) -> Check:
    """Check that nodes with equal records have equal states, and told the digest of their state.

    That all nodes hold the same records in the end is the matter of `convergence`.
    """
    problems: list[str] = []
    compared = 0
    digests: dict[frozenset[bytes], str] = {}
    for holding in holdings:
        records = frozenset(holding.ids())
        if not records or holding.faults:
            continue
        try:
            digest = state_digest(holding)
        except MyceliaError as error:
            problems.append(f"{holding.node}: its records do not fold: {error}")
            continue
        first = digests.setdefault(records, digest)
        if first != digest:
            problems.append(f"{holding.node}: same records as another node, another state")
        told, count = facts.told.get(holding.node, ("", -1))
        if count == len(records):  # else it wrote more after it was asked
            compared += 1
            if told != digest:
                problems.append(f"{holding.node}: told digest {told}, its records give {digest}")
    found = f"{compared} nodes told the digest that their records give"
    return safety("agreement", problems, found, is_known=bool(digests))
