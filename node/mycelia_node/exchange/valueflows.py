"""The commons as ValueFlows 1.0 in JSON-LD: offers, requests, grants, hand-overs, and who is who.

Source: https://www.valueflo.ws, ontology vf 1.0; units by OM 2. The mapping is in node/README.md.
Plans are `Intent` and `Commitment`, what happened is `EconomicEvent`; `finished` is all that
ValueFlows says of how far a plan is, so our own states are not carried over. A claim is no
`vf:Claim`, which is a debt after an event; and rights are the commons' own book-keeping.
"""

from typing import Any, Final

from mycelia_node.exchange.board_csv import degrees
from mycelia_node.exchange.moments import rfc3339

Json = dict[str, Any]

CONTEXT: Final[Json] = {
    "@vocab": "https://w3id.org/valueflows/ont/vf#",
    "vf": "https://w3id.org/valueflows/ont/vf#",
    "om2": "http://www.ontology-of-units-of-measure.org/resource/om-2/",
    "geo": "http://www.w3.org/2003/01/geo/wgs84_pos#",
    "myc": "urn:mycelia:",
    **{
        name: {"@type": "@id"}
        for name in (
            *("action", "provider", "receiver", "publishes", "satisfies", "fulfills"),
            *("purpose", "eligibleLocation", "resourceClassifiedAs", "om2:hasUnit"),
        )
    },
    **{
        name: {"@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
        for name in ("created", "due", "hasBeginning", "hasEnd", "hasPointInTime")
    },
}
UNITS: Final = {
    "g": "om2:gram",
    "mL": "om2:millilitre",
    "W.h": "om2:wattHour",
    "min": "om2:minute-Time",
    "1": "om2:one",
}
ACTIONS: Final = {
    "consume": "vf:transfer",
    "lend": "vf:transferCustody",
    "service": "vf:work",
}
UNFINISHED: Final = ("waiting", "offered", "accepted", "handed")


def valueflows(things: list[Json], grants: list[Json], parties: list[Json]) -> Json:
    """Return a JSON-LD document.

    Args:
        things: offers and requests, as the API tells them.
        grants, parties: likewise.
    """
    terms = {thing["id"]: thing.get("terms", "consume") for thing in things}
    graph = list(_agents(things, grants, parties).values())
    for thing in things:
        graph += _proposal(thing)
    for grant in grants:
        graph += _flows(grant, terms.get(grant["offer"], "consume"))
    return {"@context": CONTEXT, "@graph": graph}


def _agents(things: list[Json], grants: list[Json], parties: list[Json]) -> dict[str, Json]:
    """Return collectives and parties by their ids, each once, in order of appearance."""
    speakers = [thing["author"] for thing in things]
    speakers += [grant[side] for grant in grants for side in ("provider", "requester")]
    agents = {
        each["key"]: {"@id": iri(each["key"]), "@type": "Organization", "name": each["name"]}
        for each in speakers
        if each
    }
    for party in parties:
        kind = "Organization" if party["form"] == "people" else "EcologicalAgent"
        agents[party["id"]] = {"@id": iri(party["id"]), "@type": kind, "name": party["name"]}
    return agents


def _proposal(thing: Json) -> list[Json]:
    """Return an offer or a request: what is published, and the proposal that publishes it."""
    name, is_offer = iri(thing["id"]), thing["kind"] == "offer"
    who = thing["party"]["id"] if thing["party"] else thing["author"]["key"]
    terms = thing.get("terms", "consume")
    intent: Json = {
        "@id": f"{name}#intent",
        "@type": "Intent",
        "name": thing["title"],
        "action": ACTIONS[terms],
        "provider" if is_offer else "receiver": iri(who),
        "resourceClassifiedAs": f"urn:mycelia:category:{thing['category']}",
        "effortQuantity" if terms == "service" else "resourceQuantity": measure(thing),
        "finished": not thing["open"],
        **_worded("note", thing["note"]),
    }
    if is_offer:
        intent["availableQuantity"] = measure(thing, "left")
        if thing["minimum"]:
            intent["minimumQuantity"] = measure(thing, "minimum")
        intent |= _worded("hasBeginning", rfc3339(thing["from_ms"]))
        intent |= _worded("hasEnd", rfc3339(thing["until_ms"]))
    else:
        intent |= _worded("due", rfc3339(thing["needed_by_ms"]))
    proposal: Json = {
        "@id": name,
        "@type": "Proposal",
        "name": thing["title"],
        "purpose": f"vf:{thing['kind']}",
        **_worded("created", rfc3339(thing["time_ms"])),
        **_worded("hasEnd", rfc3339(thing["expires_ms"])),
        "publishes": intent["@id"],
    }
    if thing["place"]:
        place = thing["place"]
        proposal["eligibleLocation"] = {
            "@id": f"{name}#place",
            "@type": "SpatialThing",
            "geo:lat": degrees(place["lat_e7"]),
            "geo:long": degrees(place["lon_e7"]),
            "note": f"the south-west corner of a cell of {degrees(place['cell_e7'])} degrees",
        }
    return [proposal, intent]


def _flows(grant: Json, terms: str) -> list[Json]:
    """Return a grant: what was promised, and what was handed over and given back."""
    if grant["unit"] is None or grant["requester"] is None:
        return []  # what it speaks of has not arrived here
    name, sort = iri(grant["id"]), "effortQuantity" if terms == "service" else "resourceQuantity"
    flow: Json = {
        "action": ACTIONS[terms],
        "provider": iri(grant["provider"]["key"]),
        "receiver": iri(grant["requester"]["key"]),
        "resourceClassifiedAs": f"urn:mycelia:category:{grant['category']}",
    }
    ids = (grant["offer"], grant["request"])
    commitment = {
        "@id": name,
        "@type": "Commitment",
        **flow,
        sort: measure(grant),
        **_worded("created", rfc3339(grant["time_ms"])),
        "finished": grant["status"] not in UNFINISHED,
        "satisfies": [f"{iri(each)}#intent" for each in ids],
    }
    flows = [commitment]
    received = grant["received"] if grant["received"] is not None else grant["handed"]
    if received:
        event = {"@id": f"{name}#event", "@type": "EconomicEvent", **flow, "fulfills": name}
        if grant["handed"] is None or grant["received"] is None:
            side = "giving" if grant["received"] is None else "receiving"
            event["note"] = f"confirmed by the {side} side alone"
        flows.append({**event, sort: measure({**grant, "moved": received}, "moved")})
    back = grant["returned"] if grant["returned"] is not None else grant["brought"]
    if back:
        sides = {"provider": flow["receiver"], "receiver": flow["provider"]}
        event = {"@id": f"{name}#return", "@type": "EconomicEvent", **flow, **sides}
        flows.append({**event, sort: measure({**grant, "moved": back}, "moved")})
    return flows


def measure(item: Json, name: str = "quantity") -> Json:
    """Return one of an item's amounts, in base units."""
    return {"om2:hasNumericalValue": item[name], "om2:hasUnit": UNITS[item["unit"]]}


def iri(text_id: str) -> str:
    """Return the name of a record or a key on the web of data."""
    return f"urn:mycelia:{text_id}"


def _worded(name: str, value: str) -> Json:
    return {name: value} if value else {}
