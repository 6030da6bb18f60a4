"""Django takes its session ID from the site."""
import datetime
import pathlib
import re
import shutil
import subprocess
import sys
import types
from importlib import import_module
from inspect import iscoroutinefunction

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from conftest import Visitor, login, logout
from contract import Contract, LoginContract, next_door
from django_project import FOLDER  # first: it says what Django's settings are
from django.conf import settings
from django.contrib import admin, auth
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.contrib.sessions.backends import signed_cookies
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connections, transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings
from django.test.client import Client, ClientHandler
from django.test.utils import setup_test_environment, teardown_test_environment
from django.urls import re_path
from django.utils import timezone

from paste_sessioncookie import CookieTooLarge, LoginNotAllowed, Namespace
from paste_sessioncookie.frameworks import django as package
from paste_sessioncookie.frameworks.django import conf
from paste_sessioncookie.frameworks.django.auth import SiteLoginMiddleware
from paste_sessioncookie.frameworks.testing import PlainCookie

HERE = 'paste_sessioncookie.frameworks.django'
ENGINES = [f'django.contrib.sessions.backends.{name}'
           for name in ('db', 'file', 'cache', 'cached_db')]
SESSIONS = HERE + '.SessionMiddleware'
AUTH = 'django.contrib.auth.middleware.AuthenticationMiddleware'
SITE_LOGIN = HERE + '.auth.SiteLoginMiddleware'
BACKENDS = ['django.contrib.auth.backends.ModelBackend', HERE + '.auth.SiteLoginBackend']


def async_only(get_response):
    async def middleware(request):
        return await get_response(request)
    return middleware


async_only.sync_capable = False
async_only.async_capable = True


class ClientApplication(ClientHandler):
    """The same for Django's test client."""

    def __init__(self, application):
        super().__init__()
        self.application = application

    def get_response(self, request):
        request.urlconf = self.application.urls
        return super().get_response(request)


class Application(WSGIHandler):
    """A project of one view."""

    def __init__(self, view, **options):
        self.urls = types.ModuleType('urls')
        self.urls.urlpatterns = [re_path('', view)]
        with override_settings(**options):
            super().__init__()

    def get_response(self, request):
        request.urlconf = self.urls
        return super().get_response(request)


@pytest.fixture(scope='module')
def tables():
    call_command('migrate', verbosity=0)


@pytest.fixture(autouse=True)
def database(tables):
    """A database without any row."""
    yield
    for model in (Session, User, Group):
        model.objects.all().delete()
    cache.clear()
    SessionStore.kept.clear()
    for file in pathlib.Path(FOLDER).glob('sessionid*'):
        file.unlink()
    connections.close_all()


class OwnSiteLoginMiddleware(SiteLoginMiddleware):
    """Of a project that changed nothing."""


class TestDatabase(LoginContract, Contract):
    engine = 'django.contrib.sessions.backends.db'
    innermost = []

    @pytest.fixture(autouse=True)
    def backends(self):
        with override_settings(AUTHENTICATION_BACKENDS=BACKENDS):
            yield

    def application(self, view, carry=()):
        return self.configured(view, [SESSIONS], CARRY=list(carry))

    def login_application(self, view):
        for name in 'bob', 'eve':
            User.objects.create_user(name)
        return self.configured(view, [SESSIONS, AUTH, SITE_LOGIN], PUBLISH=True)

    def configured(self, view, middleware, **site_session):
        return Application(
            self.django_view(view), MIDDLEWARE=[*middleware, *self.innermost],
            SESSION_ENGINE=self.engine, SITE_SESSION=site_session)

    def django_view(self, view):
        def answer(request):
            self.request = request
            result = view(request.session)
            kind = StreamingHttpResponse if hasattr(result, '__next__') else HttpResponse
            return kind(result, content_type='text/plain')
        return answer

    def renew(self, session):
        session.cycle_key()

    def end(self, session):
        session.flush()

    def who(self, session):
        return self.request.user.get_username() or '-'

    def log_in(self, session, user):
        auth.login(self.request, User.objects.get(username=user), BACKENDS[0])

    def log_out(self, session):
        auth.logout(self.request)

    def records(self):
        return set(Session.objects.values_list('session_key', flat=True))


class TestAsync(TestDatabase):
    """Async views, behind a middleware that makes ours run in Django's async way."""

    innermost = ['test_django.async_only']

    def django_view(self, view):
        return sync_to_async(super().django_view(view))

    def renew(self, session):
        async_to_sync(session.acycle_key)()

    def end(self, session):
        async_to_sync(session.aflush)()

    def who(self, session):
        return async_to_sync(self.request.auser)().get_username() or '-'

    def log_in(self, session, user):
        async_to_sync(auth.alogin)(
            self.request, User.objects.get(username=user), BACKENDS[0])

    def log_out(self, session):
        async_to_sync(auth.alogout)(self.request)


class TestFile(TestDatabase):
    engine = 'django.contrib.sessions.backends.file'

    def records(self):
        return {file.name.removeprefix('sessionid')
                for file in pathlib.Path(FOLDER).glob('sessionid*')}


class TestCache(TestDatabase):
    engine = 'django.contrib.sessions.backends.cache'

    def records(self):
        return {key.removeprefix(':1:django.contrib.sessions.cache')
                for key in cache._cache}


class TestCachedDatabase(TestDatabase):
    engine = 'django.contrib.sessions.backends.cached_db'

    def records(self):
        return super().records() | {
            key.removeprefix(':1:django.contrib.sessions.cached_db') for key in cache._cache}


class SessionStore(SessionBase):
    """A project's own engine, of as few methods as Django wants.  Like that of
    files, it puts a new record in place of one that has expired."""

    kept = {}

    def exists(self, session_key):
        return session_key in self.kept

    def create(self):
        self._session_key = self._get_new_session_key()
        self.save(must_create=True)

    def save(self, must_create=False):
        if self.session_key is None:
            return self.create()
        data = self._get_session(no_load=must_create)
        if must_create and self.session_key in self.kept:
            raise CreateError
        if not must_create and self.session_key not in self.kept:
            raise UpdateError
        self.kept[self.session_key] = self.encode(data)

    def delete(self, session_key=None):
        self.kept.pop(session_key or self.session_key, None)

    def load(self):
        data = self._decoded()
        if data.get('_session_expiry') == -1:
            data = {}
            self.create()
        return data

    async def aload(self):
        data = self._decoded()
        if data.get('_session_expiry') == -1:
            data = {}
            await self.acreate()
        return data

    def _decoded(self):
        if self.session_key not in self.kept:
            self._session_key = None
            return {}
        return self.decode(self.kept[self.session_key])


class TestOwnEngine(TestDatabase):
    engine = 'test_django'

    def records(self):
        return set(SessionStore.kept)


# -- one project, whatever the engine ------------------------------------------


class Project:
    """A project of one view, which a test gives with each request."""

    def __init__(self, make_site, namespace=None, may_login=True, environ=()):
        app = Application(self._call)
        app.urls.urlpatterns.insert(0, re_path('async', self._acall))
        self.app = self.inner = (
            Namespace(app, namespace, login=may_login) if namespace else app)
        site = make_site(lambda *args: self.inner(*args), issue='kept')
        self.outer = dict(environ)
        self.visitor = Visitor(
            lambda environ, start_response: site({**environ, **self.outer}, start_response))

    def _call(self, request):
        self.request = request
        return HttpResponse(self.view(request) or '', content_type='text/plain')

    async def _acall(self, request):
        self.request = request
        return HttpResponse(await self.view(request) or '', content_type='text/plain')

    def ask(self, view):
        """The text of the response to a view, which may be an async one."""
        self.view = view
        response = self.visitor.get('/async' if iscoroutinefunction(view) else '/')
        for header in self.visitor.set_cookies:
            assert header.startswith('__Host-site_session='), 'a cookie of its own'
        assert response.status_int == 200
        return response.text

    def next_door(self, act):
        """Something happens in another application of the site."""
        self.inner = next_door(act)
        self.visitor.get()
        self.inner = self.app

    @property
    def control(self):
        return self.request.META['session.control']

    @property
    def identity(self):
        """Who is logged in at the site, as the next application sees it."""
        seen = []
        self.next_door(lambda environ: seen.append(environ['session.control'].identity))
        return seen[0]


@pytest.fixture
def project(make_site, request):
    """Builds a project: in a namespace, with environ from outside, with settings."""
    def make(namespace=None, may_login=True, environ=(), **options):
        override = override_settings(**{
            'MIDDLEWARE': [SESSIONS, AUTH], 'DEBUG_PROPAGATE_EXCEPTIONS': True, **options})
        override.enable()
        request.addfinalizer(override.disable)
        return Project(make_site, namespace, may_login, environ)
    return make


@pytest.fixture(params=[*ENGINES, 'test_django'])
def each_engine(request):
    return request.param


def who(request):
    return request.user.get_username()


async def awho(request):
    return (await request.auser()).get_username()


def remember(request):
    request.session['color'] = 'blue'


def recall(request):
    return request.session.get('color', '-')


def records():
    return set(Session.objects.values_list('session_key', flat=True))


# -- the async twins


def test_async_views(project, each_engine):
    """What an async view stores, renews and ends is so for the next one."""
    site = project(SESSION_ENGINE=each_engine)

    async def store(request):
        await request.session.aset('color', 'blue')
        await request.session.asave()
        return request.session.session_key

    async def renew(request):
        await request.session.acycle_key()
        return request.session.session_key

    async def arecall(request):
        return await request.session.aget('color', '-')

    async def end(request):
        await request.session.aflush()
    first = site.ask(store)
    assert first == site.control.id
    second = site.ask(renew)
    assert second == site.control.id != first
    assert site.ask(arecall) == 'blue'
    site.ask(end)
    assert site.ask(arecall) == '-'
    assert site.control.id not in (first, second)


def test_async_carry(project, each_engine):
    """A basket comes along into a login, in an async view as in others."""
    site = project(SESSION_ENGINE=each_engine, SITE_SESSION={'CARRY': ['color']})
    site.ask(remember)
    site.next_door(login('bob'))

    async def arecall(request):
        return await request.session.aget('color', '-')
    assert site.ask(arecall) == 'blue'
    site.next_door(logout)
    assert site.ask(arecall) == '-'


def test_async_change_of_id(project, each_engine):
    """In one request, too, what a log-out of the site leaves is removed."""
    site = project(SESSION_ENGINE=each_engine, SITE_SESSION={'CARRY': ['color']})

    async def go_in_and_out(request):
        await request.session.aset('color', 'blue')
        await request.session.asave()
        control = request.META['session.control']
        first = request.session.session_key
        control.login('bob')
        await request.session.aset('size', 'small')
        await request.session.asave()
        second = request.session.session_key
        assert 'blue' == await request.session.aget('color')
        control.logout()
        assert await request.session.aget('color') is None
        await request.session.aset('mood', 'good')
        await request.session.asave()
        assert not await request.session.aexists(first)
        assert not await request.session.aexists(second)
    site.ask(go_in_and_out)


def test_async_creation(project, each_engine):
    """``acreate()`` takes the visitor's ID, then a new one; a record that was there
    is replaced, not doubled."""
    site = project(SESSION_ENGINE=each_engine)

    async def create(request):
        await request.session.acreate()
        first = request.session.session_key
        other = type(request.session)(request.session.control, request.session.conf)
        other._session_key = None
        await other.acreate()
        assert other.session_key == first
        await request.session.acreate()
        return f'{first} {request.session.session_key}'
    first, second = site.ask(create).split()
    assert first != second == site.control.id


def test_async_end_after_a_login(project, each_engine):
    """What a login has moved is gone as well."""
    site = project(SESSION_ENGINE=each_engine)

    async def end(request):
        first = request.session.session_key
        assert await request.session.aget('color') == 'blue'
        request.META['session.control'].login('bob')
        await request.session.aset('size', 'small')
        await request.session.aflush()
        assert not await request.session.aexists(first)
    site.ask(remember)
    site.ask(end)
    assert site.ask(recall) == '-'


@pytest.mark.parametrize('how', ['in the async way', 'in the other'])
def test_what_has_expired_is_not_replaced(project, how):
    """Some engines put a new record in place of an expired one: a reader needs none."""
    site = project(SESSION_ENGINE='test_django')

    async def arecall(request):
        return await request.session.aget('color', '-')

    def store(request):
        remember(request)
        request.session.set_expiry(-1)
    site.ask(store)
    before = str(site.control.id)
    assert site.ask(arecall if how == 'in the async way' else recall) == '-'
    site.ask(remember)
    assert site.ask(recall) == 'blue'
    assert site.control.id == before


@pytest.mark.parametrize('asynchronous', [False, True])
def test_a_slow_login_brings_no_session_back(project, each_engine, asynchronous):
    """Nor does a new ID keep what another tab has ended meanwhile."""
    site = project(SESSION_ENGINE=each_engine)

    def elsewhere(request):
        import_module(each_engine).SessionStore(request.session.session_key).delete()

    async def arenew(request):
        await request.session.aget('color')
        await sync_to_async(elsewhere)(request)
        await request.session.acycle_key()

    def renew(request):
        assert recall(request) == 'blue'
        elsewhere(request)
        request.session.cycle_key()
    site.ask(remember)
    site.ask(arenew if asynchronous else renew)
    assert site.ask(recall) == '-'


def test_async_clear(project, each_engine):
    """Who clears a session that was never there can go on."""
    site = project(SESSION_ENGINE=each_engine)
    site.next_door(login('bob'))

    async def clear(request):
        request.session.clear()
        await request.session.aset('color', 'blue')
        await request.session.asave()

    async def save(request):
        await request.session.asave()
    site.ask(clear)
    assert site.ask(recall) == 'blue'
    site.ask(save)
    assert site.ask(recall) == 'blue'
    site.ask(clear)


# -- what Django's engines promise


def test_records_are_those_of_the_engine(project, each_engine):
    """Django's own class reads and writes the same records, in a shell say."""
    site = project(SESSION_ENGINE=each_engine)
    site.ask(remember)
    engine = import_module(each_engine).SessionStore
    outside = engine(str(site.control.id))
    assert outside['color'] == 'blue'
    outside['color'] = 'red'
    outside.save()
    assert site.ask(recall) == 'red'


def test_the_key_of_a_session(project):
    """It is None until something is stored, and then the site's ID."""
    site = project()

    def look(request):
        assert request.session.session_key is None
        assert request.session.is_empty()
        request.session.create()
        first = request.session.session_key
        assert first == request.META['session.control'].id
        request.session.create()
        assert request.session.session_key != first
    site.ask(look)
    assert site.control.id in records()


def test_the_key_follows_a_login(project):
    """Code that logs in at the site finds the new key at once."""
    site = project()

    def look(request):
        request.session['color'] = 'blue'
        request.session.save()
        request.META['session.control'].login('bob')
        assert request.session.session_key is None
        assert request.session.is_empty()
    site.ask(look)

    def look_again(request):
        request.META['session.control'].logout()
        assert request.session.session_key == request.META['session.control'].id
        assert recall(request) == '-'
    site.ask(remember)
    site.ask(look_again)
    assert site.control.id not in records()


def test_a_login_before_the_session_is_used(project):
    """A view that logs in, and then looks, finds the basket."""
    site = project(SITE_SESSION={'CARRY': ['color']})
    site.ask(remember)

    def log_in_and_look(request):
        request.META['session.control'].login('bob')
        return recall(request)
    assert site.ask(log_in_and_look) == 'blue'
    assert records() == {site.control.id}


@pytest.mark.parametrize('engine', ENGINES[2:])
def test_the_key_in_the_cache(project, engine):
    """Even what nothing is stored under yet is named by the site's ID."""
    site = project(SESSION_ENGINE=engine)

    def cache_key(request):
        return request.session.cache_key

    async def acache_key(request):
        return await request.session.acache_key()
    assert site.ask(cache_key).endswith(site.control.id)
    assert site.ask(acache_key).endswith(site.control.id)


def test_a_login_before_the_middleware(project):
    """What is in front of Django may log in: the basket comes along all the same."""
    site = project(SITE_SESSION={'CARRY': ['color']})
    site.ask(remember)

    def log_in_first(environ, start_response):
        environ['session.control'].login('bob')
        return site.app(environ, start_response)
    site.inner = log_in_first
    assert site.ask(recall) == 'blue'


def test_clearing_what_was_never_there(project, each_engine):
    """Who clears a session that was never there is not told that it was deleted."""
    site = project(SESSION_ENGINE=each_engine)
    site.next_door(login('bob'))

    def clear(request):
        request.session.clear()
        remember(request)
    site.ask(clear)
    assert site.ask(recall) == 'blue'
    site.ask(clear)
    site.ask(lambda request: request.session.save())
    assert site.ask(recall) == 'blue'


def test_saving_every_request(project):
    """SESSION_SAVE_EVERY_REQUEST stores no session that is empty, and keeps others."""
    site = project(SESSION_SAVE_EVERY_REQUEST=True)
    site.next_door(login('bob'))
    site.ask(lambda request: None)
    assert not records()
    site.ask(remember)
    Session.objects.update(expire_date=timezone.now() + datetime.timedelta(days=1))
    site.ask(lambda request: None)
    assert Session.objects.get().expire_date > timezone.now() + datetime.timedelta(days=2)


def test_expiry_is_of_the_record(project, each_engine):
    """set_expiry() says how long a session is stored; the cookie stays the site's."""
    site = project(SESSION_ENGINE=each_engine)

    def store(request):
        remember(request)
        request.session.set_expiry(-1)
    site.ask(remember)
    before = str(site.control.id)
    site.ask(store)
    assert not site.visitor.set_cookies
    assert site.ask(recall) == '-'
    site.ask(remember)
    assert site.ask(recall) == 'blue'
    assert site.control.id == before


@pytest.mark.parametrize('engine', ENGINES[:2])
def test_expired_sessions_are_cleared(project, engine):
    """The command clearsessions, and the method of request.session."""
    site = project(SESSION_ENGINE=engine)

    def store(request):
        remember(request)
        request.session.set_expiry(-1)
    native = import_module(engine).SessionStore
    site.ask(store)
    assert native().exists(str(site.control.id))
    call_command('clearsessions')
    assert not native().exists(str(site.control.id))
    site.ask(store)

    async def clear(request):
        await request.session.aclear_expired()
    site.ask(clear)
    assert not native().exists(str(site.control.id))
    site.ask(store)
    site.ask(lambda request: request.session.clear_expired())
    assert not native().exists(str(site.control.id))


# -- the middleware


def failed(site, view):
    """A request of which nothing is to remain."""
    def fail(request):
        view(request)
        request.session['color'] = 'red'
        raise ZeroDivisionError('as the test wants it')
    site.view = fail
    before = site.visitor.cookie
    assert site.visitor.get().status_int == 500
    # the page of the error may have a token against forgery
    assert [header for header in site.visitor.set_cookies
            if not header.lstrip().startswith('csrftoken=')] == []
    site.visitor.cookie = before


def test_a_failed_request_saves_nothing(project, each_engine):
    """As with Django's own middleware; nor does a new ID count."""
    site = project(DEBUG_PROPAGATE_EXCEPTIONS=False, SESSION_ENGINE=each_engine)
    site.ask(remember)
    for view in str, recall, renew_key, renew_key_twice, log_in_by_the_control:
        failed(site, view)
        failed(site, rolled_back(view))
        assert site.ask(recall) == 'blue'
    assert site.identity is None


def rolled_back(view):
    """The same in a transaction, which the engines of databases take part in."""
    def roll_back(request):
        with transaction.atomic():
            view(request)
            raise ZeroDivisionError('as the test wants it')
    return roll_back


def renew_key(request):
    request.session.cycle_key()


def renew_key_twice(request):
    request.session.cycle_key()
    request.session['size'] = 'small'
    request.session.cycle_key()


def log_in_by_the_control(request):
    request.META['session.control'].login('bob')


def test_a_failed_login(project, bob, eve, each_engine):
    """Whoever was in stays in, here as at the site, and has his session."""
    site = project(DEBUG_PROPAGATE_EXCEPTIONS=False, SITE_SESSION=PUBLISH,
                   SESSION_ENGINE=each_engine)
    site.ask(remember)
    failed(site, log_in)
    assert site.ask(who) == ''
    assert site.identity is None
    assert site.ask(recall) == 'blue'
    site.ask(log_in)
    failed(site, log_in)
    assert site.ask(who) == site.identity.user == 'bob'
    assert site.ask(recall) == 'blue'


def test_a_failed_request_leaves_the_basket(project):
    """What is to be carried into a login is there for the next request."""
    site = project(DEBUG_PROPAGATE_EXCEPTIONS=False, SITE_SESSION={'CARRY': ['color']})
    site.ask(remember)
    site.next_door(login('bob'))

    def view(request):
        assert recall(request) == 'blue'
        request.META['session.control'].regenerate()
    failed(site, view)
    assert site.ask(recall) == 'blue'


def test_a_failed_login_leaves_no_record(project, bob):
    """Neither under the ID that nobody has, nor of a session that there was not."""
    site = project(DEBUG_PROPAGATE_EXCEPTIONS=False, SITE_SESSION=PUBLISH)
    failed(site, log_in)
    assert not records()


def test_a_failed_request_after_a_log_out(project):
    """What was there before is not brought back under the ID of nobody."""
    site = project(DEBUG_PROPAGATE_EXCEPTIONS=False)
    site.next_door(login('bob'))
    site.ask(remember)

    def log_out_and_fail(request):
        request.session.cycle_key()
        request.META['session.control'].logout()
        raise ZeroDivisionError
    site.view = log_out_and_fail
    assert site.visitor.get().status_int == 500
    assert not records()


def test_a_page_with_a_new_session_is_not_cached(project):
    """Django's cache does not show one visitor's first page to everybody."""
    site = project(MIDDLEWARE=[
        'django.middleware.cache.UpdateCacheMiddleware', SESSIONS,
        'django.middleware.cache.FetchFromCacheMiddleware'])

    def page(request):
        request.session['visits'] = request.session.get('visits', 0) + 1
        return f'{id(request)}'
    site.ask(page)
    site.visitor.cookie = None
    first = site.request
    site.ask(page)
    assert site.request is not first


def test_a_page_for_the_user_is_not_shown_to_others(project):
    """Nor is one of a view that asks the control alone."""
    site = project(MIDDLEWARE=[
        'django.middleware.cache.UpdateCacheMiddleware', SESSIONS,
        'django.middleware.cache.FetchFromCacheMiddleware'])

    def greet(request):
        return request.META['session.control'].identity.user
    for name in 'bob', 'eve':
        site.visitor.cookie = None
        site.next_door(login(name))
        assert site.ask(greet) == name


def test_the_cookie_is_hidden(project):
    """Neither templates nor error reports see the site's cookie."""
    site = project()
    site.ask(remember)
    assert site.visitor.cookie in site.ask(lambda request: request.META['HTTP_COOKIE'])
    assert site.ask(lambda request: ' '.join(request.COOKIES)) == ''


def test_a_session_that_begins_in_the_body(project, caplog):
    """It is too late for the cookie, and the log says so."""
    site = project()

    def stream(request):
        yield b'the body'
        remember(request)
        request.session.save()
    site.inner = Application(lambda request: StreamingHttpResponse(stream(request)))
    assert site.visitor.get().text == 'the body'
    assert 'after the response had started' in caplog.text


def test_a_session_of_somebody_elses(project):
    """What a project puts in place of the session is left to the project."""
    site = project()

    def replace(request):
        request.session = DatabaseStore()
        remember(request)
    site.ask(replace)
    assert not records()

    def remove(request):
        del request.session
    site.ask(remove)


def test_the_admin_accepts_the_middleware(project):
    """``manage.py check`` finds Django's middleware in ours."""
    project(INSTALLED_APPS=[*settings.INSTALLED_APPS, 'django.contrib.admin'])
    assert 'admin.E410' not in [message.id for message in admin.checks.check_dependencies()]


# -- the settings


class CookieEngine:
    """A module, as SESSION_ENGINE names one."""

    class SessionStore(signed_cookies.SessionStore):
        """Of a project that changed a little."""


FAULTS = [
    ({'PUBLISHED': True}, 'PUBLISHED: there is no such option; did you mean PUBLISH?'),
    ({'colour': 1}, 'colour: there is no such option; there are: CARRY, MAKE_USER, PUBLISH,'),
    ({'PUBLISH': 'yes'}, "PUBLISH = 'yes': it takes True or False"),
    ({'TOKENS': 'nowhere.at_all'}, "TOKENS = 'nowhere.at_all': No module named 'nowhere'"),
    ({'MAKE_USER': 3}, 'MAKE_USER = 3: it takes a callable, or its dotted path'),
    ({'CARRY': 'basket'}, "CARRY = 'basket': it takes a list of names"),
    ({'CARRY': 3}, 'CARRY = 3: it takes a list of names'),
    ({'CARRY': ['_auth_user_id']}, "CARRY = ['_auth_user_id']: _auth_user_id: such a key"),
    ({'CARRY': ['basket', '_messages']}, 'it never goes along into a login'),
    ({'CARRY': ['facebook_state', 3]}, ']: facebook_state, 3: such a key may say who'),
]


@pytest.mark.parametrize('given, fault', FAULTS)
def test_faults_of_the_setting(project, given, fault):
    """Each names the key, the value and what is accepted, when the project loads."""
    with pytest.raises(ImproperlyConfigured) as caught:
        project(SITE_SESSION=given)
    assert fault in str(caught.value)


def test_faults_come_together(project):
    """All faults are reported at once."""
    with pytest.raises(ImproperlyConfigured) as caught:
        project(SITE_SESSION={'PUBLISH': 1, 'CARRY': ['_messages', 'testcookie']},
                SESSION_ENGINE='django.contrib.sessions.backends.signed_cookies')
    for part in ('PUBLISH', '_messages', 'testcookie', 'signed_cookies'):
        assert part in str(caught.value)


def test_one_middleware_for_sessions(project):
    """Django's own is taken out, not left in front of ours."""
    with pytest.raises(ImproperlyConfigured, match='take it out'):
        project(MIDDLEWARE=['django.contrib.sessions.middleware.SessionMiddleware', SESSIONS])


def test_the_setting_is_a_dictionary(project):
    with pytest.raises(ImproperlyConfigured, match='SITE_SESSION takes a dictionary'):
        project(SITE_SESSION=['PUBLISH'])


@pytest.mark.parametrize('engine, fault', [
    (CookieEngine, 'in a cookie of its own'),
    (types.SimpleNamespace(SessionStore=dict), 'is no subclass of SessionBase')])
def test_engines_that_cannot_be_used(project, monkeypatch, engine, fault):
    """An engine that keeps the session in a cookie, and what is no engine."""
    monkeypatch.setitem(sys.modules, 'some_engine', engine)
    with pytest.raises(ImproperlyConfigured, match=fault):
        project(SESSION_ENGINE='some_engine')


def test_settings_that_say_nothing_now(project, caplog):
    """Those of Django's own session cookie alone are named in the log."""
    project(SESSION_COOKIE_NAME='shop', SESSION_EXPIRE_AT_BROWSER_CLOSE=True,
            SESSION_COOKIE_AGE=60, SESSION_COOKIE_DOMAIN='example.org')
    assert [record.getMessage().partition(': not used')[0] for record in caplog.records] == [
        'settings: SESSION_COOKIE_NAME, SESSION_EXPIRE_AT_BROWSER_CLOSE']


# -- publishing


@pytest.fixture
def bob():
    return User.objects.create_user('bob', password='a password')


@pytest.fixture
def eve():
    return User.objects.create_user('eve', password='a password')


def log_in(request, name='bob'):
    user = auth.authenticate(request, username=name, password='a password')
    auth.login(request, user)


def log_in_eve(request):
    log_in(request, 'eve')


def log_out(request):
    auth.logout(request)


async def alog_in(request):
    user = await auth.aauthenticate(request, username='bob', password='a password')
    await auth.alogin(request, user)


async def alog_out(request):
    await auth.alogout(request)


PUBLISH = {'PUBLISH': True}


@pytest.mark.parametrize('into, out', [(log_in, log_out), (alog_in, alog_out)])
def test_a_login_becomes_the_sites(project, bob, each_engine, into, out):
    """And so does the log-out.  What was in the session goes along, as in Django."""
    site = project(SITE_SESSION=PUBLISH, SESSION_ENGINE=each_engine)
    site.ask(remember)
    site.ask(into)
    assert site.identity.user == 'bob'
    assert site.ask(who) == 'bob'
    assert site.ask(recall) == 'blue'
    site.ask(out)
    assert site.identity is None
    assert site.ask(who) == site.ask(recall).strip('-')


def test_one_record_is_left(project, bob):
    """Of all the IDs of a login that is published."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(remember)
    site.ask(log_in)
    assert records() == {site.control.id}
    site.ask(log_in)
    assert records() == {site.control.id}
    site.ask(log_out)
    assert not records()


def test_nothing_is_published_by_itself(project, bob):
    """Without PUBLISH a login stays Django's own."""
    site = project()
    site.ask(log_in)
    assert site.identity is None
    site.next_door(login('eve'))
    site.ask(log_in)
    site.ask(log_out)
    assert site.identity.user == 'eve'


def test_another_user_replaces_the_login(project, bob, eve):
    """A login as somebody else is one at the site, too."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(log_in)
    site.ask(remember)
    site.ask(log_in_eve)
    assert site.identity.user == 'eve'
    assert site.ask(recall) == '-'
    assert records() == {site.control.id}


def test_publishing_takes_a_namespace_that_may(project, bob):
    """The error names the namespace and the option."""
    site = project(SITE_SESSION=PUBLISH, namespace='blog', may_login=False)
    with pytest.raises(LoginNotAllowed, match='login = true'):
        site.ask(log_in)


def test_groups_become_tokens(project, bob, caplog):
    """Those that can be; what cannot breaks no login."""
    for name in ('staff', 'Redaktion Köln', 'a,b'):
        bob.groups.add(Group.objects.create(name=name))
    site = project(SITE_SESSION={**PUBLISH, 'TOKENS': HERE + '.group_names'})
    site.ask(log_in)
    assert site.identity.tokens == ('staff',)
    assert 'Redaktion Köln' in caplog.text


LONG = {**PUBLISH, 'TOKENS': lambda user: map(str, range(2000))}


@pytest.mark.parametrize('name, setting, error', [
    ('b\x07b', PUBLISH, ValueError), ('bob', LONG, CookieTooLarge)])
@pytest.mark.parametrize('asynchronous', [False, True])
def test_a_login_that_cannot_be_published(project, name, setting, error, asynchronous):
    """Nobody is logged in by halves, though the view takes the error for an answer;
    what the visitor had is there, and whoever is in at the site stays."""
    user = User.objects.create_user(name)
    site = project(SITE_SESSION=setting)
    site.next_door(login('eve'))
    site.ask(remember)

    def log_in(request):
        with pytest.raises(error):
            auth.login(request, user, BACKENDS[0])
        return who(request)

    async def alog_in(request):
        with pytest.raises(error):
            await auth.alogin(request, user, BACKENDS[0])
        return await awho(request)
    assert site.ask(alog_in if asynchronous else log_in) == ''
    assert site.ask(who) == ''
    assert site.ask(recall) == 'blue'
    assert site.identity.user == 'eve'


def test_another_login_that_cannot_be_published(project, bob, eve):
    """Whoever was in before is in no longer, as in Django."""
    site = project(SITE_SESSION={**PUBLISH, 'TOKENS': many_of_bob})
    site.ask(log_in_eve)

    async def alog_in(request):
        assert await awho(request) == 'eve'
        with pytest.raises(CookieTooLarge):
            await auth.alogin(request, bob, BACKENDS[0])
        return await awho(request)
    assert site.ask(alog_in) == ''
    assert site.identity is None


def many_of_bob(user):
    return map(str, range(2000 if user.username == 'bob' else 0))


@pytest.mark.parametrize('out', [log_out, alog_out])
@pytest.mark.parametrize('kind, cookie', [('published', None), ('received', None), ('', '')])
def test_a_log_out_of_the_unsure(project, kind, cookie, out):
    """Where a login does not show, as there are two cookies, a log-out is meant all
    the same; but not where logins are Django's own."""
    site = project(**{'published': {'SITE_SESSION': PUBLISH}, 'received': receiving(),
                      '': {}}[kind])
    cookies = []
    for name in 'bob', 'eve':
        site.visitor.cookie = None
        site.next_door(login(name))
        cookies.append(site.visitor.cookie)
    site.visitor.cookie = both = '; '.join(cookies)
    site.ask(out)
    assert site.control.status == 'conflict'
    assert site.visitor.cookie == (both if cookie == '' else None)


@pytest.mark.parametrize('out', [log_out, alog_out])
def test_a_log_out_without_a_record(project, bob, out):
    """Whose record has expired is logged out of the site all the same."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(log_in)
    Session.objects.all().delete()
    site.ask(out)
    assert site.identity is None


def test_a_log_out_under_a_user_from_outside(project, bob):
    """A login that was published is ended, though the outer user hides it."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(log_in)
    site.outer['REMOTE_USER'] = 'mallory'
    assert site.ask(who) == 'bob'
    site.ask(log_out)
    site.outer.clear()
    assert site.identity is None


def test_the_login_of_an_api_is_not_published(project, bob):
    """A login for one request, without a session, is no login of the site's."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(lambda request: user_logged_in.send(User, request=request, user=bob)[:0])
    assert site.identity is None
    user_logged_in.send(User, request=None, user=bob)


def test_a_new_password(project, bob):
    """It leaves the visitor logged in, and logs others out, at the site as well."""
    site = project(SITE_SESSION=PUBLISH)
    site.ask(log_in)
    other = site.visitor.cookie

    def change(request):
        request.user.set_password('another')
        request.user.save()
        auth.update_session_auth_hash(request, request.user)
    site.ask(change)
    assert site.ask(who) == 'bob'
    assert site.identity.user == 'bob'
    site.visitor.cookie = other
    assert site.ask(who) == ''


# -- receiving


def receiving(**more):
    return {'MIDDLEWARE': [SESSIONS, AUTH, SITE_LOGIN], 'AUTHENTICATION_BACKENDS': BACKENDS,
            **more}


def test_a_login_is_received_once(project, bob):
    """The next requests write nothing and send nothing."""
    site = project(**receiving())
    site.next_door(login('bob'))
    site.ask(who)
    before = Session.objects.get().session_data
    assert site.ask(who) == 'bob'
    assert not site.visitor.set_cookies
    assert not site.request.session.modified
    assert Session.objects.get().session_data == before


def test_the_first_post_after_a_login(project, bob):
    """A form from before it is accepted: the login changes Django's token only for the
    forms that follow."""
    site = project(**receiving(MIDDLEWARE=[
        SESSIONS, 'django.middleware.csrf.CsrfViewMiddleware', AUTH, SITE_LOGIN]))
    site.next_door(login('bob'))
    site.view = who
    token = 'a' * 32
    response = site.visitor.post(headers={
        'Cookie': f'{site.visitor.cookie}; csrftoken={token}', 'X-CSRFToken': token,
        'Origin': 'https://example.org:443'})
    assert response.text == 'bob'


def test_whom_django_does_not_know(project):
    """He is anonymous there, which is no failed login, and the site's login stands."""
    failures = []

    def failed(sender, **kwargs):
        failures.append(kwargs)
    user_login_failed.connect(failed)
    site = project(**receiving())
    site.next_door(login('bob'))
    assert site.ask(who) == ''
    assert site.identity.user == 'bob'
    assert not records()
    user_login_failed.disconnect(failed)
    assert not failures


def test_the_hook_makes_a_user(project):
    """It has the identity and the profile, and may decline."""
    seen = []

    def make_user(identity, profile):
        seen.append((identity, profile))
        if 'staff' in identity.tokens:
            return User.objects.create_user(identity.user, email=profile['email'])
    profile = {'email': 'bob@example.org'}
    site = project(**receiving(SITE_SESSION={'MAKE_USER': make_user}),
                   environ={'session.profile': profile})
    site.next_door(login('eve'))
    assert site.ask(who) == ''
    site.next_door(login('bob', ('staff',)))
    assert site.ask(who) == 'bob'
    assert site.ask(who) == 'bob'
    assert User.objects.get().email == 'bob@example.org'
    assert [(identity.user, given is profile) for identity, given in seen] == [
        ('eve', True), ('bob', True)]


def test_an_error_of_the_hook(project):
    """It is the project's own."""
    def make_user(identity, profile):
        raise ZeroDivisionError('as the test wants it')
    site = project(**receiving(SITE_SESSION={'MAKE_USER': make_user}))
    site.next_door(login('bob'))
    with pytest.raises(ZeroDivisionError):
        site.ask(who)


def test_who_is_not_active(project, bob):
    """He does not come in, nor does he stay in."""
    site = project(**receiving())
    site.next_door(login('bob'))
    assert site.ask(who) == 'bob'
    User.objects.update(is_active=False)
    assert site.ask(who) == ''
    site.next_door(login('bob', again=True))
    assert site.ask(who) == ''
    assert site.identity.user == 'bob'


def test_whose_password_has_changed(project, bob):
    """He is logged out by Django, and so of the site."""
    site = project(**receiving())
    site.next_door(login('bob'))
    assert site.ask(who) == 'bob'
    bob.set_password('another')
    bob.save()
    assert site.ask(who) == ''
    assert site.identity is None
    assert not records()


def test_who_was_made_anew(project, bob):
    """A user who was deleted and is made again has nothing of the old one's session."""
    def make_user(identity, profile):
        return User.objects.create_user(identity.user)
    site = project(**receiving(SITE_SESSION={'MAKE_USER': make_user}))
    site.next_door(login('bob'))
    site.ask(remember)
    User.objects.all().delete()
    User.objects.create_user('ann')
    assert site.ask(who) == 'bob'
    assert site.ask(recall) == '-'
    assert site.identity.user == 'bob'


def test_djangos_own_login_stands(project, bob, eve):
    """Nobody is thrown out for being somebody else at the site, or nobody."""
    site = project(**receiving())
    site.ask(log_in_eve)
    assert site.ask(who) == 'eve'
    site.next_door(login('bob'))
    assert site.ask(who) == 'bob'
    site.ask(log_in_eve)
    assert site.ask(who) == 'eve'


def test_what_is_received_is_not_published(project, bob):
    """Nor could it be, in a namespace without login = true."""
    site = project(**receiving(SITE_SESSION=PUBLISH), namespace='blog', may_login=False)
    site.next_door(login('bob', ('staff',)))
    assert site.ask(who) == 'bob'
    assert site.identity.tokens == ('staff',)


def test_a_user_from_outside_the_site(project, bob, eve):
    """He hides the site's login, and is logged in for as long as he is there."""
    site = project(**receiving())
    site.next_door(login('bob'))
    assert site.ask(who) == 'bob'
    site.ask(remember)
    for name, user in ('mallory', ''), ('eve', 'eve'), ('eve', 'eve'):
        site.outer['REMOTE_USER'] = name
        assert site.ask(who) == user
        assert site.ask(recall) == '-'
    site.outer.clear()
    assert site.ask(who) == 'bob'
    assert site.identity.user == 'bob'


@pytest.mark.parametrize('out', [log_out, alog_out])
def test_a_user_from_outside_alone(project, eve, out):
    """He is received like others, tokens and all, and gone when the server says so; a
    log-out of Django is none of the server's."""
    seen = []
    site = project(environ={'REMOTE_USER': 'eve', 'REMOTE_USER_TOKENS': 'staff'}, **receiving(
        SITE_SESSION={'MAKE_USER': lambda *given: seen.append(given[0].tokens)}))
    assert site.ask(who) == 'eve'
    site.ask(remember)
    before = site.visitor.cookie
    site.ask(out)
    assert site.ask(who) == 'eve'
    assert site.ask(recall) == '-'
    site.outer['REMOTE_USER'] = 'new'
    assert site.ask(who) == ''
    assert seen == [('staff',)]
    site.outer.clear()
    site.visitor.cookie = before
    assert site.ask(who) == ''


def test_an_outer_user_does_not_stay(project, eve):
    """When the server says so no longer, his session is over."""
    site = project(environ={'REMOTE_USER': 'eve'}, **receiving())
    assert site.ask(who) == 'eve'
    site.ask(remember)
    site.outer.clear()
    assert site.ask(who) == ''
    assert site.ask(recall) == '-'
    assert not records()


def test_receiving_takes_the_backend(project):
    """All that is missing is reported at once."""
    with pytest.raises(ImproperlyConfigured) as caught:
        project(**receiving(AUTHENTICATION_BACKENDS=BACKENDS[:1],
                            MIDDLEWARE=[SESSIONS, SITE_LOGIN]))
    assert BACKENDS[1] in str(caught.value) and AUTH in str(caught.value)


@pytest.mark.parametrize('middleware, missing', [
    ([SESSIONS, SITE_LOGIN, AUTH], 'AuthenticationMiddleware'),
    ([SITE_LOGIN, SESSIONS, AUTH], 'SessionMiddleware'),
    (['django.contrib.sessions.middleware.SessionMiddleware', 'test_django.async_only',
      AUTH, SITE_LOGIN], 'SessionMiddleware')])
def test_receiving_comes_last(project, middleware, missing):
    """Behind our sessions and Django's authentication, when the project loads."""
    with pytest.raises(ImproperlyConfigured, match=f'comes behind .*[.]{missing}'):
        project(**receiving(MIDDLEWARE=middleware))


def test_receiving_by_a_subclass(project, bob):
    """A project may change what it receives."""
    site = project(**receiving(MIDDLEWARE=[
        SESSIONS, AUTH, 'test_django.OwnSiteLoginMiddleware']))
    site.next_door(login('bob'))
    assert site.ask(who) == 'bob'


def test_the_backend_takes_no_password(project, bob):
    """Nobody else comes in by it."""
    project(**receiving(AUTHENTICATION_BACKENDS=BACKENDS[1:]))
    assert auth.authenticate(None, username='bob', password='a password') is None
    assert auth.authenticate(None, remote_user='bob') is None


def test_the_backend_from_async_code(project, bob):
    """It can be asked there, and says the same."""
    site = project(**receiving())
    site.next_door(login('bob'))

    async def aauthenticate(request):
        identity = request.META['session.control'].identity
        return (await auth.aauthenticate(request, site_login=identity)).backend
    assert site.ask(aauthenticate) == BACKENDS[1]


# -- the tests of a project


@pytest.fixture
def test_run():
    """What every test runner of Django's does first."""
    setup_test_environment()
    yield
    teardown_test_environment()


def test_the_test_client(project, bob, test_run):
    """In the tests of a project, Django's client works as it always did."""
    site = project(**receiving())
    app = Application(site._call)
    client = Client()
    client.handler = ClientApplication(app)
    client.force_login(bob)
    session = client.session
    session['color'] = 'blue'
    session.save()
    site.view = recall
    assert client.get('/').content == b'blue'
    site.view = who
    assert client.get('/').content == b'bob'
    client.logout()
    assert client.get('/').content == b''


def test_a_filter_in_a_test_run(project, test_run):
    """With a filter in front, a test has the site's session."""
    site = project()
    site.ask(remember)
    assert site.ask(recall) == 'blue'


def test_a_plain_session_id_is_not_accepted(project, bob):
    """Outside of tests, without a filter, nobody can come with an ID of his own."""
    session = DatabaseStore()
    session['color'] = 'blue'
    session.save()
    site = project()
    visitor = Visitor(Application(site._call))
    visitor.cookie = f'sessionid={session.session_key}'
    site.view = recall
    assert visitor.get().text == '-'


def test_a_user_of_the_site_in_a_test(project, bob):
    """PlainCookie logs a user in for a client of the whole WSGI application."""
    site = project(**receiving())
    site.view = who
    app = PlainCookie(Application(site._call))
    visitor = Visitor(app)
    visitor.cookie = '='.join(app.cookie('bob'))
    assert visitor.get().text == 'bob'


# -- the manual

DOCS = pathlib.Path(__file__).resolve().parents[2] / 'docs'


def test_the_options_of_the_manual():
    """The tables of the page and of the package have those that there are."""
    page = (DOCS / 'howto' / 'django.rst').read_text()
    names = list(conf.OPTIONS)
    assert re.findall('^``([A-Z_]+)``  ', page, re.M) == names
    assert re.findall("^ *``'([A-Z_]+)'``$", package.__doc__, re.M) == names
    for name in conf.UNUSED:
        assert f'``{name}``' in page


def test_the_example(tmp_path):
    """The project of docs/howto/django.rst, served from its ini file."""
    here = pathlib.Path(__file__).resolve().parent
    folder = shutil.copytree(DOCS / 'examples' / 'django', tmp_path / 'site')
    subprocess.run(
        [sys.executable, '-W', 'error', '-W', "ignore:'cgi' is deprecated:DeprecationWarning",
         here / 'visit_django_shop.py', folder], check=True, timeout=120)
