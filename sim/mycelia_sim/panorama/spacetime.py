"""The space-time diagram around the first violation: a row a node, time from left to right.

Drawn only around the violation: what led to it is in the last seconds before, not in the first
ten thousand messages of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mycelia_node.page.markup import fixed, table, text, twin
from mycelia_sim.panorama.words import span, with_names
from mycelia_sim.timeline import Message, Timeline, Violation

ROWS_MAX: Final = 12
MESSAGES_MAX: Final = 120
WIDTH: Final = 900
ROW: Final = 46
LEFT: Final = 200  # room for names
TOP: Final = 34


def section(timeline: Timeline) -> str:
    """Return the section, or "" when nothing was violated."""
    violation = timeline.violation
    if violation is None:
        return ""
    messages = sorted(violation.messages, key=lambda m: (m.sent_ms, m.sender))
    nearest = sorted(messages, key=lambda m: abs(m.sent_ms - violation.t_ms))[:MESSAGES_MAX]
    messages = [message for message in messages if message in nearest]
    nodes = _rows(violation, messages)
    messages = [m for m in messages if m.sender in nodes and m.receiver in nodes]
    name_of = {node.id: node.name for node in timeline.nodes}
    return (
        '<section id="violation" aria-labelledby="violation-title">'
        '<h2 id="violation-title">Around the first violation</h2>'
        f'<p class="lead"><strong>{text(violation.check)}</strong>: '
        f"{text(with_names(violation.detail, timeline))}.</p>"
        f"{_drawing(violation, messages, nodes, name_of)}"
        '<p class="note">Each row is a node and time runs to the right. A slanting line is a '
        "message from where it was sent to where it arrived; a broken line that ends in a cross "
        "was lost. Times are relative to the violation.</p>"
        f"{twin('The messages as a table', _table(violation, messages, name_of))}</section>"
    )


def _rows(violation: Violation, messages: list[Message]) -> list[str]:
    """Return the nodes to draw: those named first, then those whose messages are nearest."""
    near = sorted(messages, key=lambda m: abs(m.sent_ms - violation.t_ms))
    named = [*violation.nodes, *(node for m in near for node in (m.sender, m.receiver))]
    return list(dict.fromkeys(named))[:ROWS_MAX]


def _drawing(
    violation: Violation, messages: list[Message], nodes: list[str], name_of: dict[str, str]
) -> str:
    ends = [violation.t_ms]
    for message in messages:
        ends += [message.sent_ms, message.arrived_ms or message.sent_ms]
    begin_ms, end_ms = min(ends) - 60, max(ends) + 60
    height = TOP + ROW * len(nodes) + 12

    def x(t_ms: float) -> float:
        return LEFT + (WIDTH - LEFT - 20) * (t_ms - begin_ms) / (end_ms - begin_ms)

    def y(node: str) -> float:
        return TOP + ROW * (nodes.index(node) + 0.5)

    rows = "".join(
        f'<text x="{LEFT - 12}" y="{fixed(y(node) + 4)}" text-anchor="end">'
        f"{text(_short(name_of[node]))}</text>"
        f'<path class="row" d="M{LEFT} {fixed(y(node))}H{WIDTH - 12}"/>'
        for node in nodes
    )
    sent = "".join(_message(m, x, y) for m in messages)
    at = fixed(x(violation.t_ms))
    where = "".join(
        f'<circle class="breach" cx="{at}" cy="{fixed(y(node))}" r="9"/>'
        for node in violation.nodes
        if node in nodes and node in violation.detail
    )
    marks = "".join(
        f'<text class="mark" x="{fixed(x(t))}" y="16" text-anchor="middle">{text(words)}</text>'
        for t, words in (
            (begin_ms + 60, f"-{span(violation.t_ms - begin_ms - 60)}"),
            (violation.t_ms, "violation"),
            (end_ms - 60, f"+{span(end_ms - 60 - violation.t_ms)}"),
        )
    )
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Space-time diagram">'
        f'<svg class="spacetime" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{len(messages)} messages between {len(nodes)} nodes around the violation">'
        f'{rows}<path class="breach" d="M{at} 24V{height - 6}"/>{sent}{where}{marks}</svg></div>'
    )


def _message(message: Message, x: Callable[[float], float], y: Callable[[str], float]) -> str:
    begin = (x(message.sent_ms), y(message.sender))
    is_lost = message.arrived_ms is None
    if message.arrived_ms is None:  # goes a part of the way
        end_y = begin[1] + (y(message.receiver) - begin[1]) * 0.55
        end = (begin[0] + 34, end_y)
        cross = (
            f'<path class="lost" d="M{fixed(end[0] - 5)} {fixed(end_y - 5)}l10 10m0-10l-10 10"/>'
        )
    else:
        end = (x(message.arrived_ms), y(message.receiver))
        cross = f'<circle class="dot" cx="{fixed(end[0])}" cy="{fixed(end[1])}" r="4"/>'
    middle = (begin[0] * 0.6 + end[0] * 0.4 + 6, begin[1] * 0.6 + end[1] * 0.4 - 4)
    return (
        f'<path class="{"message lost" if is_lost else "message"}" d="M{fixed(begin[0])} '
        f'{fixed(begin[1])}L{fixed(end[0])} {fixed(end[1])}"/>{cross}'
        f'<text class="kind" x="{fixed(middle[0])}" y="{fixed(middle[1])}">{text(message.kind)}'
        "</text>"
    )


def _table(violation: Violation, messages: list[Message], name_of: dict[str, str]) -> str:
    rows = [
        (
            f"{message.sent_ms - violation.t_ms:+} ms",
            "lost" if message.arrived_ms is None else f"{message.arrived_ms - violation.t_ms:+} ms",
            name_of[message.sender],
            name_of[message.receiver],
            message.kind,
            message.record[:16],
        )
        for message in messages
    ]
    head = ("sent", "arrived", "from", "to", "kind", "record")
    return table("Messages around the violation", head, rows, numbers_from=9)


def _short(name: str) -> str:
    return name if len(name) <= 24 else f"{name[:23]}…"
