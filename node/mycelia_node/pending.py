"""Users' requests that the engine has not answered yet."""

import asyncio
import concurrent.futures
import itertools

from mycelia_node.errors import RequestError
from mycelia_protocol.events import Carried


class Pending:
    """Gives out tokens, and brings each answer to the one who waits for it."""

    def __init__(self) -> None:
        self._tokens = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[bytes | None]] = {}
        self._carrying: dict[int, asyncio.Future[Carried]] = {}
        self._saving: asyncio.Future[None] | None = None  # the last invite, perhaps on disk

    def open(self) -> tuple[int, "asyncio.Future[bytes | None]"]:
        """Return a fresh token and the future of its answer."""
        token = next(self._tokens)
        self._waiting[token] = asyncio.get_running_loop().create_future()
        return token, self._waiting[token]

    def open_carried(self) -> tuple[int, "asyncio.Future[Carried]"]:
        """Return a fresh token for records that somebody brought, and the future of its answer."""
        token = next(self._tokens)
        self._carrying[token] = asyncio.get_running_loop().create_future()
        return token, self._carrying[token]

    def carried(self, answer: Carried) -> None:
        """Answer with what became of records that somebody brought."""
        future = self._carrying.pop(answer.token, None)
        if future is not None and not future.done():
            future.set_result(answer)

    def saving(self, write: "concurrent.futures.Future[None]") -> None:
        """Note that an invite is being written; its answer, which comes next, waits for that."""
        self._saving = asyncio.wrap_future(write)
        self._saving.add_done_callback(_look_at)

    def accept(self, token: int, record: bytes | None) -> None:
        """Answer with the id of the record that was written.

        None is the answer to an invite: it is given once the invite is on disk, too.
        """
        future = self._waiting.pop(token, None)
        if future is None or future.done():
            return
        if record is None and self._saving is not None:
            self._saving.add_done_callback(lambda write: _settle(future, write))
        else:
            future.set_result(record)

    def refuse(self, token: int, code: str, reason: str) -> None:
        """Answer with a RequestError."""
        future = self._waiting.pop(token, None) or self._carrying.pop(token, None)
        if future is not None and not future.done():
            status, action = 400, ""
            if code == "store":
                status, action = 507, "Make room on the disk and try again."
            if code == "stopping":
                status, action = 503, "Whether it was written will show after the next start."
            if code == "gate":
                status, action = 409, "Wait until the node has met other members, then try again."
            if code == "frozen":
                status, action = 409, "Count it anew: `mycelia offer recount ID AMOUNT UNIT`."
            message = f"Refused: {reason}."
            future.set_exception(RequestError(message, action, code=code, status=status))

    def refuse_all(self, code: str, reason: str) -> None:
        """Let nobody wait for ever."""
        for token in [*self._waiting, *self._carrying]:
            self.refuse(token, code, reason)


def _settle(future: "asyncio.Future[bytes | None]", write: "asyncio.Future[None]") -> None:
    """Answer as a write ended."""
    error = _look_at(write)
    if future.done():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _look_at(write: "asyncio.Future[None]") -> BaseException | None:
    """Return the error of an ended write, noticed even if nobody waits for it."""
    return asyncio.CancelledError() if write.cancelled() else write.exception()
