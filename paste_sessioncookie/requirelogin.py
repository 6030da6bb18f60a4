"""
Only for who is logged in
=========================

A filter in front of an application, or of a part of the site.  It lets those
requests through that come with a user, and sends a person who is not logged
in to where he can log in.  ::

    [filter:staff_only]
    use = egg:paste_sessioncookie#require_login
    login_url = /accounts/login
    tokens = staff

Configuration:

    ``login_url``

        Where one logs in: a path of this host, or an https URL.  It is let
        through.  Without it, a visitor who is not logged in gets 401.

    ``tokens``

        Groups, of which the user must be in one.  Who is logged in and in
        none of them is refused (403), and never sent to log in again.

To a path, the filter adds ``came_from``: the path and query that were asked for.
Whoever writes the login page gives what comes back to :func:`safe_came_from`,
as anybody can write any such link::

>>> from paste_sessioncookie.requirelogin import safe_came_from
>>> safe_came_from('/staff/?page=2') or '/'
'/staff/?page=2'
>>> safe_came_from('//elsewhere.example') or '/'
'/'
"""
from __future__ import annotations

import logging
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from . import addresses, options
from .environ import REMOTE_USER, TOKENS, Environ, outer_control, user_now
from .errors import ConfigError
from .headers import Headers
from .section import IniSection, Option, scheme
from .seldom import Seldom

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger('paste_sessioncookie')

CAME_FROM = 'came_from'
# characters; with a cookie of 4096 the response still fits into buffers of 8 KB
MAX_CAME_FROM = 2000
MAX_SHOWN = 200  # characters of a path, in the log

_PATH_SAFE = "/~!$&'()*+,;=:@"                 # RFC 3986, 3.3
_VISIBLE = ''.join(map(chr, range(0x21, 0x7f)))  # ASCII without blank


class RequireLogin:
    """
    The filter that lets only logged-in users in.

    Constructor arguments: the application; ``login_url``, '' for none; ``tokens``,
    groups of which one is enough, () for any user.  Raises ConfigError.
    """

    def __init__(self, application: WSGIApplication, login_url: str = '',
                 tokens: Iterable[str] = ()) -> None:
        groups = [tokens] if isinstance(tokens, str) else list(tokens)
        try:
            self.login_url = login_url and addresses.login_url(login_url, '')
            self.tokens = frozenset(groups and options.tokens(' '.join(groups), ''))
        except ValueError as error:
            raise ConfigError(f'require_login: {error}') from None
        self.application = application
        url = urlsplit(self.login_url)
        #: of another host, whose paths are not ours; '' for a path
        self._other_host = _host(url.netloc)
        #: as environ has it
        self._login_path = unquote(url.path, 'latin-1').removesuffix('/')
        self._seldom = Seldom()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """A WSGI application.  Raises ConfigError without a session_cookie outside."""
        control = outer_control(environ, 'require_login')
        user, groups = user_now(control, environ.get(REMOTE_USER), environ.get(TOKENS))
        if user and self._lets_in(groups) or self._passes(environ):
            return self.application(environ, start_response)
        if user:
            return _answer(environ, start_response, '403 Forbidden', _NOT_ALLOWED)
        if self._sends_to_log_in(environ):
            location = self._location(environ)
            return _answer(environ, start_response, '303 See Other', _link(location),
                           ('Location', location))
        challenge = f'Cookie realm="site", cookie-name="{control.state.policy.cookie_name}"'
        return _answer(environ, start_response, '401 Unauthorized',
                       _NOT_LOGGED_IN + _link(self.login_url), ('WWW-Authenticate', challenge))

    def _lets_in(self, groups: Iterable[str]) -> bool:
        return not self.tokens or not self.tokens.isdisjoint(groups)

    def _passes(self, environ: Environ) -> bool:
        """Whether the request is for the login page, which is open to all."""
        return bool(self.login_url) and not self._other_host and self._is_login_page(environ)

    def _sends_to_log_in(self, environ: Environ) -> bool:
        """Whether to send the browser to ``login_url``; says so if that leads back."""
        if not self.login_url or not _is_navigation(environ):
            return False
        if not self._leads_back(environ):
            return True
        # not once for all: a visitor can make a request that looks like that
        if self._seldom.due():
            log.error('login_url = %s seems to lead back to require_login, as %a: write the '
                      'path that applications see, SCRIPT_NAME and PATH_INFO; behind a proxy '
                      'that changes paths, egg:PasteDeploy#prefix puts them right',
                      self.login_url, _path(environ)[:MAX_SHOWN])
        return False

    def _is_login_page(self, environ: Environ) -> bool:
        """Whether the path is that of ``login_url``, with or without a last slash."""
        return _path(environ).removesuffix('/') == self._login_path

    def _location(self, environ: Environ) -> str:
        # of a path of ours another host would make a path of its own
        value = '' if self._other_host else quote(came_from_of(environ), safe='/')
        if not value or len(value) > MAX_CAME_FROM:
            return self.login_url
        return f'{self.login_url}{"&" if "?" in self.login_url else "?"}{CAME_FROM}={value}'

    def _leads_back(self, environ: Environ) -> bool:
        """Whether this is a request for ``login_url`` that looks like another, so that
        to send it there would go round for ever."""
        path = _path(environ)
        if self._other_host:
            # it is we who are that host
            return (self._is_login_page(environ)
                    and _host(environ.get('HTTP_HOST', '')) == self._other_host)
        # a proxy asks for the page by another path than visitors do: so it
        # comes from itself, or, with "//", it cannot say from where
        return _came_from_path(environ) == path or not came_from_of(environ) and (
            self._login_path.endswith('/' + path.strip('/')))


middleware = RequireLogin


def safe_came_from(text: str) -> str:
    """
    The path to send a browser back to; '' for what could lead elsewhere.

    ``text`` is what the browser said.  Accepted is a path of this host with query
    and fragment, of visible ASCII, 2000 characters at most: one leading ``/``,
    the second character neither ``/`` nor ``\\``, no ``\\`` behind it, and no part
    ``.`` or ``..``, which browsers never ask for.
    """
    return text if len(text) <= MAX_CAME_FROM and addresses.is_local(text) else ''


def came_from_of(environ: Environ) -> str:
    """Path and query of a request, quoted; '' where they cannot be came_from."""
    try:
        path = quote(_path(environ), _PATH_SAFE, 'latin-1')
        query = quote(environ.get('QUERY_STRING', ''), _VISIBLE, 'latin-1')
    except UnicodeEncodeError:
        return ''  # not native strings (PEP 3333)
    return safe_came_from(f'{path}?{query}' if query else path)


def _came_from_path(environ: Environ) -> str:
    """The path, as environ has paths, of a request's own came_from; '' without."""
    query = environ.get('QUERY_STRING', '')
    if f'{CAME_FROM}=' not in query:
        return ''
    [*_, came_from] = parse_qs(query, encoding='latin-1').get(CAME_FROM, [''])
    return unquote(came_from.partition('?')[0], 'latin-1')


def _link(url: str) -> str:
    return f'<p><a href="{escape(url)}">Log in</a></p>' if url else ''


def _path(environ: Environ) -> str:
    return f'{environ.get("SCRIPT_NAME", "")}{environ.get("PATH_INFO", "")}' or '/'


def _host(text: str) -> str:
    """Host and port of an https URL, or of a Host header, to compare."""
    return text.lower().removesuffix(':443')


def _is_navigation(environ: Environ) -> bool:
    """
    Whether a person looks at the answer.

    Other methods cannot be redirected without losing what was sent; scripts and
    programs are better told than shown a page.
    """
    if environ['REQUEST_METHOD'] not in ('GET', 'HEAD'):
        return False
    mode = environ.get('HTTP_SEC_FETCH_MODE')
    if mode is not None:
        return bool(mode == 'navigate')
    accepted = environ.get('HTTP_ACCEPT') or '*/*'
    return environ.get('HTTP_X_REQUESTED_WITH') != 'XMLHttpRequest' and any(
        html in accepted for html in ('text/html', 'text/*', '*/*'))


def _answer(environ: Environ, start_response: StartResponse, status: str, text: str,
            *more: tuple[str, str]) -> list[bytes]:
    """A page of our own, for this visitor alone."""
    body = _PAGE.format(status[4:], text).encode('ascii')
    headers: Headers = [('Content-Type', 'text/html; charset=utf-8'),
                        ('Content-Length', str(len(body))),
                        ('Cache-Control', 'no-store'), *_PAGE_HEADERS, *more]
    start_response(status, headers)
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [body]


# nothing in the page is to be loaded or run, and no other page is around it
_PAGE_HEADERS = (
    ('Content-Security-Policy', "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
    ('X-Content-Type-Options', 'nosniff'))
_PAGE = '''\
<!DOCTYPE html>
<html lang="en">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{0}</title>
<main>
<h1>{0}</h1>
{1}
</main>
'''
_NOT_LOGGED_IN = '<p>You are not logged in.</p>'
_NOT_ALLOWED = '<p>You are logged in, but this is not open to you.</p>'

OPTIONS = {
    'login_url': Option(addresses.login_url, '', show=scheme),
    'tokens': Option(options.tokens, (), hidden='who is in none of them would be let in'),
}


def make_require_login(app: WSGIApplication, global_conf: dict[str, Any] | None, /,
                       **local_conf: Any) -> RequireLogin:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#require_login``.

    Raises ConfigError with all faults of the section.
    """
    section = IniSection('require_login', OPTIONS, global_conf, local_conf)
    return RequireLogin(app, **section.finish())
