"""A real browser without a window, driven by its command line: no driver, no download.

Tests that need it skip where no Chromium is installed, and say so.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

import pytest

BINARY = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome", "chrome")
        if (found := shutil.which(name))
    ),
    None,
)
needs_browser = pytest.mark.skipif(
    BINARY is None, reason="no chromium on the PATH; `apt-get install chromium` brings one"
)
TIMEOUT_S = 50
HALF = "--force-device-scale-factor=0.5"  # to decode a picture costs as much as to draw it
# What Chromium asks of its maker by itself, whatever page is open.
OWN_ERRANDS = re.compile(r"[ .](google|googleapis|gstatic)\.com[:/]|//clients\d\.google\.com/")


class Listener:
    """Stands where the browser's way to any network would lead, and counts who comes."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.hosts: list[str] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(2)
                try:
                    line = connection.recv(4096).split(b"\r\n", 1)[0].decode("latin-1")
                except OSError:
                    line = "?"
                self.hosts.append(line)

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


def open_page(page: Path, folder: Path, *flags: str, at_ms: int = 0, proxy: int = 9) -> str:
    """Open a page, let its scripts run and return what the browser wrote on stdout.

    Every way to a network leads to port `proxy` of this machine; nobody listens on port 9.
    """
    assert BINARY is not None
    command = [
        BINARY,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--virtual-time-budget=4000",
        f"--proxy-server=127.0.0.1:{proxy}",
        "--proxy-bypass-list=<-loopback>",
        f"--user-data-dir={folder / 'profile'}",
        *flags,
        f"{page.as_uri()}#t={at_ms}",
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "HOME": str(folder)},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@dataclass(frozen=True)
class Picture:
    """A decoded PNG: rows of RGB or RGBA bytes."""

    width: int
    height: int
    channels: int
    rows: list[bytearray]

    def glow(self, top: float, bottom: float) -> float:
        """Return the share of vivid pixels between two shares of the height.

        A pixel is vivid when its strongest channel is 110 or more above its weakest.
        """
        vivid = count = 0
        for row in self.rows[int(self.height * top) : int(self.height * bottom)]:
            for at in range(0, len(row), self.channels):
                pixel = row[at : at + 3]
                vivid += max(pixel) - min(pixel) >= 110
                count += 1
        return vivid / count


def screenshot(page: Path, folder: Path, *flags: str, at_ms: int = 0) -> Picture:
    """Return what the page looks like at a moment of its run, at half its width and height."""
    path = folder / "shot.png"
    open_page(page, folder, f"--screenshot={path}", HALF, *flags, at_ms=at_ms)
    return read_png(path.read_bytes())


def read_png(data: bytes) -> Picture:
    """Decode an 8-bit PNG without interlacing, as the browser writes them."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    width = height = channels = 0
    while at < len(data):
        (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        body = data[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body)
            assert (depth, interlace) == (8, 0)
            channels = {2: 3, 6: 4}[colour]
        elif kind == b"IDAT":
            packed += body
        at += size + 12
    return Picture(width, height, channels, _unfilter(zlib.decompress(packed), width, channels))


def _unfilter(raw: bytes, width: int, step: int) -> list[bytearray]:
    """Undo the filters of PNG (W3C PNG, section 9)."""
    length = width * step
    rows: list[bytearray] = []
    above = bytearray(length)
    for start in range(0, len(raw), length + 1):
        kind, row = raw[start], bytearray(raw[start + 1 : start + 1 + length])
        for n in range(length) if kind else ():
            left = row[n - step] if n >= step else 0
            corner = above[n - step] if n >= step else 0
            guess = (0, left, above[n], (left + above[n]) // 2, _paeth(left, above[n], corner))
            row[n] = (row[n] + guess[kind]) & 255
        rows.append(row)
        above = row
    return rows


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda value: abs(guess - value))
