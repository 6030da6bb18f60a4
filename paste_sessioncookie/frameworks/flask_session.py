"""
Where Flask-Session keeps sessions
==================================

The interfaces of Flask-Session read, write and remove a session by an ID; that
alone is used of them, so ``SESSION_TYPE`` and what belongs to it stay as they
are.  See :mod:`.flask`.

Its cachelib and its files are used as :mod:`.cached` does.  With Redis a session
is written only if it is still there, in one step.  With the others, SQL, MongoDB,
memcached and DynamoDB, there is a moment between the look and the write.
"""
from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import flask_session
from flask import Flask
from flask_session.base import ServerSideSessionInterface

from .cached import Cache, CacheStore, TimedStore
from .files import UNREADABLE

log = logging.getLogger('paste_sessioncookie')

PAUSES = (0.3, 0.6)  # seconds before the second and the third try, as Flask-Session has it


class InterfaceStore(TimedStore):
    """
    A ``record.Store`` over an interface of Flask-Session.

    Constructor arguments: the interface; how long it keeps a session that is
    not written again, in seconds.
    """

    def __init__(self, interface: Any, timeout: int) -> None:
        self._interface = interface
        self._timeout = timeout

    def _read(self, session_id: str) -> object:
        return self._call('_retrieve_session_data', self._key(session_id))

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        self._call('_upsert_session', timedelta(seconds=self._timeout), data,
                   self._key(session_id))

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        if self.load(session_id) is None:
            return False
        self.insert(session_id, data)
        return True

    def delete(self, session_id: str) -> None:
        self._call('_delete_session', self._key(session_id))

    def _key(self, session_id: str) -> str:
        return str(self._interface.key_prefix + session_id)

    def _call(self, name: str, *args: Any) -> Any:
        """
        Call a method of the interface.

        Where Flask-Session would try again, so is done here: it logs the
        statement that failed, and the session ID in it.
        """
        method = getattr(self._interface, name)
        plain = getattr(method, '__wrapped__', None)
        if plain is None:
            return method(*args)
        return _persistently(partial(plain, self._interface, *args))


class RedisStore(InterfaceStore):
    """The same for Redis."""

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        interface = self._interface
        return bool(interface.client.set(
            name=self._key(session_id), value=interface.serializer.encode(data),
            ex=self._timeout, xx=True))


def _persistently(call: Callable[[], Any]) -> Any:
    """What a call returns, at the third try if need be."""
    for pause in PAUSES:
        try:
            return call()
        except UNREADABLE:
            raise  # it will not become readable
        except Exception as error:
            log.warning('the store of sessions failed (%s); once more in %s s',
                        type(error).__name__, pause)
            time.sleep(pause)
    try:
        return call()
    except Exception as error:
        # SQLAlchemy's: the session ID is among them
        error.hide_parameters = True  # type: ignore[attr-defined]
        raise


def store_of(app: Flask, timeout: int) -> tuple[CacheStore | InterfaceStore, bool]:
    """
    The store of what is configured, and whether all sessions are permanent.

    Raises what Flask-Session raises, and ConfigError.
    """
    if not isinstance(app.session_interface, ServerSideSessionInterface):
        flask_session.Session(app)
    interface: Any = app.session_interface
    permanent = bool(interface.permanent)
    cache: Cache | None = getattr(interface, 'cache', None)
    if cache is not None:
        return CacheStore(cache, timeout, interface.key_prefix,
                          option='SESSION_CACHELIB'), permanent
    kind = RedisStore if _is_redis(interface) else InterfaceStore
    return kind(interface, timeout), permanent


def _is_redis(interface: object) -> bool:
    """Flask-Session imports its module for Redis when it is configured."""
    module: Any = sys.modules.get('flask_session.redis')
    return module is not None and isinstance(interface, module.RedisSessionInterface)
