"""
Adapters: frameworks that take their session ID from the site
=============================================================

A framework keeps its session and its store.  It takes its ID from
``environ['session.control']``, sends no cookie of its own, and, where it has
a login, can publish it to the site and receive the site's.  Nothing but an
adapter's own files imports its framework::

    record              one request's session, in a store of mappings
    cached              such a store, over a cache of cachelib
    files               sessions in files: their folder, and what goes wrong
    testing             the filter for the test clients of frameworks

    beaker, pyramid_beaker, turbogears
    cherrypy/
    django/
    flask, flask_client, flask_login, flask_session
    paste_session
    pyramid/, pyramid_redis

What holds for all of them is in ``docs/howto/framework-authors.rst``, and
tested by ``tests/frameworks/contract.py``.  What they share is below.
"""
from __future__ import annotations

import copy
import functools
import logging
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ..control import SessionControl
from ..cookie import SessionCookieHandler
from ..encoding import is_token
from ..environ import CONTROL, PROFILE, REMOTE_USER, TOKENS, user_now
from ..login import Identity
from ..state import UNSURE

log = logging.getLogger('paste_sessioncookie')


def get_control(environ: dict[str, Any]) -> SessionControl:
    """
    The control of a request.

    Without a filter in front (a test, a shell) it is a detached one, put into
    environ: it can do everything, and nothing of it outlives the request.
    """
    control: SessionControl | None = environ.get(CONTROL)
    if control is None:
        _warn_detached()
        control = environ[CONTROL] = SessionControl(_detached().identify({}))
    return control


def site_user(environ: dict[str, Any]) -> Identity | None:
    """
    Who is logged in at this moment, for the whole site.

    A user whom a server outside of it has put into REMOTE_USER counts as well:
    ``at`` is then the time of the request, and ``by`` is empty.
    """
    control = get_control(environ)
    user, tokens = user_now(control, environ.get(REMOTE_USER), environ.get(TOKENS))
    if control.identity is not None or not user:
        return control.identity
    return Identity(user, tokens, request_time(control), '')


def is_unsure(control: SessionControl) -> bool:
    """Whether the browser may hold a good login that does not show: the revocation
    list does not answer, or there are two cookies.  A log-out is meant all the same."""
    return control.status in UNSURE


def only_tokens(names: Iterable[str]) -> list[str]:
    """
    Those of the names of a user's groups that can be tokens.

    The others break no login, but are logged.  Raises TypeError for a str.
    """
    if isinstance(names, str):
        raise TypeError("tokens are several strings, as in ('staff',)")
    wanted = list(names)
    good = [name for name in wanted if isinstance(name, str) and is_token(name)]
    for name in wanted:
        if name not in good:
            log.warning('%r is not published with a login: a token is printable ASCII '
                        'without comma and space', name)
    return good


def profile_of(environ: dict[str, Any]) -> Mapping[str, Any]:
    """What a ``profile`` filter in front knows of the user; empty without one."""
    profile: Mapping[str, Any] = environ.get(PROFILE, _NO_PROFILE)
    return profile


def lifetime_seconds(control: SessionControl) -> int:
    """For how long, at most, a visitor has one session ID."""
    return control.state.policy.signer.lifetime_seconds


def cookie_name(control: SessionControl) -> str:
    """The name of the site's cookie."""
    return control.state.policy.cookie_name


def without_cookie(control: SessionControl, header: str) -> str:
    """A Cookie header for logs and error pages: the value of ours is not in it."""
    return re.sub(f'({re.escape(cookie_name(control))}=)[^;]*', r'\1(hidden)', header)


def may_be_stored(control: SessionControl) -> bool:
    """Whether there may be something under the ID: not if it was made in this
    request, and nobody has kept anything since."""
    return not control.new or control.state.done.kept


def request_time(control: SessionControl) -> int:
    """When this request came: Unix time, in seconds."""
    return control.state.now


def attempt(control: SessionControl) -> Callable[[], bool]:
    """
    The beginning of an attempt at an answer; to be called if the attempt fails.

    What returns takes back what has been changed of the visitor's ID and login
    since, and says whether that was anything.  A log-out stands.
    """
    state = control.state
    before = copy.copy(state)

    def take_back() -> bool:
        if state.payload is before.payload or state.done.ended:
            return False
        log.info('a request failed: the login or new session ID in it does not count')
        state.restore(before)
        return True
    return take_back


def keep(control: SessionControl) -> None:
    """Say that something is kept under the control's ID."""
    if not control.started:
        control.keep()
    elif control.new and not (control.state.done.kept or control.state.policy.issue_always):
        log.warning('a session was written for the first time after the response had '
                    'started: with issue = kept, nobody learns its ID')


def carry_names(names: str | Iterable[str],
                own: Callable[[str], bool] | None = None) -> tuple[str, ...]:
    """
    The keys that an anonymous visitor's session takes along when he logs in.

    ``own``: whether a name is one of the framework's own.  Raises ValueError
    for those, and for names under which sessions keep who somebody is, or what
    proves it: whoever planted a cookie before the login could have set them.
    """
    wanted = tuple(names.split() if isinstance(names, str) else names)
    never = [name for name in wanted
             if _says_who(name) or own is not None and own(name)]
    if never:
        raise ValueError(', '.join(map(str, never)) + ': such a key may say who somebody is, '
                         'or prove it, or is the framework\'s own; it never goes along into '
                         'a login')
    return wanted


def _says_who(name: object) -> bool:
    return (not isinstance(name, str) or name.startswith('_')
            or not _NEVER_CARRIED.isdisjoint(_WORD.findall(name.lower())))


def warn_of_cookie_options(where: str, names: Collection[str]) -> None:
    """Of options that described the framework's own cookie, if there are any."""
    if names:
        log.warning('%s: %s: not used, for the cookie is the site\'s; see the options of '
                    'session_cookie', where, ', '.join(sorted(names)))


def only(names: Collection[str], data: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a session that has these names."""
    return {name: data[name] for name in names if name in data}


_NO_PROFILE: Mapping[str, Any] = MappingProxyType({})

_WORD = re.compile('[a-z0-9]+')
# words in the keys of logins, and of what protects them: frameworks' habits, and
# those of libraries that log users in
_NEVER_CARRIED = frozenset((
    'account', 'admin', 'auth', 'authenticated', 'authentication', 'authorization', 'csrf',
    'flash', 'flashes', 'fresh', 'hijack', 'identity', 'jwt', 'logged', 'login', 'mfa',
    'messages', 'next', 'nonce', 'oauth', 'oauth2', 'oidc', 'openid', 'otp', 'password',
    'permissions', 'pkce', 'principal', 'remember', 'role', 'roles', 'saml', 'saml2', 'social',
    'socialaccount', 'sso', 'state', 'states', 'testcookie', 'token', 'tokens', 'totp', 'uid',
    'user', 'userid', 'username', 'verifier', 'xsrf'))


@functools.cache
def _detached() -> SessionCookieHandler:
    nobody: Any = None  # only the filter's way to make a session is wanted
    return SessionCookieHandler(nobody, secret=secrets.token_bytes(32))


@functools.cache
def _warn_detached() -> None:
    log.warning('no session_cookie filter is in front of this application: each of its '
                'sessions lasts for one request')
