"""Logs for people: what happened, to whom, by name. One line each, on stderr.

    2026-11-23 08:15:02 INFO  link   connected to Oak House (myc1qq2k8f3...) at 127.0.0.1:7947

With format "json" the same as one object a line. Under systemd (JOURNAL_STREAM) a text line carries
its priority instead of a time, which the journal adds itself.
"""

import json
import logging
import os
import sys
import time

from aiohttp.http_exceptions import HttpProcessingError

from mycelia_node.config import LogSection
from mycelia_node.text import printable

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING}
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


class TextFormatter(logging.Formatter):
    """Time, level, area, message."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one readable line, and a traceback if there is one."""
        seconds = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        return f"{seconds} {record.levelname:<7} {self.body(record)}"

    def body(self, record: logging.LogRecord) -> str:
        """Return the area and the message."""
        message = printable(record.getMessage())
        if record.exc_info:
            message = f"{message}\n{self.formatException(record.exc_info)}"
        return f"{area(record):<6} {message}"


class JournalFormatter(TextFormatter):
    """Priority, area, message: what the systemd journal wants."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line with its priority."""
        return f"<{PRIORITIES.get(record.levelno, 5)}>{self.body(record)}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one object with time_ms, level, area and message."""
        fields: dict[str, object] = {
            "time_ms": int(record.created * 1000),
            "level": record.levelname.lower(),
            "area": area(record),
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["traceback"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)


class BadRequestFilter(logging.Filter):
    """Leaves out aiohttp's tracebacks about callers who speak no HTTP: their fault, not ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether a record is worth a line."""
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)


def area(record: logging.LogRecord) -> str:
    """Return the last part of the logger's name: node, link, store, share, api."""
    return record.name.rpartition(".")[2]


def start_logging(section: LogSection) -> None:
    """Send all logs to stderr as the settings say."""
    handler = logging.StreamHandler(sys.stderr)
    if section.format == "json":
        handler.setFormatter(JsonFormatter())
    elif section.format == "auto" and os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(JournalFormatter())
    else:
        handler.setFormatter(TextFormatter())
    logging.getLogger("aiohttp.server").addFilter(BadRequestFilter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mycelia").setLevel(LEVELS.get(section.level, logging.ERROR))
