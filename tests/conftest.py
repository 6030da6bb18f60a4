"""What the tests share: a clock to turn, an application to ask, a visitor."""
from __future__ import annotations

import contextlib
import secrets
from wsgiref.validate import validator

import hypothesis
import pytest
from redisserver import RedisServer
from webob import Request

from paste_sessioncookie import SessionCookieHandler

# no test fails for being slow on a busy machine
hypothesis.settings.register_profile('patient', deadline=None)
hypothesis.settings.load_profile('patient')

pytest_plugins = 'person'  # whose fixtures several files share

NAME = '__Host-site_session'
START = 1_800_000_000  # Unix time


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = float(START)

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


class Probe:
    """An application that does what a test says, and shows what it saw."""

    def __init__(self):
        self.act = None
        self.headers = [('Content-Type', 'text/plain')]
        self.environ = None
        self.result = None

    def __call__(self, environ, start_response):
        self.environ = environ
        self.control = environ['session.control']
        self.id = str(environ['session.id'])
        self.result = self.act(environ) if self.act else None
        start_response('200 OK', list(self.headers))
        return [b'ok']


class Visitor:
    """A browser with one cookie of ours in its jar, at an https site."""

    def __init__(self, app):
        self.app = validator(app)
        self.cookie = None      # name=value, as it is sent
        self.set_cookies = []   # of the last response

    def get(self, path='/', **environ):
        return self.request('GET', path, **environ)

    def post(self, path='/', **environ):
        return self.request('POST', path, **environ)

    def request(self, method, path, headers=None, **environ):
        request = Request.blank(path, base_url='https://example.org', method=method,
                                environ=environ, headers=headers or {})
        if self.cookie is not None and 'Cookie' not in request.headers:
            request.headers['Cookie'] = self.cookie
        response = request.get_response(self.app, catch_exc_info=True)
        response.body  # reads and closes what the application returned
        self.set_cookies = response.headers.getall('Set-Cookie')
        for header in self.set_cookies:
            self.cookie = None if 'Max-Age=0' in header else header.partition(';')[0]
        return response

    @property
    def value(self):
        """The value of the cookie."""
        return self.cookie.partition('=')[2]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def secret():
    return secrets.token_hex(32)


@pytest.fixture
def make_redis():
    """Starts a Redis with more arguments, of one's own to stop and to kill."""
    with contextlib.ExitStack() as stack:
        def make(*arguments):
            server = RedisServer(*arguments)
            stack.callback(server.close)
            server.start()
            return server
        yield make


@contextlib.contextmanager
def running_redis():
    server = RedisServer()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope='session')
def redis_server():
    """A Redis for all tests of revocation that leave it alone."""
    with running_redis() as server:
        yield server


@pytest.fixture(scope='session')
def redis_socket():
    """The path of the socket of a Redis for the sessions of frameworks."""
    with running_redis() as server:
        yield server.socket


@pytest.fixture
def probe():
    return Probe()


@pytest.fixture
def make_site(clock, secret):
    """Builds a site around an application, with the test's clock and secret."""
    def make(app, **options):
        return SessionCookieHandler(app, **{'secret': secret, 'clock': clock, **options})
    return make


@pytest.fixture
def visitor(make_site, probe):
    """Somebody at a site of one application, the probe."""
    return Visitor(make_site(probe))


def login(user='bob', tokens=(), **options):
    """Something for a probe to do: log a user in."""
    def act(environ):
        environ['session.control'].login(user, tokens, **options)
    return act


def logout(environ):
    """Something for a probe to do: log out."""
    return environ['session.control'].logout()


def put(key, value):
    """Something for a probe to do: let a value travel."""
    def act(environ):
        environ['paste.auth.cookie'].append(key)
        environ[key] = value
    return act


def setting(**values):
    """Something for a probe to do: set environ keys."""
    def act(environ):
        environ.update(values)
    return act
