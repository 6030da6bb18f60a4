"""
Revocations in a file: for several processes on one machine
===========================================================

``revocation = sqlite:PATH``, an SQLite database on a local disk.  It is in WAL
mode: readers never wait for a writer or for a checkpoint, and a revocation
that was acknowledged survives a crash, of the machine as well
(``synchronous = FULL``).

A connection is opened when it is needed first, never while the ini file is
loaded, and none is open across a fork: SQLite's locks are a process's own.
"""
from __future__ import annotations

import contextlib
import logging
import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType

from . import filesystem
from .revocation import Complaints
from .revocation_store import Store

log = logging.getLogger('paste_sessioncookie')

# SQLite's own waiting grows longer and longer, so a writer may never get its turn
POLL = 0.002         # seconds, at most
BUSY_TIMEOUT = 1.0   # seconds for other writers, who commit in milliseconds
LOAD_TIMEOUT = 10.0  # seconds: many processes may start at once

# An entry goes when the sweep before, an hour ago at least, would have dropped
# it as well: a clock that was wrong for less than that brings no login back.
SWEEP_EVERY = 3600  # seconds

APPLICATION_ID = int.from_bytes(b'pscr', 'big')  # PRAGMA application_id, so that
FORMAT = 1                                       # file(1) and we know our own

_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS revoked (
    name BLOB PRIMARY KEY,    -- see revocation_store
    up_to INTEGER NOT NULL,   -- what was dated up to then is void
    until INTEGER NOT NULL    -- the entry may go
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revoked_until ON revoked (until);
CREATE TABLE IF NOT EXISTS swept (one INTEGER PRIMARY KEY, at INTEGER NOT NULL);
INSERT OR IGNORE INTO swept VALUES (1, 0);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
COMMIT
"""

_PUT = """
INSERT INTO revoked VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET
    up_to = max(up_to, excluded.up_to), until = max(until, excluded.until)
"""


class SQLiteStore(Store):
    """
    Names in a file.

    Constructor arguments: the absolute path; ``patience``, for how many seconds one
    who revokes waits for other writers, in this process and in others.

    Readers take turns in a process, for microseconds, and do not wait for its
    writers, either.
    """

    def __init__(self, path: str, patience: float = BUSY_TIMEOUT) -> None:
        self.path = path
        self._patience = patience
        self._complaints = Complaints(f'sqlite:{path}')
        self._reader = _Connection(path, BUSY_TIMEOUT)  # after a crash it may wait
        self._writer = _Connection(path, 0)             # see _insist

    def prepare(self) -> None:
        """Make the file, for our own eyes only, if it is not there.  Raises ValueError
        for one that cannot be used."""
        try:
            with contextlib.suppress(FileExistsError):
                # one that is there is not opened: to close it again would
                # release the locks of this process's connections
                os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                log.info('made a new revocation list: %s', self.path)
            with contextlib.closing(_open(self.path, LOAD_TIMEOUT)) as connection:
                _set_up(connection)
            if filesystem.is_writable_by_all(self.path):
                log.warning('%s can be written by everybody on this machine, who can so bring '
                            'a login back that was ended; chmod 600 it', self.path)
            filesystem.warn_of_directory(self.path)
        except OSError as error:
            raise ValueError(f'{self.path} cannot be made: {error.strerror}') from error
        except (sqlite3.Error, ValueError) as error:
            raise ValueError(f'{self.path} cannot be used: {error}') from error

    def put(self, name: bytes, up_to: int, until: int, now: int) -> None:
        end = time.monotonic() + self._patience
        with self._complaining(), self._writer.use(self._patience) as connection:
            _insist(connection, 'BEGIN IMMEDIATE', end)
            _sweep(connection, now)
            connection.execute(_PUT, (name, up_to, until))
            connection.execute('COMMIT')

    def latest(self, names: Sequence[bytes]) -> int:
        with self._complaining(), self._reader.use() as connection:
            marks = ','.join('?' * len(names))
            [[up_to]] = connection.execute(
                f'SELECT max(up_to) FROM revoked WHERE name IN ({marks})',  # nosec B608 # "?"
                names).fetchall()
            if not isinstance(up_to, (int, NoneType)):
                raise sqlite3.DataError('something that is no number is in it')
            return up_to or 0

    def close(self) -> None:
        """Close what is open; it is opened again when it is needed."""
        for connection in (self._reader, self._writer):
            with connection.lock:
                connection.close()

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._complaints.unavailable(str(error)) from error


_MAGIC = b'SQLite format 3\0'          # https://www.sqlite.org/fileformat2.html, 1.3
_OF_APPLICATION_ID = slice(68, 72)    # bytes of the header


def check_file(path: str) -> None:
    """Raises ValueError for a file that cannot be a list of ours, and where none can be
    made.  The file is read, not opened as a database, which might leave others."""
    if not os.path.exists(path):
        return filesystem.check_directory(path)
    if filesystem.is_pipe(path):
        raise ValueError(f'{path} cannot be used: it is a pipe')
    try:
        with open(path, 'rb') as file:
            header = file.read(_OF_APPLICATION_ID.stop)
    except OSError as error:
        raise ValueError(f'{path} cannot be used: {error.strerror}') from error
    if header and not header.startswith(_MAGIC):
        raise ValueError(f'{path} cannot be used: file is not a database')
    # before the first checkpoint the header is in another file
    if header and not os.path.exists(f'{path}-wal') and (
            int.from_bytes(header[_OF_APPLICATION_ID], 'big') != APPLICATION_ID):
        raise ValueError(f'{path} cannot be used: it is a database of another application')


class _Connection:
    """A connection for one thread at a time, opened when it is needed."""

    def __init__(self, path: str, timeout: float) -> None:
        """``timeout``: how many seconds it waits for others, once it is open."""
        self._path = path
        self._milliseconds = int(1000 * timeout)
        self._open: sqlite3.Connection | None = None
        self._file = (0, 0)  # device and inode that it has open
        self._pid = 0        # whose it is
        #: may be taken twice: a signal handler may fork
        self.lock = threading.RLock()
        with _all_lock:
            _all.add(self)

    @contextlib.contextmanager
    def use(self, patience: float = -1) -> Iterator[sqlite3.Connection]:
        """The connection, after so many seconds at most; -1: whenever it is free.  One
        in whose use something went wrong is closed, which rolls back what it had
        begun."""
        if not self.lock.acquire(timeout=patience):
            raise sqlite3.OperationalError('the database is locked, and others wait for it')
        try:
            connection = self._current()
            try:
                yield connection
            except BaseException:
                self.close()
                raise
        finally:
            self.lock.release()

    def _current(self) -> sqlite3.Connection:
        there = os.stat(self._path)
        file = there.st_dev, there.st_ino
        if self._open is not None:
            if self._pid != os.getpid():
                # neither it nor another one would have locks of its own
                raise sqlite3.ProgrammingError(
                    'the process was forked, not by Python, while the list was open')
            if self._file == file:
                return self._open
            self.close()  # the file was replaced
        self._open = _open(self._path, BUSY_TIMEOUT)
        self._open.execute(f'PRAGMA busy_timeout = {self._milliseconds}')
        self._file, self._pid = file, os.getpid()
        return self._open

    def close(self) -> None:
        """For who holds the lock."""
        if self._open is not None:
            self._open.close()
            self._open = None


_all: weakref.WeakSet[_Connection] = weakref.WeakSet()
_all_lock = threading.RLock()
_held: list[_Connection] = []  # while the process forks


def _close_before_fork() -> None:
    _all_lock.acquire()
    _held.extend(_all)
    for connection in _held:
        connection.lock.acquire()
        connection.close()


def _go_on_after_fork() -> None:
    for connection in _held:
        connection.lock.release()
    _held.clear()
    _all_lock.release()


# Windows has no fork, and no such function: dict() takes any keywords
getattr(os, 'register_at_fork', dict)(
    before=_close_before_fork, after_in_parent=_go_on_after_fork,
    after_in_child=_go_on_after_fork)


def _open(path: str, timeout: float) -> sqlite3.Connection:
    """A connection to a file that is there.  Transactions are begun by hand."""
    connection = sqlite3.connect(
        Path(path).as_uri() + '?mode=rw', uri=True, timeout=timeout,
        isolation_level=None, check_same_thread=False)
    try:
        connection.execute('PRAGMA synchronous = FULL')  # reads the file
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection) -> None:
    """Make the tables in an empty file.  Raises ValueError for one that has others,
    sqlite3.Error for one that cannot be written."""
    if _one(connection, 'SELECT count(*) FROM sqlite_master') == 0:
        # another process that makes the same file does not let SQLite wait here
        _insist(connection, 'PRAGMA journal_mode = WAL', time.monotonic() + LOAD_TIMEOUT)
        connection.executescript(_TABLES)
    if _one(connection, 'PRAGMA application_id') != APPLICATION_ID:
        raise ValueError('it is a database of another application')
    if _one(connection, 'PRAGMA user_version') != FORMAT:
        raise ValueError('it is of another version of paste_sessioncookie')
    if _one(connection, 'PRAGMA journal_mode') != 'wal':
        raise ValueError('its file system has no shared memory for several processes; '
                         'it takes a local disk')
    connection.execute('BEGIN IMMEDIATE')
    connection.execute('UPDATE swept SET at = at')  # tries whether it can be written
    connection.execute('ROLLBACK')


def _insist(connection: sqlite3.Connection, statement: str, end: float) -> None:
    """Execute what others may lock, again until ``end``, by the monotonic clock.  Raises
    sqlite3.OperationalError if they do not stop."""
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            # (its number has a name from Python 3.11 on)
            if 'locked' not in str(error) or time.monotonic() >= end:
                raise
        time.sleep(POLL * random.random())  # nosec B311 # nobody gains by guessing it


def _one(connection: sqlite3.Connection, query: str) -> object:
    [[value]] = connection.execute(query).fetchall()
    return value


def _sweep(connection: sqlite3.Connection, now: int) -> None:
    """Drop what the sweep before would have dropped as well."""
    [[swept]] = connection.execute('SELECT at FROM swept').fetchall()
    if 0 <= now - swept < SWEEP_EVERY:
        return
    connection.execute('DELETE FROM revoked WHERE until <= ?', (min(swept, now),))
    connection.execute('UPDATE swept SET at = ?', (now,))
