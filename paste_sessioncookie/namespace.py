"""
One application's own part of the site's session
================================================

The inner filter.  It gives the application inside a session ID, values and a
control of its own, so that several instances of one application, or of
several, never collide.  ::

    [filter:own]
    use = egg:paste_sessioncookie#namespace

    [filter:door]
    use = egg:paste_sessioncookie#namespace
    login = true

Configuration:

    ``namespace``

        The name; by default the mount point (``SCRIPT_NAME``).  Applications
        that shall share a session name the same one.

    ``login``

        Whether this application may log users in for the whole site (false).

It speaks to the outer filter through environ alone.
"""
from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from . import options
from .control import SessionControl
from .encoding import LITERAL, is_native
from .environ import (
    LOGIN_KEYS, SCANLIST, Environ, Passage, SessionCookieEnviron, outer_control)
from .errors import ConfigError
from .section import IniSection, Option
from .state import Policy

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger('paste_sessioncookie')


class Namespace:
    """
    The filter that gives one application its own part of the session.

    Constructor arguments: the application; ``namespace``, a native string, or
    '' for the mount point; ``login``, as in the configuration.
    """

    def __init__(self, application: WSGIApplication, namespace: str = '',
                 login: bool = False) -> None:
        if not is_native(namespace):
            raise ConfigError(f'namespace = {namespace!r}: it takes a native string '
                              '(PEP 3333) without control characters')
        self.application = application
        self.namespace = str.__str__(namespace)  # also of a member of an enumeration
        self.login = login
        self._warned = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application.  Raises ConfigError without a session_cookie outside."""
        outer = outer_control(environ, 'namespace')
        inner = environ.copy()
        control = Passage(
            inner, outer.state, own_scanlist(inner, outer.state.policy),
            self.namespace or self._mount_point(environ, outer), self.login)
        return self.application(inner, partial(self.collect, inner, control, start_response))

    def collect(self, inner: Environ, control: Passage, start_response: StartResponse,
                status: str, headers: list[tuple[str, str]],
                exc_info: Any = None) -> Callable[[bytes], object]:
        """A start_response that hands on what was changed inside."""
        control.collect(inner, lenient=exc_info is not None)
        if exc_info is None:
            return start_response(status, headers)
        return start_response(status, headers, exc_info)

    def _mount_point(self, environ: Environ, outer: SessionControl) -> str:
        name = mount_point(environ)
        if not self._warned and (name == '/' or outer.state.policy.domain):
            self._warned = True
            log.warning(
                'a namespace takes its name from the mount point, %r, and %s: another '
                'application may have the same.  Write namespace = NAME into its section',
                name, 'the cookie is for several hosts' if outer.state.policy.domain
                else 'that is the root of the host')
        return name


middleware = Namespace


def mount_point(environ: Environ) -> str:
    """The name of where an application is mounted: ``/blog``, or ``/``."""
    name: str = environ.get('SCRIPT_NAME') or '/'
    if len(name) > 1 and name.endswith('/'):
        name = name[:-1]
    if not is_native(name):
        # some servers take SCRIPT_NAME from a header
        name = quote(name, safe=LITERAL, errors='replace')
    return name


def own_scanlist(inner: Environ, policy: Policy) -> SessionCookieEnviron:
    """The site's keys for a namespace's environ, a copy of the outer one, from which
    what is the outer one's own is taken out."""
    theirs = inner.get(SCANLIST)
    if not isinstance(theirs, SessionCookieEnviron):
        raise ConfigError(f'something between session_cookie and namespace took '
                          f'environ[{SCANLIST!r}] away')
    for key in theirs:
        if key not in policy.shared_keys and key not in LOGIN_KEYS:
            inner.pop(key, None)
    return type(theirs)(theirs.handler, policy.scanlist)


OPTIONS = {
    'namespace': Option(options.native_name, ''),
    'login': Option(options.boolean, False),
}


def make_namespace(app: WSGIApplication, global_conf: dict[str, Any] | None, /,
                   **local_conf: Any) -> Namespace:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#namespace``.

    Raises ConfigError with all faults of the section.
    """
    section = IniSection('namespace', OPTIONS, global_conf, local_conf)
    return Namespace(app, **section.finish())
