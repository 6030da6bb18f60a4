"""A client that says each byte itself, and a visitor of the demonstration."""
from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

PATIENCE = 20    # seconds for an answer
COOKIE = '__Host-site_session'


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def cookies(self) -> list[str]:
        return self.headers.get_all('Set-Cookie', [])


@dataclass(frozen=True)
class Address:
    """Where a server listens, and from where to come."""

    port: int
    tls: ssl.SSLContext | None = None
    source: str = '127.0.0.1'

    def connect(self) -> socket.socket:
        connection = socket.create_connection(
            ('127.0.0.1', self.port), PATIENCE, source_address=(self.source, 0))
        if self.tls is None:
            return connection
        return self.tls.wrap_socket(connection, server_hostname='localhost')


class Connection:
    """One connection; a context manager."""

    def __init__(self, address: Address) -> None:
        self.address = address

    def __enter__(self) -> Connection:
        self.socket = self.address.connect()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.socket.close()

    def send(self, method: str, path: str, *lines: bytes, body: bytes = b'',
             version: str = '1.1') -> None:
        """A request; ``lines`` are header lines as they are sent."""
        start = f'{method} {path} HTTP/{version}\r\nHost: localhost\r\n'.encode()
        if method == 'POST':
            lines += (b'Content-Type: application/x-www-form-urlencoded',
                      b'Content-Length: %d' % len(body))
        self.socket.sendall(start + b''.join(line + b'\r\n' for line in lines)
                            + b'\r\n' + body)

    def begin(self, method: str = 'GET') -> http.client.HTTPResponse:
        """The head of the answer; the body is there to be read."""
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return response

    def ask(self, method: str, path: str, *lines: bytes, body: bytes = b'',
            version: str = '1.1') -> Answer:
        """Raises OSError or HTTPException where there is no answer."""
        self.send(method, path, *lines, body=body, version=version)
        with self.begin(method) as response:
            return Answer(response.status, response.headers, response.read())


class Visitor:
    """A browser with one cookie."""

    def __init__(self, address: Address, cookie: str = '') -> None:
        self.address = address
        self.cookie = cookie     # the value
        self.last: Answer

    @property
    def line(self) -> bytes:
        """The header line of the cookie."""
        return f'Cookie: {COOKIE}={self.cookie}'.encode()

    def get(self, path: str, *lines: bytes) -> str:
        return self.ask('GET', path, *lines)

    def ask(self, method: str, path: str, *lines: bytes, body: bytes = b'') -> str:
        """The page; the cookie comes and goes."""
        if self.cookie and not any(line.startswith(b'Cookie:') for line in lines):
            lines += (self.line,)
        with Connection(self.address) as connection:
            self.last = connection.ask(
                method, path, b'Connection: close', *lines, body=body)
        for header in self.last.cookies:
            name, _, value = header.partition(';')[0].partition('=')
            if name == COOKIE:
                self.cookie = value
        return self.last.text

    def submit(self, page: str, action: str, *lines: bytes, **fields: str) -> str:
        """Send a form of a page, with the token that is hidden there."""
        [token, *_] = re.findall('name="token" value="([^"]+)"', self.get(page, *lines))
        text = self.ask('POST', action, *lines,
                        body=urlencode({'token': token, **fields}).encode())
        assert self.last.status == 303, (action, self.last.status, text)
        return text

    def log_in(self, name: str = 'grace', password: str = 'first compiler', *lines: bytes,
               mount: str = '') -> None:
        page = f'{mount}/accounts/login'
        self.submit(page, page, *lines, name=name, password=password)

    def log_out(self) -> None:
        self.submit('/accounts', '/accounts/logout')

    def user(self, path: str = '/') -> str:
        """Who a page says is logged in."""
        found = re.search('<dt>Logged in</dt><dd>(?:<strong>)?(\\w+)', self.get(path))
        assert found, self.last.status
        return found[1]

    def session(self, path: str) -> str:
        """The fingerprint that a page of an application shows of its session ID."""
        return re.findall('<dd><code>([0-9a-f]{8})</code>', self.get(path))[0]

    def probe(self, *lines: bytes, path: str = '/probe') -> dict[str, Any]:
        """What the probe sees."""
        return json.loads(self.get(path, *lines))  # type: ignore[no-any-return]
