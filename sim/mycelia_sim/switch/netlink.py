"""As much of rtnetlink as a node's network takes: a pair of virtual cards, an address, up.

Both ends of a pair lie in the node's own namespace: `eth0` has the address, and what it sends comes
out of `wire`, where the switch listens. Neither speaks ARP: all cards of a kind have the same
hardware address, so that a frame can be carried from one node's wire to another's as it is.

Checksums and segmentation are left to the kernel's own code instead of a card that does not exist;
else the switch would see frames of 64 KiB without checksums, which no receiver takes.

Source: rtnetlink(7), linux/if_link.h, linux/ethtool.h.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct
from typing import Final, Self

from mycelia_sim.switch.namespaces import Missing

CARD: Final = "eth0"
WIRE: Final = "wire"
CARD_MAC: Final = bytes.fromhex("024d79636501")
WIRE_MAC: Final = bytes.fromhex("024d79636502")
PREFIX: Final = 16

_NEWLINK, _NEWADDR = 16, 20
_REQUEST, _ACK, _EXCL, _CREATE = 0x1, 0x4, 0x200, 0x400
_ADDRESS, _NAME, _INFO, _INFO_KIND, _INFO_DATA, _PEER = 1, 3, 18, 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_UP, _NOARP = 0x1, 0x80
_LOOPBACK = 1  # index of `lo` in every network namespace
_SIOCETHTOOL = 0x8946
_OFFLOADS: Final = (0x17, 0x1F, 0x24, 0x2C)  # set: TX checksum, TSO, GSO, GRO
_LINK: Final = struct.Struct("=BxHiII")  # family, type, index, flags, changed flags


def make_card(address: str) -> None:
    """Make `eth0` with an address, and `wire`, in this process's network namespace.

    Raises: Missing.
    """
    try:
        with _Netlink() as netlink:
            netlink.ask(_NEWLINK, _CREATE | _EXCL, _pair())
            for name, flags in (("lo", _UP), (WIRE, _UP | _NOARP), (CARD, _UP | _NOARP)):
                index = socket.if_nametoindex(name)
                netlink.ask(_NEWLINK, 0, _LINK.pack(0, 0, index, flags, flags))
            netlink.ask(_NEWADDR, _CREATE | _EXCL, _address(address))
        _switch_offloads_off()
    except OSError as error:
        advice = "sudo modprobe veth, or take --backend live or virtual"
        raise Missing(f"no virtual network card can be made ({error.strerror})", advice) from None


def open_wire(buffer_size: int) -> socket.socket:
    """Return a packet socket on `wire` that sees IPv4 frames and sends any.

    Raises: Missing.
    """
    try:
        wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except OSError as error:
        advice = "sudo modprobe af_packet, or take --backend live or virtual"
        raise Missing(f"no packet socket can be opened ({error.strerror})", advice) from None
    wire.setblocking(False)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_size)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_size)
    wire.bind((WIRE, 0x0800))
    return wire


def _pair() -> bytes:
    peer = _LINK.pack(0, 0, 0, 0, 0)
    peer += _attribute(_NAME, WIRE.encode() + b"\0") + _attribute(_ADDRESS, WIRE_MAC)
    info = _attribute(_INFO_KIND, b"veth\0") + _attribute(_INFO_DATA, _attribute(_PEER, peer))
    card = _attribute(_NAME, CARD.encode() + b"\0") + _attribute(_ADDRESS, CARD_MAC)
    return _LINK.pack(0, 0, 0, 0, 0) + card + _attribute(_INFO, info)


def _address(address: str) -> bytes:
    packed = socket.inet_aton(address)
    head = struct.pack("=BBBBI", socket.AF_INET, PREFIX, 0, 0, socket.if_nametoindex(CARD))
    return head + _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)


def _attribute(kind: int, data: bytes) -> bytes:
    size = 4 + len(data)
    return struct.pack("=HH", size, kind) + data + bytes(-size % 4)


def _switch_offloads_off() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in _OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP16x", CARD.encode(), ctypes.addressof(value))
            try:
                fcntl.ioctl(control, _SIOCETHTOOL, request)
            except OSError as error:
                if error.errno != errno.EOPNOTSUPP:  # a card that never had it
                    raise


class _Netlink:
    """One conversation with the kernel, in the network namespace in which it was opened."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._sequence = 0

    def __enter__(self) -> Self:
        self._socket.bind((0, 0))
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: int, flags: int, body: bytes) -> None:
        """Make one request and wait for its acknowledgement.

        Raises: OSError.
        """
        self._sequence += 1
        size = 16 + len(body)
        head = struct.pack("=IHHII", size, kind, flags | _REQUEST | _ACK, self._sequence, 0)
        self._socket.send(head + body)
        answer = self._socket.recv(65_536)
        (code,) = struct.unpack_from("=i", answer, 16)
        if code:
            raise OSError(-code, os.strerror(-code))
