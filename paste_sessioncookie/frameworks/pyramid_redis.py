"""
pyramid_session_redis takes its session ID from the site
========================================================

The sessions of ``pyramid_session_redis``, with its store, its serializers and
its time-outs, under the ID of the site's cookie.  In the section of the
application::

    pyramid.includes = paste_sessioncookie.frameworks.pyramid_redis
    redis.sessions.redis_url = redis://localhost:6379/0

Configuration: its own settings ``redis.sessions.*``; those of its
cookie (``secret``, ``cookie_*``, ``id_generator``, ...) are not used, and a
warning says so.  And ``site_session.carry``, ``security`` and ``make_user``, as
in ``paste_sessioncookie.frameworks.pyramid``.
"""
from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pyramid_session_redis as peer
from pyramid.config import Configurator
from pyramid.request import Request
from pyramid_session_redis.exceptions import (
    InvalidSession, InvalidSession_DeserializationError, InvalidSession_NotInBackend,
    RawDeserializationError)
from pyramid_session_redis.session import RedisSession
from pyramid_session_redis.util import (
    LazyCreateSession, _parse_settings, configs_dotable)

from ..control import SessionControl
from . import carry_names, get_control, warn_of_cookie_options
from .files import warn_of_unreadable
from .pyramid.session import CSRF_TOKEN
from .pyramid.settings import CARRY, add_login, redis_from_url, settings_section
from .record import Record

PREFIX = 'redis.sessions.'
_ID = 'id'  # the cookie that the peer believes to read

#: settings that are about the peer's cookie
COOKIE_SETTINGS = (
    'secret', 'cookie_signer', 'cookie_name', 'cookie_max_age', 'cookie_path',
    'cookie_domain', 'cookie_secure', 'cookie_httponly', 'cookie_expires',
    'cookie_comment', 'cookie_samesite', 'cookie_on_exception', 'id_generator',
    'func_check_response_allow_cookies')


class _AsItIs:
    """The peer's cookie_signer for an ID that is signed already."""

    def loads(self, data: bytes) -> str:
        return data.decode('ascii')


class _Asking:
    """The request as the peer's factory sees it: with the key of a session
    for its cookie, and without callbacks, which are ours."""

    def __init__(self, request: Request, key: str) -> None:
        self.request = request
        self.cookies = {_ID: key}

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)

    def add_response_callback(self, callback: object) -> None: ...
    def add_finished_callback(self, callback: object) -> None: ...


class _Store:
    """The store of a session's record: Redis, by the peer's own methods.

    The peer has loaded the record under ``key`` already; ``found``: and has
    found it."""

    def __init__(self, session: SiteSession, key: str, found: bool) -> None:
        self._session = session
        self._loaded = key
        self._found = found
        self.serialized: bytes | None = None

    def load(self, session_id: str) -> dict[str, Any] | None:
        key = self._session.key_of(session_id)
        if key == self._loaded:
            self._loaded = ''  # whoever asks again wants to know whether it is still there
            return self._session.own_state.managed_dict if self._found else None
        try:
            return self._session.from_redis(session_id=key)['m']  # type: ignore
        except InvalidSession_NotInBackend:
            return None
        except (InvalidSession_DeserializationError, RawDeserializationError) as error:
            warn_of_unreadable(error.__context__ or error)
            return None

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        self._write(session_id)

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        return bool(self._write(session_id, xx=True))

    def delete(self, session_id: str) -> None:
        self._session.redis.delete(self._session.key_of(session_id))

    def _write(self, session_id: str, **how: Any) -> Any:
        session = self._session
        return session.redis.set(
            session.key_of(session_id), self.serialized or session.to_redis(),
            ex=session.timeout if session._set_redis_ttl else None, **how)


class SiteSession(RedisSession):  # type: ignore[misc]
    """
    A session of pyramid_session_redis, under the site's session ID.

    Constructor arguments: what makes a session of the peer's own for the
    key of a record; the request's control; ``carry``; ``prefix``, of the keys
    in Redis; ``keep_empty``, whether a session without data has a record.
    """

    def __init__(self, native: Callable[[str], RedisSession], control: SessionControl,
                 carry: Iterable[str] = (), prefix: str = '', keep_empty: bool = False
                 ) -> None:
        self._control = control
        self._prefix = prefix
        key = self.key_of(control.id)
        # the peer's factory has thirty settings and makes RedisSession alone
        self.__dict__.update(native(key).__dict__)
        state = self.own_state
        self._store = _Store(self, key, state.session_id is not LazyCreateSession)
        state.session_id = key
        self.record = Record(control, self._store, tuple(carry), state.managed_dict)
        self.record.keep_empty = keep_empty
        # the data is that of this ID; a login may come before anybody looks at it
        self.record.sync()

    def key_of(self, session_id: str) -> str:
        """The key of a record in Redis."""
        return self._prefix + str(session_id)

    @property
    def own_state(self) -> Any:
        """The peer's state of the session, as it is; None if it has ended."""
        return self.__dict__.get('_session_state')

    @property
    def _session_state(self) -> Any:
        """The peer's state, made that of the ID which the visitor has now."""
        data = self.record.sync()
        state = self.own_state
        key = self.key_of(self._control.id)
        if state is None or state.session_id != key:
            state = self._make_session_state(LazyCreateSession, new=True)
            state.session_id, state.managed_dict = key, data
            self.__dict__['_session_state'] = state
        if self.record.modified:
            state.please_persist = True
        return state

    def regenerate(self) -> None:
        """A new ID for the same data, but for the CSRF token."""
        state = self._session_state
        self.pop(CSRF_TOKEN, None)
        self.record.regenerate()
        state.session_id = self.key_of(self._control.id)

    def invalidate(self) -> None:
        """No data, and a new ID."""
        self.record.invalidate()
        self.__dict__.pop('_session_state', None)

    def do_persist(self, serialized_session: bytes | None = None) -> None:
        """Write at once what is there."""
        state = self._session_state
        self._store.serialized = serialized_session
        self.record.save()
        self._store.serialized = None
        state.please_persist = False
        state.dont_refresh = True

    def abandon(self) -> None:
        """Write nothing any more."""
        self.__dict__.pop('_session_state', None)

    def finished(self, request: Request) -> None:
        """The request is finished: write what has changed, if anything has."""
        if self.own_state is not None and not self.managed_dict and not self.record.keep_empty:
            if self.record.modified or not self.record.new:
                self.do_persist()
                self._store.delete(self._control.id)
            return
        self._deferred_callback(request)


def session_factory(carry: str | Iterable[str] = (), prefix: str = '', **settings: Any
                    ) -> Callable[[Request], SiteSession]:
    """
    An ISessionFactory; ``settings`` are the arguments of the peer's
    ``RedisSessionFactory``, but for those about its cookie.

    A record that cannot be read is begun anew, unless ``deserialized_fails_new``
    is false.  Raises ValueError for what cannot be carried.
    """
    names = carry_names(carry)
    warn_of_cookie_options(__name__, [
        name for name in COOKIE_SETTINGS if settings.pop(name, None) is not None])
    keep_empty = not settings.get('invalidate_empty_session', peer.INVALIDATE_EMPTY_SESSION)
    logger = settings.pop('func_invalid_logger', None)
    make = peer.RedisSessionFactory(
        cookie_signer=_AsItIs(), cookie_name=_ID,
        func_invalid_logger=functools.partial(_note_invalid, logger),
        **{'deserialized_fails_new': True, **settings})

    def factory(request: Request) -> SiteSession:
        def native(key: str) -> RedisSession:
            return make(_Asking(request, key))
        session = SiteSession(
            native, get_control(request.environ), names, prefix, keep_empty)
        request.add_finished_callback(session.finished)
        return session
    return factory


def _note_invalid(logger: Callable[[Any, InvalidSession], object] | None,
                  asking: _Asking, error: InvalidSession) -> None:
    """Say so, and call the application's logger: not because of an ID that is
    new, and never with an ID."""
    if isinstance(error, InvalidSession_DeserializationError):
        warn_of_unreadable(error.__context__ or error)
    request = asking.request
    if logger is not None and not (isinstance(error, InvalidSession_NotInBackend)
                                   and get_control(request.environ).new):
        logger(request, type(error)(str(error).replace(asking.cookies[_ID], '...')))


def includeme(config: Configurator) -> None:
    """
    Pyramid's entry point: ``paste_sessioncookie.frameworks.pyramid_redis``.

    Raises ConfigError with all faults of the settings.
    """
    section = settings_section(config, __name__)
    settings = config.registry.settings
    warn_of_cookie_options(__name__, [
        PREFIX + name for name in COOKIE_SETTINGS if PREFIX + name in settings])
    try:
        factory = session_factory(
            section.values[CARRY], **_own_settings(settings, config.maybe_dotted))
    except Exception as error:  # the peer converts, and imports, what it is given
        section.fault(f'{PREFIX}*: {error}')
    values = section.finish()
    config.set_session_factory(factory)
    add_login(config, values)


def _own_settings(settings: Mapping[str, Any], resolve: Callable[[Any], Any]
                  ) -> dict[str, Any]:
    """The peer's settings as arguments, without those about its cookie."""
    given = {name: value for name, value in settings.items()
             if name.startswith(PREFIX) and name[len(PREFIX):] not in COOKIE_SETTINGS}
    for name in configs_dotable:
        if PREFIX + name in given:
            given[PREFIX + name] = resolve(given[PREFIX + name])
    if PREFIX + 'redis_url' in given:
        redis_from_url(given[PREFIX + 'redis_url'])
    prefix = given.pop(PREFIX + 'prefix', '')
    # the peer asks for one of the settings about its cookie
    converted = _parse_settings({**given, PREFIX + 'cookie_signer': _AsItIs()})
    del converted['cookie_signer']
    return {**converted, 'prefix': prefix}
