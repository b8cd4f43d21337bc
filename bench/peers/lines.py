"""One end of the conversation between the bench and a process that it measures.

The bench writes a request a line, `{"do": NAME, ...}`, and gets an answer a line, both JSON. When
there are no more lines the process is to end. Standard library only, since peers run in an
environment of their own; `lines.mjs` is the same in JavaScript.

A record is text of the size asked for: its number, then random hexadecimal digits.
"""

import json
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any

NUMBER_SIZE = 8  # digits of a record's number

Answer = dict[str, Any]
Handler = Callable[..., Awaitable[Answer]]


def make_record(number: int, size: int) -> str:
    """Return a record of so many characters."""
    digits = os.urandom((size - NUMBER_SIZE + 1) // 2).hex()
    return f"{number:0{NUMBER_SIZE}d}{digits[: size - NUMBER_SIZE]}"


class Inbox:
    """What one reader got: the number of each record and when it came first."""

    def __init__(self) -> None:
        self._came: dict[int, float] = {}  # number -> wall clock, ms

    def take(self, text: str) -> None:
        """Note a record that came, and was checked."""
        self._came.setdefault(int(text[:NUMBER_SIZE]), time.time() * 1000)

    async def count(self) -> Answer:
        """Answer how many different records came."""
        return {"count": len(self._came)}

    async def arrivals(self, first: int, count: int) -> Answer:
        """Answer when each of a span of records came, null for one that did not."""
        return {"arrivals": [self._came.get(number) for number in range(first, first + count)]}


async def publish(
    hand_over: Callable[[str], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]],
    first: int,
    count: int,
    size: int,
    per_s: float,
) -> Answer:
    """Hand over records at a steady pace, or (`per_s` 0) one right after the other.

    Returns:
        "sent": the wall clock (ms) just before each was handed over.
    """
    sent: list[float] = []
    begin = time.monotonic()
    for index in range(count):
        record = make_record(first + index, size)
        if per_s:
            await sleep(max(0.0, begin + index / per_s - time.monotonic()))
        sent.append(time.time() * 1000)
        await hand_over(record)
    return {"sent": sent}


async def serve(
    read_line: Callable[[], Awaitable[str]], ready: Answer, handlers: dict[str, Handler]
) -> None:
    """Say what there is to know of this process, then answer requests until there are no more."""
    print(json.dumps(ready), flush=True)
    while line := await read_line():
        request = json.loads(line)
        answer = await handlers[request.pop("do")](**request)
        print(json.dumps(answer), flush=True)
