"""
Places: CherryPy's storages, one record each
============================================

CherryPy's storage classes do the reading and writing.  What is mended here: they
adopt an ID that they do not know; locks are right when files come and go, and
lock files go; sweeps go on after an error; and no message shows an ID.
"""
from __future__ import annotations

import contextlib
import copy
import datetime
import functools
import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import zc.lockfile
from cherrypy.lib import sessions
from cherrypy.lib.locking import LockChecker

from ..files import UNREADABLE, unnamed, warn_of_unreadable

log = logging.getLogger('paste_sessioncookie')

LOCK_WAIT = 0.1  # seconds between two looks at a lock file, as in CherryPy


class Place(sessions.Session):  # type: ignore[misc]
    """
    Mixin for a storage class of CherryPy's: the record at one ID.

    It adopts an ID that the storage does not know.
    """

    debug = False  # CherryPy's own lines show the ID
    locks_reads = False

    def _regenerate(self) -> None:
        self.id = self.originalid

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Locked meanwhile, if it is not anyway."""
        if self.locked:
            yield
            return
        self.acquire_lock()
        try:
            yield
        finally:
            self.release_lock()

    def read(self) -> dict[str, Any] | None:
        """What is there and has not expired."""
        with self.held() if self.locks_reads else contextlib.nullcontext():
            found = self._load()
        return None if found is None or found[1] < self.now() else found[0]

    def write(self, data: dict[str, Any], new: bool) -> bool:
        """Write, unless it is not new and gone."""
        with self.held():
            if not (new or self._exists()):
                return False
            self._data = data
            self._save(self.now() + datetime.timedelta(minutes=self.timeout))
        return True

    def remove(self) -> None:
        with self.held():
            self._delete()


class ThreadPlace(Place):
    """RamSession.  A lock is there for as long as somebody holds it."""

    def acquire_lock(self) -> None:
        while True:
            lock = self.locks.setdefault(self.id, threading.Lock())
            lock.acquire()
            if self.locks.get(self.id) is lock:
                break
            lock.release()  # who held it took it away
        self.locked = True

    def release_lock(self) -> None:
        self.locked = False
        self.locks.pop(self.id).release()


class MemcachedPlace(ThreadPlace):
    """MemcachedSession."""

    def _save(self, expiration_time: datetime.datetime) -> None:
        try:
            super()._save(expiration_time)
        except AssertionError:
            # CherryPy's message shows the ID
            raise RuntimeError('memcached did not take a session') from None


class FilePlace(Place):
    """FileSession.  A lock file goes when there is no record beside it."""

    locks_reads = True

    def acquire_lock(self) -> None:
        """Raises LockTimeout after ``lock_timeout``."""
        checker = LockChecker('a session', self.lock_timeout)
        while not checker.expired():
            if self._try_lock():
                return
            time.sleep(LOCK_WAIT)

    def _try_lock(self) -> bool:
        path = self._get_file_path() + self.LOCK_SUFFIX
        try:
            with unnamed(self.storage_path):
                lock = zc.lockfile.LockFile(path)
        except zc.lockfile.LockError:
            return False
        if not _is_at(lock._fp.fileno(), path):
            lock.close()  # it is that of a file that is gone
            return False
        self.lock = lock
        self.locked = True
        return True

    def release_lock(self) -> None:
        path = self._get_file_path()
        if not os.path.exists(path):
            with contextlib.suppress(OSError):  # Windows removes no open file
                os.unlink(path + self.LOCK_SUFFIX)
        self.locked = False
        self.lock.close()

    def _load(self, path: str | None = None) -> Any:
        try:
            return super()._load(path)
        except UNREADABLE as error:
            warn_of_unreadable(error)
            return None

    def _save(self, expiration_time: datetime.datetime) -> None:
        with unnamed(self.storage_path):
            super()._save(expiration_time)

    def clean_up(self) -> None:
        """Remove what has expired, and lock files that a crash has left."""
        names = [name.removeprefix(self.SESSION_PREFIX).removesuffix(self.LOCK_SUFFIX)
                 for name in os.listdir(self.storage_path)
                 if name.startswith(self.SESSION_PREFIX)]
        for session_id in dict.fromkeys(names):
            place = copy.copy(self)
            place._id = session_id
            place._sweep()

    def _sweep(self) -> None:
        if not self._try_lock():
            return  # it is in use
        try:
            if self._expiry() < self.now():
                self._delete()
        finally:
            self.release_lock()

    def _expiry(self) -> datetime.datetime:
        """When it expires; for what cannot be read, by the date of the file."""
        found = self._load()
        if found is not None:
            return found[1]  # type: ignore[no-any-return]
        with contextlib.suppress(FileNotFoundError):
            written = os.path.getmtime(self._get_file_path())
            return datetime.datetime.fromtimestamp(
                written) + datetime.timedelta(minutes=self.timeout)
        return datetime.datetime.max


def _is_at(descriptor: int, path: str) -> bool:
    """Whether an open file is the one at a path."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False


@functools.cache
def place_class(storage_class: type) -> type[Place]:
    """The class of a storage's places."""
    mixin: type[Place] = Place
    for known, special in _SPECIAL.items():
        if issubclass(storage_class, known):
            mixin = special
    return type(f'Site{storage_class.__name__}', (mixin, storage_class), {})


_SPECIAL = {sessions.RamSession: ThreadPlace, sessions.FileSession: FilePlace,
            sessions.MemcachedSession: MemcachedPlace}


class Places:
    """
    A ``record.Store`` over a storage of CherryPy's, for one request.

    Constructor arguments: the class of the places, and what it takes.
    """

    def __init__(self, kind: type[Place], options: Mapping[str, Any]) -> None:
        self._kind = kind
        self._options = options
        self._places: dict[str, Place] = {}
        self._seen: set[str] = set()  # IDs that had a record in this request
        #: minutes
        self.timeout: float = options['timeout']

    def at(self, session_id: str) -> Place:
        session_id = str(session_id)
        if session_id not in self._places:
            self._places[session_id] = self._kind(session_id, **self._options)
        return self._places[session_id]

    def load(self, session_id: str) -> dict[str, Any] | None:
        data = self.at(session_id).read()
        if data is not None:
            self._seen.add(session_id)
        return data

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        # one that was saved, has ended since, and is used again in this request
        if not self._write(session_id, data, new=session_id not in self._seen):
            log.info('a session ended while a request was using it: what that request '
                     'changed is not written')
        self._seen.add(session_id)

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        return self._write(session_id, data, new=False)

    def _write(self, session_id: str, data: dict[str, Any], new: bool) -> bool:
        place = self.at(session_id)
        place.timeout = self.timeout
        return place.write(data, new)

    def delete(self, session_id: str) -> None:
        self.at(session_id).remove()

    @property
    def locked(self) -> bool:
        return any(place.locked for place in self._places.values())

    def release(self) -> None:
        for place in self._places.values():
            if place.locked:
                place.release_lock()
