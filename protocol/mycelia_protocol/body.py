"""A record's body: facts, which count for ever, and words, which can be erased. Spec: 6.3.

    body  = E([salt(16), facts, words])        whole
          = E([blind(32), facts])              erased
    blind = H("words", salt || words)
    hash  = H("body", blind || facts)          in the header

Facts and words are the bytes of a canonical map each. What a record means for others (who, how
much, when) stands in the facts; what people tell each other stands in the words. The fold reads
facts alone, so it says the same whether the words are here or gone, and nobody has to agree on when
they go. The header's hash proves the facts of an erased body as well as those of a whole one. The
salt goes with the words: so few possible words can't be guessed from what is left.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from mycelia_protocol import crypto
from mycelia_protocol.crypto import digest
from mycelia_protocol.encoding import Value, decode, encode
from mycelia_protocol.errors import EncodingError, LimitExceeded, RecordError
from mycelia_protocol.limits import BODY_SIZE_MAX, ID_SIZE, SALT_SIZE

# The fields that are words, whatever the kind of a record.
WORDS: Final = frozenset(
    ("about", "condition", "enc", "method", "name", "note", "reason", "sealed", "text", "title")
)
NO_WORDS: Final = b"\x80"  # an empty map
WHOLE: Final = b"\x93\xc4\x10"  # how a whole body begins: an array of three, a salt of 16 bytes
ERASED: Final = b"\x92\xc4\x20"  # how an erased one begins: an array of two, a hash of 32 bytes


class Parts(NamedTuple):
    """A body taken apart: salt, facts, words; if these are erased blind, facts, None."""

    first: bytes
    facts: bytes
    words: bytes | None

    @property
    def blind(self) -> bytes:
        """What stays of salt and words when they are erased, 32 bytes."""
        if self.words is None:
            return self.first
        return digest(crypto.WORDS, self.first, self.words)

    @property
    def hash(self) -> bytes:
        """H("body", blind || facts), 32 bytes: the body_hash of the header."""
        return digest(crypto.BODY, self.blind, self.facts)


def write_body(salt: bytes, content: Mapping[str, Value]) -> bytes:
    """Return a whole body with these fields, each in its place.

    Args:
        salt: 16 bytes nobody else knows.

    Raises:
        LimitExceeded: it would have more than `BODY_SIZE_MAX` bytes.
    """
    facts = encode({name: content[name] for name in content if name not in WORDS})
    words = encode({name: content[name] for name in content if name in WORDS})
    return join_body(salt, facts, words)


def join_body(salt: bytes, facts: bytes, words: bytes) -> bytes:
    """Return a whole body of these parts.

    Raises:
        LimitExceeded: it would have more than `BODY_SIZE_MAX` bytes, or the salt has not 16.
    """
    body = encode([salt, facts, words])
    if len(salt) != SALT_SIZE or len(body) > BODY_SIZE_MAX:
        raise LimitExceeded(f"a body has at most {BODY_SIZE_MAX} bytes, this one {len(body)}")
    return body


def split_body(body: bytes) -> Parts:
    """Take a body apart, whole or erased.

    Raises:
        RecordError: it has neither form (REC-9).
    """
    if body[:3] == WHOLE:
        at = 3 + SALT_SIZE
        facts, end = _bytes_at(body, at)
        words, end = _bytes_at(body, end)
        if end == len(body):
            return Parts(body[3:at], facts, words)
    elif body[:3] == ERASED:
        at = 3 + ID_SIZE
        facts, end = _bytes_at(body, at)
        if end == len(body):
            return Parts(body[3:at], facts, None)
    raise RecordError("a body is [salt, facts, words] or [blind, facts]", requirement="REC-9")


def is_whole(body: bytes) -> bool:
    """Return whether the words of a body that was checked are here."""
    return body[:3] == WHOLE


def erase_words(body: bytes) -> bytes:
    """Return a body that was checked without its words; one that has none stays as it is."""
    if not is_whole(body):
        return body
    parts = split_body(body)
    if parts.words == NO_WORDS:  # the hash in their place would be longer
        return body
    return encode([parts.blind, parts.facts])


def bare_body(facts: bytes) -> bytes:
    """Return a body of which the facts alone are known; no header has its hash."""
    return encode([bytes(ID_SIZE), facts])


def facts_of(body: bytes) -> bytes:
    """Return the bytes of the facts in a body that was checked."""
    return split_body(body).facts


def read_content(body: bytes) -> Value:
    """Return the fields of a body that was checked: the facts, and the words as far as they fit.

    Raises:
        EncodingError: the facts are not canonical.
    """
    parts = split_body(body)
    content = decode(parts.facts, size_max=BODY_SIZE_MAX, maps=True)
    if not isinstance(content, dict):
        return content
    if not WORDS.isdisjoint(content):
        content = {name: value for name, value in content.items() if name not in WORDS}
    if parts.words is not None and parts.words != NO_WORDS:
        content |= _read_words(parts.words)
    return content


def _read_words(words: bytes) -> dict[str, Value]:
    """Return the fields that stand in words, as they should; none if these are no map."""
    try:
        found = decode(words, size_max=BODY_SIZE_MAX, maps=True)
    except EncodingError:
        return {}
    if not isinstance(found, dict):
        return {}
    if found.keys() <= WORDS:
        return found
    return {name: value for name, value in found.items() if name in WORDS}


def _bytes_at(body: bytes, at: int) -> tuple[bytes, int]:
    """Return a canonical bin, and where it ends.

    Raises:
        RecordError: there is none.
    """
    form = body[at : at + 3]
    if form[:1] == b"\xc4" and len(form) > 1:
        begin = at + 2
        end = begin + form[1]
    elif form[:1] == b"\xc5" and len(form) > 2:
        begin = at + 3
        end = begin + form[1] * 256 + form[2]
        if not form[1]:
            raise RecordError("a length is written longer than it need be", requirement="REC-9")
    else:
        raise RecordError("a body is made of bytes", requirement="REC-9")
    if end > len(body):
        raise RecordError("a body was cut short", requirement="REC-9")
    return body[begin:end], end
