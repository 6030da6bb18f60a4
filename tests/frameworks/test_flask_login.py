"""Flask-Login under the site's cookie."""
import logging
import os

import pytest

try:
    from cachelib import SimpleCache
    from flask import Flask, Response, g, session, stream_with_context
    from flask_login import (
        FlaskLoginClient, LoginManager, UserMixin, confirm_login, current_user, login_fresh,
        login_user, logout_user)
except ImportError:
    if 'CI' in os.environ:
        raise
    pytest.skip("needs Flask-Login (pip install -e '.[test]')", allow_module_level=True)

from conftest import Visitor, login, logout
from contract import Contract, LoginContract, next_door, read, untouched, write

from paste_sessioncookie import ConfigError, CookieTooLarge, LoginNotAllowed, Namespace
from paste_sessioncookie.frameworks.flask import SiteSessions, site_control
from paste_sessioncookie.frameworks.flask_client import SiteClient

pytestmark = pytest.mark.filterwarnings(
    # Flask-Login 0.6.3, from Python 3.12 on
    r'ignore:datetime\.datetime\.utcnow:DeprecationWarning')


class User(UserMixin):
    def __init__(self, id):
        self.id = id


class Site:
    """An application with Flask-Login, behind the filter, and a visitor."""

    def __init__(self, make_site, users=('bob', 'eve'), around=None, protection='basic',
                 loader=True, **config):
        self.cache = SimpleCache(threshold=100_000)
        self.users = list(users)
        self.app = Flask('weblog')
        self.app.testing = True
        self.app.config.update(
            SECRET_KEY='for the remember-me cookie', SITE_SESSION_CACHE=self.cache, **config)
        manager = LoginManager(self.app)
        manager.session_protection = protection
        if loader:
            manager.user_loader(self.find)
        SiteSessions(self.app)
        self.app.add_url_rule('/', view_func=self.answer)
        self.inner = self.app if around is None else around(self.app)
        self.site = make_site(self.outermost)
        self.bob = self.visitor()

    def find(self, name):
        return User(name) if name in self.users else None

    def answer(self):
        result = self.view(session)
        return result if isinstance(result, Response) else str(result)

    def outermost(self, environ, start_response):
        self.control = environ['session.control']
        return self.inner(environ, start_response)

    def visitor(self):
        """A browser with a jar for the remember-me cookie, too."""
        return Browser(self.site)

    def ask(self, view, by=None, **environ):
        self.view = view
        return (by or self.bob).get(**environ).text

    def next_door(self, act, by=None):
        here, self.inner = self.inner, next_door(act)
        (by or self.bob).get()
        self.inner = here

    @property
    def records(self):
        return {key.removeprefix('flask:') for key in self.cache._cache}


class Browser(Visitor):
    """One that keeps Flask-Login's cookie as well."""

    remembered = None

    def get(self, path='/', **environ):
        ours = self.cookie
        both = '; '.join(each for each in (ours, self.remembered) if each)
        response = super().get(path, headers={'Cookie': both} if both else {}, **environ)
        self.cookie = ours
        for header in self.set_cookies:
            value = header.partition(';')[0]
            gone = 'Max-Age=0' in header
            if value.startswith('remember_token='):
                self.remembered = None if gone else value
            else:
                self.cookie = None if gone else value
        return response


@pytest.fixture
def make(make_site):
    def make(**options):
        return Site(make_site, **options)
    return make


def log_in(name='bob', **options):
    def view(session):
        return login_user(User(name), **options)
    return view


def log_out(session):
    return logout_user()


def who(session):
    return f'{current_user.id} {login_fresh()}' if current_user.is_authenticated else 'nobody'


BOTH = {'SITE_SESSION_PUBLISH': True, 'SITE_SESSION_RECEIVE': True}


class TestContract(LoginContract, Contract):
    """The contract, with a login that is published and received."""

    @pytest.fixture(autouse=True)
    def _store(self):
        self.cache = SimpleCache(threshold=100_000)

    def application(self, view, carry=()):
        app = Flask('weblog')
        app.config.update(SITE_SESSION_CACHE=self.cache, SITE_SESSION_CARRY=carry, **BOTH)
        LoginManager(app).user_loader({name: User(name) for name in ('bob', 'eve')}.get)
        SiteSessions(app)

        @app.route('/')
        def any():
            result = view(session)
            if hasattr(result, '__next__'):
                result = stream_with_context(result)
            return Response(result, mimetype='text/plain')
        return app

    login_application = application

    def renew(self, session):
        session.regenerate()

    def records(self):
        return {key.removeprefix('flask:') for key in self.cache._cache}

    def who(self, session):
        return current_user.id if current_user.is_authenticated else '-'

    def log_in(self, session, user):
        login_user(User(user))

    def log_out(self, session):
        logout_user()


class TestAlone:
    """Neither published nor received: as ever, but under new IDs."""

    def test_a_login_is_a_new_session(self, make):
        """The ID is new, with something stored or nothing, and the data goes along."""
        site = make()
        for begin in (untouched, write('basket', 'books')):
            site.ask(begin)
            before = str(site.control.id)
            site.ask(log_in())
            assert site.control.id != before
            assert site.records == {site.control.id}
        assert site.ask(who) == 'bob True'
        assert site.ask(read('basket')) == 'books'
        assert site.control.identity is None

    def test_a_planted_cookie(self, make):
        """Who planted the cookie is not logged in by the victim's login."""
        site = make()
        site.ask(write('basket', 'books'))
        attacker = site.visitor()
        attacker.cookie = site.bob.cookie
        site.ask(log_in())
        assert site.ask(who, by=attacker) == 'nobody'

    def test_a_log_out(self, make):
        """The login goes, what else is there stays, under a new ID."""
        site = make()
        site.ask(write('basket', 'books'))
        site.ask(log_in())
        before = str(site.control.id)
        site.ask(log_out)
        assert site.control.id != before
        assert site.records == {site.control.id}
        assert site.ask(who) == 'nobody'
        assert site.ask(read('basket')) == 'books'

    def test_nobody_logs_out(self, make):
        """Nothing happens."""
        site = make(**BOTH)
        site.ask(write('basket', 'books'))
        before = str(site.control.id)
        site.ask(log_out)
        assert site.control.id == before
        assert not site.bob.set_cookies

    def test_a_confirmed_login_is_a_new_session(self, make):
        """Somebody may do more than before."""
        site = make()
        site.ask(log_in(fresh=False))
        assert site.ask(who) == 'bob False'
        before = str(site.control.id)
        site.ask(lambda session: confirm_login())
        assert site.control.id != before
        assert site.ask(who) == 'bob True'

    def test_remember_me(self, make):
        """It works, and what it brings back is a new session, not a planted one."""
        site = make()
        site.ask(log_in(remember=True))
        assert site.bob.remembered
        site.bob.cookie = None
        attacker = site.visitor()
        site.ask(write('basket', 'books'), by=attacker)
        site.bob.cookie = attacker.cookie
        assert site.ask(who) == 'bob False'
        assert site.ask(who, by=attacker) == 'nobody'
        assert site.ask(who) == 'bob False'
        site.ask(log_out)
        assert site.bob.remembered is None
        assert site.ask(who) == 'nobody'

    def test_remember_me_in_a_stream(self, make):
        """There is no new ID any more; the user is there all the same."""
        site = make()
        site.ask(log_in(remember=True))
        site.bob.cookie = None
        site.ask(untouched)

        def view(session):
            def body():
                yield who(session)
            return Response(stream_with_context(body()))
        assert site.ask(view) == 'bob False'

    def test_the_site_s_login_is_another(self, make):
        """It neither logs anybody in nor out."""
        site = make()
        site.next_door(login('eve'))
        assert site.ask(who) == 'nobody'
        site.ask(log_in('bob'))
        assert site.ask(who) == 'bob True'
        assert site.control.identity.user == 'eve'
        site.ask(log_out)
        assert site.control.identity.user == 'eve'


class TestPublish:
    """The application's login becomes the site's."""

    def test_login(self, make):
        """The site knows the user, and the session's data goes along."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(write('basket', 'books'))
        site.ask(log_in())
        assert site.control.identity.user == 'bob'
        assert site.records == {site.control.id}
        assert site.ask(who) == 'bob True'
        assert site.ask(read('basket')) == 'books'

    def test_log_out(self, make):
        """Nobody is logged in anywhere, nothing is left, the cookie is deleted."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(log_in())
        site.ask(log_out)
        assert site.bob.cookie is None
        assert site.control.identity is None
        assert not site.records
        assert site.ask(who) == 'nobody'

    def test_log_out_next_door(self, make):
        """Ends the login here."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(log_in())
        site.next_door(logout)
        assert site.ask(who) == 'nobody'

    def test_a_second_login_of_the_same_user(self, make):
        """Here it is a new session, next door it changes nothing."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(log_in())
        at, before = site.control.identity, str(site.control.id)
        site.ask(log_in())
        assert site.control.id != before
        assert site.control.identity == at
        assert site.records == {site.control.id}

    def test_another_user(self, make):
        """Takes the place of the first, everywhere."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(log_in('bob'))
        site.ask(log_in('eve'))
        assert site.control.identity.user == 'eve'
        assert site.ask(who) == 'eve True'

    @pytest.mark.parametrize('named, tokens', [
        (lambda user: 'Bob', ()), (lambda user: ('Bob', ['staff']), ('staff',))])
    def test_a_name_and_tokens(self, make, named, tokens):
        """A function says who the user is for the site."""
        site = make(SITE_SESSION_PUBLISH=named)
        site.ask(log_in())
        assert site.control.identity[:2] == ('Bob', tokens)
        assert site.ask(who) == 'bob True'

    def test_names_that_are_no_tokens(self, make, caplog):
        """Are left out, and logged."""
        site = make(SITE_SESSION_PUBLISH=lambda user: ('Bob', ['staff', 'the board', 5]))
        site.ask(log_in())
        assert site.control.identity.tokens == ('staff',)
        assert "'the board' is not published" in caplog.text
        assert '5 is not published' in caplog.text

    @pytest.mark.parametrize('named, error', [
        ('', ValueError), ('b\nb', ValueError), (None, TypeError),
        (('Bob', 'staff'), TypeError),
        (('Bob', [f'group{number}' for number in range(1000)]), CookieTooLarge)])
    def test_what_cannot_be_published(self, make, named, error):
        """Is an error, and nobody is in, here or next door."""
        site = make(SITE_SESSION_PUBLISH=lambda user: named)
        with pytest.raises(error):
            site.ask(log_in())
        site.app.testing = False
        assert 'Internal Server Error' in site.ask(log_in())
        assert site.ask(who) == 'nobody'
        assert site.control.identity is None

    def test_not_allowed(self, make):
        """A namespace without ``login = true`` is an error, and nobody is in."""
        site = make(SITE_SESSION_PUBLISH=True, around=lambda app: Namespace(app, 'weblog'))
        with pytest.raises(LoginNotAllowed, match='login = true'):
            site.ask(log_in())
        site.app.testing = False
        assert 'Internal Server Error' in site.ask(log_in())
        assert site.ask(who) == 'nobody'

    def test_remember_me(self, make, caplog):
        """Is not set: nobody could take it back next door."""
        site = make(SITE_SESSION_PUBLISH=True)
        site.ask(log_in(remember=True))
        assert site.bob.remembered is None
        assert site.ask(who) == 'bob True'
        assert 'login_user(remember=True)' in caplog.text

    def test_remember_me_from_before(self, make):
        """Is not read, and is removed."""
        site = make(SITE_SESSION_PUBLISH=True)
        other = make()
        other.ask(log_in(remember=True))
        site.bob.remembered = other.bob.remembered
        assert site.ask(who) == 'nobody'
        assert site.bob.remembered is None
        site.bob.remembered = other.bob.remembered
        site.ask(log_in())
        site.bob.remembered = other.bob.remembered
        site.ask(log_out)
        assert site.bob.remembered is None
        assert site.bob.cookie is None
        assert site.control.id not in site.records

    def test_refreshing_the_remember_me_cookie(self, make):
        """Cannot go together, and is refused at load."""
        with pytest.raises(ConfigError, match='REMEMBER_COOKIE_REFRESH_EACH_REQUEST'):
            make(SITE_SESSION_PUBLISH=True, REMEMBER_COOKIE_REFRESH_EACH_REQUEST=True)


class TestReceive:
    """The site's login becomes the application's."""

    def test_login_next_door(self, make):
        """Whom the site knows, the application knows; afresh, and for good."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))
        assert site.ask(who) == 'bob True'
        assert site.records == {site.control.id}
        assert site.ask(who) == 'bob True'
        assert not site.bob.set_cookies

    def test_untouched(self, make):
        """A view that does not ask who is there stores nothing."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))
        site.ask(untouched)
        assert not site.records

    @pytest.mark.parametrize('act, expected', [(logout, 'nobody'), (login('eve'), 'eve True')])
    def test_what_happens_next_door(self, make, act, expected):
        """Happens here, too."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))
        site.ask(who)
        site.ask(write('basket', 'books'))
        site.next_door(act)
        assert site.ask(who) == expected
        assert site.ask(read('basket')) == '-'

    def test_make_user(self, make):
        """The hook makes one, from what the site knows."""
        seen = []

        def make_user(identity, profile):
            seen.append((identity.user, identity.tokens, profile.get('email')))
            site.users.append(identity.user)
            return User(identity.user)
        site = make(SITE_SESSION_RECEIVE=True, SITE_SESSION_MAKE_USER=make_user)
        site.next_door(login('zoe', ['staff']))
        profile = {'session.profile': {'email': 'zoe@example.org'}}
        assert site.ask(who, **profile) == 'zoe True'
        assert site.ask(who, **profile) == 'zoe True'
        assert seen == [('zoe', ('staff',), 'zoe@example.org')]

    def test_make_user_that_makes_none(self, make):
        site = make(SITE_SESSION_RECEIVE=True,
                    SITE_SESSION_MAKE_USER=lambda identity, profile: None)
        site.next_door(login('zoe'))
        assert site.ask(who) == 'nobody'

    def test_make_user_that_fails(self, make):
        """Is the application's own error."""
        site = make(SITE_SESSION_RECEIVE=True,
                    SITE_SESSION_MAKE_USER=lambda identity, profile: {}['zoe'])
        site.next_door(login('zoe'))
        with pytest.raises(KeyError, match='zoe'):
            site.ask(who)

    def test_find_that_asks_who_is_there(self, make):
        """A function of the application's may use current_user: it is nobody yet."""
        def find(name):
            assert not current_user.is_authenticated
            return User('bob')
        site = make(SITE_SESSION_RECEIVE=find)
        site.next_door(login('Bob'))
        assert site.ask(who) == 'bob True'

    def test_an_inactive_user(self, make):
        """Flask-Login does not let him in."""
        class Inactive(User):
            is_active = False
        site = make(SITE_SESSION_RECEIVE=Inactive)
        site.next_door(login('bob'))
        assert site.ask(who) == 'nobody'

    def test_no_user_loader(self, make):
        """Is said: without one Flask-Login finds nobody again."""
        site = make(SITE_SESSION_RECEIVE=True, loader=False)
        site.app.login_manager.request_loader(lambda request: None)
        site.next_door(login('bob'))
        with pytest.raises(ConfigError, match='user_loader'):
            site.ask(who)

    @pytest.mark.parametrize('ask_first', [True, False])
    def test_a_log_out_of_a_cleared_session(self, make, ask_first):
        """Does so, too, in whatever order a view clears and logs out."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))

        def view(session):
            if ask_first:
                assert who(session) == 'bob True'
            session.clear()
            logout_user()
            session.clear()
            logout_user()
        site.ask(view)
        assert site.bob.cookie is None
        assert site.ask(who) == 'nobody'
        assert not site.records

    def test_a_login_here_is_not_undone(self, make):
        """Whoever logs in here as somebody else is that user here."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))
        assert site.ask(who) == 'bob True'
        site.ask(log_in('eve'))
        assert site.ask(who) == 'eve True'
        site.ask(log_out)
        assert site.control.identity.user == 'bob'
        assert site.ask(who) == 'bob True'

    def test_what_is_received_is_not_published(self, make):
        """The site's login stays as it was."""
        named = []
        site = make(SITE_SESSION_RECEIVE=True, SITE_SESSION_PUBLISH=named.append)
        site.next_door(login('bob', ['staff']))
        site.ask(untouched)
        before = str(site.control.id)
        assert site.ask(who) == 'bob True'
        assert site.control.identity.tokens == ('staff',)
        assert site.control.id == before
        assert not named

    def test_in_a_stream(self, make):
        """A user who is first asked for in a stream is there, too."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.next_door(login('bob'))

        def view(session):
            def body():
                yield who(session)
            return Response(stream_with_context(body()))
        assert site.ask(view) == 'bob True'
        assert site.ask(who) == 'bob True'

    def test_a_user_who_is_gone(self, make):
        """Whom user_loader does not know any more is made anew; his session stays."""
        def make_user(identity, profile):
            site.users.append(identity.user)
            return User(identity.user)
        site = make(SITE_SESSION_RECEIVE=True, SITE_SESSION_MAKE_USER=make_user)
        site.next_door(login('zoe'))
        assert site.ask(who) == 'zoe True'
        site.ask(write('basket', 'books'))
        site.users.remove('zoe')
        assert site.ask(who) == 'zoe True'
        assert site.ask(read('basket')) == 'books'

    @pytest.mark.parametrize('config', [
        {'SITE_SESSION_PUBLISH': True}, {'SITE_SESSION_RECEIVE': True}])
    def test_a_log_out_of_whoever_it_is(self, make, config):
        """Two cookies, so nobody can say who is in; a log-out removes them all the same."""
        site = make(**config)
        other = site.visitor()
        for visitor in site.bob, other:
            site.next_door(login('bob'), by=visitor)
        site.bob.cookie += '; ' + other.cookie
        site.ask(log_out)
        assert site.control.status != 'ok'
        assert 'Max-Age=0' in site.bob.set_cookies[0]


class TestOutside:
    """A user whom a server or a proxy outside of the filter has logged in."""

    def test_received(self, make):
        """He is the application's user, under a new ID."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.ask(untouched)
        before = str(site.control.id)
        assert site.ask(who, REMOTE_USER='bob') == 'bob True'
        assert site.control.id != before
        once = str(site.control.id)
        assert site.ask(who, REMOTE_USER='bob') == 'bob True'
        assert site.control.id == once

    @pytest.mark.parametrize('environ, expected', [
        ({}, 'nobody'), ({'REMOTE_USER': 'eve'}, 'eve True'), ({'REMOTE_USER': ''}, 'nobody'),
        ({'REMOTE_USER': 'b\xf6b'}, 'nobody')])
    def test_gone(self, make, environ, expected):
        """When he is another or nobody, his login and his data are gone."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.ask(who, REMOTE_USER='bob')
        site.ask(write('basket', 'books'), REMOTE_USER='bob')
        assert site.ask(who, **environ) == expected
        assert site.ask(read('basket'), **environ) == '-'

    def test_gone_in_a_stream(self, make):
        """There it is too late for another ID, but not for the login to go."""
        site = make(SITE_SESSION_RECEIVE=True)
        site.ask(who, REMOTE_USER='bob')

        def view(session):
            def body():
                yield who(session)
            return Response(stream_with_context(body()))
        assert site.ask(view, REMOTE_USER='eve') == 'eve True'
        assert site.ask(view) == 'nobody'

    def test_groups(self, make):
        """The hook has his groups."""
        seen = []

        def make_user(identity, profile):
            seen.append(identity)
        site = make(SITE_SESSION_RECEIVE=True, SITE_SESSION_MAKE_USER=make_user)
        site.ask(who, REMOTE_USER='zo\xc3\xab', REMOTE_USER_TOKENS='staff, editors')
        assert seen[0][:2] == ('zoë', ('staff', 'editors'))


class TestSessionProtection:
    """Flask-Login looks at the address and the browser."""

    @pytest.mark.parametrize('config', [{}, BOTH])
    def test_basic(self, make, config):
        """From elsewhere a login is not fresh."""
        site = make(**config)
        site.ask(log_in())
        assert site.ask(who, REMOTE_ADDR='192.0.2.1') == 'bob False'
        assert site.ask(who) == 'bob False'

    def test_strong_alone(self, make):
        """From elsewhere nobody is logged in, and then nobody at all."""
        site = make(protection='strong')
        site.next_door(login('bob'))
        site.ask(log_in())
        assert site.ask(who, REMOTE_ADDR='192.0.2.1') == 'nobody'
        assert site.ask(who) == 'nobody'
        assert site.control.identity.user == 'bob'

    def test_strong_with_the_site_s_login(self, make):
        """It ends that, or he would be in again at once."""
        site = make(protection='strong', **BOTH)
        site.ask(log_in())
        assert site.ask(who, REMOTE_ADDR='192.0.2.1') == 'nobody'
        assert site.ask(who) == 'nobody'

    def test_strong_and_an_anonymous_basket(self, make):
        """A visitor without a login has none that could end: his basket stays,
        and so does a login next door."""
        site = make(protection='strong', users=(), **BOTH)
        site.next_door(login('zoe'))
        site.ask(write('basket', 'books'))
        assert site.ask(who) == 'nobody'
        assert site.ask(read('basket')) == 'books'
        assert site.control.identity.user == 'zoe'


def test_no_id_in_the_log(make, caplog):
    """Whatever happens."""
    caplog.set_level(logging.DEBUG)
    site = make(**BOTH)
    ids = set()
    for view in (untouched, log_in(remember=True), who, log_out, who):
        site.ask(view)
        ids.add(str(site.control.id))
    assert len(ids) > 2
    assert not [each for each in ids if each in caplog.text]


def test_the_control_is_seen_at_once(make):
    """A login by the control, in a view, is received by what comes after it."""
    site = make(SITE_SESSION_RECEIVE=True)

    def view(session):
        site_control.login('bob')
        return who(session)
    assert site.ask(view) == 'bob True'


def test_a_log_out_by_the_control_is_seen_at_once(make):
    """In the same view, nobody is in any more."""
    site = make(SITE_SESSION_RECEIVE=True)
    site.next_door(login('bob'))

    def view(session):
        site_control.logout()
        return who(session)
    assert site.ask(view) == 'nobody'


def test_tokens_of_forms(make):
    """Flask-WTF's token of before the login may be known to somebody else."""
    site = make()
    site.ask(write('csrf_token', 'planted'))

    def view(session):
        g.csrf_token = 'signed'
        login_user(User('bob'))
        return 'csrf_token' in session or 'csrf_token' in g
    assert site.ask(view) == 'False'


def test_the_test_client_of_flask_login(make):
    """It goes together with that of the site."""
    site = make()

    class Client(SiteClient, FlaskLoginClient):
        """Both."""
    site.app.test_client_class = Client
    site.view = who
    assert site.app.test_client(user=User('bob')).get('/').text == 'bob False'
    assert site.app.test_client().get('/').text == 'nobody'
