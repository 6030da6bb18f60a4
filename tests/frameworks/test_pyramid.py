"""Pyramid takes its session ID, and its login, from the site."""
import logging
import os
import sys

import pytest

if 'CI' not in os.environ:
    pytest.importorskip('pyramid', reason="needs pip install 'paste_sessioncookie[pyramid]'")

import pyramid.interfaces
import pyramid.scripting
import pyramid.session
import pyramid.testing
import redis
from cachelib import FileSystemCache, RedisCache, SimpleCache
from conftest import Visitor, login
from contract import Contract, read, untouched, write
from pyramid.authorization import Allow, Authenticated, Everyone
from pyramid.csrf import LegacySessionCSRFStoragePolicy, SessionCSRFStoragePolicy
from pyramid.events import NewResponse
from pyramid.httpexceptions import HTTPFound
from pyramid.interfaces import ISecurityPolicy, ISession
from pyramid.request import Request
from pyramid.security import forget, remember
from pyramidapps import ADAPTER, PolicyContract, answer, one_view
from zope.interface.verify import verifyClass, verifyObject

from paste_sessioncookie import ConfigError, LoginNotAllowed, Namespace
from paste_sessioncookie.frameworks.pyramid import (
    SiteLoginHelper, SiteSecurityPolicy, SiteSession, session_factory)


class TestPyramid(PolicyContract, Contract):
    @pytest.fixture(autouse=True)
    def _store(self):
        self.cache = SimpleCache(threshold=10_000)

    def sessions(self, carry=()):
        return session_factory(self.cache, carry)

    def application(self, view, carry=()):
        return one_view(lambda request: view(request.session),
                        session_factory=self.sessions(carry))

    def renew(self, session):
        session.regenerate()

    def records(self):
        return {key.removeprefix('session:') for key in self.cache._cache}

    # -- ISession

    def test_interface(self, site):
        """The session is an ISession."""
        assert verifyClass(ISession, SiteSession)
        visitor = Visitor(site(untouched))
        assert self.ask(visitor, lambda session: verifyObject(ISession, session)) == 'True'

    def test_created(self, site, clock):
        """A session knows when it began, until it ends."""
        visitor = Visitor(site(untouched))

        def created(session):
            return session.created, session.new
        began = int(clock())
        self.ask(visitor, write('color', 'blue'))
        clock.move(60)
        assert self.ask(visitor, created) == str((began, False))
        self.ask(visitor, self.renew)
        assert self.ask(visitor, created) == str((began, False))
        self.ask(visitor, self.end)
        assert self.ask(visitor, created) == str((began + 60, True))

    def test_mapping(self, site):
        """A session has what a dict has, and nothing else in it."""
        visitor = Visitor(site(untouched))

        def change(session):
            session.update({'color': 'blue'}, size='small')
            assert session.setdefault('shape', 'round') == 'round'
            assert session.pop('nothing', 'x') == 'x'
            return session.pop('size')
        assert self.ask(visitor, change) == 'small'

        def look(session):
            return sorted(session.items()), len(session), session.get('size')
        assert self.ask(visitor, look) == str(
            ([('color', 'blue'), ('shape', 'round')], 2, None))
        self.ask(visitor, lambda session: session.clear())
        assert self.ask(visitor, look) == str(([], 0, None))

    def test_changed(self, site):
        """What is changed in place is stored if the view says so."""
        visitor = Visitor(site(untouched))
        self.ask(visitor, write('sizes', []))

        def grow(session):
            session.changed()
            session['sizes'].append('small')
        self.ask(visitor, grow)
        assert self.ask(visitor, read('sizes')) == "['small']"

    def test_flash(self, site):
        """Messages wait in their queue until they are taken, once."""
        visitor = Visitor(site(untouched, issue='kept'))
        assert self.ask(visitor, lambda session: session.pop_flash()) == '[]'
        assert not self.records() and not visitor.set_cookies

        def leave(session):
            session.flash('saved')
            session.flash('saved', allow_duplicate=False)
            session.flash('saved')
            session.flash('broken', 'errors')
        self.ask(visitor, leave)
        for expected in 2 * ["['saved', 'saved']"]:
            assert self.ask(visitor, lambda session: session.peek_flash()) == expected
        assert self.ask(visitor, lambda session: session.pop_flash()) == expected
        assert self.ask(visitor, lambda session: session.pop_flash()) == '[]'
        assert self.ask(visitor, lambda session: session.pop_flash('errors')) == "['broken']"

    def test_token_changes_with_the_id(self, site):
        """A CSRF token holds until the session has a new ID, or the visitor logs in."""
        visitor = Visitor(site(untouched))

        def token(session):
            return session.get_csrf_token()
        tokens = [self.ask(visitor, token)]
        assert self.ask(visitor, token) == tokens[0]
        self.ask(visitor, self.renew)
        tokens.append(self.ask(visitor, token))
        self.next_door(visitor, login('bob'))
        tokens.append(self.ask(visitor, token))
        tokens.append(self.ask(visitor, lambda session: session.new_csrf_token()))
        assert len(set(tokens)) == 4
        assert self.ask(visitor, token) == tokens[-1]

    def test_written_while_streaming(self, site):
        """What is written while the body goes out is stored as well."""
        visitor = Visitor(site(untouched))

        def view(session):
            session['color'] = 'blue'

            def body():
                yield b'ok'
                session['color'] = 'red'
                session['sizes'] = []
                session['sizes'].append('small')
                session.changed()
            return body()
        self.ask(visitor, view)
        assert self.ask(visitor, read('color')) == 'red'
        assert self.ask(visitor, read('sizes')) == "['small']"


@pytest.mark.parametrize('name', ['_csrft_', '_f_', '_f_errors', 'auth.userid', '_created_'])
def test_never_carried(name):
    """Pyramid's own keys never go along into a login."""
    with pytest.raises(ValueError, match=name):
        session_factory(SimpleCache(threshold=10_000), carry=['basket', name])


class Site:
    """A site of one Pyramid application that includes the adapter."""

    def __init__(self, make_site):
        self.cache = SimpleCache(threshold=10_000)
        self.make_site = make_site

    def __call__(self, view, *includes, around=None, setup=None, **settings):
        def configure(config):
            for each in (*includes, ADAPTER):
                config.include(each)
            if setup is not None:
                setup(config)
        app = one_view(view, setup=configure, settings={
            'site_session.store': self.cache, 'site_session.security': 'true', **settings})
        self.app = app
        return Visitor(self.make_site(around(app) if around else app))

    def records(self):
        return len(self.cache._cache)


@pytest.fixture
def site(make_site):
    return Site(make_site)


def by_path(views):
    """A view of several, by the first part of the path."""
    def view(request):
        return views[request.matchdict['any'][0]](request)
    return view


def errors_are_pages(app):
    """Middleware that makes a page of what an application raises."""
    def middleware(environ, start_response):
        try:
            return app(environ, start_response)
        except ArithmeticError:
            start_response('500 Internal Server Error', [('Content-Type', 'text/plain')])
            return [b'error']
    return middleware


def color(request):
    return request.session.get('color', '-')


def who(request):
    return request.authenticated_userid


class TestWhenItIsWritten:
    def test_late_users(self, site):
        """A session may first be used in a subscriber or in any callback."""
        def paint(request, *args):
            request.session['color'] = request.path

        def subscriber(event):
            if event.request.path == '/subscriber':
                paint(event.request)
        visitor = site(by_path({
            'subscriber': untouched, 'get': color,
            'response': lambda request: request.add_response_callback(paint),
            'finished': lambda request: request.add_finished_callback(paint),
        }), setup=lambda config: config.add_subscriber(subscriber, NewResponse))
        for path in ('/subscriber', '/response', '/finished'):
            visitor.get(path)
            assert visitor.get('/get').text == path

    def test_exception_view(self, site):
        """What is written before an error that an exception view shows, and in it, stays."""
        def fail(request):
            request.session['color'] = 'blue'
            raise ZeroDivisionError

        def sorry(error, request):
            request.session.flash('sorry')
            return answer('sorry')
        visitor = site(by_path({
            'fail': fail, 'get': lambda request: (color(request), request.session.pop_flash()),
        }), setup=lambda config: config.add_exception_view(sorry, context=ZeroDivisionError))
        assert visitor.get('/fail').text == 'sorry'
        assert visitor.get('/get').text == "('blue', ['sorry'])"

    def test_uncaught_error(self, site):
        """What is written before an error that nobody shows is dropped."""
        def fail(request):
            request.session['color'] = 'blue'
            raise ZeroDivisionError
        visitor = site(by_path({'fail': fail, 'get': color}), around=errors_are_pages)
        assert visitor.get('/fail').status_int == 500
        assert visitor.get('/get').text == '-'
        assert not site.records()

    def test_invoke_exception_view(self, site):
        """A view may show its own error."""
        def view(request):
            try:
                raise ZeroDivisionError
            except ZeroDivisionError:
                request.session['color'] = 'blue'
                return request.invoke_exception_view()
        visitor = site(by_path({'fail': view, 'get': color}), setup=lambda config: (
            config.add_exception_view(lambda error, request: answer('sorry'))))
        assert visitor.get('/fail').text == 'sorry'
        assert visitor.get('/get').text == 'blue'

    @pytest.mark.parametrize('tweens', [True, False])
    def test_subrequest(self, site, tweens):
        """A subrequest has the same session, one after the other."""
        def outer(request):
            inner = Request.blank('/inner', environ={
                'session.control': request.environ['session.control']})
            return request.invoke_subrequest(inner, use_tweens=tweens).text + color(request)

        def inner(request):
            request.session['color'] = 'blue'
            return 'inner '
        visitor = site(by_path({'outer': outer, 'inner': inner, 'get': color}))
        assert visitor.get('/outer').text == 'inner blue'
        assert visitor.get('/get').text == 'blue'

    @pytest.mark.parametrize('policy', [
        LegacySessionCSRFStoragePolicy(), SessionCSRFStoragePolicy()])
    def test_csrf_policies(self, site, policy):
        """Pyramid's protection of forms works, and a login makes old forms void."""
        def configure(config):
            config.set_csrf_storage_policy(policy)
            config.set_default_csrf_options(require_csrf=True)
        visitor = site(by_path({
            'form': lambda request: pyramid.csrf.get_csrf_token(request),
            'send': lambda request: 'sent', 'login': lambda request: remember(request, 'bob'),
        }), setup=configure)

        def send(token):
            return visitor.post('/send', headers={
                'X-CSRF-Token': token, 'Origin': 'https://example.org'}).status_int
        token = visitor.get('/form').text
        assert send(token) == 200
        visitor.get('/login')
        assert send(token) == 400
        assert send(visitor.get('/form').text) == 200


class TestScripts:
    def test_prepare(self, site):
        """A shell or script has a session without any filter."""
        site(untouched)
        with pyramid.scripting.prepare(registry=site.app.registry) as environment:
            request = environment['request']
            request.session['color'] = 'blue'
            remember(request, 'bob')
            assert (color(request), who(request)) == ('-', 'bob')

    def test_dummy_request(self):
        """Unit tests may give a DummyRequest, whose session is a dummy's, and the
        policy as it is."""
        policy = SiteSecurityPolicy()
        with pyramid.testing.testConfig() as config:
            config.set_security_policy(policy)
            request = pyramid.testing.DummyRequest()
            assert remember(request, 'bob') == []
            assert policy.authenticated_userid(request) == 'bob'
            assert forget(request) == []
            assert request.identity is None
            request.session['color'] = 'blue'
            assert session_factory(SimpleCache())(request).new


class TestLogin:
    def test_interface(self):
        """The policy is an ISecurityPolicy."""
        assert verifyClass(ISecurityPolicy, SiteSecurityPolicy)
        assert verifyObject(ISecurityPolicy, SiteSecurityPolicy())

    @pytest.mark.parametrize('raised', [False, True])
    def test_remember_and_forget(self, site, raised):
        """The usual views log in and out, whether they return the response or raise it."""
        def go(headers):
            found = HTTPFound('/who', headers=headers)
            if raised:
                raise found
            return found
        visitor = site(by_path({
            'login': lambda request: go(remember(request, 'bob')),
            'logout': lambda request: go(forget(request)), 'who': who}))
        assert visitor.get('/who').text == 'None'
        assert visitor.get('/login').status_int == 302
        assert len(visitor.set_cookies) == 1
        assert visitor.get('/who').text == 'bob'
        assert visitor.get('/logout').status_int == 302
        assert visitor.get('/who').text == 'None'

    def test_at_once(self, site):
        """A login counts from the call on, and so does a log-out."""
        def view(request):
            request.session['color'] = 'blue'
            remember(request, 'bob', tokens=['staff'])
            assert 'color' not in request.session
            request.session['color'] = 'red'
            identity = request.identity
            forget(request)
            return identity.user, identity.tokens, request.identity, request.is_authenticated
        assert site(view).get().text == str(('bob', ('staff',), None, False))

    def test_same_user_again(self, site):
        """Who is in already stays in, with his session; again=True makes it a new one."""
        def view(request):
            request.session.setdefault('color', 'blue')
            remember(request, 'bob', again='again' in request.GET)
            return color(request)
        visitor = site(view)
        assert visitor.get().text == '-'
        assert visitor.get().text == 'blue'
        cookie = visitor.cookie
        assert visitor.get().text == 'blue' and visitor.cookie == cookie
        visitor.get('/?again')
        assert visitor.cookie != cookie

    def test_nothing_stays(self, site):
        """The record of a session goes with its user, used in that request or not."""
        visitor = site(by_path({
            'bob': lambda request: remember(request, 'bob'),
            'eve': lambda request: remember(request, 'eve'),
            'forget': forget,
            'write': lambda request: request.session.update(color='blue')}))
        for after in ('/eve', '/forget'):
            visitor.get('/bob')
            visitor.get('/write')
            assert site.records() == 1
            visitor.get(after)
            assert site.records() == 0

    def test_forget_nobody(self, site):
        """An anonymous visitor who is logged out keeps his session."""
        visitor = site(by_path({
            'write': lambda request: request.session.update(color='blue'),
            'forget': forget, 'get': color}))
        visitor.get('/write')
        assert visitor.get('/forget').text == '[]'
        assert visitor.get('/get').text == 'blue'

    def test_forget_when_nobody_knows(self, make_site):
        """If it cannot be told who is in, the cookie goes all the same."""
        seen = []

        def view(request):
            seen.append(request.environ['session.control'].status)
            return forget(request)
        visitor = Visitor(make_site(one_view(view, security_policy=SiteSecurityPolicy())))
        visitor.cookie = '; '.join(
            cookie_of(make_site, user) for user in ('bob', 'eve'))
        visitor.get()
        assert seen == ['conflict']
        assert 'Max-Age=0' in visitor.set_cookies[0]

    def test_not_allowed(self, make_site):
        """In a namespace without login = true, remember says what is missing."""
        app = one_view(lambda request: remember(request, 'bob'),
                       security_policy=SiteSecurityPolicy())
        with pytest.raises(LoginNotAllowed, match='login = true'):
            Visitor(make_site(Namespace(app, 'blog'))).get()

    @pytest.mark.parametrize('call, error', [
        (lambda request: remember(request, 17), 'a user is a str, not int'),
        (lambda request: remember(request, 'bob', max_age=60), 'max_age'),
        (lambda request: remember(request, 'bob', tokens='staff'), 'tokens are several'),
        (lambda request: forget(request, everywhere=True), 'everywhere')])
    def test_wrong_arguments(self, site, call, error):
        """What cannot be done is an error, not left out in silence."""
        with pytest.raises(TypeError, match=error):
            site(call).get()

    def test_text(self, site):
        """A user's name is text, whatever environ makes of it."""
        visitor = site(by_path({
            'login': lambda request: remember(request, 'Bjørn'), 'who': who}))
        visitor.get('/login')
        assert visitor.get('/who').text == 'Bjørn'

    @pytest.mark.parametrize('native, text', [
        ('bob', 'bob'), ('Bj\xc3\xb8rn', 'Bjørn'), ('Bj\xf8rn', 'Bj\xf8rn')])
    def test_user_from_outside(self, site, native, text):
        """A user whom the server or other middleware names counts, and cannot be
        logged out here."""
        def view(request):
            forget(request)
            return who(request), request.identity.tokens
        response = site(view).get(REMOTE_USER=native, REMOTE_USER_TOKENS='a,b')
        assert response.text == str((text, ('a', 'b')))

    def test_user_from_inside(self, site):
        """So does one whom middleware between the filter and the application names,
        unless the application has logged somebody out."""
        def around(app):
            def middleware(environ, start_response):
                environ['REMOTE_USER'] = 'bob'
                return app(environ, start_response)
            return middleware

        def view(request):
            before = who(request)
            request.environ['session.control'].logout()
            return before, who(request)
        assert site(view, around=around).get().text == str(('bob', None))


def cookie_of(make_site, user):
    """The cookie of a visitor who has just logged in."""
    visitor = Visitor(make_site(one_view(
        lambda request: remember(request, user), security_policy=SiteSecurityPolicy())))
    visitor.get()
    return visitor.cookie


class TestMakeUser:
    USERS = {'bob': 'the record of bob'}

    def make_user(self, identity, profile):
        self.asked.append((identity.user, dict(profile)))
        return self.USERS.get(identity.user)

    @pytest.fixture
    def visit(self, site):
        self.asked = []

        def view(request):
            for user in request.GET.getall('login'):
                request.environ['session.control'].login(user)
                request.identity
            return request.identity, who(request)
        return site(view, **{'site_session.make_user': self.make_user}).get

    def test_known(self, visit):
        """The application's user is asked for once in a request, with the profile."""
        assert visit('/?login=bob').text == str(('the record of bob', 'bob'))
        assert self.asked == [('bob', {})]
        visit(**{'session.profile': {'email': 'bob@example.org'}})
        assert self.asked[1:] == [('bob', {'email': 'bob@example.org'})]

    def test_unknown(self, visit):
        """Somebody unknown is anonymous here, and logged in elsewhere."""
        assert visit('/?login=eve').text == str((None, None))
        visit()
        assert self.asked == [('eve', {})] * 2

    def test_changed(self, visit):
        """Another login in the same request is another user."""
        assert visit('/?login=eve&login=bob').text == str(('the record of bob', 'bob'))
        assert self.asked == [('eve', {}), ('bob', {})]

    def test_error(self, site):
        """An error of the function is the application's own."""
        def fail(identity, profile):
            return 1 / 0

        def view(request):
            remember(request, 'bob')
            return who(request)
        with pytest.raises(ZeroDivisionError):
            site(view, **{'site_session.make_user': fail}).get()


class Root:
    __acl__ = [(Allow, Everyone, 'see'), (Allow, Authenticated, 'write'),
               (Allow, 'bob', 'own'), (Allow, 'group:staff', 'edit')]

    def __init__(self, request):
        pass


class TestPermits:
    @pytest.fixture
    def allowed(self, site):
        def view(request):
            if 'user' in request.GET:
                remember(request, request.GET['user'], tokens=request.GET.getall('token'))
            return [name for name in ('see', 'write', 'own', 'edit')
                    if request.has_permission(name)]
        visitor = site(view, setup=lambda config: config.set_root_factory(Root))

        def allowed(query):
            return visitor.get(f'/?{query}').text
        return allowed

    @pytest.mark.parametrize('query, expected', [
        ('', "['see']"),
        ('user=bob', "['see', 'write', 'own']"),
        ('user=eve&token=staff', "['see', 'write', 'edit']"),
        ('user=group:staff', "['see', 'write']"),
        ('user=bob&token=staff', "['see', 'write', 'own', 'edit']")])
    def test_acl(self, allowed, query, expected):
        """ACLs name Everyone, Authenticated, users and groups; nobody becomes a
        group by choosing its name."""
        assert allowed(query) == expected

    @pytest.mark.parametrize('tokens, status', [((), 403), (('staff',), 200)])
    def test_forbidden(self, site, tokens, status):
        """A view with a permission is forbidden to others."""
        def configure(config):
            config.set_root_factory(Root)
            config.add_route('edit', '/edit')
            config.add_view(lambda request: answer('edited'), route_name='edit',
                            permission='edit')
        visitor = site(lambda request: remember(request, 'eve', tokens=tokens),
                       setup=configure)
        visitor.get('/login')
        assert visitor.get('/edit').status_int == status

    def test_own_policy(self, site):
        """An application's own policy may be made of the helper."""
        helper = SiteLoginHelper()

        class Policy:
            def identity(self, request):
                return helper.identify(request)

            def authenticated_userid(self, request):
                return helper.authenticated_userid(request)

            def remember(self, request, userid, **kw):
                return helper.remember(request, userid, **kw)

            def forget(self, request, **kw):
                return helper.forget(request, **kw)

        def view(request):
            before = who(request)
            remember(request, 'bob')
            return before, who(request)
        visitor = site(view, setup=lambda config: config.set_security_policy(Policy()),
                       **{'site_session.security': 'false'})
        assert visitor.get().text == str((None, 'bob'))


class Odd(Exception):
    """An error of a view."""


class TestFailing:
    """A login counts if the request succeeds."""

    def page(self, error, request):
        return answer(f'sorry, {who(request)}')

    def views(self, act):
        def fail(request):
            request.session['color'] = 'red'
            act(request)
            raise Odd
        return by_path({'fail': fail, 'get': lambda request: (who(request), color(request)),
                        'write': lambda request: request.session.update(color='blue')})

    @pytest.mark.parametrize('act, shown', [
        (lambda request: remember(request, 'bob'), 'blue'),
        (lambda request: request.session.regenerate(), 'blue'),
        (lambda request: request.session.invalidate(), '-')])
    def test_shown(self, site, caplog, act, shown):
        """An error page logs nobody in, and the session has its old ID."""
        caplog.set_level(logging.INFO)
        visitor = site(self.views(act), setup=lambda config: config.add_exception_view(
            self.page, context=Odd))
        visitor.get('/write')
        assert 'sorry' in visitor.get('/fail').text
        assert not visitor.set_cookies
        assert visitor.get('/get').text == str((None, shown))
        assert 'does not count' in caplog.text

    def test_not_shown(self, site):
        """Nor does what a server makes of an error."""
        def around(app):
            def middleware(environ, start_response):
                try:
                    return app(environ, start_response)
                except Odd:
                    return errors_are_pages(divide)(environ, start_response)
            return middleware
        visitor = site(self.views(lambda request: remember(request, 'bob')), around=around)
        visitor.get('/write')
        assert visitor.get('/fail').status_int == 500
        assert not visitor.set_cookies
        assert visitor.get('/get').text == str((None, 'blue'))

    def test_log_out_stands(self, site):
        """Who has logged out is out, whatever fails then."""
        def views(request):
            if request.path == '/in':
                return remember(request, 'bob')
            return self.views(forget)(request)
        visitor = site(views, setup=lambda config: config.add_exception_view(
            self.page, context=Odd))
        visitor.get('/in')
        assert visitor.get('/fail').text == 'sorry, None'
        assert 'Max-Age=0' in visitor.set_cookies[0]
        assert visitor.get('/get').text == str((None, '-'))

    def test_session_after_the_failure(self, site):
        """Who uses the session after that has the one that the visitor keeps."""
        def subscriber(event):
            if event.request.path == '/fail':
                event.request.session['seen'] = color(event.request)

        def view(request):
            if request.path == '/seen':
                return request.session['seen']
            return self.views(lambda request: remember(request, 'bob'))(request)

        def configure(config):
            config.add_exception_view(self.page, context=Odd)
            config.add_subscriber(subscriber, NewResponse)
        visitor = site(view, setup=configure)
        for path in ('/write', '/fail'):
            visitor.get(path)
        assert visitor.get('/seen').text == 'blue'

    def test_raised_response(self, site):
        """A response that is raised, and that no exception view shows, is none."""
        def around(app):
            def middleware(environ, start_response):
                try:
                    return app(environ, start_response)
                except HTTPFound as response:
                    return response(environ, start_response)
            return middleware

        def view(request):
            if request.path == '/get':
                return who(request)
            raise HTTPFound('/get', headers=remember(request, 'bob'))
        visitor = site(view, around=around, setup=lambda config: config.add_exception_view(
            lambda error, request: answer('never'), context=Odd),
            **{'pyramid.tweens': f'{ADAPTER}.success_tween_factory'})
        assert visitor.get('/in').status_int == 302
        assert visitor.get('/get').text == 'bob'

    @pytest.mark.parametrize('first', [True, False])
    def test_transaction(self, site, first):
        """If pyramid_tm cannot commit, nobody is logged in by what was to be stored,
        in whichever order the two are included."""
        def view(request):
            if request.path == '/get':
                return who(request)
            request.tm.get().addBeforeCommitHook(divide)
            return remember(request, 'bob')

        def configure(config):
            config.include('pyramid_tm')
        options = {'setup': configure} if first else {}
        visitor = site(view, *([] if first else ['pyramid_tm']), around=errors_are_pages,
                       **options)
        assert visitor.get('/fail').status_int == 500
        assert visitor.get('/get').text == 'None'

    @pytest.mark.parametrize('shown', [True, False])
    def test_tried_again(self, site, shown):
        """Each attempt of pyramid_retry starts with what the browser sent."""
        from pyramid_retry import RetryableException
        seen = []

        def view(request):
            seen.append((who(request), request.session.setdefault('count', 0)))
            request.session['count'] += 1
            remember(request, f'user {len(seen)}')
            if len(seen) < 3:
                raise RetryableException
            return 'done'

        def configure(config):
            if shown:
                config.add_exception_view(self.page)
        visitor = site(view, 'pyramid_retry', setup=configure)
        assert visitor.get().text == 'done'
        assert seen == [(None, 0)] * 3
        visitor.get()
        assert seen[3] == ('user 3', 0)

    def test_last_attempt(self, site):
        """The page of the last attempt's error writes its session."""
        from pyramid_retry import RetryableException

        def view(request):
            if request.path == '/get':
                return request.session['count']
            request.session['count'] = request.session.get('count', 0) + 1
            raise RetryableException
        visitor = site(view, 'pyramid_retry',
                       setup=lambda config: config.add_exception_view(self.page))
        assert visitor.get('/fail').text == 'sorry, None'
        assert visitor.get('/get').text == '1'

    def test_no_filter(self, site):
        """Without a filter in front there is nothing to take back."""
        site(self.views(lambda request: None), setup=lambda config: (
            config.add_exception_view(self.page)))
        assert Visitor(site.app).get('/fail').text == 'sorry, None'

    def test_session_of_another_kind(self, make_site):
        """The sessions of another factory are left to it."""
        def configure(config):
            config.include(ADAPTER)
            config.set_session_factory(pyramid.session.SignedCookieSessionFactory('secret'))
        visitor = Visitor(make_site(one_view(
            self.views(lambda request: remember(request, 'bob')), setup=lambda config: (
                configure(config), config.add_exception_view(self.page)),
            settings={'site_session.store': 'memory', 'site_session.security': 'yes'})))
        assert visitor.get('/fail').text == 'sorry, bob'
        assert [each for each in visitor.set_cookies if each.startswith('session=')]


def divide(*args):
    return 1 / 0


class Cache(SimpleCache):
    """What a dotted name may name."""


def broken():
    raise ZeroDivisionError('as the test wants it')


def make_user(identity, profile):
    return None


HERE = __name__


class TestSettings:
    @pytest.fixture
    def make(self):
        def make(**settings):
            made = []

            def configure(config):
                config.include(ADAPTER)
                made.append(config)
            settings = {f'site_session.{name}': value for name, value in settings.items()}
            one_view(untouched, settings=settings, setup=configure)
            factory = made[0].registry.getUtility(pyramid.interfaces.ISessionFactory)
            return made[0].registry, factory(pyramid.testing.DummyRequest())
        return make

    @pytest.mark.parametrize('store, kind', [
        ('memory', SimpleCache), ('redis://localhost:1/2', RedisCache),
        ('unix:///nowhere', RedisCache), (f'{HERE}.Cache', Cache), (Cache(), Cache),
        (Cache, Cache)])
    def test_store(self, make, store, kind):
        """A store is named in one word, or is an object."""
        _, session = make(store=store)
        assert type(session.record._store._cache) is kind

    def test_file(self, make, tmp_path):
        """A directory is made for files."""
        _, session = make(store=f'file:{tmp_path}/sessions')
        assert type(session.record._store._cache) is FileSystemCache
        session['color'] = 'blue'
        session.save()
        assert list((tmp_path / 'sessions').iterdir())

    def test_redis(self, make_site, redis_socket):
        """Sessions lie in Redis for as long as the site's cookie can last."""
        client = redis.Redis(unix_socket_path=redis_socket)
        client.flushdb()
        visitor = Visitor(make_site(one_view(
            lambda request: request.session.update(color='blue'),
            setup=lambda config: config.include(ADAPTER), settings={
                'site_session.store': f'unix://{redis_socket}'}), lifetime=24 * 60))
        visitor.get()
        key, = client.keys()
        assert 86_000 < client.ttl(key) <= 86_400

    def test_defaults(self, make):
        """Without more, there is no policy."""
        registry, _ = make(store='memory')
        assert registry.queryUtility(ISecurityPolicy) is None

    @pytest.mark.parametrize('function', [make_user, f'{HERE}.make_user', f'{HERE}:make_user'])
    def test_make_user(self, make, function):
        """make_user is a function or its dotted name."""
        registry, _ = make(store='memory', security='true', make_user=function, carry='a b')
        assert registry.getUtility(ISecurityPolicy)._make_user is make_user

    @pytest.mark.parametrize('settings, fault', [
        ({}, 'site_session.store: missing; as in file:'),
        ({'store': 'disk'}, 'site_session.store = disk: it cannot be imported'),
        ({'store': 'disk'}, 'it takes file:DIRECTORY'),
        ({'store': '/tmp/x'}, 'site_session.store = /tmp/x: it takes file:DIRECTORY'),
        ({'store': 'http://x:pass@y'}, 'site_session.store = http:...: it takes file:'),
        ({'store': 'file:sessions'}, 'absolute path'),
        ({'store': 'file:/tmp'}, 'everybody on this machine can write'),
        ({'store': 'file:/dev/null/x'}, 'cannot be made: Not a directory'),
        ({'store': 'redis://:pass@[x'}, 'redis://HOST'),
        ({'store': f'{HERE}.HERE'}, 'a str is none; it takes'),
        ({'store': f'{HERE}.broken'}, 'it raised ZeroDivisionError'),
        ({'store': {}}, 'site_session.store: a dict is none; it takes'),
        ({'store': 'memory', 'carry': 'basket _csrft_'}, '_csrft_: such a key may say'),
        ({'store': 'memory', 'security': 'maybe'}, 'true or false'),
        ({'store': 'memory', 'security': 'true', 'make_user': f'{HERE}.HERE'}, 'a function'),
        ({'store': 'memory', 'security': 'true', 'make_user': 3}, 'a function'),
        ({'store': 'memory', 'make_user': f'{HERE}.make_user'}, 'security = true'),
        ({'store': 'memory', 'cary': 'a'}, 'did you mean site_session.carry?')])
    def test_fault(self, make, settings, fault):
        """A fault is named when the application is made, without any password."""
        with pytest.raises(ConfigError) as caught:
            make(**settings)
        assert fault in str(caught.value)
        assert 'pass@' not in str(caught.value)

    def test_all_faults_at_once(self, make):
        """All of them are."""
        with pytest.raises(ConfigError) as caught:
            make(store='disk', carry='_csrft_', make_user='x', secret='y')
        assert str(caught.value).startswith(f'{ADAPTER}: 5 faults')
        assert len(caught.value.faults) == 5

    def test_no_redis_library(self, make, monkeypatch):
        """Without redis-py, its store says what to install."""
        monkeypatch.setitem(sys.modules, 'redis', None)
        with pytest.raises(ConfigError, match='pip install redis'):
            make(store='redis://localhost/0')
