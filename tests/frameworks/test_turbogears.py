"""TurboGears 2 takes its session ID, and its user, from the site."""
import os
import shutil
from pathlib import Path

import pytest
from conftest import Visitor, login, logout
from contract import Contract, LoginContract, untouched, write
from paste.deploy import loadapp
from webtest import TestApp

from paste_sessioncookie import ConfigError

if 'CI' not in os.environ:
    pytest.importorskip('tg', reason='needs pip install paste_sessioncookie[turbogears]')

import tg

from paste_sessioncookie.frameworks.beaker import SessionMiddleware
from paste_sessioncookie.frameworks.turbogears import SiteIdentity, SiteSessions


EXAMPLE = Path(__file__).parents[2] / 'docs' / 'examples' / 'turbogears'


class Root(tg.TGController):
    """A controller that answers everything with a view."""

    def __init__(self, view):
        super().__init__()
        self.view = view

    @tg.expose(content_type='text/plain')
    def _default(self, *args, **options):
        result = self.view(tg.session)
        return result if hasattr(result, '__next__') else str(result)


def minimal(view, **options):
    config = tg.MinimalApplicationConfigurator()
    config.register(SiteSessions)
    config.update_blueprint({'root_controller': Root(view), **options})
    return config.make_wsgi_app()


def full(view, **options):
    config = tg.FullStackApplicationConfigurator()
    config.replace('session', SiteSessions)
    config.register(SiteIdentity)
    config.update_blueprint({'root_controller': Root(view), 'debug': False,
                             'errorpage.enabled': False, **options})
    return config.make_wsgi_app()


class TestTurboGears(Contract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path):
        self.folder = tmp_path

    def application(self, view, carry=()):
        def view_of_this_request(session):
            # a body is streamed when tg.session has gone
            return view(session._current_obj())
        return self.make(view_of_this_request, **{
            'session.type': 'file', 'session.data_dir': str(self.folder),
            'session.auto': 'true', 'session.carry': ' '.join(carry)})

    make = staticmethod(minimal)

    def renew(self, session):
        session.regenerate_id()

    def records(self):
        return {path.stem for path in self.folder.rglob('*.cache')}


class People:
    """TurboGears' ``authmetadata``: it knows two, and makes ann, who is on the staff."""

    def get_user(self, identity, userid):
        if userid in ('bob', 'eve'):
            return userid
        staff = 'staff' in identity['session.identity'].tokens
        return f"{identity['session.profile']['name']}, new" if staff else None

    def get_groups(self, identity, userid):
        return ['readers']

    def get_permissions(self, identity, userid):
        return []


def who(session):
    identity = tg.request.identity
    return identity['user'] or '-' if identity else '-'


class TestFullStack(LoginContract, TestTurboGears):
    """TurboGears' own login is not published: its users log in by the control."""

    make = staticmethod(full)
    who = staticmethod(who)

    def login_application(self, view):
        return full(view, **{
            'session.data_dir': str(self.folder), 'session.auto': 'true',
            'sa_auth.authmetadata': People()})

    def log_in(self, session, user):
        tg.request.environ['session.control'].login(user)

    def log_out(self, session):
        tg.request.environ['session.control'].logout()


class TestSiteIdentity:
    """What TurboGears' ``authmetadata`` is given, without any session."""

    @pytest.fixture
    def visitor(self, make_site):
        def view(session):
            identity = tg.request.identity
            return f"{identity['user']} {identity['groups']}" if identity else 'nobody'
        app = full(view, **{'session.enabled': False, 'sa_auth.authmetadata': People()})

        def site(environ, start_response):
            environ['session.profile'] = {'name': 'Ann'}
            self.act(environ)
            return app(environ, start_response)
        return Visitor(make_site(site))

    @pytest.mark.parametrize('tokens, expected', [
        (['staff'], "Ann, new ['readers']"), ([], 'None []')])
    def test_somebody_new(self, visitor, tokens, expected):
        """The application may make a user, of the site's login and profile."""
        self.act = login('ann', tokens)
        visitor.get()
        self.act = bool
        assert visitor.get().text == expected

    def test_logged_out_before(self, visitor):
        """Who was logged out in front of TurboGears, in this request, is nobody."""
        self.act = login('bob')
        visitor.get()
        self.act = logout
        assert visitor.get().text == 'nobody'

    def test_another_door(self, visitor):
        """A user whom the server knows is the user as well, by his name and his groups."""
        self.act = bool
        assert visitor.get(REMOTE_USER='bob').text == "bob ['readers']"
        response = visitor.get(REMOTE_USER='M%C3%BCller', REMOTE_USER_TOKENS='staff')
        assert response.text == "Ann, new ['readers']"

    def test_turbogears_own_user_stands(self, visitor):
        """Whom TurboGears' own login knows stays."""
        self.act = login('ann', ('staff',))
        theirs = {'repoze.who.userid': 'bob'}
        response = visitor.get(**{'repoze.who.identity': theirs})
        assert response.text.startswith('bob')


def test_a_session_of_turbogears(make_site):
    """environ has what TurboGears' own wrapper puts there, and WebTest finds the session."""
    def view(session):
        environ = tg.request.environ
        assert environ['beaker.session'].id == session.id
        other = environ['beaker.get_session'](session.id)
        assert other.is_new and other.id == session.id
        return session.id
    response = TestApp(make_site(minimal(view))).get('/')
    assert response.session.id == response.text


def test_faults():
    """A fault of the configuration is one when the application is made."""
    with pytest.raises(ConfigError, match='timeout = soon: Session timeout must be an int'):
        minimal(untouched, **{'session.timeout': 'soon'})


def test_middleware_does_as_well(make_site, tmp_path):
    """With Beaker's filter in front, tg.session is that of the filter."""
    config = tg.MinimalApplicationConfigurator()
    config.update_blueprint({'root_controller': Root(write('color', 'blue'))})
    app = SessionMiddleware(config.make_wsgi_app(), auto=True, data_dir=str(tmp_path))
    Visitor(make_site(app)).get()
    assert len(list(tmp_path.rglob('*.cache'))) == 1


def test_example(tmp_path, monkeypatch):
    """The ini file of the page serves what it says."""
    folder = shutil.copytree(EXAMPLE, tmp_path / 'site')
    monkeypatch.syspath_prepend(str(folder))
    shop = TestApp(loadapp(f'config:{folder}/site.ini'), extra_environ={
        'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443'})
    assert shop.get('/').text == 'somebody: nothing'
    assert shop.post('/', {'item': 'books'}).text == 'somebody: books'
    shop.get('/login?user=bob', status=405)
    shop.post('/login', {'user': 'bob'})
    assert shop.get('/').text == 'Bob Smith: books'
    shop.post('/login', {'user': 'ann'})
    assert shop.get('/').text == 'ann: nothing'
    assert list(shop.cookies) == ['__Host-site_session']
