"""The local API: HTTP with JSON on the node's Unix socket, for this node's own user alone.

Who may: the socket lies in a private folder, has mode 0600, and the kernel tells the caller's user,
which must be the node's own or root. Errors are `{"code", "message", "action"}`.
"""

import contextlib
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from mycelia_node.api.bundles import BundleRoutes
from mycelia_node.api.commons import CommonsRoutes
from mycelia_node.api.decisions import DecisionRoutes
from mycelia_node.api.erasing import EraseRoutes
from mycelia_node.api.frozen import FrozenRoutes
from mycelia_node.api.grants import GrantRoutes
from mycelia_node.api.merged import MergedRoutes
from mycelia_node.api.messages import MessageRoutes
from mycelia_node.api.parties import PartyRoutes
from mycelia_node.api.policies import PolicyRoutes
from mycelia_node.api.rights import RightsRoutes
from mycelia_node.api.things import offer_routes, request_routes
from mycelia_node.daemon import Daemon
from mycelia_node.errors import HomeError, NodeError, RequestError, StoreError

BODY_SIZE_MAX = 64 * 1024  # bytes of a request
STOP_WAIT_S = 2.0
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("mycelia.api")


@contextlib.asynccontextmanager
async def serve_api(daemon: Daemon) -> AsyncIterator[None]:
    """Serve the API of a daemon as long as the context lasts.

    Raises:
        HomeError: the socket can't be made.
    """
    app = web.Application(middlewares=[answer_errors], client_max_size=BODY_SIZE_MAX)
    routes = CommonsRoutes(daemon)
    routes.add_routes(app)
    shared = (
        *(offer_routes, request_routes, GrantRoutes, RightsRoutes, PartyRoutes, BundleRoutes),
        MergedRoutes,
        EraseRoutes,
        MessageRoutes,
        PolicyRoutes,
        DecisionRoutes,
        FrozenRoutes,
    )
    for more in shared:
        more(routes.get_node).add_routes(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WAIT_S)
    await runner.setup()
    path = daemon.home.socket
    listener = bind_socket(str(path))
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await runner.cleanup()
        listener.close()
        path.unlink(missing_ok=True)


def bind_socket(path: str) -> socket.socket:
    """Return a Unix socket that only its owner may connect to; a stale one is replaced.

    The home's lock is held, so nobody else serves there.

    Raises:
        HomeError: the path can't be used.
    """
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)
    try:
        listener.bind(path)
    except OSError as error:
        listener.close()
        raise HomeError(
            f"The API socket {path} can't be made: {error.strerror or error}.",
            "Use another --home, or set XDG_RUNTIME_DIR.",
        ) from error
    finally:
        os.umask(umask)
    return listener


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Check who calls, and turn every error into JSON."""
    try:
        check_caller(request)
        return await handler(request)
    except RequestError as error:
        return failure(error.status, error.code, error.message, error.action)
    except StoreError as error:
        return failure(507, error.code, error.message, error.action)
    except NodeError as error:
        return failure(400, error.code, error.message, error.action)
    except web.HTTPException as error:
        return failure(error.status, "http", f"{error.reason}: {request.method} {request.path}.")
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        action = "This is a bug; the node's log has the details."
        return failure(500, "internal", "Something unexpected happened.", action)


def failure(status: int, code: str, message: str, action: str = "") -> web.Response:
    """Return an error as JSON."""
    return web.json_response({"code": code, "message": message, "action": action}, status=status)


def check_caller(request: web.Request) -> None:
    """Check that the caller runs as the node's own user or as root.

    Raises:
        RequestError: it is somebody else.
    """
    assert request.transport is not None
    connection = request.transport.get_extra_info("socket")
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:  # not Linux: the folder's permissions alone protect the socket
        return
    data = connection.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", data)
    if uid not in (0, os.getuid()):
        raise RequestError(
            "Only the user who runs this node may call it.", code="not-allowed", status=403
        )
