"""Checks of who may promise what: rights are given, spent and returned once, and all adds up.

Added up from the disks by plain arithmetic (`escrow.py`). One check, `conservation`, compares that
with the protocol's fold, and so is about it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.promises import holdings_of
from mycelia_sim.audit import Held
from mycelia_sim.escrow import Book, amount
from mycelia_sim.evidence import SHORT, Breach, Evidence, judged
from mycelia_sim.verdict import Check


def escrow(evidence: Evidence) -> Check:
    """Check that honest nodes give, spend and return rights as they may, and no right twice."""
    book = Book(evidence.library.records)
    breaches = [
        (f"{problem}: {record.kind} {record.id.hex()[:SHORT]}", evidence.first(record.id))
        for problem, record in misused(book)
        if record.author not in evidence.liars
    ]
    given = len(book.by_kind["rights"])
    spent = sum(book.find(grant.refs[0], "rights") is not None for grant in book.grants)
    back = len(book.by_kind["return"])
    found = f"{given} rights were given, {spent} grants spent them, {back} returns gave back"
    return judged("escrow", "safety", breaches, found)


def misused(book: Book) -> Iterator[tuple[str, Held]]:
    """Yield each record that gives, spends, returns or names rights as nobody may."""
    for rights in book.by_kind["rights"]:
        offer = book.find(rights.refs[0], "offer")
        if rights.content["to"] == rights.author:
            yield "rights to oneself", rights
        if offer is not None and offer.author != rights.author:
            yield "rights to another's offer", rights
        if offer is not None and amount(rights) % int(offer.content.get("lot", 1)):
            yield "rights in broken lots", rights
    for grant in book.by_kind["grant"]:
        held = book.find(grant.refs[0], "rights")
        if held is None:
            continue
        if (grant.author, grant.log) != (held.content["to"], held.content["log"]):
            yield "rights spent in a log that they were not given to", grant
    for back in book.by_kind["return"]:
        held = book.find(back.refs[0], "rights")
        if held is not None and back.author != held.content["to"]:
            yield "rights returned by somebody else", back
    yield from _misnamed(book)


def _misnamed(book: Book) -> Iterator[tuple[str, Held]]:
    """Yield what names a return that does not belong to its author's offer, or names too much."""
    named: Counter[bytes] = Counter()
    for kind in ("grant", "rights"):
        for spend in book.by_kind[kind]:
            for ref in spend.refs[2 if kind == "grant" else 1 :]:
                back = book.find(ref, "return")
                rights = book.find(back.refs[0], "rights") if back else None
                if back is None or rights is None:
                    continue  # no honest node has it; whether it was lost is another check's matter
                if (rights.author, rights.refs[0]) != (spend.author, spend.refs[0]):
                    yield "a return of somebody else's rights is named", spend
                named[rights.id] += amount(back) if ref not in named else 0
                named[ref] += 1
                if named[rights.id] > amount(rights):
                    yield "more came back than was given", spend


def conservation(evidence: Evidence) -> Check:
    """Check that offered = free + in escrow + granted + withdrawn, as added up and as folded.

    For the offers in which nobody but honest nodes has a hand, on a disk that holds everything.
    One that does not fold is left out: `agreement` and `bodies_intact` tell of it.
    """
    lacking, breaches, compared = evidence.library.lacking, list[Breach](), 0
    whole = [h for h in evidence.holdings if h.node not in lacking and not h.faults]
    for holding in whole:
        records = {record.id: record for record in holding.records}
        try:
            state = evidence.folds.state(holding)
        except MyceliaError:
            continue
        for offer, parts in Book(records).parts(evidence.liars):
            everybody = {offer.author, *parts.holders}
            if state.find(offer.id, Offer) is None or everybody & evidence.liars:
                continue
            compared += 1
            told = holdings_of(state, offer.id)
            folded = (told.free, told.escrow, told.granted, told.burnt)
            if folded != parts.amounts or sum(folded) != parts.supply or min(folded) < 0:
                name = f"offer {offer.id.hex()[:SHORT]} of {parts.supply}"
                text = f"{name}: added up {parts.amounts}, folded {folded}"
                breaches.append((text, evidence.first(offer.id)))
        break  # one is enough: whether the others hold the same is another check's matter
    found = f"{compared} offers are where they should be: free, in escrow, granted or withdrawn"
    return judged("conservation", "safety", breaches, found, is_known=compared > 0)
