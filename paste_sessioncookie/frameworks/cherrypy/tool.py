"""
The tool that puts cherrypy.session in place, and saves it
==========================================================
"""
from __future__ import annotations

from collections.abc import Collection, Mapping
from http.cookies import SimpleCookie
from typing import Any

import cherrypy
from cherrypy import _cptools
from cherrypy.lib import sessions

from .. import get_control, without_cookie
from . import conf
from .places import Place, Places, place_class
from .session import Cookies, SiteSession


def init(storage_class: type | None = None, storage_type: str | None = None,
         timeout: float = 60, clean_freq: float = 5, locking: str = 'implicit',
         carry: str | Collection[str] = (), debug: bool = False, **options: Any) -> None:
    """
    Put ``cherrypy.session`` in place.  Raises ConfigError.

    ``options``: what the storage takes.
    """
    serving = cherrypy.serving
    if hasattr(serving, 'session'):
        return
    given = {'storage_class': storage_class, 'storage_type': storage_type,
             'timeout': timeout, 'clean_freq': clean_freq, 'locking': locking,
             'carry': carry, **options}
    login_key = conf.login_key(serving.request.config)
    conf.look_at(given, login_key)
    for name in conf.COOKIE_OPTIONS:
        options.pop(name, None)
    options.update(timeout=timeout, clean_freq=clean_freq)
    kind = place_class(conf.storage_class(given))
    _set_up(kind, options)
    control = get_control(getattr(serving.request, 'wsgi_environ', {}))
    serving.session = session = SiteSession(
        control, Places(kind, options), conf.carry(carry, login_key), login_key,
        implicit=locking == 'implicit')
    serving.response.cookie = _cookies(serving.response.cookie, session)
    # CherryPy writes the headers of a request that fails to its log
    serving.request.header_list = [
        (name, without_cookie(control, value) if name.lower() == 'cookie' else value)
        for name, value in serving.request.header_list]
    if debug:
        cherrypy.log('A session under the ID of the site', 'TOOLS.SESSIONS')
    if not hasattr(cherrypy, 'session'):
        cherrypy.session = cherrypy._ThreadLocalProxy('session')


def _set_up(kind: type[Place], options: Mapping[str, Any]) -> None:
    """Once for each class."""
    if 'was_set_up' not in vars(kind):
        if hasattr(kind, 'setup'):
            kind.setup(**options)
        kind.was_set_up = True


def _cookies(cookies: SimpleCookie, session: SiteSession) -> Cookies:
    name = cherrypy.serving.request.config.get('tools.sessions.name', 'session_id')
    ours = Cookies(name, session.delete)
    ours.update(cookies)
    return ours


def save() -> None:
    """Before the response goes out, or, if it is streamed, after it."""
    session = getattr(cherrypy.serving, 'session', None)
    if session is not None and cherrypy.serving.response.stream:
        session.keep()
    sessions.save()


save.failsafe = True  # type: ignore[attr-defined]


def close() -> None:
    session = getattr(cherrypy.serving, 'session', None)
    if session is not None:
        session.close()


close.failsafe = True  # type: ignore[attr-defined]
close.priority = 90  # type: ignore[attr-defined]


class SiteSessions(_cptools.SessionTool):  # type: ignore[misc]
    """
    ``tools.sessions``, with the cookie of the site.

    Constructor argument: ``carry``, where the configuration does not say.
    Raises ConfigError.
    """

    def __init__(self, carry: str | Collection[str] = ()) -> None:
        _cptools.Tool.__init__(self, 'before_request_body', init)
        self._default = {'carry': carry}
        conf.look_at(self._default, conf.login_key({}))

    def _setup(self) -> None:
        hooks = cherrypy.serving.request.hooks
        options = self._merged_args(self._default)
        priority = options.pop('priority', self._priority)
        hooks.attach(self._point, init, priority=priority, **options)
        if options.get('locking') == 'early':
            hooks.attach('before_request_body', self._lock_session, priority=60)
        hooks.attach('before_finalize', save)
        hooks.attach('on_end_request', close)

    def regenerate(self) -> None:
        """A new ID for the same data."""
        cherrypy.serving.session.regenerate()
