"""Users' requests that the engine has not answered yet."""

import asyncio
import itertools

from mycelia_node.errors import RequestError


class Pending:
    """Gives out tokens, and brings each answer to the one who waits for it."""

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes | None]] = {}

    def open(self) -> tuple[int, "asyncio.Future[bytes | None]"]:
        """Return a fresh token and the future of its answer."""
        token = next(self._tokens)
        self._waiting[token] = asyncio.get_running_loop().create_future()
        return token, self._waiting[token]

    def accept(self, token: int, record: bytes | None) -> None:
        """Answer with the id of the record that was written (None for an invite)."""
        future = self._waiting.pop(token, None)
        if future is not None and not future.done():
            future.set_result(record)

    def refuse(self, token: int, code: str, reason: str) -> None:
        """Answer with a RequestError."""
        future = self._waiting.pop(token, None)
        if future is not None and not future.done():
            status, action = 400, ""
            if code == "store":
                status, action = 507, "Make room on the disk and try again."
            if code == "stopping":
                status, action = 503, "Whether it was written will show after the next start."
            if code == "gate":
                status, action = 409, "Wait until the node has met other members, then try again."
            message = f"Refused: {reason}."
            future.set_exception(RequestError(message, action, code=code, status=status))

    def refuse_all(self, code: str, reason: str) -> None:
        """Let nobody wait for ever."""
        for token in list(self._waiting):
            self.refuse(token, code, reason)
