"""Bytes that are no protocol: too large, or noise."""

from typing import Final

from mycelia_protocol.body import join_body, write_body
from mycelia_protocol.encoding import Value, encode
from mycelia_protocol.limits import (
    BODY_SIZE_MAX,
    FRAME_SIZE_MAX,
    HANDSHAKE_SIZE_MAX,
    HEADER_SIZE_MAX,
    HEADS_PER_FRAME_MAX,
    PUSH_RECORDS_MAX,
    SALT_SIZE,
)
from mycelia_protocol.messages import Push, encode_message
from mycelia_sim.adversaries.act import Act
from mycelia_sim.adversaries.pen import OFFER
from mycelia_sim.adversaries.talk import Steps

SIZES: Final = (0, 1, 31, 32, 33, 64, 168, 200, 1_000)  # of noise in place of a handshake
TURNED: Final = 6  # frames of which one byte was turned
BENEATH_MS: Final = 5_000  # for a node to end connections that can become no links


def oversize(act: Act) -> Steps[None]:
    """Send what is over each limit, on a fresh link each time."""
    pen = act.pen()
    words = encode({"note": "x" * BODY_SIZE_MAX})
    large_body = pen.draft("offer", encode([act.stream.bytes(SALT_SIZE), encode(OFFER), words]))
    body = write_body(act.stream.bytes(SALT_SIZE), OFFER)
    refs = [act.stream.bytes(32) for _ in range(HEADER_SIZE_MAX // 32)]
    large_header = pen.draft("offer", body, *refs)
    for envelope in (large_body, large_header):
        act.forbid(envelope)
    head: list[Value] = [act.liar.key, pen.log, 1, bytes(8)]
    frames = [
        bytes(FRAME_SIZE_MAX),
        encode([4, [large_body]]),
        encode([4, [large_header]]),
        encode([1, [head] * (HEADS_PER_FRAME_MAX + 1), False]),
        encode([4, [pen.records[0].envelope()] * (PUSH_RECORDS_MAX + 1)]),
    ]
    refused = 0
    for frame in frames:
        talk = yield from act.greet()
        talk.say_frame(frame)
        refused += not (yield from act.probe(talk))
    raw = act.dial(manner="raw")
    yield from raw.until(lambda: raw.is_open)
    raw.send(bytes(HANDSHAKE_SIZE_MAX + 1))
    yield from raw.until(lambda: raw.ended)
    act.answer = f"refused {refused} of {len(frames)} frames, and the handshake"
    yield from act.beneath("oversize", BENEATH_MS)


def garbage(act: Act) -> Steps[None]:
    """Send noise for a handshake, noise for frames, spoilt frames, and noise for bodies."""
    refused = 0
    for size in SIZES:
        raw = act.dial(manner="raw")
        yield from raw.until(lambda raw=raw: raw.is_open)  # type: ignore[misc]
        raw.send((act.stream.bytes(64) * 16)[:size])
        raw.send(act.stream.bytes(48))
        yield from raw.until(lambda raw=raw: raw.ended, within_ms=20_000)  # type: ignore[misc]
    pen = act.pen()
    good = encode_message(Push((pen.write("offer", OFFER),)))
    frames = [act.stream.bytes(size) for size in (1, 7, 64)]
    for _ in range(TURNED):
        at = act.stream.integer(0, len(good) - 1)
        frames.append(
            good[:at] + bytes([good[at] ^ 1 << act.stream.integer(0, 7)]) + good[at + 1 :]
        )
    for frame in frames:
        talk = yield from act.greet()
        talk.say_frame(frame)
        refused += not (yield from act.probe(talk))
    talk = yield from act.greet()
    for kind in ("offer", "vouch", "grant", "answer", "no-such-kind"):
        noise = (act.stream.bytes(SALT_SIZE), act.stream.bytes(20), act.stream.bytes(20))
        pen.write_body(kind, join_body(*noise))
    pen.write("grant", {"quantity": "many"}, *(act.stream.bytes(32) for _ in range(16)))
    pen.write("answer", {"accept": True})
    talk.say(Push(tuple(pen.records)))
    yield from act.probe(talk)
    act.answer = f"refused {refused} of {len(frames)} frames; {act.answer}"
    yield from act.beneath("garbage", BENEATH_MS)
