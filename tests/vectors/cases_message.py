"""Vectors of section 7.19: messages sealed and opened, and what must not open."""

from mycelia_protocol.crypto import SEAL, domain, public_key, sign
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.hpke import seal_base, seal_public_key
from mycelia_protocol.sealing import Context, seal, signed_bytes, unseal
from vectors.suite import KEYS, SEEDS, Json, Suite, derived

NOTES = {
    "Seal": "What a writer makes of a text, with an ephemeral key that is given.",
    "Open": "What a reader finds.",
    "Moved": "A sealed text that was put into another context.",
    "Changed": "A bit was changed, or some bytes are missing.",
    "SmallOrder": "An X25519 point that gives zeros with any key: everybody could open it.",
    "Signature": "What is inside was not signed by the sender for this context.",
    "Inside": "What was sealed is not what section 7.19 says.",
}
COMMONS = derived("commons of the messages")
PRIVATE = derived("seal key of oak")
EPHEMERAL = derived("ephemeral key")
ABOUT = (derived("an offer"), derived("a grant"))
TEXT = "Elm Street 5, ring twice. Ça va?"
CONTEXT = Context(COMMONS, KEYS["mill"], KEYS["oak"], ABOUT)
ZERO_KEYS = (bytes(32), b"\1" + bytes(31), (2**255 - 20).to_bytes(32, "little"))


def build() -> Suite:
    """Return the suite."""
    suite = Suite("message", NOTES)
    for comment, context, text in (
        ("about an offer and a grant", CONTEXT, TEXT),
        ("about nothing", Context(COMMONS, KEYS["mill"], KEYS["oak"], ()), "Hello"),
        ("of 128 bytes, which need no padding", CONTEXT, "a" * 128),
        ("of 129 bytes", CONTEXT, "a" * 129),
        ("of one letter", CONTEXT, "a"),
        ("of the longest text", CONTEXT, "\N{MUSHROOM}" * 2_000),
        ("to oneself", Context(COMMONS, KEYS["mill"], KEYS["mill"], ()), "Buy bread"),
    ):
        _add_good(suite, comment, context, text)
    _add_moved(suite)
    _add_changed(suite)
    _add_inside(suite)
    return suite


def _add_good(suite: Suite, comment: str, context: Context, text: str) -> None:
    content = seal(context, text, SEEDS["mill"], seal_public_key(PRIVATE), EPHEMERAL)
    enc, sealed = content["enc"], content["sealed"]
    assert isinstance(enc, bytes)
    assert isinstance(sealed, bytes)
    inputs: dict[str, Json] = {
        "op": "seal",
        **_bound(context),
        "seed": SEEDS["mill"].hex(),
        "receiver_key": seal_public_key(PRIVATE).hex(),
        "ephemeral": EPHEMERAL.hex(),
        "text": text,
    }
    steps: dict[str, Json] = {
        "context": context.encode().hex(),
        "info": (domain(SEAL) + context.encode()).hex(),
        "signature": sign(SEEDS["mill"], signed_bytes(context, text)).hex(),
        "enc": enc.hex(),
        "sealed": sealed.hex(),
    }
    suite.valid(f"a message {comment}", "SEAL-1 SEAL-3 SEAL-4", inputs, steps, "Seal")
    opened = unseal(context, enc, sealed, PRIVATE)
    found: dict[str, Json] = {"text": opened.text, "signature": opened.signature.hex()}
    suite.valid(f"opened: {comment}", "SEAL-1", _opening(context, enc, sealed), found, "Open")


def _add_moved(suite: Suite) -> None:
    enc, sealed = _sealed(CONTEXT, [TEXT, _signature(CONTEXT), b""])
    other = derived("another")
    for comment, context in (
        ("another commons", Context(other, KEYS["mill"], KEYS["oak"], ABOUT)),
        ("another sender", Context(COMMONS, KEYS["elm"], KEYS["oak"], ABOUT)),
        ("another receiver", Context(COMMONS, KEYS["mill"], KEYS["elm"], ABOUT)),
        ("about less", Context(COMMONS, KEYS["mill"], KEYS["oak"], ABOUT[:1])),
        (
            "about the same in another order",
            Context(COMMONS, KEYS["mill"], KEYS["oak"], ABOUT[::-1]),
        ),
    ):
        inputs = _opening(context, enc, sealed)
        suite.invalid(f"moved: {comment}", "SEAL-1", inputs, "seal", "Moved")
    wrong = {**_opening(CONTEXT, enc, sealed), "private": other.hex()}
    suite.invalid("another private key", "SEAL-1", wrong, "seal", "Moved")
    for signed in (
        Context(COMMONS, KEYS["mill"], KEYS["elm"], ABOUT),
        Context(COMMONS, KEYS["mill"], KEYS["oak"], ()),
        Context(other, KEYS["mill"], KEYS["oak"], ABOUT),
    ):
        enc, sealed = _sealed(CONTEXT, [TEXT, _signature(signed), b""])
        comment = f"signed for {signed.encode().hex()[:8]} {len(signed.about)}, sealed for another"
        suite.invalid(comment, "SEAL-3", _opening(CONTEXT, enc, sealed), "seal", "Signature")


def _add_changed(suite: Suite) -> None:
    enc, sealed = _sealed(CONTEXT, [TEXT, _signature(CONTEXT), b""])
    for comment, one, two in (
        ("the first bit of the sealed text", enc, bytes([sealed[0] ^ 1]) + sealed[1:]),
        ("the last bit of the tag", enc, sealed[:-1] + bytes([sealed[-1] ^ 1])),
        ("a byte less", enc, sealed[:-1]),
        ("a byte more", enc, sealed + b"\0"),
        ("nothing but a tag", enc, sealed[-16:]),
        ("a bit of the encapsulated key", bytes([enc[0] ^ 1]) + enc[1:], sealed),
    ):
        inputs = _opening(CONTEXT, one, two)
        suite.invalid(f"changed: {comment}", "SEAL-1", inputs, "seal", "Changed")
    for number, zero in enumerate(ZERO_KEYS, 1):
        inputs = _opening(CONTEXT, zero, sealed)
        suite.invalid(f"enc of small order, {number}", "SEAL-2", inputs, "seal", "SmallOrder")


def _add_inside(suite: Suite) -> None:
    right = _signature(CONTEXT)
    by_elm = sign(SEEDS["elm"], signed_bytes(CONTEXT, TEXT))
    assert public_key(SEEDS["elm"]) == KEYS["elm"]
    contents: list[tuple[str, str, Value]] = [
        ("SEAL-3", "signed by somebody else", [TEXT, by_elm, b""]),
        ("SEAL-3", "another text than was signed", [TEXT + "!", right, b""]),
        ("SEAL-4", "no padding at all", [TEXT, right]),
        ("SEAL-4", "padding that is not zero", [TEXT, right, b"\0\1"]),
        ("SEAL-4", "a signature of 63 bytes", [TEXT, right[:63], b""]),
        ("SEAL-4", "an empty text", ["", sign(SEEDS["mill"], signed_bytes(CONTEXT, "")), b""]),
        ("SEAL-4", "a text as bytes", [TEXT.encode(), right, b""]),
        ("SEAL-4", "four items", [TEXT, right, b"", b""]),
        ("SEAL-4", "nil", None),
    ]
    long = "a" * 2_001
    signature = sign(SEEDS["mill"], signed_bytes(CONTEXT, long))
    contents.append(("SEAL-4", "a text too long", [long, signature, b""]))
    for req, comment, content in contents:
        enc, sealed = _sealed(CONTEXT, content)
        suite.invalid(comment, req, _opening(CONTEXT, enc, sealed), "seal", "Inside")
    wide = encode([TEXT, right, b""])
    info = domain(SEAL) + CONTEXT.encode()
    enc, sealed = seal_base(seal_public_key(PRIVATE), EPHEMERAL, info, b"\xdc\0\3" + wide[1:])
    suite.invalid("a wide array", "SEAL-4", _opening(CONTEXT, enc, sealed), "seal", "Inside")
    enc, sealed = _sealed(CONTEXT, [TEXT, right, bytes(7)])
    found: dict[str, Json] = {"text": TEXT, "signature": right.hex()}
    comment = "another padding than a writer should choose"
    suite.valid(comment, "SEAL-4", _opening(CONTEXT, enc, sealed), found, "Open")


def _signature(context: Context) -> bytes:
    return sign(SEEDS["mill"], signed_bytes(context, TEXT))


def _sealed(context: Context, content: Value) -> tuple[bytes, bytes]:
    info = domain(SEAL) + context.encode()
    return seal_base(seal_public_key(PRIVATE), EPHEMERAL, info, encode(content))


def _bound(context: Context) -> dict[str, Json]:
    return {
        "commons": context.commons.hex(),
        "sender": context.sender.hex(),
        "receiver": context.receiver.hex(),
        "about": [each.hex() for each in context.about],
    }


def _opening(context: Context, enc: bytes, sealed: bytes) -> dict[str, Json]:
    return {
        "op": "open",
        **_bound(context),
        "private": PRIVATE.hex(),
        "enc": enc.hex(),
        "sealed": sealed.hex(),
    }
