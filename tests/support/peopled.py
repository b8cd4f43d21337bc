"""Histories of a village in which some ask for parties, and policies to decide there by."""

import random
from dataclasses import replace

from mycelia_protocol.charter import Charter
from mycelia_protocol.crypto import public_key
from mycelia_protocol.record import Record
from mycelia_protocol.sharing.baselines import baseline
from mycelia_protocol.sharing.categories import UNITS
from mycelia_protocol.sharing.policy import Policy
from mycelia_protocol.types.fork import content as fork_content
from support.deciders import NOW_MS
from support.histories import OFTEN, history
from support.scribe import WATER, Scribe, village

SMALL = {("*", unit): 1 + n for n, unit in enumerate(UNITS)}  # a drop is worth something


def policies() -> list[Policy]:
    """Return policies with windows and tables that differ."""
    long = replace(baseline("balanced"), person_days=SMALL)
    return [
        replace(long, id=bytes([n]) * 32, window_s=window_s) for n, window_s in enumerate((1, 2))
    ]


def peopled(rng: random.Random) -> tuple[Charter, list[Record]]:
    """Return a made-up history in which some requests are for parties, and a log may part."""
    kinds = [*("offer", "request") * 4, *("grant", "answer", "receipt") * 8]
    kinds += rng.choices(OFTEN, k=40)
    drawn = [(k, rng.randrange(3), rng.randrange(31), rng.randrange(31)) for k in kinds]
    charter, records = history([(*step, rng.randint(1, 12)) for step in drawn])
    written = []
    for seed in (each.seed for each in village(3)[1]):
        writer = Scribe(seed, charter, rng)  # on a log of its own, beside that of the history
        writer.write("profile", {"name": "x", "members": rng.randint(1, 9)})
        party = writer.write(
            "party", {"form": rng.choice(("ecosystem", "people")), "name": "River"}
        )
        for urgency in ("now", "days"):
            wanted = {**WATER, "quantity": 5, "urgency": urgency, "on_behalf_of": party.id}
            writer.write("request", {**wanted, "expires_ms": NOW_MS + rng.randint(0, 60)})
        written += writer.written
    if rng.random() < 0.6:
        first = rng.choice(records)
        log = [each for each in records if (each.author, each.log) == (first.author, first.log)]
        seeds = {public_key(each.seed): each.seed for each in village(3)[1]}
        rival = Scribe(seeds[first.author], charter, rng)
        place = rng.randrange(1, len(log)) if len(log) > 1 else 0
        rival.log, rival.written = first.log, log[:place]
        rival.write("incarnation" if place == 0 else "party", {"heads": ()} if place == 0 else {})
        proof = Scribe(seeds[first.author], charter, rng)
        proof.write("fork", fork_content([log[place:], rival.written[place:]]))
        written += proof.written
    return charter, [*records, *written]
