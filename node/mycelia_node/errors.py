"""What can go wrong in the node, each with what to do next.

    MyceliaError
    └── NodeError           message = what happened; action = what the person can do
        ├── HomeError       the node's folder: missing, foreign, in use, wrong owner
        ├── ConfigError     config.toml: a typo, a wrong type, a value out of range
        ├── StoreError      node.db: damaged, foreign, newer than this version, disk full
        ├── TransportError  an address that can't be used, a peer that can't be reached
        ├── RequestError    a request to the node that it can't fulfil
        ├── CarryError      a bundle's file: no room, no stick, no bundle
        └── DaemonError     no daemon runs on this home, or it does not answer

None of them ever needs a traceback to be understood; a person sees `message` and `action`.
"""

from mycelia_protocol.errors import MyceliaError


class NodeError(MyceliaError):
    """Something outside the protocol is wrong and a person can mend it.

    Attributes:
        message: what happened, one sentence.
        action: what to do next, one sentence, or "".
        code: stable word for programs.
    """

    code_default = "node"

    def __init__(self, message: str, action: str = "", *, code: str | None = None) -> None:
        super().__init__(f"{message} {action}".strip())
        self.message = message
        self.action = action
        self.code = code if code is not None else self.code_default


class HomeError(NodeError):
    """The node's folder can't be used."""

    code_default = "home"


class ConfigError(NodeError):
    """config.toml can't be read."""

    code_default = "config"


class StoreError(NodeError):
    """node.db can't be opened, read or written."""

    code_default = "store"


class TransportError(NodeError):
    """An address can't be listened on or reached."""

    code_default = "transport"


class RequestError(NodeError):
    """A request that the node understood and can't fulfil.

    Attributes:
        status: the HTTP status that goes with it.
    """

    code_default = "request"

    def __init__(
        self, message: str, action: str = "", *, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message, action, code=code)
        self.status = status


class CarryError(NodeError):
    """A bundle's file that can't be written or read."""

    code_default = "carry"


class DaemonError(NodeError):
    """No daemon runs on this home, or it does not answer."""

    code_default = "not-running"
