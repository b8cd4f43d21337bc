"""The schema of node.db, one numbered step after another.

`PRAGMA user_version` holds the number of the last step that was done. Each step is one transaction.
A file of a newer version is refused, because an older program could harm what it does not know.
`PRAGMA application_id` tells our files from other SQLite databases.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from mycelia_node.errors import StoreError

APPLICATION_ID: Final = 0x4D594345  # "MYCE"
READABLE_MIN: Final = 3  # what older schemas hold are records of an earlier draft of the protocol

MIGRATIONS: Final[tuple[str, ...]] = (
    # 1: records by log, with the 40-byte name of a log kept once
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE logs (
        id INTEGER PRIMARY KEY,
        author BLOB NOT NULL,
        log BLOB NOT NULL,
        UNIQUE (author, log)
    );
    CREATE TABLE records (
        log INTEGER NOT NULL REFERENCES logs (id),
        seq INTEGER NOT NULL,
        header BLOB NOT NULL,
        signature BLOB,
        body BLOB,
        PRIMARY KEY (log, seq)
    ) WITHOUT ROWID;
    CREATE TABLE invites (digest BLOB PRIMARY KEY, expires_ms INTEGER NOT NULL) WITHOUT ROWID;
    """,
    # 2: by whom records came: runs of one log by one link
    """
    CREATE TABLE arrivals (
        id INTEGER PRIMARY KEY,
        from_ms INTEGER NOT NULL,
        until_ms INTEGER NOT NULL,
        source BLOB NOT NULL,
        log INTEGER NOT NULL REFERENCES logs (id),
        first INTEGER NOT NULL,
        last INTEGER NOT NULL
    );
    """,
    # 3: the same tables; bodies are made of facts and words
    "",
    # 4: headers without the 80 bytes with which all of a log begin
    "UPDATE records SET header = substr(header, 81);",
    # 5: of each log, before which seq some of it is in compact form
    "ALTER TABLE logs ADD COLUMN compact INTEGER NOT NULL DEFAULT 0;",
)


def check_schema(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS
) -> int:
    """Return the file's schema number, 0 if it is new; nothing is written.

    Raises:
        StoreError: the file is of a newer version or of an earlier draft, or is not a node's
            database.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    tables = int(connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0])
    if application != APPLICATION_ID and (application or version or tables):
        raise StoreError(
            f"{path} is a database of another program.", "Move it away, or name another --home."
        )
    if version > len(migrations):
        raise StoreError(
            f"{path} has schema {version}; this program knows schemas up to {len(migrations)}.",
            "Upgrade mycelia, or go back to the version that wrote it.",
            code="newer-schema",
        )
    if 0 < version < READABLE_MIN:
        raise StoreError(
            f"{path} holds records of an earlier draft of the protocol, not read any more.",
            "Name another --home and found or join anew; the version that wrote it can still "
            "`mycelia export` the board.",
            code="earlier-draft",
        )
    return version


def migrate(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[str] = MIGRATIONS
) -> None:
    """Bring a database to the newest schema; a new file gets all steps.

    A file that already holds records is copied beside itself before its schema changes.

    Raises:
        StoreError: as `check_schema`.
    """
    version = check_schema(connection, path, migrations)
    if 0 < version < len(migrations):
        _back_up(connection, path.with_name(f"{path.name}.schema-{version}"))
    for number in range(version, len(migrations)):
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{migrations[number]}\n"
            f"PRAGMA application_id = {APPLICATION_ID};\n"
            f"PRAGMA user_version = {number + 1};\nCOMMIT;"
        )


def _back_up(connection: sqlite3.Connection, copy: Path) -> None:
    """Write a private copy of the database; an older copy of the same schema is replaced."""
    copy.unlink(missing_ok=True)
    copy.touch(mode=0o600)
    connection.execute("VACUUM INTO ?", (str(copy),))
