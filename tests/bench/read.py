"""
Read: what the filter costs per request, and what others cost
=============================================================

::

    python tests/bench/read.py [--instructions]

The overhead over the bare application, in units of FLOOR's of the same run.
FLOOR is the least that anybody does who trusts a signed cookie: it finds one
cookie in the header, decodes base64, computes one HMAC, compares, looks at
the time, and puts a user and an ID into environ.  It has no configuration, no
way to write, and breaks on what browsers really send.

``warm`` is a cookie that was seen before, ``cold`` one that never was.  Where
a library does not put the user into environ itself, a closure does, and
nothing more; its cookie carries the same user and ID.

Takes starlette, flask, django, pyramid and beaker; which it lacks, it leaves
out.  With ``--instructions`` valgrind counts (some minutes); else only the
wall clock is read, which is noisy.
"""
from __future__ import annotations

import base64
import hmac
import importlib
import io
import itertools
import json
import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import measure
from paste.auth import cookie as parent

from paste_sessioncookie import Namespace, SessionCookieHandler
from paste_sessioncookie.encoding import Login, Payload, Section

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., object]], Iterable[bytes]]

SECRET = '0123456789abcdef0123456789abcdef'
NAME = '__Host-site_session'   # of every cookie here: a header's length costs
USER = 'alice'
ID = '8d' * 20
NOW = int(time.time())


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


def fresh_environ(value: str) -> Environ:
    """A request between two foreign cookies; no string is one seen before."""
    ours = f' {NAME}={value};' if value else ''
    return {**BASE, 'HTTP_COOKIE':
            f'_ga=GA1.2.1234567890.1712345678;{ours} csrftoken=Zb0nS2pXvQ7eLr4TkY9uWm1AcD'}


def application(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
    environ.get('REMOTE_USER')
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '2')])
    return [b'ok']


def writing_application(environ: Environ,
                        start_response: Callable[..., object]) -> Iterable[bytes]:
    environ['REMOTE_SESSION'] = 'list=compact'
    return application(environ, start_response)


def start_response(status: str, headers: list[tuple[str, str]],
                   exc_info: Any = None) -> None:
    """The server's."""


def requests(wrapped: Application, values: Sequence[str]) -> measure.Case:
    """Requests to an application with these cookies in turn."""
    turn = itertools.cycle(values)

    def request(environ: Environ) -> object:
        return wrapped(environ, start_response)

    def case(count: int) -> tuple[Callable[[Environ], object], list[Environ]]:
        return request, [fresh_environ(next(turn)) for _ in range(count)]
    return case


# -- what it is measured against -----------------------------------------------

def bare() -> measure.Case:
    return requests(application, [''])


def no_op() -> measure.Case:
    def middleware(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        return application(environ, start_response)
    return requests(middleware, [''])


def floor() -> measure.Case:
    key = SECRET.encode('ascii')
    wanted = f'{NAME}='

    def middleware(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        header = environ['HTTP_COOKIE']
        start = header.find(wanted) + len(wanted)
        data = base64.b64decode(header[start:header.find(';', start)])
        content = data[32:]
        if hmac.compare_digest(hmac.digest(key, content, 'sha256'), data[:32]):
            until, user, session_id = content.decode('latin-1').split('|')
            if int(until) > time.time():
                environ['REMOTE_USER'] = user
                environ['session.id'] = session_id
        return application(environ, start_response)

    content = f'{NOW + 1800}|{USER}|{ID}'.encode('latin-1')
    value = base64.b64encode(hmac.digest(key, content, 'sha256') + content)
    return requests(middleware, [value.decode('ascii')])


# -- ours ----------------------------------------------------------------------

def handler(inside: Application = application) -> SessionCookieHandler:
    return SessionCookieHandler(inside, NAME, secret=SECRET)


def cookie(site: SessionCookieHandler, number: int = 0,
           sections: dict[str, Section] | None = None) -> str:
    login = Login('5b' * 16, NOW, '/accounts', USER, ())
    payload = Payload(f'{number:040x}', NOW, NOW, NOW + 1800, NOW + 43200, login, {}, None,
                      sections or {})
    value: bytes = site.signer.sign(payload)
    return value.decode('ascii')


def warm() -> measure.Case:
    site = handler()
    return requests(site, [cookie(site)])


def cold() -> measure.Case:
    site = handler()
    # far more than the filter remembers: when one comes again, it is forgotten
    return requests(site, [cookie(site, number) for number in range(3000)])


def namespace_warm() -> measure.Case:
    site = handler(Namespace(application))
    return requests(site, [cookie(site)])


def namespace_value_warm() -> measure.Case:
    site = handler(Namespace(application))
    sections = {'/blog': Section('', {'weblog.theme': 'dark'})}
    return requests(site, [cookie(site, sections=sections)])


def first_visit() -> measure.Case:
    return requests(handler(), [''])


def tampered() -> measure.Case:
    site = handler()
    return requests(site, [cookie(site)[:-8] + '00000000'])


def write() -> measure.Case:
    site = handler(writing_application)
    return requests(site, [cookie(site)])


# -- the parent, and others ----------------------------------------------------

class PatchedSigner(parent.AuthCookieSigner):  # type: ignore[misc]
    """Just enough for Python 3: ``base64.decodestring`` is gone, and content
    is text outside and bytes inside."""

    def auth(self, cookie: str) -> str | None:
        decoded = base64.decodebytes(
            cookie.replace('_', '/').replace('~', '=').encode('ascii'))
        signature = decoded[:parent._signature_size]
        expires = decoded[parent._signature_size:parent._header_size]
        content = decoded[parent._header_size:]
        if signature == hmac.new(self.secret, content, parent.sha1).digest():
            if int(expires) > int(parent.make_time(time.time())):
                return content.decode('utf-8')
        return None


def patched_parent() -> measure.Case:
    signer = PatchedSigner(SECRET.encode('ascii'))
    site = parent.AuthCookieHandler(application, NAME, signer=signer)
    value = signer.sign(f'REMOTE_USER={USER};REMOTE_SESSION={ID}')
    return requests(site, [value.decode('ascii')])


def reader(read: Callable[[Environ], Any]) -> Application:
    """Middleware that restores what a library reads from the cookie."""
    def middleware(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        session = read(environ)
        environ['REMOTE_USER'] = session['user']
        environ['session.id'] = session['id']
        return application(environ, start_response)
    return middleware


CONTENT = {'user': USER, 'id': ID}


def starlette() -> measure.Case:
    """What SessionMiddleware does with a cookie; since 0.50 or so it signs only
    what was changed."""
    from itsdangerous import TimestampSigner
    from starlette.requests import cookie_parser
    signer = TimestampSigner(SECRET)

    def read(environ: Environ) -> Any:
        data = cookie_parser(environ['HTTP_COOKIE'])[NAME].encode('utf-8')
        return json.loads(base64.b64decode(signer.unsign(data, max_age=1209600)))

    value = signer.sign(base64.b64encode(json.dumps(CONTENT).encode('utf-8')))
    return requests(reader(read), [value.decode('ascii')])


def flask() -> measure.Case:
    """SecureCookieSessionInterface, which makes its serializer for each request."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface
    from werkzeug.http import parse_cookie
    app = Flask('bench')
    app.secret_key = SECRET
    interface = SecureCookieSessionInterface()

    def read(environ: Environ) -> Any:
        serializer = interface.get_signing_serializer(app)
        return serializer.loads(parse_cookie(environ)[NAME], max_age=2678400)

    return requests(reader(read), [interface.get_signing_serializer(app).dumps(CONTENT)])


def django() -> measure.Case:
    """What the signed_cookies session engine does with a cookie."""
    from django.conf import settings
    from django.core import signing
    from django.http.cookie import parse_cookie
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET)
    salt = 'django.contrib.sessions.backends.signed_cookies'

    def read(environ: Environ) -> Any:
        return signing.loads(parse_cookie(environ['HTTP_COOKIE'])[NAME], salt=salt,
                             max_age=1209600)

    return requests(reader(read), [signing.dumps(CONTENT, salt=salt, compress=True)])


def pyramid() -> measure.Case:
    """``reissue_time=None``: by default it would also sign each response."""
    from pyramid.request import Request
    from pyramid.session import JSONSerializer, SignedCookieSessionFactory
    from webob.cookies import SignedSerializer
    factory = SignedCookieSessionFactory(SECRET, NAME, reissue_time=None)

    def read(environ: Environ) -> Any:
        return factory(Request(environ))

    # SignedCookieSessionFactory's own defaults
    serializer = SignedSerializer(SECRET, 'pyramid.session.', 'sha512',
                                  serializer=JSONSerializer())
    value = serializer.dumps((NOW + 3600, NOW, CONTENT))
    return requests(reader(read), [value.decode('ascii')])


def beaker() -> measure.Case:
    """A session on the server, in memory; the cookie has a signed ID."""
    from beaker.middleware import SessionMiddleware
    cookies = []

    def log_in(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        environ['beaker.session'].update(CONTENT)
        environ['beaker.session'].save()
        return application(environ, start_response)

    def keep(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        cookies.append(dict(headers)['Set-cookie'])

    def read(environ: Environ) -> Any:
        return environ['beaker.session']

    options = {'type': 'memory', 'key': NAME, 'secret': SECRET, 'httponly': True}
    SessionMiddleware(log_in, **options)(fresh_environ(''), keep)
    value = cookies[0].partition(';')[0].partition('=')[2]
    return requests(SessionMiddleware(reader(read), **options), [value])


CASES: dict[str, Callable[[], measure.Case]] = {
    'bare application': bare,
    'no-op middleware': no_op,
    'FLOOR': floor,
    'session_cookie, warm': warm,
    'session_cookie, cold': cold,
    'session_cookie + namespace, warm': namespace_warm,
    'session_cookie + namespace with a value, warm': namespace_value_warm,
    'session_cookie, first visit': first_visit,
    'session_cookie, tampered cookie': tampered,
    'session_cookie, a value changes': write,
    'paste.auth.cookie, patched': patched_parent,
    'starlette': starlette,
    'django': django,
    'flask': flask,
    'pyramid': pyramid,
    'beaker': beaker,
}


def installed(name: str) -> bool:
    """Whether a case can run; ours can, and the rest is named by its package."""
    if not name.isalpha() or name == 'FLOOR':
        return True
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def main() -> None:
    # a line for each tampered cookie is made, and goes nowhere
    logging.getLogger('paste_sessioncookie').addHandler(logging.NullHandler())
    measure.run_if_asked(case_of)
    names = [name for name in CASES if installed(name)]
    columns = {'wall': measure.wall({name: CASES[name]() for name in names})}
    if '--instructions' in sys.argv:
        columns['instr.'] = measure.instructions(__file__, names)
    heads = ['case'] + [f'{each}{of}' for each in columns for of in ('', ' / FLOOR')]
    measure.print_table(heads, table(names, columns))


def case_of(name: str) -> measure.Case:
    return CASES[name]()


def table(names: list[str], columns: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    """Overheads, and their ratios to FLOOR's."""
    for name in names:
        row = [name]
        for results in columns.values():
            nothing = results['bare application']
            overhead = results[name] - nothing
            row += [measure.figure(overhead), f'{overhead / (results["FLOOR"] - nothing):.2f}']
        yield row


if __name__ == '__main__':
    main()
