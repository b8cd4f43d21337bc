"""The node's keys on disk, each a line of hex: the Ed25519 seed, and what opens messages."""

import os
from pathlib import Path

from mycelia_node.errors import HomeError
from mycelia_node.home import FILE_MODE, Home

SEED_SIZE = 32  # bytes


def load_or_create_seed(home: Home) -> bytes:
    """Return the node's seed, made on first use.

    Raises:
        HomeError: the file is damaged, or it is gone although records of it are here.
    """
    if home.key.exists():
        return load_seed(home.key)
    if home.database.exists():
        raise HomeError(
            f"{home.key} is gone, but node.db holds records that it signed.",
            "Put the key back from a backup. To begin as a new member instead, "
            "name another --home and join again.",
        )
    seed = os.urandom(SEED_SIZE)
    home.write_private(home.key, seed.hex().encode() + b"\n")
    return seed


def load_or_create_seal_key(home: Home) -> bytes:
    """Return the X25519 key that opens messages to this node, made on first use.

    If it is lost, the profile tells of the new one; older messages can't be read any more.

    Raises:
        HomeError: the file is damaged.
    """
    if not home.seal_key.exists():
        home.write_private(home.seal_key, os.urandom(SEED_SIZE).hex().encode() + b"\n")
    return load_seed(home.seal_key)


def load_seed(path: Path) -> bytes:
    """Read a seed and make the file private if it was not.

    Raises:
        HomeError: the file can't be read or is not one line of 64 hex digits.
    """
    try:
        text = path.read_text("ascii").strip()
        if path.stat().st_mode & 0o077:
            path.chmod(FILE_MODE)
    except (OSError, UnicodeDecodeError) as error:
        raise HomeError(
            f"{path} can't be read ({error}).", "Make it readable for yourself alone: chmod 600."
        ) from error
    try:
        seed = bytes.fromhex(text)
    except ValueError:
        seed = b""
    if len(seed) != SEED_SIZE:
        raise HomeError(
            f"{path} is damaged: it should be one line of {SEED_SIZE * 2} hex digits.",
            "Put it back from a backup.",
        )
    return seed
