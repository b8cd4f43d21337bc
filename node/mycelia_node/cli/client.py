"""HTTP over the daemon's Unix socket with nothing but the standard library."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterable, Iterator
from typing import Any, cast

from mycelia_node.errors import DaemonError, RequestError
from mycelia_node.home import Home

TIMEOUT_S = 30.0  # a join tries several addresses for up to 10 s each
PIECE_SIZE = 256 * 1024  # bytes of a long answer that are read at once

Answer = dict[str, Any]


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to a Unix socket."""

    def __init__(self, path: str, timeout_s: float | None) -> None:
        super().__init__("node")
        self._path = path
        self._timeout_s = timeout_s

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self._timeout_s)
        self.sock.connect(self._path)


class Client:
    """Calls the daemon that runs on a home."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def get(self, path: str) -> Answer:
        """Return the answer to a GET.

        Raises:
            DaemonError: no daemon runs on the home.
            RequestError: it refused.
        """
        return self._call("GET", path, None)

    def post(self, path: str, body: dict[str, object] | None = None) -> Answer:
        """Return the answer to a POST; raises as `get`."""
        return self._call("POST", path, body or {})

    def stream(self, path: str) -> Iterator[Answer]:
        """Yield the objects of an NDJSON stream until the daemon ends it; raises as `get`."""
        connection, response = self._send("GET", path, None, None)
        try:
            while text := response.readline():
                if text.strip():
                    yield cast("Answer", json.loads(text))
        except (OSError, ValueError, http.client.HTTPException):
            return  # the daemon is gone
        finally:
            connection.close()

    @contextlib.contextmanager
    def download(self, path: str, about: str) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Give the JSON of a header, and the answer's bytes as they come; raises as `get`.

        Args:
            about: name of the header.
        """
        connection, response = self._send("GET", path, None, None)
        try:
            yield json.loads(response.headers[about]), self._pieces(response)
        finally:
            connection.close()

    def upload(self, path: str, pieces: Iterable[bytes]) -> Answer:
        """Return the answer to a POST of bytes that come in pieces; raises as `get`."""
        return self._call("POST", path, pieces, None)

    def _pieces(self, response: http.client.HTTPResponse) -> Iterator[bytes]:
        try:
            while data := response.read1(PIECE_SIZE):
                yield data
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error

    def _call(
        self,
        method: str,
        path: str,
        body: dict[str, object] | Iterable[bytes] | None,
        timeout_s: float | None = TIMEOUT_S,
    ) -> Answer:
        connection, response = self._send(method, path, body, timeout_s)
        try:
            return cast("Answer", json.loads(response.read()))
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise self._no_answer(error) from error
        finally:
            connection.close()

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, object] | Iterable[bytes] | None,
        timeout_s: float | None,
    ) -> tuple[UnixConnection, http.client.HTTPResponse]:
        """Make a call and return the open connection and the response, if it is a good one.

        An answer that comes before all of a long body was sent is an answer too: it says why. What
        gives the body's pieces must raise no OSError of its own.
        """
        connection = UnixConnection(str(self._home.socket), timeout_s)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        kind = "application/json" if isinstance(body, dict) else "application/octet-stream"
        with contextlib.ExitStack() as stack:
            stack.callback(connection.close)
            try:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    connection.request(method, path, data, {"Content-Type": kind})
                response = connection.getresponse()
                if response.status < 400:
                    stack.pop_all()
                    return connection, response
                answer = json.loads(response.read())
            except (FileNotFoundError, ConnectionRefusedError) as error:
                raise self._not_running() from error
            except PermissionError as error:
                message = f"The node on {self._home.path} belongs to another user."
                raise RequestError(
                    message, "Run mycelia as that user.", code="not-allowed", status=403
                ) from error
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise self._no_answer(error) from error
        raise RequestError(
            str(answer.get("message", "The node refused.")),
            str(answer.get("action", "")),
            code=str(answer.get("code", "request")),
            status=response.status,
        )

    def _not_running(self) -> DaemonError:
        if not self._home.exists():
            return DaemonError(
                f"There is no node at {self._home.path} yet.",
                "Make one with `mycelia up`, or name the right folder with --home.",
            )
        return DaemonError(f"No node runs on {self._home.path}.", "Start it with `mycelia up`.")

    def _no_answer(self, error: Exception) -> DaemonError:
        said = str(error) or type(error).__name__
        return DaemonError(
            f"The node on {self._home.path} did not answer ({said}).",
            "Look at its log; whether the request was carried out is not known.",
            code="no-answer",
        )
