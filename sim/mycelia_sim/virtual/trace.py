"""What happened in a virtual run, line by line, and a hash over it.

A line is (virtual us, node, kind, id, peer, why). Lines are hashed in blocks of 10,000, each block
together with the hash before it, so two runs that should be equal can be compared block by block:
the first hash that differs says where to look. Only the last lines are kept, unless they are
written to a file or a window of time is asked for.

    kind    id                 peer    why
    send    link.number        target  bytes
    recv    the same           source  what the frame is; "sealed": handshake, or not read now
    drop    the same           source  the target was down, or its connection gone
    timer                              the engine's timer fired
    state   record, cut short          kind of the record that is now on disk; or a notice's name
    life                               start, crash, pause, resume
    user    record, cut short          an acknowledgement, or the code of a refusal
    fault                              what befell the node or, for a cut, the network
"""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Iterable
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgpack  # type: ignore[import-untyped]  # the package has no stubs

BLOCK: Final = 10_000  # lines hashed together
KEEP: Final = 20_000  # lines remembered when nobody writes them down
DIGEST_SIZE: Final = 16
ID_CHARACTERS: Final = 16  # of a record's id in hex

Line: TypeAlias = tuple[int, str, str, str, str, str | int]
BLANK: Final[Line] = (0, "", "", "", "", "")


class Trace:
    """Takes lines as they come; cheap enough to be always on.

    Args:
        file: where all lines go, gzipped; None keeps the last ones only.
        window: virtual us from and until; keep the lines of this time instead of the last ones.

    Attributes:
        chain: (lines so far, virtual us, hash) at the end of each full block.
    """

    def __init__(self, file: Path | None = None, window: tuple[int, int] | None = None) -> None:
        self.chain: list[tuple[int, int, str]] = []
        self._file = None if file is None else gzip.GzipFile(file, "wb", compresslevel=3, mtime=0)
        self._window = window
        self._block: list[Line] = []
        self._hashed = 0  # lines in full blocks
        self._last = bytes(DIGEST_SIZE)
        self._kept: deque[Line] = deque(maxlen=None if window else KEEP)
        self._first_kept = 0
        self._reserved: int | None = None

    def add(self, now_us: int, node: str, kind: str, id_: str, peer: str, why: str | int) -> None:
        """Add a line."""
        self._block.append((now_us, node, kind, id_, peer, why))
        if len(self._block) >= BLOCK and self._reserved is None:
            self._end_block()

    def reserve(self) -> None:
        """Keep a place for a line whose end is known only after what it brings about."""
        self._reserved = len(self._block)
        self._block.append(BLANK)

    def fill(self, now_us: int, node: str, kind: str, id_: str, peer: str, why: str | int) -> None:
        """Put a line into the place that was kept."""
        assert self._reserved is not None
        self._block[self._reserved] = (now_us, node, kind, id_, peer, why)
        self._reserved = None
        if len(self._block) >= BLOCK:
            self._end_block()

    @property
    def lines(self) -> int:
        """How many lines there were so far."""
        return self._hashed + len(self._block)

    @property
    def digest(self) -> str:
        """Hash over all lines so far; equal for equal runs."""
        return self._hash().hex()

    def kept(self) -> list[tuple[int, Line]]:
        """Return (number, line) of the lines that are remembered, in order."""
        lines = chain(self._kept, self._within(self._block))
        return list(enumerate(lines, start=self._first_kept))

    def close(self) -> None:
        """Write what is not written yet."""
        if self._file is not None:
            self._write(self._block, self._hashed)
            self._file.close()
            self._file = None

    # --- inside ---

    def _hash(self) -> bytes:
        packed: Any = msgpack.packb(self._block)
        return blake2b(self._last + packed, digest_size=DIGEST_SIZE).digest()

    def _end_block(self) -> None:
        block = self._block
        self._last = self._hash()
        self._write(block, self._hashed)
        fresh = self._within(block)
        if fresh:
            if not self._kept:
                self._first_kept = self._hashed + block.index(fresh[0])
            if self._kept.maxlen is not None:
                self._first_kept += max(0, len(self._kept) + len(fresh) - self._kept.maxlen)
            self._kept.extend(fresh)
        self._hashed += len(block)
        self.chain.append((self._hashed, block[-1][0], self._last.hex()))
        self._block = []

    def _within(self, lines: list[Line]) -> list[Line]:
        if self._window is None:
            return lines
        first_us, until_us = self._window
        return [line for line in lines if first_us <= line[0] < until_us]

    def _write(self, lines: list[Line], first: int) -> None:
        if self._file is not None and lines:
            self._file.write(to_text(enumerate(lines, start=first)).encode())


def to_text(lines: Iterable[tuple[int, Line]]) -> str:
    """Return numbered lines as JSON, one a line; t is virtual us."""
    return "".join(
        json.dumps(
            {"t": t, "seq": n, "node": node, "kind": kind, "id": id_, "peer": peer, "why": why},
            separators=(",", ":"),
        )
        + "\n"
        for n, (t, node, kind, id_, peer, why) in lines
    )


def write_lines(path: Path, lines: Iterable[tuple[int, Line]]) -> None:
    """Write numbered lines to a gzipped file.

    Raises: OSError.
    """
    path.write_bytes(gzip.compress(to_text(lines).encode(), compresslevel=3, mtime=0))


def first_difference(
    one: Iterable[tuple[int, int, str]], other: Iterable[tuple[int, int, str]]
) -> tuple[int, int] | None:
    """Return (lines, virtual us) up to which two chains are equal, None if all blocks are.

    What differs lies within the block that follows.
    """
    equal = (0, 0)
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return equal
        equal = (mine[0], mine[1])
    return None
