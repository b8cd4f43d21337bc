"""Those who speak too much, again, or in another's name."""

from dataclasses import replace
from typing import Final

from mycelia_protocol.limits import HEADS_MARK_SIZE, RATE_PRESENCE_MAX
from mycelia_protocol.presence import Presence, speak
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.talk import Steps

WORDS: Final = RATE_PRESENCE_MAX // 4  # that it says of itself, and as often again what it heard


def babble(act: Act) -> Steps[None]:
    """Speak without pause, say what others said again and again, then that somebody else rests."""
    talk = yield from act.greet()
    began_ms = act.now_ms
    for number in range(WORDS):
        talk.say(_word(act, began_ms + number, is_resting=number % 2 == 1))
    heard = [said for said in talk.words if said.author != act.liar.key][:4]
    for _ in range(WORDS // 4):
        for said in heard:
            talk.say(said)
    if (yield from act.probe(talk)):
        said = _word(act, began_ms + WORDS, is_resting=True)
        talk.say(replace(said, author=act.scene.keys[act.attempt.victim]))
        yield from act.probe(talk)


def _word(act: Act, time_ms: int, *, is_resting: bool) -> Presence:
    """Return a word of the adversary, of a store that nobody has."""
    mark = act.stream.bytes(HEADS_MARK_SIZE)
    commons, liar = act.scene.charter.commons, act.liar
    return speak(commons, liar.seed, liar.key, time_ms, mark, is_resting=is_resting)
