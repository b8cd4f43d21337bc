"""How newcomers get in: invites given out, and secrets shown. Spec: section 9.6.

An invite works once. Its use is written into the vouch, so that the log itself shows it, and an
invite is forgotten only when that vouch is on disk.
"""

from dataclasses import dataclass
from typing import TypeAlias

from mycelia_protocol.events import Accepted, DeleteInvite, Output, Refused, SaveInvite
from mycelia_protocol.invite import invite_digest
from mycelia_protocol.limits import INVITES_MAX
from mycelia_protocol.publish import Draft
from mycelia_protocol.state import State
from mycelia_protocol.types.vouch import content as vouch_content


@dataclass(frozen=True, slots=True)
class WriteVouch:
    """Let the own log say that a newcomer is in; its token comes back as `written`."""

    draft: Draft


@dataclass(frozen=True, slots=True)
class Greet:
    """Give a newcomer the charter and its vouches."""

    link: int
    key: bytes


@dataclass(frozen=True, slots=True)
class TurnAway:
    """Refuse a newcomer, with a code of spec appendix C and words."""

    link: int
    code: str
    reason: str


Decision: TypeAlias = WriteVouch | Greet | TurnAway


@dataclass(frozen=True, slots=True)
class Guest:
    """A newcomer whose vouch is being written."""

    link: int
    key: bytes
    digest: bytes
    expires_ms: int


class Door:
    """Keeps the digests of open invites."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._invites: dict[bytes, int] = {}  # digest of the secret -> expiry in ms
        self._guests: dict[int, Guest] = {}  # token of the vouch -> who waits for it
        self._next_token = -1  # negative, so that it meets no user's token

    def load(self, invites: dict[bytes, int]) -> None:
        """Take in the invites that the store kept."""
        self._invites.update(invites)

    def invite(self, token: int, secret: bytes, expires_ms: int, now_ms: int) -> list[Output]:
        """Open the door for whoever shows this secret; expired invites make room."""
        stale = [digest for digest, end_ms in sorted(self._invites.items()) if end_ms <= now_ms]
        for digest in stale:
            del self._invites[digest]
        outputs: list[Output] = [DeleteInvite(digest) for digest in stale]
        if len(self._invites) >= INVITES_MAX:
            reason = f"{INVITES_MAX} invites are open; wait until some are used or expire"
            return [*outputs, Refused(token, "too-many", reason)]
        digest = invite_digest(secret)
        self._invites[digest] = expires_ms
        return [*outputs, SaveInvite(digest, expires_ms), Accepted(token, None)]

    def asked(self, link: int, key: bytes, secret: bytes, now_ms: int) -> Decision:
        """Decide on a newcomer; a member who asks again, its welcome lost, is greeted again."""
        if self._state.is_member(key):
            return Greet(link, key)
        digest = invite_digest(secret)
        expires_ms = self._invites.get(digest)
        if self._state.is_used(digest):  # even if a crash kept it from being forgotten
            return _turn_away(link, "invite-used", "was used already")
        if expires_ms is None:
            return _turn_away(link, "invite-unknown", "is not known to this node")
        if expires_ms <= now_ms:
            return _turn_away(link, "invite-expired", "has expired")
        del self._invites[digest]
        token, self._next_token = self._next_token, self._next_token - 1
        self._guests[token] = Guest(link, key, digest, expires_ms)
        return WriteVouch(Draft(token, "vouch", vouch_content(key, digest)))

    def written(self, token: int) -> Guest | None:
        """Return the newcomer whose vouch is on disk now; None if the token is a user's."""
        return self._guests.pop(token, None)

    def not_written(self, token: int) -> TurnAway | None:
        """Keep the invite open after its vouch could not be written."""
        guest = self._guests.pop(token, None)
        if guest is None:
            return None
        self._invites[guest.digest] = guest.expires_ms
        reason = "the inviter's node can't write just now; try again with the same invite"
        return TurnAway(guest.link, "store", reason)


def _turn_away(link: int, code: str, why: str) -> TurnAway:
    return TurnAway(link, code, f"this invite {why}; ask for a new one")
