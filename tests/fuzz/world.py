"""
The real thing for the machine: servers, applications, and a browser's cookie jar
=================================================================================

Nothing is replaced but the clock.  An application does what the request's job says, and
writes down what it saw.
"""
from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from model import KEYS, Place
from paste.urlmap import URLMap

from paste_sessioncookie import (
    CookieTooLarge, LoginNotAllowed, Namespace, RevocationUnavailable, SessionControl,
    SessionCookieHandler)

PLACES = {
    '/accounts': Place('/accounts', True),
    '/shop': Place('/shop', False),
    '/old': Place('', True),   # inside of no namespace: an application for the parent
}
SCANLIST = 'REMOTE_USER', 'REMOTE_SESSION', 'site.lang'

Act = tuple[Any, ...]
StartResponse = Callable[..., Any]


class Job:
    """What an application is to do in a request, and what it saw."""

    def __init__(self, acts: Sequence[Act], public: bool) -> None:
        self.acts = acts
        self.public = public
        self.seen: dict[str, Any] = {}
        #: after each act: its result or its error, and what the control shows
        self.after: list[tuple[Any, dict[str, Any]]] = []

    def look(self, environ: dict[str, Any]) -> None:
        control = environ['session.control']
        self.seen = {
            **shown(control), 'status': control.status, 'namespace': control.namespace,
            'REMOTE_USER': environ.get('REMOTE_USER'),
            'REMOTE_USER_TOKENS': environ.get('REMOTE_USER_TOKENS'),
            'AUTH_TYPE': environ.get('AUTH_TYPE'),
            'values': {key: environ[key] for key in KEYS if key in environ}}
        assert environ['session.id'] == control.id

    def run(self, environ: dict[str, Any]) -> None:
        for act in self.acts:
            try:
                result = do(environ, *act)
            except (LoginNotAllowed, RevocationUnavailable) as error:
                result = type(error)
            self.after.append((result, shown(environ['session.control'])))


def shown(control: SessionControl) -> dict[str, Any]:
    return {'id': str(control.id), 'previous_id': control.previous_id, 'new': control.new,
            'identity': control.identity and tuple(control.identity)}


def do(environ: dict[str, Any], verb: str, *arguments: Any) -> Any:
    """One thing that an application can do."""
    control = environ['session.control']
    if verb == 'put':
        key, value = arguments
        environ['paste.auth.cookie'].append(key)
        environ[key] = value
    elif verb == 'drop':
        environ.pop(arguments[0], None)
    elif verb == 'user':
        user, tokens = arguments
        environ['REMOTE_USER'] = user.encode().decode('latin-1')
        if tokens is not None:
            environ['REMOTE_USER_TOKENS'] = ','.join(tokens)
    elif verb == 'groups':
        [tokens] = arguments
        environ['REMOTE_USER_TOKENS'] = ','.join(tokens)
    elif verb == 'login':
        user, tokens, again = arguments
        control.login(user, tokens, again=again)
    elif verb == 'revoke':
        user, times = arguments
        for _ in range(times):
            control.revoke(user)
    else:
        result = getattr(control, verb)()
        assert verb != 'regenerate' or result == control.id
        return result if verb == 'logout' else None
    return None


def application(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
    """Does its job; a generator, so that it can be admitted now and act later."""
    job = environ['test.job']
    job.run(environ)
    headers = [('Content-Type', 'text/plain')]
    if job.public:
        headers.append(('Cache-Control', 'public, max-age=60'))
    try:
        start_response('200 OK', headers)
    except (CookieTooLarge, RevocationUnavailable):
        start_response('500 Internal Server Error', headers, sys.exc_info())
    yield b'ok'


def admitted(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
    """Looks as soon as the request is there."""
    environ['test.job'].look(environ)
    return application(environ, start_response)


def make_site(**options: Any) -> SessionCookieHandler:
    """One server's site of three applications."""
    site = URLMap()
    for path, place in PLACES.items():
        site[path] = Namespace(admitted, login=place.login) if place.namespace else admitted
    return SessionCookieHandler(site, scanlist=SCANLIST, **options)


class Request:
    """A request that is served step by step: admitted when it is made."""

    def __init__(self, site: SessionCookieHandler, path: str, method: str, cookie: str,
                 fetch: Mapping[str, str], job: Job) -> None:
        self.job = job
        self.headers: list[tuple[str, str]] = []
        environ = {
            'REQUEST_METHOD': method, 'SCRIPT_NAME': '', 'PATH_INFO': path,
            'SERVER_NAME': 'example.org', 'SERVER_PORT': '443',
            'SERVER_PROTOCOL': 'HTTP/1.1', 'wsgi.version': (1, 0), 'QUERY_STRING': '',
            'wsgi.url_scheme': 'https', 'wsgi.input': io.BytesIO(),
            'wsgi.errors': io.StringIO(), 'wsgi.multithread': False,
            'wsgi.multiprocess': False, 'wsgi.run_once': False, 'test.job': job,
            **{f'HTTP_SEC_FETCH_{name.upper()}': value for name, value in fetch.items()}}
        if cookie:
            environ['HTTP_COOKIE'] = cookie
        self.body: Any = site(environ, self.start_response)

    def start_response(self, status: str, headers: list[tuple[str, str]],
                       exc_info: Any = None) -> Callable[[bytes], object]:
        self.headers = headers
        return io.BytesIO().write

    def finish(self) -> list[str]:
        """The application acts; gives what is to be kept by the browser."""
        assert b''.join(self.body) == b'ok'
        self.body.close()
        return [value for name, value in self.headers if name == 'Set-Cookie']

    @property
    def header_names(self) -> list[str]:
        return [name for name, _ in self.headers]


class Jar:
    """The cookies of one browser for https://example.org (RFC 6265bis, 5.7 and 5.8)."""

    def __init__(self) -> None:
        #: (name, domain, path) -> value; with an empty domain for this host alone
        self._cookies: dict[tuple[str, str, str], str] = {}

    def take(self, header: str) -> None:
        """Keep what a Set-Cookie header says, if a browser would."""
        pair, *attributes = header.split(';')
        name, _, value = pair.partition('=')
        said = {}
        for attribute in attributes:
            key, _, text = attribute.strip().partition('=')
            said[key.lower()] = text
        path = said.get('path', '/')
        if name.startswith('__Host-') and not (
                'secure' in said and path == '/' and 'domain' not in said):
            return
        place = name.strip(), said.get('domain', ''), path
        self._cookies.pop(place, None)
        if said.get('max-age') != '0':
            self._cookies[place] = value.strip()

    def header(self, path: str) -> str:
        """The Cookie header for a path: longer paths first, then the older ones."""
        # the machine visits no path below these
        matching = [(place, value) for place, value in self._cookies.items()
                    if place[2] in ('/', path)]
        matching.sort(key=_path_length)
        return '; '.join(f'{name}={value}' for (name, _, _), value in matching)


def _path_length(cookie: tuple[tuple[str, str, str], str]) -> int:
    return -len(cookie[0][2])
