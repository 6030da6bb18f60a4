"""What a client says to each server, and what came of it.

Each case has a site of its own start, and returns an outcome in a few words; what is
wrong under any server is raised.
"""
from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from typing import Any

from client import COOKIE, Connection, Visitor
from process import Site

from paste_sessioncookie import SessionCookieSigner
from paste_sessioncookie.signer import MAX_COOKIE

PATIENCE = 20        # seconds
HALF_IDLE = 16 * 60  # seconds: more than half of the default timeout
# what a proxy says
OVER_TLS = b'X-Forwarded-For: 192.0.2.7', b'X-Forwarded-Proto: https'
IN_CLEAR = b'X-Forwarded-For: 192.0.2.7', b'X-Forwarded-Proto: http'


def logs_in_and_out(site: Site) -> str:
    """One login in all applications, one log-out from all; a copy is void."""
    visitor = site.visitor()
    assert visitor.user() == 'nobody'
    visitor.log_in()
    assert {visitor.user(path) for path in ('/', '/blog', '/wiki', '/accounts')} == {'grace'}
    copy = site.visitor(visitor.cookie)
    visitor.log_out()
    assert {visitor.user(path) for path in ('/', '/blog', '/wiki')} == {'nobody'}
    assert copy.probe()['status'] == 'revoked'
    return 'yes'


def profile(site: Site) -> str:
    """The wiki asks the server in which it runs for the user's full name."""
    page = site.grace().get('/wiki')
    assert 'Welcome, <strong>' in page
    return 'known' if 'Grace Hopper' in page else 'not known'


def two_applications(site: Site) -> str:
    """Two instances of one application: their values and IDs do not mix."""
    visitor = site.visitor()
    visitor.submit('/blog', '/blog/theme', theme='sepia')
    assert 'data-theme="sepia"' in visitor.get('/blog')
    assert 'data-theme="sepia"' not in visitor.get('/news')
    assert visitor.session('/blog') != visitor.session('/news')
    return 'apart'


def two_lines(site: Site) -> str:
    """Two Cookie lines, ours first and then last: where the session is found."""
    visitor = site.grace()
    found = [where for where, lines in (
        ('first', (visitor.line, b'Cookie: a=1')), ('last', (b'Cookie: a=1', visitor.line)))
        if site.visitor().probe(*lines)['user'] == 'grace']
    assert site.visitor().probe(b'Cookie: a=1', b'Cookie: b=2')['user'] == ''
    return ' and '.join(found) or 'nowhere'


def two_lines_of_ours(site: Site) -> str:
    """Two visitors' cookies, a line each: nobody is taken for two."""
    one, other = site.grace(), site.visitor()
    other.log_in('linus', 'free as in wiki')
    seen = site.visitor().probe(one.line, other.line)
    return f"{seen['user'] or 'nobody'}: {seen['status']}"


def largest_cookie(site: Site) -> str:
    """A cookie of 4096 characters is taken, and one is sent."""
    visitor = site.visitor(largest(site))
    assert len(COOKIE) + len(visitor.cookie) == MAX_COOKIE
    before = visitor.cookie
    assert visitor.probe()['status'] == 'renewed'
    assert visitor.cookie != before
    assert len(COOKIE) + len(visitor.cookie) == MAX_COOKIE
    assert visitor.probe()['status'] == 'ok'
    return 'yes'


def largest(site: Site) -> str:
    """The value of a cookie as large as can be, of all characters that texts have without
    base64, which is due to be sent again."""
    visitor = site.grace()
    signer = SessionCookieSigner(site.secret,
                                 cookie_name=COOKIE)
    payload, _ = signer.unsign(visitor.cookie, time.time())
    issued = payload.issued - HALF_IDLE
    payload = payload.replace(created=issued, issued=issued, idle=payload.idle - HALF_IDLE)
    room = MAX_COOKIE - len(COOKIE) - len(signer.sign(payload.replace(
        values={'site.note': ''})))
    note = (' ",;:=&[]{}-._~/@+' * room)[:room]
    return signer.sign(payload.replace(values={'site.note': note})).decode()


def high_bytes(site: Site) -> str:
    """Bytes over 127 in a neighbour's cookie: the session is found nevertheless."""
    visitor = site.grace()
    sent = b'name=J\xfcrgen; utf8=J\xc3\xbcrgen; '
    with Connection(site.address) as connection:
        answer = connection.ask('GET', '/probe', b'Connection: close',
                                visitor.line.replace(b': ', b': ' + sent, 1))
    if answer.status != 200:
        return f'refused: {answer.status}'
    seen = json.loads(answer.body)
    if not seen['HTTP_COOKIE']:
        return 'lost'
    assert (seen['user'], seen['status']) == ('grace', 'ok')
    return 'kept' if seen['HTTP_COOKIE'].startswith(sent.decode('latin-1')) else 'changed'


def over_tls(site: Site) -> str:
    """A proxy says that the visitor came by https: so does environ; without: http."""
    visitor = site.visitor()
    visitor.get('/', *OVER_TLS)
    [header] = [header for header in visitor.last.cookies if header.startswith(COOKIE)]
    assert '; Secure' in header
    assert visitor.probe(*OVER_TLS)['wsgi.url_scheme'] == 'https'
    assert visitor.probe()['wsgi.url_scheme'] == 'http'
    assert visitor.probe(*IN_CLEAR)['wsgi.url_scheme'] == 'http'
    return 'https'


def stranger(site: Site) -> str:
    """Somebody who is not the proxy says that he came by https."""
    seen = Visitor(replace(site.address, source='127.0.0.2')).probe(*OVER_TLS)
    return 'believed' if seen['wsgi.url_scheme'] == 'https' else 'not believed'


def other_spelling(site: Site) -> str:
    """What a proxy says, with underscores: a proxy may hand that on from a visitor."""
    seen = site.visitor().probe(*[line.replace(b'-', b'_') for line in OVER_TLS])
    return 'believed' if seen['wsgi.url_scheme'] == 'https' else 'not believed'


def mount_from_outside(site: Site) -> str:
    """A visitor says where the application is mounted."""
    seen = site.visitor().probe(b'SCRIPT_NAME: /probe', b'Script-Name: /probe',
                                path='/probe/')
    return 'not believed' if seen['SCRIPT_NAME'] == '/probe' and seen['PATH_INFO'] == '/' \
        else 'believed'


def old_keep_alive(site: Site) -> str:
    """HTTP/1.0 with keep-alive: two requests on one connection, if the server likes."""
    visitor = site.grace()
    with Connection(site.address) as connection:
        for number in range(2):
            try:
                answer = connection.ask('GET', '/blog', b'Connection: keep-alive',
                                        visitor.line, version='1.0')
            except (OSError, HTTPException):
                assert number
                return 'closed'
            assert '<strong>grace</strong>' in answer.text
    return 'kept'


def keep_alive(site: Site) -> str:
    """HTTP/1.1: two visitors by turns on one connection, as a proxy's, do not mix."""
    one, other = site.grace(), site.visitor()
    with Connection(site.address) as connection:
        for number in range(4):
            visitor, user = (one, 'grace') if number % 2 else (other, 'nobody')
            try:
                lines = [visitor.line] if visitor is one else []
                text = connection.ask('GET', '/news', *lines).text
            except (OSError, HTTPException):
                assert number
                return 'closed'
            assert ('<strong>grace</strong>' in text) == (user == 'grace')
    return 'kept'


def head(site: Site) -> str:
    """HEAD: the headers of GET, the cookie among them, and no body."""
    with Connection(site.address) as connection:
        connection.send('HEAD', '/blog', b'Connection: close')
        raw = b''.join(iter(lambda: connection.socket.recv(65536), b''))
    start, _, body = raw.partition(b'\r\n\r\n')
    assert start.split(b' ')[1] == b'200' and f'{COOKIE}=1.'.encode() in start
    assert body == b''
    return 'yes'


def in_pieces(site: Site) -> str:
    """A response in pieces: the first is there before the application makes the next."""
    with Connection(site.address) as connection:
        connection.send('GET', '/probe/pieces')
        with connection.begin() as response:
            assert any(header.startswith(COOKIE) for header in
                       response.headers.get_all('Set-Cookie', []))
            assert response.read(6) == b'first\n'
            late = (site.folder / 'pieces.closed').exists()
            (site.folder / 'pieces.go').touch()
            assert response.read() == b'second' * 640_000
    return 'all at once' if late else 'at once'


def hangs_up(site: Site) -> str:
    """A client goes away in the middle of a response, another in that of a form."""
    with Connection(site.address) as connection:
        connection.send('GET', '/probe/hangup')
        connection.begin().read(6)
    with Connection(site.address) as connection:
        connection.socket.sendall(b'POST /accounts/login HTTP/1.1\r\nHost: localhost\r\n'
                                  b'Content-Length: 100\r\n\r\ntoken=')
    (site.folder / 'hangup.go').touch()
    wait_until((site.folder / 'hangup.closed').exists, 'the end of the response')
    assert site.visitor().user() == 'nobody'
    return 'closed'


def mounted(site: Site) -> str:
    """The whole site at /site, by the server's own setting or by the filter."""
    with site.mounted() as there:
        visitor = there.visitor(site.grace().cookie)
        assert visitor.user('/site/news') == 'grace'
        assert '<dd><code>/site/news</code></dd>' in visitor.last.text
        visitor.submit('/site/blog', '/site/blog/theme', theme='sepia')
        assert 'data-theme="sepia"' in visitor.get('/site/blog')
    return 'by the filter' if 'prefix.ini' in site.server.files else 'by the server'


def restarts(site: Site) -> str:
    """A visitor who asks all the time while the server starts anew stays logged in."""
    visitor = site.grace()
    before = visitor.probe()
    with Asking(visitor) as asking:
        site.restart()
        wait_until(lambda: asking.seen and asking.seen[-1]['pid'] != before['pid'],
                   'the new process')
    for each in asking.seen:
        assert (each['user'], each['session']) == ('grace', before['session'])
    if site.server.reload is None:
        return 'stays'
    return 'a gap' if asking.gaps else 'no gap'


class Asking:
    """A thread in which a visitor asks again and again: a context manager."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.seen: list[dict[str, Any]] = []   # what the probe answered
        self.gaps = 0                          # how often there was no answer
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Asking:
        self._thread.start()
        wait_until(lambda: self.seen, 'an answer')
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._stop.wait(0.01):
            try:
                self.seen.append(self.visitor.probe())
            except (OSError, HTTPException, ValueError):
                self.gaps += 1


def log(site: Site) -> str:
    """What the server has written by now: no fault of ours, and nothing secret."""
    text = site.log
    assert 'paste_sessioncookie/' not in text and 'paste.sessioncookie' not in text
    cookie = site.grace().cookie
    for secret in (cookie, *cookie.split('.')[2:], site.secret):
        assert secret not in text
    return 'clean'


#: the cases, in their order, and what comes of them under most servers
CASES: dict[Callable[[Site], str], str] = {
    logs_in_and_out: 'yes', profile: 'known', two_applications: 'apart',
    two_lines: 'first', two_lines_of_ours: 'grace: ok', largest_cookie: 'yes',
    high_bytes: 'kept', over_tls: 'https', stranger: 'not believed',
    other_spelling: 'not believed', mount_from_outside: 'not believed',
    old_keep_alive: 'kept', keep_alive: 'kept', head: 'yes', in_pieces: 'at once',
    hangs_up: 'closed', restarts: 'stays', mounted: 'by the server', log: 'clean'}


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)
