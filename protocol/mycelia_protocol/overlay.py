"""Whom to be linked with. Spec: section 9.7.

Fixed addresses are kept connected for ever. With discovery on, the node dials members by the
addresses in their profiles until it has enough links, and after that one random unconnected member
now and then, for ever: it is this dial that heals partitions. It comes each half minute while
there is something to look for: a dial failed, a link broke, an address is new. In between it comes
half as often each time, since a link costs some hundred frames until trees have found their shape
once more. Where nobody is linked of a region (a coarse place), its members are dialled first. When
there are more links than it takes, a link that this node dialled is let go, never one that another
dialled. A failed address is tried again after a pause that doubles up to a bound, so that a healed
link is found within that bound.

A profile is only a claim: anybody may name anybody's address. So a claim never keeps an address
from being dialled for another member who names it too, and takes nobody else's away.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from mycelia_protocol.limits import (
    DEGREE_HIGH,
    DEGREE_OUTBOUND,
    DEGREE_TARGET,
    DIAL_RANDOM_INTERVAL_MAX_MS,
    DIAL_RANDOM_INTERVAL_MS,
    REDIAL_DELAY_MAX_MS,
    REDIAL_DELAY_MS,
)
from mycelia_protocol.rng import Rng

Region: TypeAlias = tuple[int, int]


@dataclass(slots=True)
class Contact:
    """An address and what is known of it.

    Attributes:
        is_fixed: named in the node's configuration; kept connected whatever the degree.
        next_ms: not to be dialled before.
        delay_ms: pause after the next failure.
        link: the link that was dialled to it, None if there is none.
        is_dialling: a dial is under way.
        key: who answered there last, by proof.
        claims: members whose profiles name it.
    """

    is_fixed: bool
    next_ms: int = 0
    delay_ms: int = REDIAL_DELAY_MS
    link: int | None = None
    is_dialling: bool = False
    key: bytes | None = None
    claims: set[bytes] = field(default_factory=set)

    @property
    def owners(self) -> set[bytes]:
        """Whoever may answer there: who did, or on mere claim those who say so.

        Claims count for nothing at an address that this node's owner chose, and for more than an
        answer by somebody who no longer names the address.
        """
        is_proved = self.is_fixed or self.key in self.claims or not self.claims
        if not is_proved:
            return self.claims
        return set() if self.key is None else {self.key}


class Search:
    """When to dial the next random member: the more seldom, the longer there was nothing to find.

    Who comes back soon is found soon: what makes it look again counts from the last dial.
    """

    def __init__(self, rng: Rng) -> None:
        self._rng = rng
        self._last_ms: int | None = None
        self._interval_ms = DIAL_RANDOM_INTERVAL_MS
        self._is_calm = False
        self._share = 1.0  # of the interval, drawn for each dial

    @property
    def due_ms(self) -> int | None:
        """When to dial one; None before the first."""
        if self._last_ms is None:
            return None
        return self._last_ms + int(self._interval_ms * self._share)

    def dialled(self, now_ms: int) -> None:
        """Note that one is dialled now."""
        if self._is_calm:
            self._interval_ms = min(2 * self._interval_ms, DIAL_RANDOM_INTERVAL_MAX_MS)
        self._last_ms, self._is_calm = now_ms, True
        self._share = 0.5 + self._rng.random()

    def again(self) -> None:
        """Note that something was lost, or may be found."""
        self._interval_ms, self._is_calm = DIAL_RANDOM_INTERVAL_MS, False


class Overlay:
    """Chooses addresses to dial and links to let go; knows nothing of what is said on them.

    Attributes:
        regions: member -> the region of its place; who tells of no place is in none.
    """

    def __init__(
        self, fixed: Iterable[str], contacts: Iterable[str], discover: bool, rng: Rng
    ) -> None:
        self._contacts: dict[str, Contact] = {}
        for address in contacts:
            self._contacts[address] = Contact(is_fixed=False)
        for address in fixed:
            self._contacts[address] = Contact(is_fixed=True)
        self._discover = discover
        self._rng = rng
        self.regions: dict[bytes, Region] = {}
        self._connected: dict[int, bytes] = {}  # link -> member, the oldest first
        self._search = Search(rng)
        self._due_ms: int | None = None
        self._is_stale = True  # something changed since due_ms was worked out

    @property
    def due_ms(self) -> int | None:
        """When `timer` should next be called (ms), or None."""
        if self._is_stale:
            self._is_stale, self._due_ms = False, self._next_ms()
        return self._due_ms

    def _next_ms(self) -> int | None:
        times = [
            contact.next_ms
            for contact in self._contacts.values()
            if (contact.is_fixed or self._wants_more()) and self._is_idle(contact)
        ]
        if self._discover and self._search.due_ms is not None:
            times.append(self._search.due_ms)
        return min(times, default=None)

    def heard_of(self, key: bytes, addresses: Iterable[str], own_key: bytes) -> None:
        """Take in the addresses of a member's profile."""
        self._is_stale = True
        if not self._discover or key == own_key:
            return
        fresh = set(addresses)
        for address, contact in list(self._contacts.items()):
            if address in fresh or not (key in contact.claims or key == contact.key):
                continue
            contact.claims.discard(key)
            is_idle = contact.link is None and not contact.is_dialling
            if is_idle and not contact.claims and not contact.is_fixed:
                del self._contacts[address]
        if not fresh.issubset(self._contacts):
            self._search.again()
        for address in sorted(fresh):
            self._contacts.setdefault(address, Contact(is_fixed=False)).claims.add(key)

    def opened(self, link: int, address: str) -> None:
        """Note that a dial led to a link."""
        self._is_stale = True
        contact = self._contacts.get(address)
        if contact is not None:
            contact.is_dialling, contact.link = False, link

    def identified(self, link: int, key: bytes) -> None:
        """Note that a member's session is ready on a link."""
        self._is_stale = True
        self._connected[link] = key
        for contact in self._contacts.values():
            if contact.link == link:
                contact.key = key
                contact.delay_ms = REDIAL_DELAY_MS

    def lost(self, link: int) -> None:
        """Note that a member's session ended; its link may take a moment to go."""
        self._is_stale = True
        self._connected.pop(link, None)

    def closed(self, link: int, now_ms: int, *, is_broken: bool = False) -> None:
        """Note that a link is gone; perhaps it broke, and nobody chose to end it."""
        self._is_stale = True
        if is_broken:
            self._search.again()
        self._connected.pop(link, None)
        for contact in self._contacts.values():
            if contact.link == link:
                contact.link = None
                self._pause(contact, now_ms)

    def failed(self, address: str, now_ms: int) -> None:
        """Note that a dial led to nothing."""
        self._is_stale = True
        contact = self._contacts.get(address)
        if contact is not None:
            contact.is_dialling = False
            self._pause(contact, now_ms)
            if not contact.is_fixed:
                self._search.again()

    def timer(self, now_ms: int) -> list[str]:
        """Return the addresses to dial now."""
        self._is_stale = True
        chosen = [
            address
            for address, contact in self._contacts.items()
            if contact.is_fixed and self._is_idle(contact) and contact.next_ms <= now_ms
        ]
        if self._discover:
            chosen.extend(self._members_to_dial(now_ms))
        for address in chosen:
            self._contacts[address].is_dialling = True
        return chosen

    def surplus(self) -> int | None:
        """Return a link to let go: one too many, and dialled from here; None if there is none.

        The newest stays, since it was dialled to look beyond the present neighbours, and whoever
        dials here often must not seem to be it; so do links
        to fixed addresses, the only one to a region, and `DEGREE_OUTBOUND` dialled ones.
        """
        if len(self._connected) <= DEGREE_HIGH:
            return None
        dialled = {c.link: c for c in self._contacts.values() if c.link in self._connected}
        if len(dialled) <= DEGREE_OUTBOUND:
            return None
        counts = Counter(map(self.regions.get, self._connected.values()))
        newest = next(link for link in reversed(self._connected) if link in dialled)
        found = [
            link
            for link, key in self._connected.items()
            if link in dialled
            and link != newest
            and not dialled[link].is_fixed
            and (counts[self.regions.get(key)] > 1 or key not in self.regions)
        ]
        return found[int(self._rng.random() * len(found))] if found else None

    def _members_to_dial(self, now_ms: int) -> list[str]:
        """Return addresses of unconnected members: enough for the degree, or the random one."""
        due = sorted(
            address
            for address, contact in self._contacts.items()
            if not contact.is_fixed and self._is_idle(contact) and contact.next_ms <= now_ms
        )
        count = max(0, DEGREE_TARGET - len(self._connected) - self._dialling())
        random_ms = self._search.due_ms
        if random_ms is None or now_ms >= random_ms:
            self._search.dialled(now_ms)
            count = count if random_ms is None else max(count, 1)
        reached = {None, *map(self.regions.get, self._connected.values())}
        chosen: list[str] = []
        while due and len(chosen) < count:
            new = [address for address in due if not reached.issuperset(self._regions_at(address))]
            choice = new or due
            address = choice[int(self._rng.random() * len(choice))]
            due.remove(address)
            reached.update(self._regions_at(address))
            chosen.append(address)
        return chosen

    def _regions_at(self, address: str) -> set[Region | None]:
        """Return the regions of whoever may answer at an address; None for who is in none."""
        return {self.regions.get(key) for key in self._contacts[address].owners}

    def _dialling(self) -> int:
        return sum(contact.is_dialling for contact in self._contacts.values())

    def _wants_more(self) -> bool:
        return self._discover and len(self._connected) + self._dialling() < DEGREE_TARGET

    def _is_idle(self, contact: Contact) -> bool:
        """Return whether an address is neither linked nor being dialled, nor all its owners."""
        if contact.link is not None or contact.is_dialling:
            return False
        owners = contact.owners
        return not owners or not owners.issubset(self._connected.values())

    def _pause(self, contact: Contact, now_ms: int) -> None:
        """Let an address rest, with some spread so that a healed city does not dial at once."""
        contact.next_ms = now_ms + int(contact.delay_ms * (0.75 + self._rng.random() / 2))
        contact.delay_ms = min(contact.delay_ms * 2, REDIAL_DELAY_MAX_MS)
