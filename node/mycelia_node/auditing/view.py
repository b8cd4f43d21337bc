"""What an audit found, as JSON: figures under the names of spec section 8.10.2, unknown as null."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from mycelia_node.names import id_text, short_id
from mycelia_protocol.auditing import Audit, Replay
from mycelia_protocol.recompute import Finding
from mycelia_protocol.sharing.audit import Served
from mycelia_protocol.sharing.figures import Collective, Figures
from mycelia_protocol.sharing.metrics import FOUR_FIFTHS_PM, share_pm
from mycelia_protocol.sharing.policy import Policy

Json = dict[str, Any]


def audit_view(audit: Audit) -> Json:
    """Return an audit.

    `items` has the decisions that somebody should look at: those that come out otherwise, whose
    view is not all here, or that a person made otherwise; of each sort the first thousand.
    """
    people, figures, decisions = _People(audit), audit.figures, audit.decisions
    return {
        "commons": audit.commons,
        "as_of_ms": audit.as_of_ms,
        "policy": _policy(audit.policy),
        "decisions": {
            "count": decisions.count,
            "same": decisions.count - decisions.wrong.count - decisions.unknown.count,
            "wrong": decisions.wrong.count,
            "omitting": decisions.omitting,
            "superseded": decisions.superseded,
            "unknown": decisions.unknown.count,
            "overridden": decisions.overridden.count,
            "overridden_pm": decisions.overridden_pm,
            "unapproved": len(decisions.unapproved),
            "notable": decisions.notable_count,
        },
        "items": [
            _item(each, people.name, each.decision not in decisions.unapproved)
            for each in decisions.notable()
        ],
        "requests": {
            "all": asdict(figures.all),
            "classes": _classes(figures.classes.items()),
            "withdrawn": figures.withdrawn,
        },
        "collectives": [
            _collective(who, each, people) for who, each in figures.collectives.items()
        ],
        "fairness": _fairness(figures),
        "flow": _flow(figures, people),
        "offers": {"expired_pm": figures.expired_pm},
        "places": [
            {**people.who(each), "index": found.index, "values": dict(found.values)}
            for each, found in sorted(audit.health.items())
        ],
        "replay": None if audit.replay is None else _replay(audit.replay, people),
    }


class _People:
    """Says who somebody is."""

    def __init__(self, audit: Audit) -> None:
        self._names = audit.names
        self._receivers = audit.receivers

    def name(self, id_: bytes) -> str:
        """Return a name, or the short form of a key or id."""
        return self._names.get(id_) or short_id(self._kind(id_), id_)

    def who(self, id_: bytes) -> Json:
        """Return id, name and kind of receiver."""
        kind = self._kind(id_)
        return {
            "id": id_text("record" if kind == "record" else "key", id_),
            "name": self.name(id_),
            "receiver": self._receivers.get(id_, "members"),
        }

    def _kind(self, id_: bytes) -> Any:
        return "key" if self._receivers.get(id_, "members") == "members" else "record"


def _policy(policy: Policy) -> Json:
    return {"id": policy.id.hex(), "name": policy.name, "epoch": policy.epoch}


def finding_view(finding: Finding) -> Json:
    """Return a decision that somebody should look at, before it is known what people are called."""
    return _item(finding, lambda key: short_id("key", key)) | {
        "author_id": id_text("key", finding.author)
    }


def _item(finding: Finding, named: Callable[[bytes], str], is_approved: bool | None = None) -> Json:
    """Return a decision that somebody should look at; None while nobody knows who approved it."""
    override = finding.override
    return {
        "decision": id_text("record", finding.decision),
        "author": named(finding.author),
        "recomputes": finding.recomputes,
        "faults": list(finding.faults),
        "omitted": [id_text("record", each) for each in finding.omitted],
        "missing": list(finding.missing),
        "superseded": finding.is_superseded,
        "override": override
        and {
            "chosen": id_text("record", override.chosen),
            "quantity": override.quantity,
            "reason": override.reason,
            "approver": named(override.approver),
            "approved": is_approved,
        },
    }


def _classes(classes: Iterable[tuple[str, Served]]) -> Json:
    return {name: asdict(each) for name, each in classes}


def _collective(who: bytes, fared: Collective, people: _People) -> Json:
    return {
        **people.who(who),
        **asdict(fared.served),
        "had": fared.had,
        "mix": dict(fared.mix),
        "classes": _classes(fared.classes.items()),
    }


def _fairness(figures: Figures) -> Json:
    groupings = {}
    for name, groups in figures.groups.items():
        value = figures.four_fifths_pm[name]
        groupings[name] = {
            "four_fifths_pm": value,
            "is_low": value is not None and value < FOUR_FIFTHS_PM,
            "groups": {
                group: {"served": served, "wanted": wanted, "worth_pm": share_pm(served, wanted)}
                for group, (served, wanted) in groups.items()
            },
        }
    return {"gini_pm": figures.gini_pm, "least_pm": figures.least_pm, "groupings": groupings}


def _flow(figures: Figures, people: _People) -> Json:
    flow = asdict(figures.flow)
    flow["approvers"] = [
        {**people.who(key), "overrides": number} for key, number in figures.flow.approvers
    ]
    return flow


def _replay(replay: Replay, people: _People) -> Json:
    """Return what another policy would have changed: who gains most first, who loses most last."""
    gains = sorted(replay.difference.gains, key=lambda each: (-each[1], each[0]))
    return {
        "policy": _policy(replay.policy),
        "changed": replay.difference.changed,
        "changed_pm": replay.difference.changed_pm,
        "gains": [{**people.who(who), "gain": gain} for who, gain in gains],
        "classes": dict(replay.classes),
        "receivers": dict(replay.receivers),
    }
