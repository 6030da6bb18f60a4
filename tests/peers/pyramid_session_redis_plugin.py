"""The Redis of pyramid_session_redis's tests is the script's.

With THROUGH_US in the environment their sessions are ours: a stand-in for the
filter reads the ID from the cookie that a test made, and sets or deletes that
cookie when the filter would have sent its own.
"""
import os
import sys

import effect  # noqa: F401 first, as it says
import pyramid_session_redis
from pyramid_session_redis.session import RedisSession
from pyramid_session_redis.util import _StringSerializer
from webob.cookies import SignedSerializer

from paste_sessioncookie.control import SessionControl
from paste_sessioncookie.frameworks import pyramid_redis
from paste_sessioncookie.frameworks.testing import PlainCookie
from paste_sessioncookie.state import Answer, Issue, SessionState
from tests import DummyRedis, _util

OURS = pyramid_redis.session_factory
SITE = PlainCookie(None, issue='kept')

_util.LIVE_PSR_CONFIG['redis.sessions.redis_unix_socket_path'] = os.environ['REDIS_SOCKET']


class Control(SessionControl):
    """A control whose first ID is the one that a test has chosen."""

    __slots__ = ('first', 'payload')

    def __init__(self, session_id):
        state = SITE.identify({})
        if session_id:
            state = SessionState(state.policy, state.time, 'ok', state.payload)
        state.issue = Issue.FREELY
        super().__init__(state)
        self.first, self.payload = session_id, state.payload

    @property
    def id(self):
        return self.first if self.first and self.state.payload is self.payload else super().id


class Session(pyramid_redis.SiteSession):
    """Our session, made as the tests make theirs."""

    def __init__(self, session_id, **arguments):
        native = RedisSession(session_id=session_id, **arguments)
        super().__init__(lambda key: native, Control(session_id))


def factory(secret=None, cookie_signer=None, cookie_name='session', **settings):
    """Our factory, with the stand-in."""
    signer = cookie_signer or SignedSerializer(
        secret, 'pyramid_session_redis.', 'sha512', serializer=_StringSerializer())
    attributes = {'httponly': True, **{
        name.removeprefix('cookie_'): settings.pop(name) for name in list(settings)
        if name.startswith('cookie_')}}
    attributes.pop('on_exception', None)
    for name in ('id_generator', 'func_check_response_allow_cookies'):
        settings.pop(name, None)
    make = OURS(**settings)

    def session_factory(request):
        try:
            session_id = signer.loads(request.cookies[cookie_name].encode())
        except (KeyError, ValueError):
            session_id = None
        control = request.environ['session.control'] = Control(session_id)
        responses = []
        request.add_response_callback(lambda request, response: responses.append(response))
        session = make(request)
        request.add_finished_callback(lambda request: [
            answer(response) for response in responses])

        def answer(response):
            if session._new:  # as the tests pretend
                control.state.accepted = None
                control.state.note(kept=bool(session.managed_dict))
            told = control.state.answer(public=False)
            if told is Answer.DELETE:
                response.delete_cookie(cookie_name)
            elif told is not Answer.NOTHING:
                response.set_cookie(cookie_name, signer.dumps(str(control.id)), **attributes)
                response.vary = ('Cookie',)
        return session
    return session_factory


def includeme(config):
    settings = dict(config.registry.settings)
    for name in pyramid_redis.COOKIE_SETTINGS:
        config.registry.settings.pop(pyramid_redis.PREFIX + name, None)
    cookie = {name: settings.get(pyramid_redis.PREFIX + name)
              for name in ('secret', 'cookie_signer')}
    pyramid_redis.session_factory = lambda carry='', **ours: factory(**cookie, **ours)
    try:
        pyramid_redis.includeme(config)
    finally:
        pyramid_redis.session_factory = OURS
        config.registry.settings.update(settings)


def resync(session):
    """What the package has for its tests: load again."""
    state = session._make_session_state(session.session_id, session._new)
    session.__dict__['_session_state'] = state
    session.record._data = state.managed_dict


def dummy_set(self, key, value, debug=None, ex=None, xx=False):
    """What Redis does, and their double of it does not."""
    if xx and key not in self._store:
        return None
    if ex:
        self.setex(key, ex, value, debug)
    else:
        native_set(self, key, value, debug)
    return True


native_set = DummyRedis.set


def dummy_delete(self, *keys):
    for key in keys:
        self._store.pop(key, None)


def pytest_collection_modifyitems(items):
    if 'THROUGH_US' not in os.environ:
        return
    DummyRedis.set, DummyRedis.delete = dummy_set, dummy_delete
    pyramid_redis.SiteSession._resync = resync
    pyramid_session_redis.includeme = includeme
    for name, module in list(sys.modules.items()):
        if name.startswith('tests.test_'):
            for attribute, ours in (
                    ('RedisSession', Session), ('RedisSessionFactory', factory),
                    ('session_factory_from_settings', from_settings)):
                if hasattr(module, attribute) and name != 'tests.test_pyramid':
                    setattr(module, attribute, ours)


def from_settings(settings):
    return factory(**pyramid_session_redis._parse_settings(settings))
