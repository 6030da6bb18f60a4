"""pyramid_session_redis takes its session ID from the site."""
import logging
import os
import pickle
import subprocess
import sys

import pytest

if 'CI' not in os.environ:
    pytest.importorskip('pyramid_session_redis', reason=(
        "needs pip install 'paste_sessioncookie[pyramid-redis]'"))

import redis
from conftest import Visitor, login
from contract import Contract, read, untouched, write
from pyramid.interfaces import ISession
from pyramidapps import PolicyContract, one_view
from zope.interface.verify import verifyClass, verifyObject

from paste_sessioncookie import ConfigError
from paste_sessioncookie.frameworks.pyramid_redis import SiteSession, session_factory

ADAPTER = 'paste_sessioncookie.frameworks.pyramid_redis'


class TestPyramidSessionRedis(PolicyContract, Contract):
    settings = {}

    @property
    def key(self):
        return self.settings.get('prefix', '') + str(self.control.id)

    @pytest.fixture(autouse=True)
    def _store(self, redis_socket):
        self.redis = redis.Redis(unix_socket_path=redis_socket)
        self.redis.flushdb()
        self.url = f'unix://{redis_socket}'

    def sessions(self, carry=()):
        return session_factory(carry, redis_url=self.url, **self.settings)

    def application(self, view, carry=()):
        return one_view(lambda request: view(request.session),
                        session_factory=self.sessions(carry))

    def renew(self, session):
        session.regenerate()

    def records(self):
        return {key.decode() for key in self.redis.keys()}

    # -- what the package promises

    def test_interface(self, site):
        """A session is one of the package's, and an ISession."""
        assert verifyClass(ISession, SiteSession)
        visitor = Visitor(site(untouched))
        assert self.ask(visitor, lambda session: verifyObject(ISession, session)) == 'True'

    def test_no_empty_record(self, site):
        """A session that has become empty has no record."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))

        def emptied_and_renewed(session):
            del session['color']
            session.regenerate()
        for view in (lambda session: session.clear(), emptied_and_renewed):
            self.ask(visitor, write('color', 'blue'))
            self.ask(visitor, view)
            assert not self.records()

    def test_changes_are_detected(self, site):
        """What is changed in place is stored."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('sizes', ['small']))
        self.ask(visitor, lambda session: session['sizes'].append('large'))
        assert self.ask(visitor, read('sizes')) == "['small', 'large']"

    def test_made_before_the_login(self, site):
        """What an anonymous visitor left does not follow him through a login, although
        the session was loaded, and not looked at, before it."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, lambda session: self.control.login('bob') or 'done')
        assert self.ask(visitor, read('color')) == '-'

    def test_time_to_live(self, site):
        """Redis forgets a session in the package's time, from its last use on."""
        visitor = Visitor(site(untouched))

        def shorter(session):
            session['color'] = 'blue'
            session.adjust_session_timeout(100)
        self.ask(visitor, shorter)
        assert 90 < self.redis.ttl(self.key) <= 100
        self.redis.expire(self.key, 50)
        self.ask(visitor, read('color'))
        assert 90 < self.redis.ttl(self.key) <= 100

    def test_expired_in_python(self, site):
        """A record that the package finds too old is begun anew, under its ID."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.redis.set(self.key, pickle.dumps(
            {**pickle.loads(self.redis.get(self.key)), 'x': 1}))
        assert self.ask(visitor, read('color')) == '-'
        self.ask(visitor, write('size', 'small'))
        assert self.ask(visitor, read('size')) == 'small'
        assert self.records() == {self.control.id}

    def test_unreadable(self, site, caplog):
        """A session that cannot be read begins anew, with a warning."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.redis.set(self.key, b'?')
        assert self.ask(visitor, read('color')) == '-'
        assert 'a session cannot be read and begins anew: UnpicklingError' in caplog.text
        self.ask(visitor, write('color', 'red'))
        assert self.ask(visitor, read('color')) == 'red'
        assert self.records() == {self.control.id}

    def test_unreadable_basket(self, site, caplog):
        """What cannot be read of an anonymous session is not carried."""
        visitor = Visitor(site(untouched, carry='basket'))
        self.ask(visitor, write('basket', 'books'))
        self.redis.set(self.key, b'?')
        self.next_door(visitor, login('bob'))
        assert self.ask(visitor, read('basket')) == '-'
        assert 'begins anew: UnpicklingError' in caplog.text

    def test_flash_and_token(self, site):
        """Messages stay with a new ID, the CSRF token does not."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, lambda session: session.flash('saved'))
        token = self.ask(visitor, lambda session: session.get_csrf_token())
        assert self.ask(visitor, lambda session: session.get_csrf_token()) == token
        self.ask(visitor, self.renew)
        assert self.ask(visitor, lambda session: session.get_csrf_token()) != token
        assert self.ask(visitor, lambda session: session.pop_flash()) == "['saved']"


class TestKept(TestPyramidSessionRedis):
    """The same, with records that are kept empty, a prefix, a logger, and without
    time-outs and the detection of changes."""

    @pytest.fixture(autouse=True)
    def _settings(self):
        self.invalid = []
        self.settings = {
            'invalidate_empty_session': False, 'prefix': 'shop:', 'set_redis_ttl': False,
            'detect_changes': False,
            'func_invalid_logger': lambda request, error: self.invalid.append(error)}

    def records(self):
        records = super().records()
        assert all(key.startswith('shop:') for key in records)
        return {key.removeprefix('shop:') for key in records}

    def test_no_empty_record(self, site):
        """An empty session has a record, if that is wanted."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        self.ask(visitor, lambda session: session.clear())
        assert self.records() == {self.control.id}

    def test_what_is_empty_again_is_not_stored(self, site):
        """It is here, because invalidate_empty_session = false wants it so."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, lambda session: session.clear())
        assert self.records() == {self.control.id}

    def test_changes_are_detected(self, site):
        """What is changed in place is stored if the view says so."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('sizes', ['small']))

        def grow(session):
            session['sizes'].append('large')
            session.changed()
        self.ask(visitor, grow)
        assert self.ask(visitor, read('sizes')) == "['small', 'large']"

    def test_time_to_live(self, site):
        """Redis is told nothing of times."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        assert self.redis.ttl(self.key) == -1

    def test_expired_in_python(self, site):
        """The application's logger hears of a lost session, never of a new one,
        and never an ID."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('color', 'blue'))
        assert not self.invalid
        self.redis.flushdb()
        self.ask(visitor, read('color'))
        error, = self.invalid
        assert 'not in Redis' in str(error) and str(self.control.id) not in str(error)


class TestSettings:
    """config.include and the package's settings."""

    @pytest.fixture
    def make(self, redis_socket, make_site):
        redis.Redis(unix_socket_path=redis_socket).flushdb()

        def make(view=lambda request: 'ok', **settings):
            return make_site(one_view(view, settings={
                'redis.sessions.redis_url': f'unix://{redis_socket}', **settings},
                setup=lambda config: config.include(ADAPTER)))
        return make

    def test_include(self, make):
        """One line includes it; the package's settings hold."""
        seen = []

        def view(request):
            request.session['color'] = 'blue'
            seen.append(request.session)
            return request.session.timeout
        site = make(view, **{'redis.sessions.timeout': '77', 'redis.sessions.serialize':
                             'pickle.dumps', 'redis.sessions.prefix': 'x:'})
        assert Visitor(site).get().text == '77'
        assert seen[0].session_id.startswith('x:')

    def test_login(self, make):
        """The site's login comes with it."""
        site = make(lambda request: request.authenticated_userid, **{
            'site_session.security': 'true'})
        assert Visitor(site).get().text == 'None'

    def test_all_faults_at_once(self, make):
        """Each fault is named when the application is made."""
        with pytest.raises(ConfigError) as caught:
            make(**{'redis.sessions.timeout': 'long', 'site_session.carry': '_csrft_',
                    'site_session.store': 'memory', 'site_session.make_user': str})
        text = str(caught.value)
        for part in (f'{ADAPTER}: 4 faults', 'redis.sessions.*: ',
                     'site_session.carry = _csrft_', 'site_session.store: there is no such',
                     'site_session.security = true'):
            assert part in text

    def test_cookie_settings(self, make, caplog):
        """What was about the package's cookie is not used, and the log says so."""
        site = make(lambda request: request.session.get('color'), **{
            'redis.sessions.secret': 'hidden-word', 'redis.sessions.cookie_name': 'x'})
        assert 'redis.sessions.cookie_name, redis.sessions.secret: not used' in caplog.text
        assert 'hidden-word' not in caplog.text
        visitor = Visitor(site)
        visitor.get()
        assert not [each for each in visitor.set_cookies if each.startswith('x=')]

    def test_cookie_settings_in_python(self, caplog):
        """Nor in a factory of one's own."""
        session_factory(secret='hidden-word', cookie_name='x')
        assert ': cookie_name, secret: not used' in caplog.text

    @pytest.mark.parametrize('settings, fault', [
        ({'redis.sessions.redis_url': 'http://x:pass@y'}, 'redis://HOST'),
        ({'redis.sessions.serialize': 'no.such'}, "No module named 'no'"),
        ({'redis.sessions.colour': 'x'}, 'colour')])
    def test_fault(self, make, settings, fault):
        """Nothing waits for the first request."""
        with pytest.raises(ConfigError, match=fault) as caught:
            make(**settings)
        assert 'pass' not in str(caught.value)

    def test_failed_request(self, make, caplog):
        """What a failed request wrote is not stored, nor its new ID kept."""
        caplog.set_level(logging.INFO)

        def view(request):
            if request.path.startswith('/fail'):
                request.session['color'] = 'red'
                if request.path == '/fail/late':
                    request.session.regenerate()
                raise ZeroDivisionError
            if request.path == '/write':
                request.session['color'] = 'blue'
            return request.session.get('color')

        def around(environ, start_response):
            try:
                return inner(environ, start_response)
            except ZeroDivisionError:
                start_response('500 Error', [('Content-Type', 'text/plain')])
                return [b'error']
        site = make(view)
        inner, site.application = site.application, around
        visitor = Visitor(site)
        visitor.get('/write')
        for path in ('/fail', '/fail/late'):
            assert visitor.get(path).status_int == 500
            assert not visitor.set_cookies
            assert visitor.get().text == 'blue'


def test_without_settings():
    """The package's own defaults are enough."""
    assert one_view(lambda request: 'ok', setup=lambda config: config.include(ADAPTER))


def test_client_callable(redis_socket):
    """The package's client callable is given a request, with all it has."""
    seen = []

    def client(request, **options):
        seen.append(request.path)
        return redis.Redis(unix_socket_path=redis_socket)
    app = one_view(lambda request: request.session.get('a'), session_factory=session_factory(
        redis_client_callable=client))
    assert Visitor(app).get('/there').text == 'None'
    assert seen == ['/there']


def test_no_cachelib():
    """It takes nothing that belongs to the sessions in a cache."""
    subprocess.run([sys.executable, '-W', 'ignore', '-c', 'import sys\n'
                    "sys.modules['cachelib'] = None\n"
                    f'import {ADAPTER}'], check=True, timeout=60)
