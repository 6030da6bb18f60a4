"""A visitor of the shop in docs/examples/several_servers, and many of them."""
from __future__ import annotations

import http.client
import json
import ssl
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

COOKIE = '__Host-site_session'


class Browser:
    """One cookie, kept as it is sent.  ``where``: an address, and TLS or None."""

    def __init__(self, where: tuple[str, int, ssl.SSLContext | None]) -> None:
        self.where = where
        self.cookie: str | None = None
        self.set_cookies: list[str] = []

    def get(self, path: str = '/', **headers: str) -> dict[str, Any]:
        return self.ask('GET', path, None, headers)

    def post(self, path: str, **form: str) -> dict[str, Any]:
        return self.ask('POST', path, urlencode(form), {
            'Content-Type': 'application/x-www-form-urlencoded'})

    def ask(self, method: str, path: str, body: str | None,
            headers: dict[str, str]) -> dict[str, Any]:
        """What the shop answers.  Raises OSError if no server did."""
        connection = self._connect()
        try:
            if self.cookie:
                headers = {**headers, 'Cookie': f'{COOKIE}={self.cookie}'}
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            text = response.read()
        except http.client.HTTPException as error:
            raise OSError(f'no answer: {type(error).__name__}') from error
        finally:
            connection.close()
        if response.status != 200:
            raise OSError(f'answered {response.status}')
        self.set_cookies = response.headers.get_all('Set-Cookie', [])
        for header in self.set_cookies:
            name, _, value = header.partition(';')[0].partition('=')
            assert name == COOKIE
            self.cookie = value or None
        return json.loads(text)  # type: ignore[no-any-return]

    def _connect(self) -> http.client.HTTPConnection:
        host, port, tls = self.where
        if tls is None:
            return http.client.HTTPConnection(host, port, timeout=10)
        return http.client.HTTPSConnection(host, port, timeout=10, context=tls)


@dataclass
class Count:
    """What visitors saw, in sum."""

    answers: int = 0
    repeated: int = 0          # requests that no server answered, sent again
    servers: set[str] = field(default_factory=set)
    lost: list[str] = field(default_factory=list)  # sessions, logins, values


class Crowd:
    """Visitors who are logged in, and ask without pause until they are stopped."""

    def __init__(self, browsers: list[Browser], enter: Any) -> None:
        """``enter`` is called in each thread: on which machine they sit."""
        self._enter = enter
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self.count = Count()
        self._threads = [threading.Thread(target=self._visit, args=(browser, f'user{number}'))
                         for number, browser in enumerate(browsers)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def answers(self) -> int:
        return self.count.answers

    def _visit(self, browser: Browser, user: str) -> None:
        self._enter()
        before = self._persist(browser.post, '/login', user=user)
        while not self._stop.is_set():
            now = self._persist(browser.get)
            with self._lock:
                self.count.answers += 1
                self.count.servers.add(now['server'])
                for what in ('user', 'session'):
                    if now[what] != before[what]:
                        self.count.lost.append(f'{what} of {user}: {now["status"]}')
                if now['visits'] <= before['visits']:
                    self.count.lost.append(f'a visit of {user}')
            before = now

    def _persist(self, ask: Any, *args: str, **form: str) -> dict[str, Any]:
        """As a person does who reloads a page that did not come."""
        while True:
            try:
                return ask(*args, **form)  # type: ignore[no-any-return]
            except OSError:
                with self._lock:
                    self.count.repeated += 1
                self._stop.wait(0.05)
