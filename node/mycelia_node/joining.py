"""Joining a commons with an invite: one WebSocket, driven by the core's `JoinMachine`.

The same function serves `mycelia join` without a daemon and the API of a daemon that waits for a
commons.
"""

import asyncio
import random

import aiohttp

from mycelia_node.clock import Clock
from mycelia_node.errors import RequestError
from mycelia_node.home import Home
from mycelia_node.transport import connect, dial_failure, new_session
from mycelia_protocol.crypto import public_key
from mycelia_protocol.errors import InviteError
from mycelia_protocol.events import CloseLink, SendFrame
from mycelia_protocol.invite import Invite
from mycelia_protocol.join import Joined, JoinFailed, JoinMachine, JoinOutput

LINK = 0  # the one link of an attempt
ACTIONS = {
    "expired": "Ask for a new one, and check that both clocks are right.",
    "invite-expired": "Check that both clocks are right.",
    "timeout": "Check that the inviter's node runs and try again.",
    "closed": "Check that the inviter's node runs and try again.",
    "store": "Try again in a moment.",
    "unreachable": "Check that the inviter's node runs and that its address can be reached.",
}


async def join(text: str, seed: bytes, clock: Clock) -> Joined:
    """Use an invite: try its addresses one after the other until one answers.

    Raises:
        RequestError: the invite is damaged, expired or used, or nobody answers; the message says.
    """
    invite = read_invite(text, seed, clock.now_ms())
    unreachable: list[str] = []
    async with new_session() as session:
        for address in invite.addresses:
            try:
                socket = await connect(session, address)
            except (OSError, aiohttp.ClientError, TimeoutError, ValueError) as error:
                unreachable.append(f"{address}: {dial_failure(error)}")
                continue
            return await _converse(socket, invite, seed, clock)
    raise _failure("unreachable", f"The inviter can't be reached ({'; '.join(unreachable)}).")


def read_invite(text: str, seed: bytes, now_ms: int) -> Invite:
    """Read an invite and notice what is wrong with it before anybody is asked.

    Raises:
        RequestError: it is damaged, expired, or this node's own.
    """
    try:
        invite = Invite.from_text(text)
    except InviteError as error:
        raise RequestError(f"The invite can't be used: {error}.", code=error.code) from error
    if invite.inviter == public_key(seed):
        raise RequestError(
            "This is an invite of this very node.", "Send it to somebody else.", code="own-invite"
        )
    if invite.expires_ms <= now_ms:
        raise _failure("expired", "The invite has expired.")
    return invite


def keep(home: Home, joined: Joined) -> None:
    """Write down that this node is a member; the charter comes last, since it is what is asked for.

    Raises:
        HomeError: the disk is full or read-only.
    """
    home.write_private(home.introduction, joined.introduction)
    home.write_private(home.charter, joined.charter)


async def _converse(
    socket: aiohttp.ClientWebSocketResponse, invite: Invite, seed: bytes, clock: Clock
) -> Joined:
    """Run the machine on an open WebSocket until it knows."""
    machine = JoinMachine(invite, seed, random.SystemRandom(), LINK, clock.now_ms())
    outputs = machine.opened()
    joined: Joined | None = None
    failed: JoinFailed | None = None
    while True:
        for output in outputs:
            joined = output if isinstance(output, Joined) else joined
            failed = output if isinstance(output, JoinFailed) else failed
            await _perform(socket, output)
        if joined is not None:
            await socket.close()
            return joined
        if failed is not None:
            await socket.close()
            raise _failure(failed.code, f"Joining failed: {failed.reason}.")
        outputs = await _next(socket, machine, clock)


async def _next(
    socket: aiohttp.ClientWebSocketResponse, machine: JoinMachine, clock: Clock
) -> list[JoinOutput]:
    """Wait for the next message, the end of the link or the deadline."""
    left_s = max(machine.deadline_ms - clock.now_ms(), 0) / 1000
    try:
        async with asyncio.timeout(left_s):
            message = await socket.receive()
    except TimeoutError:
        return machine.timed_out()
    if message.type is aiohttp.WSMsgType.BINARY:
        return machine.received(message.data, clock.now_ms())
    return machine.closed(str(message.extra or ""))


async def _perform(socket: aiohttp.ClientWebSocketResponse, output: JoinOutput) -> None:
    """Send or close as the machine asks; a socket that broke shows itself on the next read."""
    try:
        if isinstance(output, SendFrame):
            await socket.send_bytes(output.data)
        elif isinstance(output, CloseLink):
            await socket.close(code=output.code, message=output.reason.encode())
    except ConnectionError:
        pass


def _failure(code: str, message: str) -> RequestError:
    return RequestError(message, ACTIONS.get(code, ""), code=code, status=409)
