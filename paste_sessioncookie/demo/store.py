"""
SQLite, from several threads and processes
==========================================

Each call has a connection of its own, so none is shared between threads.
"""
from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator

BUSY_TIMEOUT = 10   # seconds to wait for another writer; the first start hashes passwords


class Database:
    """
    One SQLite file.

    ``path``: the file, made with its directory if missing.  ``schema``: ``CREATE
    … IF NOT EXISTS`` statements.  Raises OSError or sqlite3.Error where it
    cannot be made.
    """

    def __init__(self, path: str, *schema: str) -> None:
        self._path = path
        # password hashes and session IDs are nobody else's business
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        with self.write() as connection:
            for statement in schema:
                connection.execute(statement)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection for one SELECT, or for several that need not agree."""
        with contextlib.closing(self._connect()) as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or after an exception nothing."""
        with contextlib.closing(self._connect()) as connection, connection:
            # the lock at once: a reader that turns writer can be refused
            connection.execute('BEGIN IMMEDIATE')
            yield connection

    def _connect(self) -> sqlite3.Connection:
        # without an isolation level the module begins no transactions by itself
        return sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None)
