"""Canonical MessagePack: one value, one string of bytes.

MessagePack leaves room: an integer may be wider than it needs to be, a map may repeat a key or put
its keys in any order. Ids are hashes of bytes, so Mycelia allows exactly one encoding of each value
and this module refuses all others.

`decode` hands the work to the C decoder of the `msgpack` package, walks over the result for what
that decoder lets pass (floats, extensions, wide integers, depth), and then encodes the result once
more: if the bytes differ, they were not the canonical ones. That step closes every door at once.

Arrays are given back as tuples: they cannot be changed by accident, and they hash.

The C decoder makes room for all the items that an array claims before it reads the first, and lets
1,024 arrays open at once. `LENGTH_MAX` bounds what a frame of nested empty promises costs to 32 MiB
for some milliseconds; without it, it would be 8 GiB.

Spec: section 4, requirements ENC-1 .. ENC-8.
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

import msgpack  # type: ignore[import-untyped]  # the package has no stubs; casts below say the types

from mycelia_protocol.errors import EncodingError, LimitExceeded, LocalError
from mycelia_protocol.limits import DEPTH_MAX, FRAME_SIZE_MAX, INT_MAX, LENGTH_MAX

Value: TypeAlias = "bool | int | str | bytes | Sequence[Value] | Mapping[str, Value] | None"
"""What can be encoded. `encode` takes list or tuple, and dict; `decode` gives tuple and dict."""


_SCALARS = frozenset((bool, bytes, str, type(None)))  # nothing about them can be wrong
_TEXT = frozenset((str,))
_SMALL_SIZE = 65_536  # bytes; the packer's buffer never grows far beyond, and never shrinks
_COMPILED = "msgpack._cmsgpack"  # where there is none, `msgpack` takes one written in Python
_PACKER = (
    msgpack.Packer(use_bin_type=True, buf_size=_SMALL_SIZE)
    if msgpack.Packer.__module__ == _COMPILED
    else None
)


class _NotAllowed(Exception):
    """A value outside the profile: text for a person, and the requirement that it breaks."""

    def __init__(self, message: str, requirement: str) -> None:
        super().__init__(message)
        self.message = message
        self.requirement = requirement


def encode(value: Value) -> bytes:
    """Return the canonical bytes of `value`.

    Map keys may come in any order. The length of arrays is not limited here, since digests are
    taken over long ones; what is meant for `decode` must respect `LENGTH_MAX`.

    Raises:
        LimitExceeded: an integer beyond `INT_MAX`, or more than `DEPTH_MAX` levels.
        LocalError: a type or a string that has no encoding.

    Spec: section 4.
    """
    try:
        if _check(value, DEPTH_MAX):
            value = _with_sorted_maps(value)
        return cast(bytes, msgpack.packb(value, use_bin_type=True, buf_size=1_024))
    except _NotAllowed as error:
        kind = LimitExceeded if error.requirement in {"ENC-3", "ENC-6"} else LocalError
        raise kind(f"cannot encode: {error.message}") from None
    except UnicodeEncodeError as error:
        raise LocalError(f"cannot encode: a string is not Unicode text ({error.reason})") from None
    except ValueError as error:
        raise LimitExceeded(f"cannot encode: {error}") from None


def decode(
    data: bytes,
    *,
    size_max: int = FRAME_SIZE_MAX,
    depth_max: int = DEPTH_MAX,
    length_max: int = LENGTH_MAX,
    maps: bool = False,
) -> Value:
    """Return the one value that `data` is the canonical encoding of.

    Args:
        data: all of the bytes, as received.
        size_max: the most bytes to look at.
        depth_max: the most containers inside each other; a lone scalar has depth 0, `[]` has 1.
        length_max: the most items in one array or map.
        maps: whether maps are legal here. They are in record bodies, nowhere else.

    Raises:
        EncodingError: code "encoding", for anything else than one canonical value. Nothing else
            is ever raised, whatever the bytes are.

    Spec: section 4, requirements ENC-1 .. ENC-8.
    """
    if len(data) > size_max:
        raise EncodingError(f"{len(data)} bytes where {size_max} are allowed", requirement="ENC-7")
    try:
        value = cast(
            Value,
            msgpack.unpackb(
                data,
                use_list=False,
                raw=False,
                strict_map_key=False,  # the hook says it better
                object_pairs_hook=_map_from_pairs if maps else _no_map,
                max_array_len=length_max,
                max_map_len=length_max if maps else 0,
            ),
        )
        _check(value, depth_max)
        is_canonical = _pack(value, len(data) + 16) == data
    except _NotAllowed as error:
        raise EncodingError(error.message, requirement=error.requirement) from None
    except ValueError as error:
        raise _translated(error) from None
    if not is_canonical:
        raise EncodingError(
            "a number or a length is written longer than it need be", requirement="ENC-2"
        )
    return value


def decode_proven(data: bytes) -> Value:
    """Return the value of bytes that were decoded before, and whose hash says so.

    Raises:
        EncodingError: they are none; the hash was not looked at.
    """
    try:
        return cast(Value, msgpack.unpackb(data, use_list=False, raw=False))
    except ValueError as error:
        raise _translated(error) from None


def _pack(value: Value, size_hint: int) -> bytes:
    """Pack with a buffer of the right size; the default of 256 KiB costs more than the packing.

    What is small is packed by one packer, since to make one costs more than that, too. Threads may
    share it: it lets go of the interpreter's lock only between two values. One that is written in
    Python would do so in the middle, too.
    """
    if _PACKER is not None and size_hint <= _SMALL_SIZE:
        return cast(bytes, _PACKER.pack(value))
    return cast(bytes, msgpack.packb(value, use_bin_type=True, buf_size=size_hint))


def _check(value: Value, depth_max: int) -> bool:
    """Say whether `value` has a map in it; raise `_NotAllowed` if it is outside the profile.

    Goes level by level instead of by recursion, so that no nesting can exhaust the stack.
    """
    has_map = False
    level: Sequence[object] = (value,)
    depth = 0
    while level:
        below: list[object] = []
        is_container_seen = False
        for item in level:
            kind = type(item)
            if kind in _SCALARS:
                continue
            if type(item) is int:
                if not -INT_MAX <= item <= INT_MAX:
                    raise _NotAllowed("an integer is beyond 2^53-1", "ENC-3")
            elif kind is tuple or kind is list:
                is_container_seen = True
                below.extend(cast("Sequence[object]", item))
            elif kind is dict:
                is_container_seen = has_map = True
                pairs = cast(dict[object, object], item)
                below.extend(pairs.values())
                if not _TEXT.issuperset(map(type, pairs)):
                    raise _NotAllowed("a map key is not a string", "ENC-5")
            else:
                _check_unusual(item)
        if is_container_seen and depth == depth_max:
            raise _NotAllowed(f"more than {depth_max} arrays or maps inside each other", "ENC-6")
        level = below
        depth += 1
    return has_map


def _check_unusual(item: object) -> None:
    """Let subclasses of int, str and bytes pass (enums, from our own code), and nothing else."""
    if isinstance(item, int):
        if not -INT_MAX <= item <= INT_MAX:
            raise _NotAllowed("an integer is beyond 2^53-1", "ENC-3")
    elif not isinstance(item, str | bytes):
        name = {"float": "a float", "ExtType": "an extension", "Timestamp": "a timestamp"}
        kind = type(item).__name__
        raise _NotAllowed(f"{name.get(kind, kind)} is not part of the encoding", "ENC-1")


def _with_sorted_maps(value: Value) -> Value:
    """Return `value` with the keys of each map in order; its depth is known to be small.

    Python compares strings by code points, which is the order of their UTF-8 bytes.
    """
    if type(value) is dict:
        return {key: _with_sorted_maps(value[key]) for key in sorted(value)}
    if type(value) is tuple or type(value) is list:
        return [_with_sorted_maps(item) for item in cast(Sequence[Value], value)]
    return value


def _map_from_pairs(pairs: list[tuple[object, Value]]) -> dict[str, Value]:
    """Make the dict of one decoded map, whose keys must be strings that strictly increase."""
    result: dict[str, Value] = {}
    previous: str | None = None
    for key, item in pairs:
        if not isinstance(key, str):
            raise _NotAllowed("a map key is not a string", "ENC-5")
        if previous is not None and key <= previous:
            fault = "is there twice" if key == previous else "is out of order"
            raise _NotAllowed(f"map key {key[:40]!r} {fault}", "ENC-5")
        previous = key
        result[key] = item
    return result


def _no_map(_pairs: list[tuple[object, Value]]) -> dict[str, Value]:
    """Refuse a map where only arrays are legal."""
    raise _NotAllowed("a map where none is allowed", "ENC-1")


def _translated(error: ValueError) -> EncodingError:
    """Turn what the C decoder says into the requirement that was broken."""
    text = str(error)
    if isinstance(error, msgpack.ExtraData):
        return EncodingError("more bytes follow the value", requirement="ENC-8")
    if isinstance(error, UnicodeDecodeError):
        return EncodingError("a string is not valid UTF-8", requirement="ENC-4")
    if isinstance(error, msgpack.StackError):
        return EncodingError("arrays or maps are nested too deeply", requirement="ENC-6")
    if "max_map_len(0)" in text:
        return EncodingError("a map where none is allowed", requirement="ENC-1")
    if "max_array_len" in text or "max_map_len" in text:
        return EncodingError(f"an array or map is too long: {text}", requirement="ENC-6")
    return EncodingError(f"not one whole MessagePack value: {text}", requirement="ENC-8")
