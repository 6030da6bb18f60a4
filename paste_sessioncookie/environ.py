"""
Environ: what an application sees, put in and read back
=======================================================

Both filters do the same with the environ that they pass inward: they put
their keys in (:meth:`Passage.__init__`), and when ``start_response`` comes
through them they compare that very dict with what was in it
(:meth:`Passage.collect`).  The keys are those of ``docs/specification.rst``.

The idiom of ``paste.auth.cookie`` is read here, too: an application that sets
``environ['REMOTE_USER']`` has logged that user in, one that empties it has
logged him out.
"""
from __future__ import annotations

import functools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from paste.auth import cookie as parent

from . import login
from .control import SessionControl
from .encoding import NO_VALUES, Login, is_native
from .errors import ConfigError, CookieTooLarge, LoginNotAllowed, RevocationUnavailable
from .state import SessionState

log = logging.getLogger('paste_sessioncookie')

Environ: TypeAlias = dict[str, Any]

SESSION_ID = 'session.id'
CONTROL = 'session.control'
SCANLIST = 'paste.auth.cookie'
REMOTE_USER = 'REMOTE_USER'
TOKENS = 'REMOTE_USER_TOKENS'
AUTH_TYPE = 'AUTH_TYPE'
REMOTE_SESSION = 'REMOTE_SESSION'
PROFILE = 'session.profile'

#: come from the verified login alone, never from values
LOGIN_KEYS = (REMOTE_USER, TOKENS, AUTH_TYPE)
#: are there whenever the application is called
OWN_KEYS = (SESSION_ID, CONTROL, SCANLIST)

#: first parts of dotted keys that servers, gateways and frameworks own
INFRASTRUCTURE = frozenset((
    'wsgi', 'wsgiorg', 'x-wsgiorg', 'asgi', 'asgiref', 'paste', 'pastedeploy', 'session',
    # servers
    'apache', 'bjoern', 'cheroot', 'eventlet', 'fcgi', 'flup', 'gevent', 'granian',
    'gunicorn', 'hypercorn', 'meinheld', 'mod_python', 'mod_ssl', 'mod_wsgi',
    'passenger', 'scgi', 'twisted', 'unit', 'uvicorn', 'uwsgi', 'waitress', 'wsgiref',
    # frameworks and their tools
    'aspen', 'authkit', 'beaker', 'bfg', 'bottle', 'cherrypy', 'chameleon', 'ckan',
    'django', 'dogpile', 'falcon', 'flask', 'kajiki', 'morepath', 'pylons', 'pyramid',
    'repoze', 'routes', 'selector', 'starlette', 'swift', 'keystone', 'keystonemiddleware',
    'openstack', 'oslo', 'oslo_middleware', 'tg', 'toscawidgets', 'turbogears', 'tw', 'tw2',
    'web', 'web2py', 'weberror', 'webob', 'webtest', 'werkzeug', 'who', 'whoami', 'zope',
    'zodb', 'transaction', 'tm', 'sqlalchemy',
    # observers
    'datadog', 'ddtrace', 'elasticapm', 'newrelic', 'opencensus', 'opentelemetry',
    'prometheus', 'raven', 'scout', 'sentry', 'sentry_sdk',
))

#: what RFC 3875 and servers put there; listing one would let a cookie forge it
CGI_NAMES = frozenset((
    'CONTENT_LENGTH', 'CONTENT_TYPE', 'CONTEXT_DOCUMENT_ROOT', 'CONTEXT_PREFIX',
    'DOCUMENT_ROOT', 'DOCUMENT_URI', 'FCGI_ROLE', 'GATEWAY_INTERFACE', 'HTTPS', 'PATH',
    'PATH_INFO', 'PATH_TRANSLATED', 'QUERY_STRING', 'RAW_URI', 'REMOTE_ADDR',
    'REMOTE_HOST', 'REMOTE_IDENT', 'REMOTE_PORT', 'REQUEST_METHOD', 'REQUEST_SCHEME',
    'REQUEST_URI', 'SCRIPT_FILENAME', 'SCRIPT_NAME', 'SCRIPT_URI', 'SCRIPT_URL',
    'SERVER_ADDR', 'SERVER_ADMIN', 'SERVER_NAME', 'SERVER_PORT', 'SERVER_PROTOCOL',
    'SERVER_SIGNATURE', 'SERVER_SOFTWARE', 'UNIQUE_ID',
))

_DOTTED = re.compile(r'([a-z][a-z0-9_-]*)(?:\.[a-z0-9_-]+)+')
_NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_.-]*')


def scanlist_fault(key: str) -> str:
    """Why a deployer may not list this key; '' if he may."""
    if not _NAME.fullmatch(key):
        return 'a key is letters, digits, "_", "-" and "."'
    if key in CGI_NAMES or key.startswith(('HTTP_', 'SSL_', 'wsgi.', 'session.')):
        return 'the server says what this is; a cookie must not'
    if key == SCANLIST:
        return 'this is the list itself'
    return ''


def own_key_fault(key: str) -> str:
    """Why an application may not append this key; '' if it may."""
    try:
        _check_own_key(key)
    except ValueError as error:
        return str(error)
    return ''


# it is asked for each value in each request; what it refuses, it does not keep
@functools.lru_cache(maxsize=256)
def _check_own_key(key: str) -> None:
    match = _DOTTED.fullmatch(key)
    if match is None:
        raise ValueError('an application may append lower-case dotted names, as in '
                         '"weblog.theme"; others only the site, with the option scanlist')
    if match[1] in INFRASTRUCTURE:
        raise ValueError(f'names that begin with "{match[1]}." belong to servers and '
                         'frameworks')


def site_keys(scanlist: Iterable[str]) -> tuple[str, ...]:
    """The values among a site's keys: those that are not the login's."""
    return tuple(key for key in scanlist if key not in LOGIN_KEYS)


class SessionCookieEnviron(parent.AuthCookieEnviron):  # type: ignore[misc]
    """
    ``environ['paste.auth.cookie']``: the names of the keys that travel.

    ``append('weblog.theme')`` makes ``environ['weblog.theme']``, a str, travel
    in the cookie, for this namespace alone.
    """

    __slots__ = ('handler',)

    def __init__(self, handler: object, scanlist: Iterable[str]) -> None:
        self.extend(scanlist)
        self.handler = handler

    def __copy__(self) -> SessionCookieEnviron:
        return self  # like the control, shared by reference

    def __deepcopy__(self, memo: object) -> SessionCookieEnviron:
        return self

    def append(self, value: str) -> None:
        """Raises ValueError for a key that may not travel."""
        if value in self:
            return
        fault = own_key_fault(str(value))
        if fault:
            raise ValueError(f'{value!r} cannot travel in the cookie: {fault}')
        super().append(value)


_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Passage(SessionControl):
    """
    One filter's control, and what the filter put into the environ that it passed inward.

    It does not hold that environ, so no request leaves a reference cycle behind.
    """

    __slots__ = ('_scanlist', '_listed', '_seen', '_user', '_tokens', '_ours', '_restored',
                 '_overwritten', '_recorded')

    def __init__(self, environ: Environ, state: SessionState, scanlist: SessionCookieEnviron,
                 namespace: str = '', may_login: bool = True) -> None:
        """``scanlist``: the site's keys; the namespace's own are added here."""
        # as SessionControl has it: one call less in each request
        self._state = state
        self._namespace = namespace
        self._may_login = may_login
        self._scanlist = scanlist
        #: keys put in from values
        self._restored: tuple[str, ...] = ()
        #: what stood there before, where a key was put in all the same
        self._overwritten: Mapping[str, Any] = _NOTHING
        #: changes that were handed to the state
        self._recorded: tuple[tuple[str | None, str], ...] = ()
        payload, policy = state.payload, state.policy
        #: whether REMOTE_USER is nobody, or there because of our login
        self._ours = (_is_ours(environ, state) if namespace
                      else self._show_login(environ, payload.login))
        session_id, _, own = payload.part(namespace)
        environ[SESSION_ID] = session_id
        environ[CONTROL] = self
        environ[SCANLIST] = scanlist
        # what the application may change from here on
        self._user = environ.get(REMOTE_USER)
        self._tokens = environ.get(TOKENS)
        self._listed = policy.scanlist
        self._seen: Sequence[tuple[str, Any]] = policy.absent
        # to ask a MappingProxyType whether it is empty takes longer
        if payload.values is not NO_VALUES or own is not NO_VALUES:
            self._restore_all(environ, payload.values, own)
        else:
            for key, _ in policy.absent:
                if key in environ:
                    self._see(environ)
                    break

    def _restore_all(self, environ: Environ, values: Mapping[str, str],
                     own: Mapping[str, str]) -> None:
        """Put the site's values in, and the namespace's own."""
        keys = self._site_keys
        for key in keys:
            if key not in environ and (value := values.get(key)) is not None:
                environ[key] = value
                self._restored += key,
        if own is not NO_VALUES:
            for key in own:
                # one that was its own once may have become the site's
                if key not in keys:
                    self._restore_own(environ, key, own[key])
            self._listed = self._scanlist[:]
        self._see(environ)

    def _restore_own(self, environ: Environ, key: str, value: str) -> None:
        if key in LOGIN_KEYS:
            return  # no server of ours wrote a login there
        if key not in self._scanlist:
            if own_key_fault(key):
                return  # it was allowed when the cookie was made
            list.append(self._scanlist, key)
        if key not in environ:
            environ[key] = value
            self._restored += key,

    def _see(self, environ: Environ) -> None:
        """Note what the listed values are."""
        self._seen = [(key, environ.get(key)) for key in self._listed
                      if key not in LOGIN_KEYS]

    @property
    def _site_keys(self) -> tuple[str, ...]:
        """Whose values are the site's; REMOTE_SESSION is a namespace's own."""
        policy = self._state.policy
        return policy.shared_keys if self._namespace else policy.site_keys

    def _show_login(self, environ: Environ, current: Login | None) -> bool:
        """Put the login of the cookie in; False if a user from outside stands."""
        # one by one: a loop, or a set, takes twice as long
        if (SESSION_ID in environ or CONTROL in environ or SCANLIST in environ
                or REMOTE_USER in environ or TOKENS in environ or AUTH_TYPE in environ):
            if environ.get(REMOTE_USER):
                self._state.outer_user = True
                self._set_aside(environ, OWN_KEYS)
                return False
            self._set_aside(environ, LOGIN_KEYS)
            if current is None:
                environ.update(self._overwritten)
            self._set_aside(environ, OWN_KEYS)
        if current is not None:
            # all three from one source: groups of somebody else do not stay
            environ[REMOTE_USER] = current.user
            environ[AUTH_TYPE] = 'cookie'
            if current.tokens:
                environ[TOKENS] = ','.join(current.tokens)
        return True

    def _set_aside(self, environ: Environ, keys: Iterable[str]) -> None:
        self._overwritten = {**self._overwritten, **{
            key: environ.pop(key) for key in keys if key in environ}}

    def withdraw(self, environ: Environ) -> None:
        """Take out of environ what was put in, and what was set inside where
        nothing was before."""
        for key in (*OWN_KEYS, *self._restored):
            environ.pop(key, None)
        for key, value in self._seen:
            if value is None:
                environ.pop(key, None)
        if self._ours:
            for key in LOGIN_KEYS:
                environ.pop(key, None)
        environ.update(self._overwritten)

    def collect(self, environ: Environ, lenient: bool) -> None:
        """
        Hand to the state what was changed inside.

        Raises ValueError or TypeError for what cannot travel, and what login()
        raises; with ``lenient`` it is logged and left out, so that an error
        page can be shown.
        """
        # compared by identity first: what an application sets may be anything
        if (environ.get(REMOTE_USER) is not self._user
                or environ.get(TOKENS) is not self._tokens):
            self._collect_login(environ, lenient)
        if self._recorded:
            # a second start_response counts afresh
            self._state.forget(self._recorded)
            self._recorded = ()
        for key, before in self._seen:
            if (value := environ.get(key)) is not before:
                self._collect_value(key, value, before, lenient)
        scanlist = self._scanlist
        if scanlist != self._listed:
            self._collect_list(environ, lenient)
        if environ.get(SCANLIST) is not scanlist:
            self._judge_list(environ, lenient)

    def _collect_list(self, environ: Environ, lenient: bool) -> None:
        """What was appended to the list travels, what was removed does not."""
        for key in self._scanlist:
            if not isinstance(key, str):
                _complain(TypeError(f'a {type(key).__name__} is no environ key'), lenient)
            elif key not in self._listed:
                self._collect_appended(key, environ.get(key), lenient)
        for key in self._listed:
            if key not in self._scanlist:
                self._record(key, None)

    def _collect_appended(self, key: str, value: object, lenient: bool) -> None:
        if key not in self._site_keys and (fault := own_key_fault(key)):
            _complain(ValueError(f'environ[{key!r}] cannot travel in the cookie: {fault}'),
                      lenient)
        else:
            self._collect_value(key, value, None, lenient)

    def _judge_list(self, environ: Environ, lenient: bool) -> None:
        """The list is not there, or not the one that was put in."""
        if SCANLIST in environ:
            _complain(ValueError(f'environ[{SCANLIST!r}] was replaced: what the other list '
                                 'says does not travel; append() to the one that is there'),
                      lenient)

    def _collect_login(self, environ: Environ, lenient: bool) -> None:
        """The parent's idiom, where it is on and the control was not used."""
        state = self._state
        if not (self._ours and self._may_login and REMOTE_USER in self._scanlist
                ) or state.done.login_changed:
            return
        try:
            user, tokens = _native(environ, REMOTE_USER), _native(environ, TOKENS)
            before, tokens_before = self._user or '', self._tokens or ''
            if user == before and (tokens == tokens_before or not user):
                return
            # groups count only if they were set in this request: those that
            # are there may be another user's
            groups = login.split_tokens(tokens) if tokens != tokens_before else ()
            if not user:
                state.logout()
            elif lenient:
                raise ValueError('REMOTE_USER was set for an error page; nobody is logged in')
            elif user == before and state.is_over():
                log.warning('the groups of a login were changed that was ended meanwhile, '
                            'and nobody is logged in')
            else:
                state.login(_text_user(user), groups, self._namespace)
        except LoginNotAllowed as error:
            log.error('REMOTE_USER was set, and nobody is logged in: %s', error)
        except (TypeError, ValueError, RevocationUnavailable, CookieTooLarge) as error:
            _complain(error, lenient)

    def _collect_value(self, key: str, value: object, before: object, lenient: bool) -> None:
        if value is None or isinstance(value, str) and is_native(value):
            if value != before:
                # a member of an enumeration would be written as its name
                self._record(key, value if value is None else str.__str__(value))
        else:
            error = ValueError if isinstance(value, str) else TypeError
            _complain(error(
                f'environ[{key!r}] cannot travel in the cookie: a value is a native string '
                f'(PEP 3333) without control characters, not any {type(value).__name__}'),
                lenient)

    def _record(self, key: str, value: str | None) -> None:
        scope = None if key in self._site_keys else self._namespace
        self._state.change(scope, key, value)
        self._recorded += ((scope, key),)


def outer_control(environ: Environ, filter_name: str) -> SessionControl:
    """The control of the filter outside.  Raises ConfigError if there is none."""
    control = environ.get(CONTROL)
    if not isinstance(control, SessionControl):
        raise ConfigError(
            f'{filter_name} has no session_cookie outside of it: write the session_cookie '
            f'first, as in "pipeline = session {filter_name} application"')
    return control


def user_now(control: SessionControl, remote_user: object,
             tokens: object = '') -> tuple[str, tuple[str, ...]]:
    """
    The user (text, '' for nobody) and the groups that hold at this moment.

    ``remote_user``, ``tokens``: REMOTE_USER and REMOTE_USER_TOKENS as they came
    in.  What the control was told in this request counts before them.
    """
    state = control.state
    if state.done.login_changed and not state.outer_user:
        identity = control.identity
        return (identity.user, identity.tokens) if identity else ('', ())
    if not isinstance(remote_user, str) or not remote_user:
        return '', ()
    groups = login.split_tokens(tokens) if isinstance(tokens, str) else ()
    try:
        return login.text_user(remote_user), groups
    except ValueError:
        return remote_user, groups  # a user from outside is whatever he is


def _is_ours(environ: Environ, state: SessionState) -> bool:
    """Whether REMOTE_USER is nobody, or is there because of our login."""
    user = environ.get(REMOTE_USER)
    return not state.outer_user and (not user or state.shows(user))


def _complain(error: Exception, lenient: bool) -> None:
    """Tell the application; or the log, so that an error page can be shown."""
    if not lenient:
        try:
            raise error
        finally:
            del error  # it has this frame, which would have it
    log.error('this is lost: %s', error)


def _native(environ: Environ, key: str) -> str:
    value = environ.get(key)
    if value is not None and not isinstance(value, str):
        raise TypeError(f'environ[{key!r}] must be a str, not {type(value).__name__}')
    return value or ''


def _text_user(user: str) -> str:
    try:
        return login.text_user(user)
    except ValueError:
        raise ValueError('REMOTE_USER is not UTF-8 read as latin-1 (PEP 3333)') from None
