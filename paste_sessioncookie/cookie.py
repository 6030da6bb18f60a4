"""
One signed cookie for all applications of a site
================================================

The outer filter, an heir of ``paste.auth.cookie``.  It finds out whose
session a request belongs to (``identify``), calls the application with
``environ['session.id']`` and its company, and sends the cookie anew when
something changed (``remember``).  Nothing is stored on the server.

>>> from paste_sessioncookie.cookie import SessionCookieHandler
>>> def application(environ, start_response):
...     start_response('200 OK', [('Content-Type', 'text/plain')])
...     return [b'%d digits' % len(environ['session.id'])]
>>> site = SessionCookieHandler(application)

In an ini file::

    [filter:session]
    use = egg:paste_sessioncookie#session_cookie
    secret = generate:%(here)s/session.secret

The options are in the table at the foot of this file and in
``docs/reference/options.rst``.

The only room that reads the Cookie header and writes Set-Cookie.
"""
from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from paste.auth import cookie as parent

from . import engines, headers, options, revocation, sessionid, sources
from .admission import admit
from .control import SessionControl
from .encoding import Payload
from .environ import (
    CONTROL, REMOTE_SESSION, Environ, Passage, SessionCookieEnviron, scanlist_fault, site_keys)
from .errors import ConfigError, CookieTooLarge
from .headers import Headers
from .revocation_store import Store, StoredRevocations
from .section import IniSection, Option, nothing, scheme
from .seldom import Seldom
from .signer import DEFAULT_TIMEOUT, MAX_COOKIE, SessionCookieSigner
from .state import (
    FREELY, LOGIN_ONLY, NEVER, NOTHING, RENEWED, Issue, Policy, SessionState, fits,
    without_values)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

    from .jws import LoginKeys
    from .keyring import KeyRing

log = logging.getLogger('paste_sessioncookie')

HOST_NAME = '__Host-site_session'   # for secure cookies of one host (RFC 6265bis, 4.1.3)
PLAIN_NAME = 'site_session'
LARGE_COOKIE = 3500  # characters; the default buffers of nginx and uWSGI are 4 KB

SAMESITE = ('Lax', 'Strict', 'None')
ISSUE = ('always', 'kept')

#: how loud each status is: a visitor's everyday, a deployer's business, an attack
LOG_LEVELS = {
    'new': None,
    'expired-idle': logging.DEBUG, 'expired-absolute': logging.DEBUG,
    'revoked': logging.INFO,
    'malformed': logging.INFO, 'too-large': logging.INFO,
    'unknown-key': logging.WARNING, 'bad-signature': logging.WARNING,
    'bad-login': logging.WARNING, 'conflict': logging.WARNING,
    'unavailable': logging.ERROR,
}

# Fetch Metadata: requests for parts of a page, which no person looks at alone
_EMBEDDED = frozenset(('image', 'style', 'script', 'font', 'audio', 'video', 'track',
                       'manifest'))
_OWN_SITE = frozenset(('same-origin', 'same-site', 'none'))


class SessionCookieHandler(parent.AuthCookieHandler):  # type: ignore[misc]
    """
    The filter that puts one session ID and one login into environ.

    Constructor arguments; the parent's first.  Durations are in minutes.

        ``application``

            The wrapped application.

        ``cookie_name``

            ``__Host-site_session`` where that is possible, else
            ``site_session``.

        ``scanlist``

            The environ keys that belong to the site:
            ``('REMOTE_USER', 'REMOTE_SESSION')``.

        ``signer``

            An instance of SessionCookieSigner, instead of the following.

        ``secret``, ``timeout``, ``maxlen``, ``lifetime``, ``accept_secrets``

            See SessionCookieSigner.

        ``secure``

            True, False, or None: as the request is.

        ``samesite``, ``domain``, ``path``, ``persistent``

            The cookie's attributes.

        ``issue``

            ``'always'`` or ``'kept'``: when a fresh ID goes out.

        ``generator``

            Gives 16 to 64 random bytes for the base ID.

        ``revocations``

            ``'memory'``, ``'none'``, a ``revocation_sqlite.SQLiteStore`` or a
            ``revocation_redis.RedisStore``, or an object with the methods of
            ``revocation.Revocations``, which is kept from breaking requests.

        ``login_private_key``, ``login_public_keys``

            Ed25519 keys as the text of PEM files, one and several: with one of
            them, logins are signed, and only a process that has the private
            key can make any.

        ``not_before``

            Unix time: what was made before is void.

        ``cache_verified``

            See SessionCookieSigner.

        ``clock``

            Gives the Unix time.

    Raises ConfigError for what cannot work.
    """

    cookie_name = HOST_NAME
    signer_class = SessionCookieSigner
    environ_class = SessionCookieEnviron

    def __init__(self, application: WSGIApplication, cookie_name: str | None = None,
                 scanlist: Sequence[str] | None = None,
                 signer: SessionCookieSigner | None = None,
                 secret: str | bytes | None = None, timeout: float | None = None,
                 maxlen: int | None = None, *, lifetime: float | None = None,
                 accept_secrets: Sequence[str | bytes] = (),
                 secure: bool | None = True, samesite: str = 'Lax', domain: str = '',
                 path: str = '/', persistent: bool = False, issue: str = 'always',
                 generator: Callable[[], bytes] = sessionid.random_bytes,
                 revocations: str | Store | revocation.Revocations = 'memory',
                 login_private_key: str | bytes | None = None,
                 login_public_keys: Sequence[str | bytes] | None = None,
                 not_before: float = 0, cache_verified: bool = True,
                 clock: Callable[[], float] = time.time) -> None:
        name = cookie_name or self._default_name(secure, domain, path)
        faults = attribute_faults(name, secure, samesite, domain, path)
        if isinstance(scanlist, str):
            scanlist = scanlist.split()
        faults += argument_faults(scanlist or (), issue, revocations)
        if signer is not None:
            faults += signer_faults(signer, name, bool(
                secret or timeout or maxlen or lifetime or accept_secrets
                or not cache_verified))
        keys = _login_keys(
            login_private_key, login_public_keys, name, cache_verified, faults)
        if faults:
            raise ConfigError('session_cookie', faults)
        if signer is None:
            signer = self.signer_class(
                secret, timeout, maxlen, lifetime=lifetime, accept_secrets=accept_secrets,
                cookie_name=name, domain=domain, path=path, cache_verified=cache_verified,
                clock=clock)
        elif not signer.cookie_name:
            signer.bind(name, domain, path)
        super().__init__(application, name, scanlist, signer)
        if scanlist is not None:
            # the parent takes an empty one for none
            self.scanlist = tuple(dict.fromkeys(scanlist))
        self.secure = secure
        self.samesite = samesite
        self.persistent = persistent
        self.clock = clock
        values = site_keys(self.scanlist)
        self.policy = Policy(
            signer=signer, cookie_name=name, scanlist=list(self.scanlist), site_keys=values,
            absent=tuple((key, None) for key in values),
            shared_keys=tuple(key for key in values if key != REMOTE_SESSION),
            revocations=_engine(revocations, keys or signer.keys), clock=clock,
            generator=generator, issue_always=issue == 'always', not_before=not_before,
            domain=domain, login_keys=keys)
        self._find = headers.CookieFinder(name).find
        self._writer = headers.CookieWriter(
            name, path=path, domain=domain, samesite=samesite)
        self._refusals = {status: Seldom() for status in LOG_LEVELS}
        self._warned: set[str] = set()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application: identify, call, remember."""
        if CONTROL not in environ:
            state = self.identify(environ)
        elif self._is_inside(environ[CONTROL]):
            # another filter of the same section is outside: one is enough
            return self.application(environ, start_response)  # type: ignore[no-any-return]
        else:
            state = self._identify_again(environ)
        control = Passage(environ, state, self.environ_class(self, self.scanlist))
        try:
            return self.application(  # type: ignore[no-any-return]
                environ, partial(self.remember, environ, state, control, start_response))
        except BaseException:
            control.withdraw(environ)
            raise

    def identify(self, environ: Environ) -> SessionState:
        """Whose session the request belongs to, by its Cookie header."""
        header = environ.get('HTTP_COOKIE')
        candidates = self._find(header) if header else ()
        state = admit(self.policy, candidates, self.clock())
        if state.accepted is None:
            state.issue = self._issue(state, environ)
            if candidates:
                self._log_refusal(state.status)
        return state

    def _log_refusal(self, status: str) -> None:
        level = LOG_LEVELS[status]
        # anybody can send bad cookies, and as many as he likes
        if (level is not None and log.isEnabledFor(level)
                and (times := self._refusals[status].due())):
            log.log(level, 'the cookie %s is not accepted: %s%s', self.cookie_name, status,
                    f' ({times} times)' if times > 1 else '')

    def remember(self, environ: Environ, state: SessionState, control: Passage,
                 start_response: StartResponse, status: str, response_headers: Headers,
                 exc_info: Any = None) -> Callable[[bytes], object]:
        """A start_response that adds what the browser is told."""
        lenient = exc_info is not None
        control.collect(environ, lenient)
        response_headers = headers.with_vary_cookie(response_headers)
        if not state.is_quiet():
            self._tell(state, environ, response_headers, lenient)
        state.started = True
        if exc_info is None:
            return start_response(status, response_headers)
        return start_response(status, response_headers, exc_info)

    def _tell(self, state: SessionState, environ: Environ, response_headers: Headers,
              lenient: bool) -> None:
        """Add to the headers what the browser is told."""
        answer = state.answer(
            public=state.status == RENEWED and headers.is_public(response_headers))
        if answer is NOTHING:
            return
        secure = (environ.get('wsgi.url_scheme') == 'https' if self.secure is None
                  else self.secure)
        if not isinstance(answer, Payload):
            response_headers.append(self._writer.delete(secure))
        else:
            # a mere renewal is no fault of the application's, either
            value = self._sign(answer, lenient or not state.changed)
            if value is None:
                return
            response_headers.append(self._set_cookie(answer, value, secure))
            if state.accepted is None:
                self._check_server(environ)
        headers.make_private(response_headers)

    def _sign(self, payload: Payload, lenient: bool) -> bytes | None:
        """
        The cookie's value; CookieTooLarge is raised if it does not fit.

        With ``lenient``: without its largest values; None if that does not help
        (``maxlen`` was made smaller than a login that is there).
        """
        try:
            return self.signer.sign(payload)  # type: ignore[no-any-return]
        except CookieTooLarge as error:
            if not lenient:
                raise
            smaller, dropped = without_values(payload, self.signer.room)
            fitting = fits(smaller, self.signer.room)
            log.error('%s; not kept, so that a response can be sent: %s',
                      error, ', '.join(dropped) if fitting else 'the whole cookie')
            return self.signer.sign(smaller) if fitting else None

    def _set_cookie(self, payload: Payload, value: bytes, secure: bool) -> tuple[str, str]:
        """The header for a payload's value; warns once of a large one."""
        size = len(self.cookie_name) + len(value)
        if size > LARGE_COOKIE:
            self._warn_once(
                'large', 'the cookie %s has %d of at most %d characters: servers in front '
                'may need larger buffers (nginx: proxy_buffer_size 8k; uWSGI: '
                'buffer-size = 8192)', self.cookie_name, size, MAX_COOKIE)
        max_age = None
        if self.persistent:
            end = min(self.signer.idle_end(payload), self.signer.absolute_end(payload))
            max_age = max(0, end - int(self.clock()))
        return self._writer.set(value.decode('ascii'), secure, max_age)

    def _is_inside(self, control: object) -> bool:
        """
        Whether another filter of the same section is outside.

        A control that has started is of an earlier pass of the same environ.
        """
        if not isinstance(control, SessionControl):
            return False
        theirs = control.state.policy
        if theirs.realm != self.policy.realm:
            raise ConfigError(
                'a session_cookie inside another must have the same cookie name, secret, '
                f'login keys and attributes: outside is {theirs.cookie_name!r}, inside is '
                f'{self.cookie_name!r}' + (
                    '; the secrets, login keys, domains or paths differ'
                    if theirs.cookie_name == self.cookie_name else ''))
        # ... but inside of a namespace, the outer filter is still there
        return not control.started or control.namespace != ''

    def _identify_again(self, environ: Environ) -> SessionState:
        """
        The same environ comes again (paste.recursive, paste.errordocument):
        go on from the state of the earlier pass.
        """
        there = environ[CONTROL]
        if not isinstance(there, Passage):
            return self.identify(environ)  # somebody else's key of that name
        there.withdraw(environ)
        return there.state.next_pass()

    def _issue(self, state: SessionState, environ: Environ) -> Issue:
        """
        When a fresh ID may go out: where a browser would have sent our cookie,
        if it had one.

        A form posted from another site comes without a Lax cookie, and the
        browser keeps the cookie of the answer: who answers it with a fresh ID
        lets any web page log his visitors out.
        """
        if environ.get('HTTP_SEC_FETCH_DEST') in _EMBEDDED:
            return NEVER
        if (environ.get('HTTP_SEC_FETCH_SITE') in _OWN_SITE or state.carried
                or self.samesite == 'None'
                or _comes_from_elsewhere_with_cookies(environ, self.samesite == 'Strict')):
            return FREELY
        return LOGIN_ONLY

    def _check_server(self, environ: Environ) -> None:
        """When a visitor comes without a cookie that is good: does the
        configuration fit the server?"""
        if environ.get('wsgi.multiprocess') and isinstance(
                self.policy.revocations, revocation.IN_MEMORY):
            self._warn_once(
                'processes',
                'revocation = memory, and the server runs several processes: a log-out '
                'revokes copies of the cookie in the process that served it only.  '
                'Write revocation = sqlite:PATH, with a file for all processes of this '
                'machine (or redis://HOST for several machines); or run one process with '
                'threads; or write revocation = none to say that this is known')
        if 'paste.httpexceptions' in environ or 'Zope2.httpexceptions' in environ:
            self._warn_once(
                'exceptions',
                'httpexceptions is outside of session_cookie: a response that is raised, '
                'such as HTTPFound, carries no cookie.  Write it behind session_cookie '
                'in the pipeline')
        if self.secure and _is_plain_navigation(environ):
            self._warn_once(
                'scheme',
                'the cookie %s is for https only, and a browser came over plain http: it '
                'will not keep the cookie.  If TLS ends at a proxy, tell the server (its '
                'trusted_proxy setting, or egg:PasteDeploy#prefix outside of '
                'session_cookie).  Only if the site really is plain http, write '
                'secure = auto', self.cookie_name)

    def _warn_once(self, what: str, message: str, *args: object) -> None:
        if what not in self._warned:
            self._warned.add(what)
            log.warning(message, *args)

    def _default_name(self, secure: bool | None, domain: str, path: str) -> str:
        """The class's name, without a prefix that the attributes forbid."""
        name = type(self).cookie_name
        if name == HOST_NAME and (not secure or domain or path != '/'):
            return PLAIN_NAME
        return name


middleware = SessionCookieHandler


def _comes_from_elsewhere_with_cookies(environ: Environ, strict: bool) -> bool:
    """Whether a browser would have sent a Lax (or Strict) cookie along with a request
    that does not say that it is the site's own."""
    method = environ.get('REQUEST_METHOD')
    if not _has_fetch_metadata(environ):
        # an old browser, plain http, or a program
        return method in ('GET', 'HEAD')
    # a link from elsewhere, in a window of its own
    return (not strict and method == 'GET'
            and environ.get('HTTP_SEC_FETCH_MODE') == 'navigate'
            and environ.get('HTTP_SEC_FETCH_DEST') == 'document')


def _is_plain_navigation(environ: Environ) -> bool:
    """Whether a person's browser comes over plain http, as far as we are told
    (it sends Fetch Metadata over https only, and to localhost)."""
    return (environ.get('wsgi.url_scheme') == 'http'
            and environ.get('REQUEST_METHOD') == 'GET'
            and 'text/html' in environ.get('HTTP_ACCEPT', '')
            and not _has_fetch_metadata(environ))


def _has_fetch_metadata(environ: Environ) -> bool:
    return ('HTTP_SEC_FETCH_SITE' in environ or 'HTTP_SEC_FETCH_MODE' in environ
            or 'HTTP_SEC_FETCH_DEST' in environ)


def _engine(revocations: str | Store | revocation.Revocations,
            keys: LoginKeys | KeyRing) -> revocation.Revocations:
    """The engine.  ``keys``: of the logins, which are signed or plain."""
    if revocations == 'none':
        return revocation.NoRevocations()
    if isinstance(revocations, str):
        return revocation.memory_for(keys.list_names)
    if isinstance(revocations, Store):
        return StoredRevocations(revocations, keys.list_names)
    return revocation.guarded(revocations)


def _login_keys(private_key: str | bytes | None, public_keys: Sequence[str | bytes] | None,
                cookie_name: str, cache_verified: bool,
                faults: list[str]) -> LoginKeys | None:
    """The keys of signed logins, None for plain ones, or more faults."""
    if private_key is None and public_keys is None:
        return None
    try:
        from .jws import LoginKeys  # needs the extra
        return LoginKeys(private_key, public_keys or (), cookie_name, cache_verified)
    except ConfigError as error:
        faults += error.faults or [str(error)]
        return None


def attribute_faults(name: str, secure: bool | None, samesite: str, domain: str,
                     path: str) -> list[str]:
    """What browsers would refuse (RFC 6265bis, 5.7), a sentence each."""
    faults = []
    for option, convert, value in (('cookie_name', options.cookie_name, name),
                                   ('domain', options.domain, domain),
                                   ('path', options.path, path)):
        try:
            convert(value, '')
        except ValueError as error:
            faults.append(f'{option} = {value!r}: {error}')
    if samesite not in SAMESITE:
        faults.append(f'samesite = {samesite}: it takes one of: ' + ', '.join(SAMESITE))
    lower = name.lower()
    if lower.startswith(('__secure-', '__host-', '__http-')) and not secure:
        faults.append(f'cookie_name = {name}: a name with this prefix takes secure = true')
    if lower.startswith('__host-') and (domain or path != '/'):
        faults.append(f'cookie_name = {name}: a name with this prefix takes no domain, and '
                      'path = /')
    if samesite == 'None' and not secure:
        faults.append('samesite = None: browsers keep such a cookie only with secure = true')
    return faults


def argument_faults(scanlist: Sequence[str], issue: str, revocations: object) -> list[str]:
    """What is wrong with the constructor's other arguments, a sentence each."""
    faults = [f'scanlist: {key}: {fault}' for key in scanlist
              if (fault := scanlist_fault(key))]
    if issue not in ISSUE:
        faults.append(f'issue = {issue}: it takes one of: ' + ', '.join(ISSUE))
    if isinstance(revocations, str):
        if revocations not in revocation.WORDS:
            faults.append('revocations: of words it takes one of: '
                          + ', '.join(revocation.WORDS))
    elif not isinstance(revocations, Store) and (
            missing := revocation.missing_methods(revocations)):
        faults.append(f'revocations: a {type(revocations).__name__} has no '
                      + ', '.join(missing))
    return faults


def signer_faults(signer: object, name: str, has_more: bool) -> list[str]:
    """What is wrong with a signer that is given, a sentence each."""
    if not isinstance(signer, SessionCookieSigner):
        return [f'signer: a {type(signer).__name__} is no SessionCookieSigner']
    faults = []
    if signer.cookie_name not in ('', name):
        faults.append(f'signer: it signs for the cookie {signer.cookie_name}, not for {name}')
    if has_more:
        faults.append('signer: secret, timeout, maxlen, lifetime, accept_secrets and '
                      'cache_verified are arguments of the signer that is given')
    return faults


#: option -> converter, default
OPTIONS = {
    'secret': Option(sources.secret, show=nothing, inherited=True, required=(
        'write secret = generate:%(here)s/session.secret (it is made at the first start), '
        'or file:PATH, or env:NAME, or the secret itself')),
    'accept_secrets': Option(sources.secret_list, (), show=nothing),
    'cookie_name': Option(options.cookie_name),
    'timeout': Option(options.duration, DEFAULT_TIMEOUT * 60),   # seconds
    'lifetime': Option(options.duration),                        # seconds
    'scanlist': Option(options.names, ('REMOTE_USER', 'REMOTE_SESSION')),
    'maxlen': Option(options.length, MAX_COOKIE),                # characters
    'secure': Option(options.secure, True),
    'samesite': Option(options.choice(*SAMESITE), 'Lax'),
    'domain': Option(options.domain, ''),
    'path': Option(options.path, '/'),
    'persistent': Option(options.boolean, False),
    'issue': Option(options.choice(*ISSUE), 'always'),
    'generator': Option(options.generator, sessionid.random_bytes),
    'login_private_key': Option(sources.login_private_key, show=nothing, hidden=(
        'logins would be plain')),
    'login_public_keys': Option(sources.login_public_keys, show=sources.source_names, hidden=(
        'logins would be plain')),
    'revocation': Option(engines.revocation, 'memory', show=scheme, hidden=(
        'other processes would not see who has logged out')),
    'not_before': Option(options.moment, 0, hidden=(             # Unix time
        'what is void would count again')),
    'cache_verified': Option(options.boolean, True),
}


def read_section(table: Mapping[str, Option], global_conf: Mapping[str, Any] | None,
                 local_conf: Mapping[str, Any]) -> IniSection:
    """A section of the filter, with the faults of options that do not fit each other."""
    section = IniSection('session_cookie', table, global_conf, local_conf)
    values = section.values
    attributes = ('cookie_name', 'secure', 'samesite', 'domain', 'path')
    if not section.failed.intersection(attributes):
        name = values['cookie_name'] or PLAIN_NAME
        for fault in attribute_faults(name, *[values[each] for each in attributes[1:]]):
            section.fault(fault)
    return section


def make_session_cookie(app: WSGIApplication, global_conf: dict[str, Any] | None, /,
                        **local_conf: Any) -> SessionCookieHandler:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#session_cookie``.

    Raises ConfigError with all faults of the section.
    """
    section = read_section(OPTIONS, global_conf, local_conf)
    values = section.finish()
    lifetime = values.pop('lifetime')
    return SessionCookieHandler(
        app, timeout=values.pop('timeout') / 60,
        lifetime=None if lifetime is None else lifetime / 60,
        revocations=values.pop('revocation'), **values)
