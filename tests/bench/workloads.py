"""
Workloads: requests through FLOOR, through ours, and through peers
==================================================================

======  =====================================================================
W0      two foreign cookies, ours absent, the application touches nothing
W1      a good cookie; the application reads ID and user
W2      likewise, and one value changes: a new cookie goes out
W3      a tampered cookie; nothing goes out
W4      a first visit: an ID is made and goes out
W5      as W1, with a value of 1 KB
======  =====================================================================

A *scheme* reads a cookie's value, or refuses it, and writes one.  The same
closure puts each one between a server and an application, restores user, ID
and value, and appends a Set-Cookie in W2 and W4; so a scheme is charged for
nothing but what it is.  FLOOR is a scheme: base64 around one ``hmac.digest``,
and a time.  It has no configuration and breaks on what browsers really send.

The application is promised an ID.  Whoever finds no good cookie makes one.
"""
from __future__ import annotations

import base64
import hmac
import io
import itertools
import logging
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import measure

from paste_sessioncookie import Namespace, SessionCookieHandler, encoding, sessionid
from paste_sessioncookie.encoding import Login, Payload, Section

Environ = dict[str, Any]
StartResponse = Callable[..., object]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Session = dict[str, str]
MakeCase = Callable[[], measure.Case]   # a case is made where it is measured

WORKLOADS = ('W0', 'W1', 'W2', 'W3', 'W4', 'W5')

SECRET = '0123456789abcdef0123456789abcdef'
NAME = '__Host-site_session'   # of every cookie here: a header's length costs
ATTRIBUTES = 'Path=/; HttpOnly; SameSite=Lax; Secure'
USER = 'alice'
ID = '8d' * 20
NOW = int(time.time())
# with what needs another alphabet in most schemes
KILOBYTE = ('list=compact; sort="newest first"; seen=1742,1743,1751; ' * 19)[:1024]
# ... and in ours as well
IN_BASE64 = KILOBYTE.replace('"', "'")


LOG = logging.getLogger('paste_sessioncookie')
LOG.addHandler(logging.StreamHandler(open(os.devnull, 'w', encoding='ascii')))


# -- the request ---------------------------------------------------------------

BASE: Environ = {
    'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': '/blog', 'PATH_INFO': '/2006/01/07/cookies',
    'QUERY_STRING': 'page=2', 'SERVER_PROTOCOL': 'HTTP/1.1', 'SERVER_NAME': 'example.com',
    'SERVER_PORT': '443', 'SERVER_SOFTWARE': 'waitress', 'REMOTE_ADDR': '192.0.2.7',
    'REMOTE_HOST': '192.0.2.7', 'REMOTE_PORT': '50312', 'HTTP_HOST': 'example.com',
    'HTTP_USER_AGENT':
        'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
    'HTTP_ACCEPT': 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'HTTP_ACCEPT_LANGUAGE': 'en-US,en;q=0.5', 'HTTP_ACCEPT_ENCODING': 'gzip, deflate, br',
    'HTTP_SEC_FETCH_DEST': 'document', 'HTTP_SEC_FETCH_MODE': 'navigate',
    'HTTP_SEC_FETCH_SITE': 'same-origin', 'HTTP_CONNECTION': 'keep-alive',
    'wsgi.version': (1, 0), 'wsgi.url_scheme': 'https', 'wsgi.errors': sys.stderr,
    'wsgi.input': io.BytesIO(), 'wsgi.multithread': True, 'wsgi.multiprocess': False,
    'wsgi.run_once': False,
}
FOREIGN = '_ga=GA1.2.1234567890.1712345678', 'csrftoken=Zb0nS2pXvQ7eLr4TkY9uWm1AcD'


def fresh_environ(value: str, foreign: Sequence[str] = FOREIGN) -> Environ:
    """A request with foreign cookies around ours; no string is one seen before."""
    ours = [f'{NAME}={value}'] if value else []
    return {**BASE, 'HTTP_COOKIE': '; '.join([foreign[0], *ours, *foreign[1:]])}


def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ.get('REMOTE_USER')
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '2')])
    return [b'ok']


def writing_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ['REMOTE_SESSION'] = 'list=compact'
    return application(environ, start_response)


def start_response(status: str, headers: list[tuple[str, str]],
                   exc_info: Any = None) -> None:
    """The server's."""


def requests(wrapped: Application, values: Iterable[str],
             foreign: Sequence[str] = FOREIGN) -> measure.Case:
    """Requests to an application with these cookies in turn."""
    turn = itertools.cycle(values)

    def request(environ: Environ) -> object:
        return wrapped(environ, start_response)

    def case(count: int) -> tuple[Callable[[Environ], object], list[Environ]]:
        return request, [fresh_environ(next(turn), foreign) for _ in range(count)]
    return case


def bare() -> measure.Case:
    return requests(application, [''])


def no_op() -> measure.Case:
    def middleware(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return application(environ, start_response)
    return requests(middleware, [''])


# -- schemes -------------------------------------------------------------------

class Scheme(NamedTuple):
    """``read``: the session that the environ's cookie holds, or None."""

    read: Callable[[Environ], Mapping[str, str] | None]
    write: Callable[[Session], str]


def floor() -> Scheme:
    key = SECRET.encode('ascii')
    wanted = f'{NAME}='

    def read(environ: Environ) -> Session | None:
        header = environ['HTTP_COOKIE']
        start = header.find(wanted)
        if start < 0:
            return None
        data = base64.b64decode(header[start + len(wanted):header.find(';', start)])
        content = data[32:]
        if not hmac.compare_digest(hmac.digest(key, content, 'sha256'), data[:32]):
            return None
        until, user, session_id, value = content.decode('latin-1').split('|')
        if int(until) <= time.time():
            return None
        return {'user': user, 'id': session_id, 'value': value}

    def write(session: Session) -> str:
        content = (f'{int(time.time()) + 1800}|{session["user"]}|{session["id"]}|'
                   f'{session["value"]}').encode('latin-1')
        return base64.b64encode(
            hmac.digest(key, content, 'sha256') + content).decode('ascii')

    return Scheme(read, write)


def session(value: str = '') -> Session:
    return {'user': USER, 'id': ID, 'value': value}


def reading(scheme: Scheme) -> Application:
    """Middleware that restores what a scheme reads, and sends nothing."""
    read = scheme.read

    def middleware(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found = read(environ)
        if found is None:
            environ['session.id'] = secrets.token_hex(20)
        else:
            environ['REMOTE_USER'] = found['user']
            environ['session.id'] = found['id']
            if found['value']:
                environ['REMOTE_SESSION'] = found['value']
        return application(environ, start_response)
    return middleware


def writing(scheme: Scheme) -> Application:
    """Middleware that sends the cookie with the value that the application sets."""
    read, write = scheme

    def middleware(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        found = dict(read(environ) or ())
        environ['REMOTE_USER'] = found['user']
        environ['session.id'] = found['id']

        def remember(status: str, headers: list[tuple[str, str]]) -> object:
            found['value'] = environ['REMOTE_SESSION']
            headers.append(('Set-Cookie', f'{NAME}={write(found)}; {ATTRIBUTES}'))
            return start_response(status, headers)
        return writing_application(environ, remember)
    return middleware


def issuing(scheme: Scheme) -> Application:
    """Middleware that sends a fresh ID where there is none that is good."""
    read, write = scheme

    def middleware(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        read(environ)
        fresh = {'user': '', 'id': secrets.token_hex(20), 'value': ''}
        environ['session.id'] = fresh['id']

        def remember(status: str, headers: list[tuple[str, str]]) -> object:
            headers.append(('Set-Cookie', f'{NAME}={write(fresh)}; {ATTRIBUTES}'))
            return start_response(status, headers)
        return application(environ, remember)
    return middleware


def cases_of(name: str, scheme: Callable[[], Scheme]) -> dict[str, MakeCase]:
    """Each workload with a scheme."""
    def reads(value: str = '', spoilt: bool = False) -> measure.Case:
        made = scheme()
        cookie = made.write(session(value))
        return requests(reading(made), [spoil(cookie) if spoilt else cookie])

    def writes() -> measure.Case:
        made = scheme()
        return requests(writing(made), [made.write(session())])

    def issues(value: str) -> measure.Case:
        return requests(issuing(scheme()), [value])

    return {
        f'{name} W0': lambda: requests(reading(scheme()), ['']),
        f'{name} W1': reads,
        f'{name} W2': writes,
        f'{name} W3': lambda: reads(spoilt=True),
        f'{name} W4': lambda: issues(''),
        f'{name} W5': lambda: reads(KILOBYTE),
    }


def spoil(cookie: str) -> str:
    """Another character in the middle of what is signed, in any scheme."""
    middle = len(cookie) // 2
    return cookie[:middle] + ('1' if cookie[middle] != '1' else '2') + cookie[middle + 1:]


# -- ours ----------------------------------------------------------------------

def handler(inside: Application = application, **options: Any) -> SessionCookieHandler:
    return SessionCookieHandler(inside, NAME, secret=SECRET, **options)


def cookie(site: SessionCookieHandler, number: int = 0,
           sections: Mapping[str, Section] | str = '', value: str = '') -> str:
    login = Login('5b' * 16, NOW, '/accounts', USER, ())
    values = {'REMOTE_SESSION': value} if value else {}
    payload = Payload(f'{number:040x}', NOW, NOW, NOW + 1800, NOW + 43200, login, values,
                      None, sections)
    if site.policy.login_keys:
        payload.login = site.policy.login_keys.sign(login, payload)
    signed: bytes = site.signer.sign(payload)
    return signed.decode('ascii')


def never_seen(site: SessionCookieHandler, value: str = '',
               sections: Mapping[str, Section] | str = '') -> Iterable[str]:
    """Cookies that differ, as many as are asked for."""
    return (cookie(site, number, sections, value) for number in itertools.count())


def seen(inside: Application = application, **content: Any) -> measure.Case:
    site = handler(inside)
    return requests(site, [cookie(site, **content)])


def unseen(inside: Application = application, **content: Any) -> measure.Case:
    site = handler(inside)
    return requests(site, never_seen(site, **content))


def signed_logins() -> SessionCookieHandler:
    """A site where only one process can log users in."""
    from paste_sessioncookie.jws import new_key_pair  # needs the extra
    return handler(login_private_key=new_key_pair()[0])


def tampered(level: int, **options: Any) -> measure.Case:
    """With a logger of this level, whose lines are written and go nowhere."""
    site = handler(**options)
    prepare = requests(site, [spoil(cookie(site))])

    def case(count: int) -> tuple[Callable[[Environ], object], list[Environ]]:
        LOG.setLevel(level)
        return prepare(count)
    return case


BLOG = {'/blog': Section('', {'weblog.theme': 'dark'})}

OURS: dict[str, MakeCase] = {
    'W0': lambda: requests(handler(issue='kept'), ['']),
    'W1': unseen,
    'W1, verified before': seen,
    'W1, signed login': lambda: requests(site := signed_logins(), never_seen(site)),
    'W1, signed login, verified before':
        lambda: requests(site := signed_logins(), [cookie(site)]),
    'W2': lambda: unseen(writing_application),
    'W2, verified before': lambda: seen(writing_application),
    'W3': lambda: tampered(logging.CRITICAL, issue='kept'),
    'W3, with the log on': lambda: tampered(logging.INFO, issue='kept'),
    'W4': lambda: requests(handler(), ['']),
    'W5': lambda: unseen(value=KILOBYTE),
    'W5, verified before': lambda: seen(value=KILOBYTE),
    'W5, in base64': lambda: unseen(value=IN_BASE64),
    'W1, verified before, + namespace': lambda: seen(Namespace(application)),
    'W1, verified before, + namespace with a value':
        lambda: seen(Namespace(application), sections=BLOG),
}


# -- the least that the protocol takes -----------------------------------------

class LeastControl:
    """An ID and a login, and nothing that can be done with them."""

    __slots__ = ('id', 'login')

    def __init__(self, session_id: str, login: tuple[str, ...]) -> None:
        self.id = session_id
        self.login = login


def least() -> measure.Case:
    """
    W1, by hand, in one function: tag, grammar, times, one ID, and what is in environ.

    What it leaves out a filter cannot: all that is not a good cookie, revocation, a cache,
    a changed configuration, and to look at what the application changed.
    """
    site = handler()
    wanted = f'{NAME}='
    (prefix, key), = site.signer._accepted.items()
    find = encoding._START.match

    def middleware(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        value = environ['HTTP_COOKIE'].partition(wanted)[2].partition(';')[0]
        (signed, _, tag), now = value.rpartition('.'), time.time()
        start = find(signed, len(prefix))
        if not (value.startswith(prefix) and start and hmac.compare_digest(
                key.tag(signed.encode()), tag)):
            raise ValueError('not the cookie of W1')
        (base_id, created, issued, idle, absolute,
         login_id, at, by, user, groups, _, rest) = start.groups()
        begun = int(created)
        if not (begun <= (begun if issued == created else int(issued)) <= now + 60
                and now < int(idle) and now < int(absolute) and rest == '!'
                and (begun if at == created else int(at)) >= begun):
            raise ValueError('not the times of W1')
        environ['session.id'] = session_id = sessionid.derive(base_id, '')
        environ['session.control'] = LeastControl(session_id, (login_id, at, by, user, groups))
        environ['paste.auth.cookie'] = ['REMOTE_USER', 'REMOTE_SESSION']
        environ['REMOTE_USER'] = user
        environ['AUTH_TYPE'] = 'cookie'

        def remember(status: str, headers: list[tuple[str, str]],
                     exc_info: Any = None) -> object:
            return start_response(status, [*headers, ('Vary', 'Cookie')])
        return application(environ, remember)
    return requests(middleware, never_seen(site))


LEAST = {'W1, the least that the protocol takes': least}
FLOOR = cases_of('FLOOR', floor)
