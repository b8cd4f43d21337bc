"""A member of a gossipsub network, by py-libp2p: each message signed, and checked where it comes.

Settings are the library's own but for two: the heartbeat is that of its specification (1 s, where
the library says 120), and the brake of 10 messages a second from one sender is off.
"""

# pyright: reportMissingImports=false
# (it runs in an environment of its own, which `make bench` makes)

import sys

import multiaddr
import trio
from libp2p import new_host
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.peer.peerinfo import info_from_p2p_addr
from libp2p.pubsub.gossipsub import PROTOCOL_ID_V11, GossipSub
from libp2p.pubsub.pubsub import Pubsub
from libp2p.tools.anyio_service import background_trio_service
from lines import Answer, Handler, Inbox, publish, serve

TOPIC = "bench"


async def read_line() -> str:
    """Return the next line of the standard input, read in a thread."""
    return str(await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True))


async def main() -> None:
    """Listen, subscribe, and do what the bench asks for."""
    host = new_host(key_pair=create_new_key_pair())
    router = GossipSub(
        protocols=[PROTOCOL_ID_V11],
        degree=6,
        degree_low=4,
        degree_high=12,
        heartbeat_interval=1,
        spam_protection_enabled=False,
    )
    pubsub = Pubsub(host, router, strict_signing=True)
    inbox = Inbox()

    async def take_all() -> None:
        subscription = await pubsub.subscribe(TOPIC)
        while True:
            message = await subscription.get()
            inbox.take(message.data.decode())

    async def connect(to: list[str]) -> Answer:
        for address in to:
            await host.connect(info_from_p2p_addr(multiaddr.Multiaddr(address)))
        return {}

    async def links() -> Answer:
        return {"count": len(router.mesh.get(TOPIC, ()))}

    async def hand_over(text: str) -> None:
        await pubsub.publish(TOPIC, text.encode())
        await trio.lowlevel.checkpoint()

    async def send(first: int, count: int, size: int, per_s: float) -> Answer:
        return await publish(hand_over, trio.sleep, first, count, size, per_s)

    listen = [multiaddr.Multiaddr("/ip4/127.0.0.1/tcp/0")]
    async with (
        host.run(listen_addrs=listen),
        trio.open_nursery() as nursery,
        background_trio_service(pubsub),
        background_trio_service(router),
    ):
        await pubsub.wait_until_ready()
        nursery.start_soon(take_all)
        handlers: dict[str, Handler] = {
            "connect": connect,
            "links": links,
            "publish": send,
            "count": inbox.count,
            "arrivals": inbox.arrivals,
        }
        await serve(read_line, {"address": str(host.get_addrs()[0])}, handlers)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
