"""What can go wrong in the bench itself."""

from mycelia_protocol.errors import MyceliaError


class BenchError(MyceliaError):
    """The bench can't do its part; the message says what happened and what to do."""


class NotHere(BenchError):
    """A system can't run on this machine; the message is the reason, for the report."""
