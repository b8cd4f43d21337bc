"""Links without end: opened and left hanging, or held to keep others out."""

from typing import Final

from mycelia_protocol.messages import HeadEntry, Heads, Push
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.scene import WIRE_REASONS
from mycelia_sim.adversaries.talk import Ended, Silence, Steps, Talk

HANGING: Final = 60  # links that never finish, of each of three sorts
HANGING_S: Final = 15  # longer than a handshake may take
CROWD_MAX: Final = 200  # nodes that are linked to at once
CROWD_TURNS: Final = 4
CROWD_TURN_MS: Final = 2_000


def slowloris(act: Act) -> Steps[None]:
    """Open many links: a third says nothing, a third half a handshake, a third no greeting.

    And beneath them, where there is anything, connections that never become links.
    """
    raws = [act.dial(manner="raw") for _ in range(2 * HANGING)]
    others = [act.dial(manner="shake") for _ in range(HANGING)]
    said = act.scene.beneath.get("slowloris", ())
    bares = [act.dial(manner="bare") for _ in said]
    for _ in range(2):
        yield from act.sleep(1_000)
    for raw in raws[:HANGING]:
        raw.send(act.stream.bytes(32))
    for bare, data in zip(bares, said, strict=True):
        bare.send(data)
    hanging = (*raws, *others, *bares)
    for _ in range(HANGING_S):
        yield from act.sleep(1_000)
        closed = [talk for talk in hanging if talk.ended not in (None, *WIRE_REASONS)]
        act.is_delivered = bool(closed)
        act.answer = f"closed {len(closed)} of {len(hanging)} hanging links"


def eclipse(act: Act) -> Steps[None]:
    """Open links to all nodes, again and again, and claim on each to know it all."""
    profile = act.pen()
    for turn in range(CROWD_TURNS):
        others = act.liar.engaged - {act.attempt.target}
        everybody = [node for node in act.scene.nodes[:CROWD_MAX] if node not in others]
        addresses = [
            act.scene.addresses.get(node, node) for node in act.stream.sample(everybody, 8)
        ]
        profile.write("profile", {"name": f"Oak House {turn}", "addresses": addresses})
        talks = [act.dial(node) for node in everybody]
        yield from act.sleep(CROWD_TURN_MS)
        for talk in talks:
            if talk.is_open:
                _claim_all(talk)
                talk.say(Push(tuple(profile.records)))
        yield from act.sleep(CROWD_TURN_MS)
        act.is_delivered = act.is_delivered or any(talk.heads for talk in talks)
    try:
        talk = yield from act.greet()
        yield from act.probe(talk)
    except (Ended, Silence) as error:
        act.answer = f"closed the link: {error}"
    opened = sum(talk.ended is None for talk in act.talks)
    act.answer = f"{act.answer}; {opened} links were open in the end"


def _claim_all(talk: Talk) -> None:
    """Tell a node that one holds more of everything than it does."""
    entries = [
        HeadEntry(entry.author, entry.log, entry.next_seq + 1, entry.prefix)
        for _, entry in sorted(talk.heads.items())
    ]
    talk.serving = "nothing"
    talk.say(Heads(tuple(entries), complete=True))
