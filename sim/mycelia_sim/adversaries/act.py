"""One attempt under way: runs a behaviour's script, and says in the end what became of it."""

from collections.abc import Callable
from typing import Final, TypeAlias

from mycelia_protocol.events import Range
from mycelia_protocol.messages import HeadEntry
from mycelia_protocol.record import Record
from mycelia_sim.adversaries.liar import Liar
from mycelia_sim.adversaries.pen import Envelope, Pen, envelope_id
from mycelia_sim.adversaries.scene import MS, WIRE_REASONS
from mycelia_sim.adversaries.talk import PATIENCE_MS, Ended, Manner, Silence, Steps, Talk
from mycelia_sim.facts import AttemptFact
from mycelia_sim.plan import Attempt
from mycelia_sim.streams import Stream

Script: TypeAlias = Callable[["Act"], Steps[None]]


class Act:
    """One attempt of one adversary.

    Args:
        done: called when the attempt is over.

    Attributes:
        stream: the attempt's own randomness.
        is_delivered: whether a target answered something after the wrong thing, or closed.
        answer: what it did, in words.
        talks: all links of the attempt.
    """

    def __init__(self, attempt: Attempt, liar: Liar, done: Callable[["Act"], None]) -> None:
        self.attempt: Final = attempt
        self.liar: Final = liar
        self.scene: Final = liar.scene
        self.stream: Final = Stream(liar.scene.seed, f"adversary/{liar.id}/{attempt.n}")
        self.is_delivered = False
        self.answer = "under way when the run ended"
        self.talks: list[Talk] = []
        self._done = done
        self._forbidden: list[str] = []
        self._steps: Steps[None] | None = None
        self._life = 0  # an old timer wakes nobody
        self._is_over = False

    # --- its life ---

    def start(self, script: Script) -> None:
        """Begin."""
        self._steps = script(self)
        self.resume()

    def resume(self) -> None:
        """Let the script go on as far as it can."""
        if self._steps is None or self._is_over:
            return
        self._life += 1
        try:
            wait_us = next(self._steps)
        except StopIteration:
            self.conclude()
        except Ended as ended:
            self.answer = f"closed the link: {ended}"
            self.conclude()
        except Silence:
            self.answer = "did not answer"
            self.conclude()
        else:
            self.liar.carrier.after(wait_us, self._timed_out, self._life)

    def conclude(self) -> None:
        """End the attempt and its links."""
        if self._is_over:
            return
        self._is_over = True
        for talk in self.talks:
            talk.close()
        self._done(self)

    def fact(self) -> AttemptFact:
        """Return what became of the attempt."""
        attempt = self.attempt
        records = tuple(self._forbidden)
        return AttemptFact(
            attempt.n, attempt.behaviour, attempt.target, self.is_delivered, records, self.answer
        )

    # --- what scripts do ---

    @property
    def now_ms(self) -> int:
        """What a right clock shows."""
        return self.liar.carrier.now_ms

    def dial(self, target: str | None = None, manner: Manner = "greet") -> Talk:
        """Try to open a link, to the attempt's target if no other is named."""
        talk = self.liar.dial(target or self.attempt.target, self.resume, manner)
        self.talks.append(talk)
        return talk

    def greet(self, target: str | None = None) -> Steps[Talk]:
        """Open a link and become its member at the other end."""
        talk = self.dial(target)
        yield from talk.greeted()
        return talk

    def pen(self) -> Pen:
        """Begin a log in the adversary's own name."""
        return self.liar.pen(self.stream)

    def forger(self, author: bytes, after: HeadEntry | None = None, last: bytes = b"") -> Pen:
        """Return a pen that writes in another's name and signs with the adversary's own key.

        Args:
            after: the author's log to go on in, whose last record has the id `last`; None begins
                a log.
        """
        at = None if after is None else (after.log, after.next_seq - 1, last)
        commons = self.scene.charter.commons
        pen = Pen(commons, author, self.liar.seed, self.stream, self.now_ms, at)
        for record in pen.records:
            self.forbid(record)
        return pen

    def forbid(self, made: Record | Envelope) -> None:
        """Note that no honest node may ever store this."""
        record = made.id if isinstance(made, Record) else envelope_id(made)
        self._forbidden.append(record.hex())

    def sleep(self, duration_ms: int) -> Steps[None]:
        """Let time pass, whatever happens on the links."""
        carrier = self.liar.carrier
        deadline_us = carrier.now_us + duration_ms * MS
        while (left_us := deadline_us - carrier.now_us) > 0:
            yield left_us

    def beneath(self, behaviour: str, within_ms: int) -> Steps[None]:
        """Say what is wrong below the frames, as far as this world has anything there, and wait.

        What came of it is added to the answer.
        """
        said = self.scene.beneath.get(behaviour, ())
        talks = [self.dial(manner="bare") for _ in said]
        deadline_us = self.liar.carrier.now_us + within_ms * MS
        waiting = dict(zip(talks, said, strict=True))
        while any(talk.ended is None for talk in talks):
            for talk in [one for one in waiting if one.is_open]:
                talk.send(waiting.pop(talk))
            left_us = deadline_us - self.liar.carrier.now_us
            if left_us <= 0:
                break
            yield left_us
        if said:
            ended = sum(talk.ended is not None for talk in talks)
            self.answer += f"; ended {ended} of {len(said)} connections beneath"

    def probe(self, talk: Talk, within_ms: int = PATIENCE_MS) -> Steps[bool]:
        """Find out whether a node took in what it was sent; return whether it still talks.

        An answer to a question that came later is proof, and so is a link that it closed.
        """
        try:
            yield from talk.fetch([Range(*self.scene.founders_log, 0, 0)])
        except Ended as ended:
            if str(ended) not in WIRE_REASONS:
                self.is_delivered = True
            self.answer = f"closed the link: {ended}"
            return False
        except Silence:
            self.answer = "did not answer"
            return False
        self.is_delivered = True
        self.answer = "went on talking"
        return True

    def _timed_out(self, life: int) -> None:
        if life == self._life:
            self.resume()
