"""The local API of one daemon, over its Unix socket.

People who post are not patient programs: every call has a deadline and is made once. A call that
breaks off may or may not have had its effect, and the caller must count it as neither.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, Self

import aiohttp

CALL_TIMEOUT_S: Final = 20.0


class CallFailed(Exception):
    """A call that did not give its answer.

    Attributes:
        is_definite: the daemon itself refused, so nothing was done; else nobody knows.
        code: the error word of the daemon, "" when there was no answer.
    """

    def __init__(self, message: str, *, is_definite: bool, code: str = "") -> None:
        super().__init__(message)
        self.is_definite = is_definite
        self.code = code


class Client:
    """Calls one daemon; use as an async context manager, or call `close`."""

    def __init__(self, socket: str, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(path=socket),
            timeout=aiohttp.ClientTimeout(total=timeout_s),
        )

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._session.close()

    async def get(self, path: str) -> dict[str, Any]:
        """Return the answer to a GET.

        Raises: CallFailed.
        """
        return await self._call("GET", path, None)

    async def post(self, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        """Return the answer to a POST.

        Raises: CallFailed.
        """
        return await self._call("POST", path, dict(body or {}))

    async def stream(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the objects that a GET sends, one a line, until it ends.

        Raises: CallFailed when it breaks off.
        """
        endless = aiohttp.ClientTimeout(total=None)
        try:
            async with self._session.get(f"http://node{path}", timeout=endless) as response:
                async for line in response.content:
                    if line.strip():
                        yield json.loads(line)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            said = str(error) or type(error).__name__
            raise CallFailed(f"GET {path}: broke off: {said}", is_definite=False) from error

    async def _call(self, method: str, path: str, body: object) -> dict[str, Any]:
        try:
            async with self._session.request(method, f"http://node{path}", json=body) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            said = str(error) or type(error).__name__
            raise CallFailed(f"{method} {path}: no answer: {said}", is_definite=False) from error
        if not isinstance(answer, dict):
            raise CallFailed(f"{method} {path}: not an object", is_definite=False)
        if response.status >= 400:
            code, message = str(answer.get("code", "")), str(answer.get("message", ""))
            raise CallFailed(
                f"{method} {path}: {code}: {message}",
                is_definite=response.status < 500,
                code=code,
            )
        return answer
