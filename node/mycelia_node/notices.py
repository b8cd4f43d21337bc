"""The engine's notices in words for the log, and as objects for those who watch."""

import logging
from typing import assert_never

from mycelia_node.names import id_text, name_of, named, short_id
from mycelia_node.quantity import format_quantity
from mycelia_protocol.errors import MyceliaError
from mycelia_protocol.notices import (
    CatchingUp,
    CheckpointRefuted,
    DoubtEnded,
    ForkSeen,
    GateOpened,
    IncarnationOpened,
    MemberJoined,
    Notice,
    PeerConnected,
    PeerLost,
    PeerMisbehaved,
    RecordArrived,
    StoreTroubled,
)
from mycelia_protocol.record import Record
from mycelia_protocol.state import State
from mycelia_protocol.types.accounts import offer_of
from mycelia_protocol.types.fork import Fork
from mycelia_protocol.types.grant import Grant
from mycelia_protocol.types.message import Message
from mycelia_protocol.types.offer import Offer
from mycelia_protocol.types.request import Request
from mycelia_protocol.types.rights import Rights

Json = dict[str, object]


def place(notice: Notice, own_key: bytes) -> tuple[int, str]:
    """Return the log level and the area of a notice; others' records are for debugging."""
    match notice:
        case RecordArrived(record):
            is_news = record.author == own_key and record.kind != "incarnation"
            return (logging.INFO if is_news else logging.DEBUG), "share"
        case PeerConnected() | PeerLost() | CatchingUp():
            return logging.INFO, "link"
        case PeerMisbehaved():
            return logging.WARNING, "link"
        case ForkSeen() | CheckpointRefuted():
            return logging.WARNING, "node"
        case StoreTroubled():
            return logging.ERROR, "store"
        case MemberJoined() | IncarnationOpened() | GateOpened() | DoubtEnded():
            return logging.INFO, "node"
        case _:
            assert_never(notice)


def sentence(state: State, notice: Notice) -> str:
    """Return one line about a notice."""
    match notice:
        case PeerConnected(_, key, outbound, address):
            way = "at" if outbound else "from"
            return f"connected to {named(state, key)} {way} {address}"
        case PeerLost(_, key, reason):
            return f"lost {named(state, key)}: {reason}"
        case CatchingUp(key, fetched, total):
            return f"{fetched:,} of {total:,} records from {named(state, key)}"
        case RecordArrived(record):
            return record_words(state, record)
        case MemberJoined(key):
            return f"{named(state, key)} joined with an invite of this node"
        case PeerMisbehaved(link, key, code, reason, action):
            who = named(state, key) if key else f"a stranger on link {link}"
            return f"{who} broke a rule ({code}: {reason}); {action}"
        case IncarnationOpened(log, previous):
            after = f" after {previous} older" if previous else ""
            return f"opened log {short_id('log', log)}{after}"
        case GateOpened(confirmations):
            if not confirmations:
                return "may grant: there is no other member to ask first"
            told = f"{confirmations} members have" if confirmations != 1 else "1 member has"
            return f"may grant: {told} shown what they hold of this node's logs"
        case DoubtEnded():
            return "nothing is frozen any more: all members have told what they hold"
        case ForkSeen(author, log, seq):
            where = f"record {seq} of log {short_id('log', log)}"
            return f"{named(state, author)} wrote two versions of {where}"
        case CheckpointRefuted(author, log, seq):
            where = f"record {seq} of log {short_id('log', log)}"
            return (
                f"{named(state, author)} sums its log up wrongly in {where}; it is not acknowledged"
            )
        case StoreTroubled(reason):
            return f"records could not be written: {reason}"
        case _:
            assert_never(notice)


def event(state: State, notice: Notice, now_ms: int) -> Json:
    """Return a notice as the object that `GET /v1/events` sends."""
    fields: Json = {"event": EVENT_NAMES[type(notice)], "time_ms": now_ms}
    match notice:
        case PeerConnected(_, key, outbound, address):
            fields |= {"key": id_text("key", key), "name": name_of(state, key)}
            fields |= {"address": address, "direction": "out" if outbound else "in"}
        case PeerLost(_, key, reason):
            fields |= {"key": id_text("key", key), "name": name_of(state, key), "reason": reason}
        case CatchingUp(key, fetched, total):
            fields |= {"key": id_text("key", key), "name": name_of(state, key)}
            fields |= {"fetched": fetched, "total": total}
        case RecordArrived(record):
            fields |= {"id": id_text("record", record.id), "kind": record.kind}
            fields |= {"author": id_text("key", record.author)}
            fields |= {"name": name_of(state, record.author), "log": id_text("log", record.log)}
            fields |= {"seq": record.seq, "refs": [id_text("record", ref) for ref in record.refs]}
        case MemberJoined(key):
            fields |= {"key": id_text("key", key), "name": name_of(state, key)}
        case PeerMisbehaved(_, key, code, reason, action):
            fields |= {"key": id_text("key", key) if key else None}
            fields |= {"code": code, "reason": reason, "action": action}
        case IncarnationOpened(log, previous):
            fields |= {"log": id_text("log", log), "previous": previous}
        case GateOpened(confirmations):
            fields |= {"confirmations": confirmations}
        case DoubtEnded():
            pass
        case ForkSeen(author, log, seq) | CheckpointRefuted(author, log, seq):
            fields |= {"key": id_text("key", author), "log": id_text("log", log), "seq": seq}
        case StoreTroubled(reason):
            fields |= {"reason": reason}
        case _:
            assert_never(notice)
    return {**fields, "text": sentence(state, notice)}


EVENT_NAMES: dict[type, str] = {
    PeerConnected: "peer-connected",
    PeerLost: "peer-lost",
    CatchingUp: "catching-up",
    RecordArrived: "record",
    MemberJoined: "member-joined",
    PeerMisbehaved: "peer-misbehaved",
    IncarnationOpened: "incarnation-opened",
    GateOpened: "gate-opened",
    DoubtEnded: "doubt-ended",
    ForkSeen: "fork-seen",
    CheckpointRefuted: "checkpoint-refuted",
    StoreTroubled: "store-troubled",
}


def record_words(state: State, record: Record) -> str:
    """Return one line about a record: who says what."""
    who = name_of(state, record.author)
    statement = state.statement(record.id)
    body = statement.body if statement else None
    if isinstance(body, Offer | Request):
        verb = "offers" if isinstance(body, Offer) else "asks for"
        return f"{who} {verb} {format_quantity(body.quantity, body.unit)} {_called(body)}"
    try:
        content = record.content if record.kind in ("grant", "answer", "receipt") else {}
    except MyceliaError:
        content = {}
    told = content if isinstance(content, dict) else {}
    match record.kind:
        case "fork" if isinstance(body, Fork):
            return f"{who} proves that {name_of(state, body.accused)} wrote two versions of a log"
        case "message" if isinstance(body, Message):
            return f"{who} writes a sealed message to {name_of(state, body.to)}"
        case "grant":
            return f"{who} grants {_granted(state, record, told.get('quantity'))}"
        case "answer":
            verb = "accepts" if told.get("accept") else "declines"
            return f"{who} {verb} {_about_grant(state, record)}"
        case "receipt":
            verbs = {"handed": "handed over", "returned": "says to be back:"}
            verb = verbs.get(str(told.get("side")), "received")
            return f"{who} {verb} {_about_grant(state, record)}"
        case "dispute":
            return f"{who} disputes {_about_grant(state, record)}"
        case "renew":
            return f"{who} renews {_title(state, record.refs)}"
        case "rights":
            return f"{who} lets {_given(state, record)}"
        case "return":
            return f"{who} gives back what it need not grant of {_title(state, record.refs)}"
        case "erase":
            return f"{who} lets go of the words of what is over"
        case "checkpoint":
            return f"{who} sums up what its log came to"
        case "consent":
            return f"{who} agrees that {_title(state, record.refs[1:])} gets something instead"
        case "acknowledge":
            return f"{who} finds checkpoints of others right"
        case "withdraw":
            why = f": {told['reason']}" if told.get("reason") else ""
            return f"{who} withdraws {_title(state, record.refs)}{why}"
        case "profile":
            return f"{who} tells of itself"
        case "vouch":
            return f"{who} vouches for a newcomer"
        case "incarnation":
            return f"{who} opens log {short_id('log', record.log)}"
        case kind:
            return f"{who} writes a {kind}"


def _granted(state: State, record: Record, quantity: object) -> str:
    """Return how much of what a grant promises, and to whom."""
    grant = state.find(record.id, Grant)
    offer = offer_of(state, grant) if grant else None
    request = state.find(record.refs[1], Request) if len(record.refs) > 1 else None
    if offer is None or not isinstance(quantity, int):
        return "something"
    to = f" to {name_of(state, request.author)}" if request else ""
    return f"{format_quantity(quantity, offer.body.unit)} {_called(offer.body)}{to}"


def _given(state: State, record: Record) -> str:
    """Return whom rights let grant how much of what."""
    rights = state.find(record.id, Rights)
    offer = offer_of(state, rights) if rights else None
    if rights is None or offer is None:
        return "somebody grant something"
    much = format_quantity(rights.body.quantity, offer.body.unit)
    return f"{name_of(state, rights.body.to)} grant {much} {_called(offer.body)}"


def _about_grant(state: State, record: Record) -> str:
    """Return what the grant that a record speaks of is about."""
    grant = state.statement(record.refs[0]) if record.refs else None
    return _title(state, grant.refs) if grant else "a grant"


def _title(state: State, refs: tuple[bytes, ...]) -> str:
    """Return the title of the offer or request that comes first in refs, or "a grant"."""
    statement = state.statement(refs[0]) if refs else None
    if statement is not None and isinstance(statement.body, Rights):
        statement = state.statement(statement.refs[0])
    body = statement.body if statement else None
    return _called(body) if isinstance(body, Offer | Request) else "a grant"


def _called(thing: Offer | Request) -> str:
    """Return what a thing is called; if its title was erased, of what kind it is."""
    return thing.title or thing.category
