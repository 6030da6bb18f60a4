"""
Flask takes its session ID from the site
========================================

``flask.session`` is kept on the server, under the ID of the site's cookie: in
a cache of cachelib, or where Flask-Session keeps it.  ::

    from cachelib import FileSystemCache
    from paste_sessioncookie.frameworks.flask import SiteSessions, site_control

    app.config['SITE_SESSION_CACHE'] = FileSystemCache('sessions', threshold=100_000)
    SiteSessions(app)

Whom the site has logged in is ``site_control.identity``; an application that
may log users in says ``site_control.login('bob')``.

Configuration:

    ``SITE_SESSION_CACHE``

        A cache of cachelib.  With Flask-Session: not set; its ``SESSION_TYPE``
        and what belongs to it say where.

    ``SITE_SESSION_CARRY``

        The keys that an anonymous visitor's session takes along when he logs
        in (none).

    ``SITE_SESSION_PUBLISH``

        Logins and log-outs of Flask-Login become the site's (False).  True:
        the user's name is his ID; or a function from a user to his name, or to
        his name and tokens.

    ``SITE_SESSION_RECEIVE``

        The site's login logs in Flask-Login's user (False).  True: the name is
        the ID that ``user_loader`` takes; or a function from a name to a user
        or None.

    ``SITE_SESSION_MAKE_USER``

        For a name that is not found: a function of the site's identity and the
        user's profile, which returns a user or None (None).
"""
from __future__ import annotations

import difflib
import importlib.util
import logging
import sys
from collections.abc import Mapping
from typing import Any, Protocol, cast

from flask import Flask, Request, Response, request, session
from flask.sessions import SessionInterface, SessionMixin
from paste.deploy.converters import asbool
from werkzeug.local import LocalProxy

from ..control import SessionControl
from ..errors import ConfigError
from ..section import unknown
from . import carry_names, get_control, lifetime_seconds, warn_of_cookie_options
from .cached import CacheStore
from .record import Record, RecordMapping, Store

log = logging.getLogger('paste_sessioncookie')

OPTIONS: Mapping[str, Any] = {
    'SITE_SESSION_CACHE': None,
    'SITE_SESSION_CARRY': (),
    'SITE_SESSION_PUBLISH': False,
    'SITE_SESSION_RECEIVE': False,
    'SITE_SESSION_MAKE_USER': None,
}

PREFIX = 'flask:'  # of the keys in SITE_SESSION_CACHE

# in front of what Flask-Security keeps while somebody logs in or confirms it
_OF_LOGINS = ('fs_', 'tf_')

# they describe a cookie that Flask does not send any more
_OF_THE_COOKIE = tuple(name for name in Flask.default_config
                       if name.startswith('SESSION_COOKIE_'))
_OF_FLASK_SESSION = ('SESSION_ID_LENGTH', 'SESSION_USE_SIGNER')


class TimedStore(Store, Protocol):
    """A store that can be told how long to keep what it writes."""

    def lasting(self, timeout: int) -> TimedStore:
        """The same store with another timeout, in seconds."""


def _current_control() -> SessionControl:
    return get_control(request.environ)


#: the ``session.control`` of the current request
site_control = cast(SessionControl, LocalProxy(_current_control))


class SiteSession(RecordMapping, SessionMixin):
    """
    ``flask.session``, loaded at the first use.

    A value that is changed in place needs ``session.modified = True``, as with
    Flask's own.  ``clear()`` ends the session: what comes after it is another,
    under another ID.
    """

    def __init__(self, record: Record, store: TimedStore) -> None:
        super().__init__(record)
        self.store = store
        self._accessed = False
        #: whether a login that comes from the site is under way
        self.receiving = False
        #: whether the user of this request is there by the site's login
        self.received = False

    @property
    def new(self) -> bool:  # type: ignore[override]
        """Whether there was nothing in the store."""
        return self.record.new

    @property
    def accessed(self) -> bool:
        """Whether the session was used; from 3.1.3 on, Flask sets it."""
        return self._accessed or self.record.loaded

    @accessed.setter
    def accessed(self, value: bool) -> None:
        self._accessed = value

    @property
    def sid(self) -> str:
        """The session ID; Flask-Session has it here."""
        return str(self.record.control.id)

    def clear(self) -> None:
        """No data, and a new ID: a login that begins with ``session.clear()``
        shakes off whoever knew the old one."""
        self.invalidate()

    def renew(self) -> None:
        """Take all data to a new ID, if the response has not started."""
        if not self.record.control.started:
            self.regenerate()

    def end(self) -> None:
        """No data, and a new ID, if the response has not started."""
        if not self.record.control.started:
            self.invalidate()


class SiteSessionInterface(SessionInterface):
    """
    Flask's session interface.

    Constructor arguments: where sessions are; whether each counts as permanent
    (Flask-Session's ``SESSION_PERMANENT``); the keys that are carried into a
    login.
    """

    def __init__(self, store: TimedStore, permanent: bool = False,
                 carry: tuple[str, ...] = ()) -> None:
        self._store = store
        self._carry = carry
        self._permanent = permanent

    def open_session(self, app: Flask, request: Request) -> SiteSession:
        control = get_control(request.environ)
        store = self._store.lasting(min(_idle_seconds(app), lifetime_seconds(control)))
        return SiteSession(Record(control, store, self._carry), store)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        ours = cast(SiteSession, session)
        written = ours.modified
        ours.save()
        if not written and ours.record.loaded and self._is_to_last(app, ours):
            _touch(ours.store, ours.sid)

    def regenerate(self, session: SiteSession) -> None:
        """A new ID for the same data; Flask-Session has it here."""
        session.regenerate()

    def _is_to_last(self, app: Flask, session: SiteSession) -> bool:
        """Whether reading a session makes it last longer, as Flask has it for
        permanent ones.  One that lasts as long as its ID has no need of it."""
        return bool(app.config['SESSION_REFRESH_EACH_REQUEST']
                    and _idle_seconds(app) < lifetime_seconds(session.record.control)
                    and (self._permanent or session.permanent))


class SiteSessions:
    """
    The extension: ``SiteSessions(app)``, or ``init_app(app)``.

    ``init_app`` raises ConfigError with all faults of the configuration.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        settings = _Settings(app)
        carry, hooks = settings.carry(), settings.hooks()
        app.session_interface = SiteSessionInterface(*settings.finish(), carry=carry)
        _warn_of_unused(app)
        app.teardown_request(_warn_of_late_changes)
        app.extensions['site_sessions'] = self
        if _is_installed('flask_login'):
            from .flask_login import SiteLogin
            # signals hold their receivers weakly
            app.extensions['site_login'] = SiteLogin(app, *hooks)


class _Settings:
    """The configuration of an application, converted; collects the faults."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._faults = [unknown(name, OPTIONS) for name in app.config
                        if name not in OPTIONS and _seems_ours(name)]

    def __getitem__(self, name: str) -> Any:
        return self._app.config.get(name, OPTIONS[name])

    def carry(self) -> tuple[str, ...]:
        names = self['SITE_SESSION_CARRY']
        try:
            return carry_names(names or (), self._is_own)
        except TypeError:
            self._faults.append(f'SITE_SESSION_CARRY = {names!r}: it takes names')
        except ValueError as error:
            self._faults.append(f'SITE_SESSION_CARRY: {error}')
        return ()

    def _is_own(self, name: str) -> bool:
        return (name.startswith(_OF_LOGINS)
                or name == self._app.config.get('WTF_CSRF_FIELD_NAME'))

    def hooks(self) -> tuple[Any, Any, Any]:
        """What is to be published, received and made."""
        publish, receive = (self._switch(f'SITE_SESSION_{name}')
                            for name in ('PUBLISH', 'RECEIVE'))
        make_user = self['SITE_SESSION_MAKE_USER']
        if make_user is not None and not callable(make_user):
            self._faults.append('SITE_SESSION_MAKE_USER: it takes a function of an '
                                'identity and a profile')
        if make_user is not None and not receive:
            self._faults.append('SITE_SESSION_MAKE_USER: nobody calls it without '
                                'SITE_SESSION_RECEIVE')
        if publish or receive:
            self._check_login_manager()
        return publish, receive, make_user

    def _switch(self, name: str) -> Any:
        value = self[name]
        if callable(value):
            return value
        try:
            return bool(asbool(value))
        except ValueError:
            self._faults.append(f'{name} = {value!r}: it takes True, False or a function')
            return False

    def _check_login_manager(self) -> None:
        if not hasattr(self._app, 'login_manager'):
            self._faults.append(
                'SITE_SESSION_PUBLISH, SITE_SESSION_RECEIVE: they are for Flask-Login; call '
                'init_app() of its LoginManager before that of SiteSessions.  Without '
                'Flask-Login use site_control.login() and site_control.identity')
        if self._app.config.get('REMEMBER_COOKIE_REFRESH_EACH_REQUEST'):
            self._faults.append(
                'REMEMBER_COOKIE_REFRESH_EACH_REQUEST: where the login is the site\'s, '
                'no other cookie may bring it back')

    def finish(self) -> tuple[TimedStore, bool]:
        """Where sessions are kept, and whether all count as permanent.  Raises
        ConfigError with all faults."""
        try:
            found = self._store()
        except ValueError as error:  # ConfigError is one; Flask-Session's are others
            self._faults += getattr(error, 'faults', [f'SESSION_TYPE: {error}'])
        if self._faults:
            raise ConfigError(f'SiteSessions of the Flask application {self._app.name}',
                              self._faults)
        return found

    def _store(self) -> tuple[TimedStore, bool]:
        app, cache = self._app, self['SITE_SESSION_CACHE']
        try:
            timeout = _idle_seconds(app)
        except (AttributeError, TypeError):
            timeout = 0
        if timeout <= 0:
            lifetime = app.config['PERMANENT_SESSION_LIFETIME']
            raise ConfigError('', [f'PERMANENT_SESSION_LIFETIME = {lifetime!r}: it takes a '
                                   'timedelta, or a number of seconds, of 1 s at least'])
        if not _is_flask_session(app):
            return CacheStore(cache, timeout, PREFIX, option='SITE_SESSION_CACHE'), False
        if cache is not None:
            raise ConfigError('', ['SITE_SESSION_CACHE: SESSION_TYPE says already where '
                                   'sessions are kept; drop one of the two'])
        if not _is_installed('flask_session'):
            raise ConfigError('', ['SESSION_TYPE: it is Flask-Session\'s, which is not '
                                   'installed: pip install Flask-Session'])
        from .flask_session import store_of
        return store_of(app, timeout)


def _seems_ours(name: str) -> bool:
    return (name.startswith('SITE_SESSION_')
            or bool(difflib.get_close_matches(name, OPTIONS, 1, cutoff=0.9)))


def _is_flask_session(app: Flask) -> bool:
    """Whether Flask-Session is configured, or was called already."""
    base: Any = sys.modules.get('flask_session.base')
    return app.config.get('SESSION_TYPE') is not None or base is not None and isinstance(
        app.session_interface, base.ServerSideSessionInterface)


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _idle_seconds(app: Flask) -> int:
    """After how many seconds without a write Flask forgets a session."""
    return int(app.permanent_session_lifetime.total_seconds())


def _touch(store: Store, session_id: str) -> None:
    """Let a session last for another timeout.  What is there now is written,
    not what this request saw: another may have changed it meanwhile."""
    data = store.load(session_id)
    if data is not None:
        store.update(session_id, data)


def _warn_of_unused(app: Flask) -> None:
    named = [name for name in _OF_THE_COOKIE
             if app.config.get(name) != Flask.default_config[name]]
    named += [name for name in _OF_FLASK_SESSION if app.config.get(name)]
    warn_of_cookie_options(f'the Flask application {app.name}', named)


def _warn_of_late_changes(error: BaseException | None) -> None:
    """A change in a stream comes too late, as with Flask's own session."""
    here = None if error else session._get_current_object()  # type: ignore[attr-defined]
    if isinstance(here, SiteSession) and here.modified and here.record.control.started:
        log.warning('a session was changed after the response had started: the change is '
                    'not kept')
