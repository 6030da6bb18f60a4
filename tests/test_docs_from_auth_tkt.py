"""
From tickets
============

What docs/howto/from-auth-tkt.rst shows, with the real Paste, repoze.who and Pyramid.
"""
import inspect
import os
import pathlib
import re
import shutil
import sys

import pytest
from paste.auth import auth_tkt
from paste.deploy import loadapp
from pyramid.authentication import AuthTktCookieHelper
from pyramid.config import Configurator
from pyramid.response import Response
from pyramid.security import forget, remember
from test_docs import rows_of_table
from webtest import TestApp

from paste_sessioncookie import SessionCookieHandler
from paste_sessioncookie.cookie import HOST_NAME

if 'CI' not in os.environ:
    pytest.importorskip('repoze.who', reason="needs pip install -e '.[test]'")
from repoze.who.config import make_middleware_with_config  # noqa: E402
from repoze.who.plugins.auth_tkt import make_plugin  # noqa: E402

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
PAGE = (DOCS / 'howto' / 'from-auth-tkt.rst').read_text('utf-8')
SECRET = 'a secret of more than thirty-two bytes'
# the deployer's own plugin of repoze.who, which checks passwords
USERS = '''
from repoze.who.interfaces import IAuthenticator
from zope.interface import implementer


@implementer(IAuthenticator)
class Passwords:
    def authenticate(self, environ, identity):
        if identity.get('password') == 'secret':
            return identity['login']
'''
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443',
         'REMOTE_ADDR': '127.0.0.1'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the examples, to import from and to write into."""
    copy = pathlib.Path(shutil.copytree(DOCS / 'examples' / 'from_auth_tkt', tmp_path / 'x'))
    monkeypatch.syspath_prepend(str(copy))
    for path in copy.glob('*.py'):
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    yield copy
    for path in copy.glob('*.py'):
        sys.modules.pop(path.stem, None)


def visitor(app):
    return TestApp(app, extra_environ=HTTPS)


def cookies_of(somebody):
    """A header with a copy of his cookies."""
    return {'Cookie': '; '.join(f'{name}={value}' for name, value in somebody.cookies.items())}


class TestPaste:
    def test_the_application_stays(self, folder):
        """It logs in with groups and data, and out, by the old functions."""
        site = visitor(loadapp(f'config:{folder / "site.ini"}'))
        assert site.get('/login?user=bob').text == '- - dark'
        assert list(site.cookies) == [HOST_NAME]
        assert site.get('/').text == 'bob staff,news dark'
        site.get('/logout')
        assert site.get('/').text == '- - -'

    def test_the_old_one_is_broken(self, folder):
        """A ticket is a bytes literal, and reading it is an error."""
        site = visitor(loadapp(f'config:{folder / "old.ini"}'))
        header = site.get('/login?user=bob').headers.getall('Set-Cookie')[0]
        assert header.startswith("auth_tkt=b'")
        with pytest.raises(TypeError):
            site.get('/', headers={'Cookie': header.partition(';')[0]})

    def test_tokens_as_text(self, folder):
        """set_user() takes tokens as a list, as text with commas, or none."""
        import ticket
        seen = []

        def application(environ, start_response):
            environ['paste.auth_tkt.set_user']('bob', *environ['x.arguments'])
            seen.append(environ['session.control'].identity.tokens)
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [b'']
        site = visitor(SessionCookieHandler(
            ticket.make_ticket(application, {}), secret=SECRET))
        for arguments in (), ('a,b',), (['a', 'b'],):
            site.get('/', extra_environ={'x.arguments': arguments})
        assert seen == [(), ('a', 'b'), ('a', 'b')]


class TestWho:
    @pytest.fixture
    def site(self, folder):
        """An application that uses repoze.who's API, with a password plugin."""
        (folder / 'users.py').write_text(USERS)

        def application(environ, start_response):
            api = environ['repoze.who.api']
            if environ['PATH_INFO'] == '/login':
                api.login({'login': 'bob', 'password': environ['QUERY_STRING']})
            elif environ['PATH_INFO'] == '/logout':
                api.logout()
            elif environ['PATH_INFO'] == '/meanwhile':
                environ['x.meanwhile']()
            identity = environ.get('repoze.who.identity') or {}
            start_response('200 OK', [('Content-Type', 'text/plain')])
            return [identity.get('repoze.who.userid', 'nobody').encode()]
        return SessionCookieHandler(
            make_middleware_with_config(application, {'here': str(folder)}, str(folder / 'who.ini')),
            secret=SECRET)

    def test_login(self, site):
        """A password that repoze.who checks is a login of the site."""
        bob = visitor(site)
        bob.get('/login?wrong')
        assert bob.get('/').text == 'nobody'
        bob.get('/login?secret')
        assert bob.get('/').text == 'bob'
        bob.get('/logout')
        assert bob.get('/').text == 'nobody'
        assert list(bob.cookies) in ([], [HOST_NAME])

    def test_no_login_comes_back(self, site):
        """A slow request does not log in again who has logged out meanwhile."""
        bob = visitor(site)
        bob.get('/login?secret')
        header = cookies_of(bob)

        def log_out():
            assert visitor(site).get('/logout', headers=header).text == 'nobody'
        bob.get('/meanwhile', extra_environ={'x.meanwhile': log_out})
        assert bob.get('/').text == 'nobody'


class TestPyramid:
    @staticmethod
    def build(policy):
        """An application with a login and a page for users, under a policy."""
        def log_in(request):
            return Response(headerlist=[('Content-Type', 'text/plain'), *remember(request, 'bob')])

        def log_out(request):
            return Response(headerlist=[('Content-Type', 'text/plain'), *forget(request)])

        def page(request):
            return Response(request.authenticated_userid or 'nobody')
        with Configurator() as config:
            config.set_security_policy(policy)
            for name, view in (('in', log_in), ('out', log_out), ('', page)):
                config.add_route(name, f'/{name}')
                config.add_view(view, route_name=name)
        return config.make_wsgi_app()

    @pytest.fixture(params=['old', 'new'])
    def site(self, request, folder):
        if request.param == 'old':
            from old_policy import Policy
            return self.build(Policy(SECRET))
        from new_policy import Policy
        return SessionCookieHandler(
            self.build(Policy()), secret=SECRET)

    def test_the_views_stay(self, site):
        """The same views log in and out under both policies."""
        bob = visitor(site)
        assert bob.get('/').text == 'nobody'
        bob.get('/in')
        assert bob.get('/').text == 'bob'
        bob.get('/out')
        assert bob.get('/').text == 'nobody'

    def test_copies(self, site):
        """A copy of the ticket outlives the log-out; one of our cookie does not."""
        bob = visitor(site)
        bob.get('/in')
        copy = cookies_of(bob)
        assert visitor(site).get('/', headers=copy).text == 'bob'
        bob.get('/out')
        assert visitor(site).get('/', headers=copy).text == ('nobody' if isinstance(site, SessionCookieHandler) else 'bob')


def named(heading):
    """The names in the first column of a section's table."""
    return [name for row in rows_of_table(PAGE, heading) for name in re.findall('``(.+?)``', row[0])]


@pytest.mark.parametrize('heading, real, skipped', [
    ('paste.auth.auth_tkt', auth_tkt.AuthTKTMiddleware, {'app'}),
    ('paste.auth.auth_tkt', auth_tkt.make_auth_tkt_middleware, {'app', 'global_conf'}),
    ('repoze.who', make_plugin, set()),
    ('Pyramid', AuthTktCookieHelper, set()),
])
def test_the_tables_are_complete(heading, real, skipped):
    """Each argument of the old code has its row."""
    arguments = set(inspect.signature(real).parameters) - skipped
    assert arguments <= set(named(heading))
    if real is not auth_tkt.make_auth_tkt_middleware:
        assert arguments == set(named(heading))
