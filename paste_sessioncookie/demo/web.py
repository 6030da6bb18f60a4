"""
Requests, forms and responses
=============================

The little that the applications share of the web: a table of routes, and
forms that only the page's own visitor can send.  Every POST is checked for
the token that :meth:`Request.token_field` puts into a form.
"""
from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode

from . import pages
from .pages import Html, html

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

    from paste_sessioncookie import SessionControl

MAX_BODY = 64 * 1024   # bytes; no form here is longer
MAX_FIELDS = 20

Environ: TypeAlias = dict[str, Any]
Headers: TypeAlias = list[tuple[str, str]]


class Refusal(Exception):
    """A request that cannot be served: ``status``, why, and more headers."""

    def __init__(self, status: str, why: str, *headers: tuple[str, str]) -> None:
        super().__init__(why)
        self.status = status
        self.why = why
        self.headers = headers


@dataclass(frozen=True)
class Response:
    """What goes to the browser."""

    body: str = ''
    status: str = '200 OK'
    headers: tuple[tuple[str, str], ...] = ()


class Request:
    """
    One request: ``environ``, ``control`` (``environ['session.control']``),
    ``method``, ``mount`` (the URL path of the application, '' at the root),
    ``path`` below it, and ``name``, what a route's ``*`` stands for.
    """

    def __init__(self, environ: Environ) -> None:
        self.environ = environ
        self.control: SessionControl = environ['session.control']
        self.method: str = environ['REQUEST_METHOD']
        self.mount = _quote(environ.get('SCRIPT_NAME', ''))
        self.path: str = environ.get('PATH_INFO') or '/'
        self.name = ''

    @functools.cached_property
    def form(self) -> Mapping[str, str]:
        """The fields of a POST.  Raises Refusal for what no page here sends."""
        return _fields(read_body(self.environ))

    @property
    def query(self) -> Mapping[str, str]:
        """The fields of the query string.  Raises Refusal likewise."""
        return _fields(self.environ.get('QUERY_STRING', '').encode('latin-1'))

    def field(self, name: str) -> str:
        """A field of the form, with Unix line ends; '' if missing.  Raises Refusal."""
        return self.form.get(name, '').replace('\r\n', '\n')

    def token_field(self) -> Html:
        """The hidden field that each form carries."""
        # the form needs this session when it comes back: under "issue = kept"
        # this call sends the cookie
        self.control.keep()
        return html('<input type="hidden" name="token" value="{}">', self._token())

    def check_token(self) -> None:
        """Raises Refusal for a form that no page of this session has sent."""
        if not hmac.compare_digest(self.field('token').encode(), self._token().encode()):
            raise Refusal('403 Forbidden', FOREIGN_FORM)

    def _token(self) -> str:
        # one way: who reads a page's source has not read the session ID
        return hmac.new(self.control.id.encode(), b'form', hashlib.sha256).hexdigest()

    def login_url(self) -> str:
        """Where to log in, and then to come back here."""
        came_from = self.mount + _quote(self.path)
        return f'{pages.LOGIN}?{urlencode({"came_from": came_from})}'

    def page(self, title: str, body: Html, status: str = '200 OK', theme: str = '',
             headers: tuple[tuple[str, str], ...] = ()) -> Response:
        """An HTML page; ``title`` is its heading, too."""
        text = pages.layout(self.control, self.mount, title, body, theme)
        return Response(text, status, (*_PAGE_HEADERS, *headers))

    def redirect(self, path: str = '/') -> Response:
        """See Other: a path of this application."""
        return see_other(self.mount + path)


Handler: TypeAlias = Callable[[Request], Response]
#: path -> method -> handler; a path may end in ``/*``, for one name
Routes: TypeAlias = dict[str, dict[str, Handler]]


class Application:
    """A WSGI application with a table of routes, inside a ``session_cookie``."""

    routes: Routes

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        try:
            response = self._respond(request)
        except Refusal as refusal:
            response = request.page(
                refusal.status[4:], html('<p class="alert" role="alert">{}</p>', refusal.why),
                refusal.status, headers=refusal.headers)
        body = response.body.encode('utf-8')
        start_response(response.status, [
            *response.headers, ('Content-Length', str(len(body)))])
        return [] if request.method == 'HEAD' else [body]

    def _respond(self, request: Request) -> Response:
        methods = self._methods(request)
        handler = methods.get('GET' if request.method == 'HEAD' else request.method)
        if handler is None:
            raise Refusal('405 Method Not Allowed', 'This address does not take that.',
                          ('Allow', ', '.join(methods)))
        if request.method == 'POST':
            request.check_token()
        return handler(request)

    def _methods(self, request: Request) -> dict[str, Handler]:
        methods = self.routes.get(request.path)
        if methods is None:
            head, _, request.name = request.path.rpartition('/')
            methods = self.routes.get(head + '/*') if request.name else None
        if methods is None:
            raise Refusal('404 Not Found', 'There is no such page.')
        return methods


def see_other(location: str) -> Response:
    """After a POST, or to another application: a path of this site."""
    return Response(status='303 See Other', headers=(
        ('Location', location), ('Content-Type', 'text/plain'),
        ('Cache-Control', 'no-store')))


def read_body(environ: Environ) -> bytes:
    """The body of a request.  Raises Refusal for one without a good length, or cut off."""
    length = environ.get('CONTENT_LENGTH') or ''
    if not (length.isascii() and length.isdigit()):
        raise Refusal('411 Length Required', 'The request does not say how long it is.')
    if len(length) > 9 or int(length) > MAX_BODY:
        raise Refusal('413 Content Too Large', f'{MAX_BODY // 1024} KB at most, please.')
    try:
        body: bytes = environ['wsgi.input'].read(int(length))
    except OSError:  # uWSGI says so when a client hangs up
        raise Refusal('400 Bad Request', 'The request did not come whole.') from None
    return body


def _fields(text: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(text.decode('ascii'), keep_blank_values=True,
                              errors='strict', max_num_fields=MAX_FIELDS))
    except ValueError:
        raise Refusal('400 Bad Request', 'This form cannot be read.') from None


def _quote(native: str) -> str:
    """The URL path of a native string (PEP 3333)."""
    return quote(native, encoding='latin-1')


_PAGE_HEADERS = (
    ('Content-Type', 'text/html; charset=utf-8'),
    ('Content-Security-Policy', pages.POLICY),
    ('X-Content-Type-Options', 'nosniff'),
    ('Referrer-Policy', 'same-origin'),
    ('Cache-Control', 'no-store'),  # each page shows a visitor's own
)

FOREIGN_FORM = (
    'This form is not of your present session: perhaps you have logged in or out since it '
    'was loaded.  Go back, load the page again, and send it once more.  If that does not '
    'help, your browser does not keep the cookie: some keep a secure cookie over https only.')
