"""
Sessions in a cache of cachelib
===============================

A store for frameworks that have none on the server.  ``cache`` is any of
cachelib's: files, Redis, Valkey, memcached, MongoDB, DynamoDB, uWSGI.

A cache may forget, and these forget too early for sessions:
``FileSystemCache`` and ``SimpleCache`` keep 500 entries unless told otherwise
by ``threshold``.  ``SimpleCache`` is the memory of one process.

:meth:`CacheStore.update` writes only what is still there.  Redis and Valkey do
that in one step.  With the others a session that ends between the look and the
write, a moment apart, comes back, under an ID that nobody is told any more.
"""
from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from ..errors import ConfigError
from .files import UNREADABLE, warn_of_unreadable

log = logging.getLogger('paste_sessioncookie')

MANY_SESSIONS = 100_000  # a threshold that sessions do not reach
FEW = 10_000             # ... and below which one is reached by accident

Replace = Callable[[str, Any, int], bool]
AnyStore = TypeVar('AnyStore', bound='TimedStore')


class Cache(Protocol):
    """What is needed of ``cachelib.BaseCache``.  Timeouts: seconds."""

    def get(self, key: str) -> Any: ...
    def set(self, key: str, value: Any, timeout: int | None = None) -> bool | None: ...
    def has(self, key: str) -> bool: ...
    def delete(self, key: str) -> bool: ...


class TimedStore:
    """What a ``record.Store`` takes that keeps pickles for so many seconds, beside how it
    reads, writes and removes one."""

    _timeout: int
    #: what is there under an ID, or None; raises one of UNREADABLE
    _read: Callable[[str], object]

    def lasting(self: AnyStore, timeout: int) -> AnyStore:
        """The same store with another timeout."""
        other = copy.copy(self)
        other._timeout = timeout
        return other

    def load(self, session_id: str) -> dict[str, Any] | None:
        try:
            found = self._read(session_id)
        except UNREADABLE as error:
            warn_of_unreadable(error)
            return None
        return found if isinstance(found, dict) else None


class CacheStore(TimedStore):
    """
    A ``record.Store`` over a cache.

    Constructor arguments: the cache; ``timeout``, how long it keeps a session
    that is not written again, in seconds (an ID lasts as long as the cookie's
    ``lifetime``, so a session that is only read should, too); ``prefix``, of
    its keys there; ``option``, what the framework's users call the cache.

    Raises ConfigError.  Warns, in the log, of a cache that keeps few sessions.
    """

    def __init__(self, cache: Cache, timeout: int, prefix: str = 'session:',
                 option: str = 'cache') -> None:
        faults = [f'{option}: {fault}' for fault in faults_of(cache)]
        if timeout <= 0:
            faults.append(f'timeout = {timeout}: it takes a number of seconds above 0')
        if faults:
            raise ConfigError('sessions in a cache', faults)
        _warn_of_threshold(cache)
        self._cache = cache
        self._replace = _replace_in(cache)
        self._timeout = timeout
        self._prefix = prefix

    def _read(self, session_id: str) -> object:
        return self._cache.get(self._prefix + session_id)

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        """Raises TypeError for what cannot be kept, RuntimeError if the cache
        says that it keeps nothing."""
        self._check(data)
        kept = self._cache.set(self._prefix + session_id, data, timeout=self._timeout)
        if kept is not None and not kept:
            raise RuntimeError('the cache did not keep a session')

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        """Raises what insert raises."""
        key = self._prefix + session_id
        if self._replace is not None:
            return self._replace(key, data, self._timeout)
        if not self._cache.has(key):
            return False
        self.insert(session_id, data)
        return True

    def delete(self, session_id: str) -> None:
        self._cache.delete(self._prefix + session_id)

    def _check(self, data: dict[str, Any]) -> None:
        """Some serializers of cachelib log what they cannot pickle, and go on
        with None, which no later request can read."""
        dumps = getattr(getattr(self._cache, 'serializer', None), 'dumps', None)
        if dumps is not None and dumps(data) is None:
            raise TypeError('a session holds something that cannot be pickled; cachelib '
                            'has logged what it is')


def faults_of(cache: object) -> list[str]:
    """Why this cannot be the cache, a sentence each."""
    kind = type(cache).__name__
    if kind == 'NullCache':
        return ['NullCache keeps nothing']
    if all(callable(getattr(cache, name, None)) for name in ('get', 'set', 'has', 'delete')):
        return []
    return [('missing' if cache is None else f'a {kind} is none')
            + "; it takes a cache of cachelib, as FileSystemCache('sessions', "
            f'threshold={MANY_SESSIONS:_})']


def _warn_of_threshold(cache: Cache) -> None:
    threshold = getattr(cache, '_threshold', None)
    kind = type(cache).__name__
    if threshold == 0:
        log.warning('%s with threshold=0 never removes a session that is over: write '
                    'threshold=%s', kind, f'{MANY_SESSIONS:_}')
    elif isinstance(threshold, int) and threshold < FEW:
        log.warning('%s keeps %d sessions at most, and drops some before their time when '
                    'there are more: write threshold=%s', kind, threshold,
                    f'{MANY_SESSIONS:_}')


def _replace_in(cache: Cache) -> Replace | None:
    """How to write what is still there in one step, if the cache can: its
    client of Redis or Valkey does, but cachelib has no method for it."""
    client = getattr(cache, '_write_client', None)
    prefix = getattr(cache, '_get_prefix', None)
    dumps = getattr(getattr(cache, 'serializer', None), 'dumps', None)
    if client is None or prefix is None or dumps is None:
        return None

    def replace(key: str, value: Any, timeout: int) -> bool:
        return bool(client.set(name=prefix() + key, value=dumps(value), ex=timeout, xx=True))
    return replace
