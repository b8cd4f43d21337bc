"""The certificates that this machine trusts: read when the first dial leads to where one is shown.

aiohttp reads them twice when it is imported: a tenth of what a daemon's start costs, and 2 MiB for
as long as it runs. Most nodes dial ws:// addresses alone, and who is at the other end is shown by
Noise on both.
"""

import functools
import importlib
import os
import ssl
from typing import Final

FILE: Final = "SSL_CERT_FILE"  # where OpenSSL looks for them


def import_aiohttp() -> None:
    """Import aiohttp without what it would read; before other threads begin, and other imports.

    What it makes for itself then trusts fewer, never more: a link that is given nothing better
    (`trusted`) is refused.
    """
    told = os.environ.get(FILE)
    os.environ[FILE] = os.devnull
    try:
        importlib.import_module("aiohttp")
    finally:
        if told is None:
            del os.environ[FILE]
        else:
            os.environ[FILE] = told


@functools.cache
def trusted() -> ssl.SSLContext:
    """Return what verifies a server by the certificates of this machine; read once."""
    return ssl.create_default_context()
