"""A real node that begins in the commons of the parity plan, and names records by their place.

It has neither to found nor to join, and tells no profile: in virtual time there is none of that.
"""

import runpy
import sys
from pathlib import Path

from mycelia_node.daemon import Daemon
from mycelia_node.node import Node
from support.parity import placed, settle_in


async def enter(self: Daemon, *_: object) -> Node:
    """Answer whoever wants this node to found or to join: it is in."""
    assert self.node is not None
    return self.node


async def tell_nothing(self: Node) -> None:
    """Write no profile."""


Daemon.found = Daemon.join = enter  # type: ignore[assignment,method-assign]
Node.tell_profile = tell_nothing  # type: ignore[method-assign]
settle_in(Path(sys.argv[sys.argv.index("--home") + 1]))
with placed():
    runpy.run_module("mycelia_node", run_name="__main__")
