"""The exception tree of the core.

    MyceliaError                    never raised itself
    ├── LocalError                  our caller's mistake: a bug to fix
    │   ├── InvalidTransition       an event that is not legal in this state
    │   └── LimitExceeded           asked to build something over a limit
    └── RemoteError                 a peer's or an author's fault, with a code from spec appendix C
        ├── EncodingError           bytes that are not canonical MessagePack
        ├── TextIdError             a text id with a bad checksum, prefix or length
        ├── InviteError             an invite that cannot be read
        ├── RecordError             a record that breaks a structural rule
        ├── SignatureError          a signature or proof that does not verify
        ├── SchemaError             a body that does not fit its kind
        ├── SessionError            a frame that is not legal on this session
        ├── SealError               a message that can't be sealed or opened
        └── BundleError             a file that is no bundle, or none for this reader

Only `RemoteError` may be caught inside the engine, where it becomes an output (drop, close).
Anything else is a bug and must be loud.
"""


class MyceliaError(Exception):
    """Root of every error that Mycelia raises on purpose."""


class LocalError(MyceliaError):
    """The caller used an interface in a way that it does not allow."""


class InvalidTransition(LocalError):
    """An event was given to a machine that cannot take it in its present state."""


class LimitExceeded(LocalError):
    """The caller asked for something larger than a limit of spec section 3."""


class RemoteError(MyceliaError):
    """Something that came from outside is wrong.

    Attributes:
        code: the error word of spec appendix C, stable and machine-readable.
        requirement: the requirement of spec.md that was broken, such as "ENC-4", or "".
    """

    code_default = "invalid"

    def __init__(self, message: str, *, code: str | None = None, requirement: str = "") -> None:
        super().__init__(message)
        self.code = code if code is not None else self.code_default
        self.requirement = requirement


class EncodingError(RemoteError):
    """Bytes that are not the one canonical encoding of a value."""

    code_default = "encoding"


class TextIdError(RemoteError):
    """A text id that was mistyped or is of another kind."""

    code_default = "text-id"


class InviteError(RemoteError):
    """An invite that cannot be read."""

    code_default = "invite"


class RecordError(RemoteError):
    """A record header or body that breaks a structural rule."""

    code_default = "record"


class SignatureError(RemoteError):
    """A signature or a proof of identity that does not verify."""

    code_default = "signature"


class SchemaError(RemoteError):
    """A body that does not fit the schema of its kind."""

    code_default = "schema"


class SessionError(RemoteError):
    """A frame that is not legal on this session."""

    code_default = "session"


class SealError(RemoteError):
    """A message that can't be sealed to a key, or does not open."""

    code_default = "seal"


class BundleError(RemoteError):
    """A file that is no bundle, of another version, or of another commons."""

    code_default = "bundle"
