"""Django's test runner, natively and through our adapter.

It runs where Django's own tests do.  Through us means:
``django.contrib.sessions.middleware.SessionMiddleware`` is ours, each engine's
``SessionStore`` has a control behind it, and the test client has the
``session_cookie`` filter in front and keeps its cookie.
"""
from __future__ import annotations

import contextvars
import json
import os
import secrets
import unittest
from importlib import import_module

from django.conf import settings
from django.test import client
from django.test.runner import DiscoverRunner

ENGINES = ('db', 'cache', 'cached_db', 'file')


class Words(unittest.TextTestResult):
    """A word for each test."""

    words: dict[str, str] = {}

    def _say(self, test, word):
        # one failed subtest is enough
        if self.words.get(test.id()) not in ('failed', 'error'):
            self.words[test.id()] = word

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say(test, 'passed')

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._say(test, 'failed')

    def addError(self, test, err):
        super().addError(test, err)
        self._say(test, 'error')

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say(test, f'skipped: {reason}')

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._say(test, 'expected failure')

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._say(test, 'failed')


class Native(DiscoverRunner):
    """Django as it is."""

    def get_resultclass(self):
        return Words

    def run_suite(self, suite, **options):
        result = super().run_suite(suite, **options)
        with open(os.environ['PEER_RESULT'], 'w', encoding='utf-8') as file:
            json.dump(Words.words, file)
        return result


class ThroughUs(Native):
    """Django with our adapter."""

    def setup_test_environment(self, **options):
        super().setup_test_environment(**options)
        replace_middleware()
        replace_engines()
        replace_client()


def replace_middleware():
    import effect  # noqa: F401 first, as it says
    from django.contrib.sessions import middleware as djangos

    from paste_sessioncookie.frameworks.django import middleware as ours

    ours.is_test_run = bool  # never: always by our own way
    ours.store_class = of_a_request
    djangos.SessionMiddleware = ours.SessionMiddleware


def of_a_request(engine):
    """``store_class`` for a class of :func:`replace_engines`, or one that a test
    derives from it: with the request's control."""
    from paste_sessioncookie.frameworks.django.store import SiteSession, store_class

    if not issubclass(engine, SiteSession):
        return store_class(engine)

    def __init__(self, control, conf):
        SiteSession.__init__(self, control, conf)
    return type(engine.__name__, (engine,), {
        '__init__': __init__, '__qualname__': engine.__qualname__})


def new_id():
    return secrets.token_hex(20)


class Chosen:
    """A control for a session that a test makes itself, under any ID."""

    previous_id = identity = None
    new = started = False

    def __init__(self, session_key):
        # what is too short is no key, to Django
        self.id = session_key if session_key and len(session_key) >= 8 else new_id()

    def regenerate(self):
        self.id = new_id()
        return self.id

    invalidate = regenerate

    def keep(self):
        pass


def replace_engines():
    from paste_sessioncookie.frameworks.django import conf
    from paste_sessioncookie.frameworks.django.store import store_class

    # all first: one of them imports another's class
    engines = [import_module(f'django.contrib.sessions.backends.{name}') for name in ENGINES]
    for engine in engines:
        class SessionStore(store_class(engine.SessionStore)):
            def __init__(self, session_key=None):
                super().__init__(Chosen(session_key), conf.Conf(
                    type(self), False, conf.no_tokens, conf.no_user, ()))
                self._session_key = session_key

            # the test looks at what these leave on the class
            clear_expired = classmethod(engine.SessionStore.clear_expired.__func__)
            aclear_expired = classmethod(engine.SessionStore.aclear_expired.__func__)

        SessionStore.__qualname__ = 'SessionStore'
        engine.SessionStore = SessionStore


# -- the test client -------------------------------------------------------

current = contextvars.ContextVar('current')


def replace_client():
    from paste_sessioncookie import SessionControl
    from paste_sessioncookie.frameworks.django import conf
    from paste_sessioncookie.frameworks.testing import PlainCookie

    secret = secrets.token_bytes(32)
    site = PlainCookie(None, secret=secret, issue='kept')
    name = site.policy.cookie_name

    def through_filter(self, environ):
        got = []

        def application(environ, start_response):
            got.append(handle(self, environ))
            start_response('200 OK', [])
            return []

        def start_response(status, headers, exc_info=None):
            load_cookies(got[0], headers)
        PlainCookie(application, secret=secret, issue='kept')(environ, start_response)
        return got[0]

    async def through_control(self, scope):
        """There is no filter for ASGI: what it does, by hand."""
        header = dict(scope['headers']).get(b'cookie', b'').decode('latin-1')
        environ = {'HTTP_COOKIE': header}
        state = site.identify(environ)
        token = current.set(SessionControl(state))
        try:
            response = await ahandle(self, scope)
        finally:
            current.reset(token)
        told = []
        if not state.is_quiet():
            site._tell(state, environ, told, lenient=False)
        load_cookies(response, told)
        return response

    class Request(client.ASGIRequest):
        def __init__(self, scope, body_file):
            super().__init__(scope, body_file)
            if current.get(None) is not None:  # else it is no request of the client's
                self.META['session.control'] = current.get()

    def load_cookies(response, headers):
        for key, value in headers:
            if key == 'Set-Cookie':
                response.cookies.load(value)

    def session_of(self):
        cookie = self.cookies.get(name)
        control = SessionControl(site.identify(
            {'HTTP_COOKIE': f'{name}={cookie.value}'} if cookie else {}))
        engine = import_module(settings.SESSION_ENGINE).SessionStore
        return cookie, of_a_request(engine)(control, conf.read())

    def session(self):
        cookie, store = session_of(self)
        if not cookie:
            store.save()
            sign(self, store)
        return store

    async def asession(self):
        cookie, store = session_of(self)
        if not cookie:
            await store.asave()
            sign(self, store)
        return store

    def sign(self, store):
        self.cookies[name] = site.signer.sign(store.control.state.final()).decode('ascii')

    def set_login_cookies(self, request):
        sign(self, request.session)

    handle = client.ClientHandler.__call__
    ahandle = client.AsyncClientHandler.__call__
    client.ClientHandler.__call__ = through_filter
    client.AsyncClientHandler.__call__ = through_control
    client.ASGIRequest = Request
    client.ClientMixin.session = property(session)
    client.ClientMixin.asession = asession
    client.ClientMixin._set_login_cookies = set_login_cookies
