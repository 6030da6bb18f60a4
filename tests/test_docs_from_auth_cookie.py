"""
From paste.auth.cookie
======================

One application, behind the filter that it was written for and behind ours.  The old
one runs with its two calls mended that Python 3 has broken (``tests/test_parent.py``).
"""
import inspect
import pathlib
import re
import shutil

import pytest
from paste.auth import cookie as parent
from paste.deploy import loadapp
from test_docs import rows_of_table
from test_parent import Readable
from webtest import TestApp

from paste_sessioncookie import SessionCookieHandler
from paste_sessioncookie.cookie import HOST_NAME

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
PAGE = (DOCS / 'howto' / 'from-auth-cookie.rst').read_text('utf-8')
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'}


class MendedSigner(Readable):
    def __init__(self, secret=None, timeout=None, maxlen=None):
        super().__init__(secret.encode(), timeout, maxlen)


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Loads one of the two ini files, in a folder where a secret may be made."""
    folder = pathlib.Path(shutil.copytree(DOCS / 'examples' / 'from_auth_cookie', tmp_path / 'x'))
    monkeypatch.syspath_prepend(str(folder))

    def load(name):
        return TestApp(loadapp(f'config:{folder / name}'), extra_environ=HTTPS)
    return load


@pytest.fixture
def mended(monkeypatch):
    monkeypatch.setattr(parent.AuthCookieHandler, 'signer_class', MendedSigner)


@pytest.fixture(params=['old.ini', 'new.ini'])
def site(request, mended, load):
    """The site before and after the switch."""
    return load(request.param)


def test_the_old_one_cannot_run(load):
    """Why nobody needs to wait: with Python 3 the first response is an error."""
    with pytest.raises(TypeError):
        load('old.ini').get('/login?user=bob')


def test_a_secret_of_bytes_does_not_help():
    """... and with a secret that it can use, the first cookie is."""
    site = parent.AuthCookieHandler(
        lambda environ, start_response: (start_response('200 OK', []), [b''])[1], secret=b's')
    with pytest.raises(AttributeError, match='decodestring'):
        TestApp(site).get('/', headers={'Cookie': f'{site.cookie_name}=x'})


def test_login_and_values(site):
    """The application's login, its site-wide value and its own come back."""
    assert site.get('/').text == ''
    site.get('/login?user=bob')
    site.get('/language?is=en;q=1')
    site.get('/color?is=red')
    assert site.get('/').text == (
        'REMOTE_SESSION=session-of-bob REMOTE_USER=bob SITE_LANGUAGE=en;q=1 welcome.color=red')


def test_logging_out(mended, load):
    """With ours, who logs out is out; with the parent the old cookie stays."""
    old, new = load('old.ini'), load('new.ini')
    for site in (old, new):
        site.get('/login?user=bob')
        site.get('/logout')
    assert 'REMOTE_USER=bob' not in new.get('/').text
    # the parent sends a cookie of what is left: it has REMOTE_SESSION still
    assert 'REMOTE_SESSION' in old.get('/').text and 'REMOTE_SESSION' not in new.get('/').text


def test_the_next_user(mended, load):
    """Values of the predecessor go with a login, but for those that the same request changes."""
    old, new = load('old.ini'), load('new.ini')
    for site in (old, new):
        site.get('/login?user=bob')
        site.get('/color?is=red')
        site.get('/login?user=alice')
    assert 'welcome.color' in old.get('/').text
    assert new.get('/').text == 'REMOTE_SESSION=session-of-alice REMOTE_USER=alice'


@pytest.mark.parametrize('name', ['', 'cookie_name = PASTE_AUTH_COOKIE\n'])
def test_the_day(name, mended, load, tmp_path):
    """An old cookie is nobody's, and breaks nothing; under its own name it is replaced."""
    old = load('old.ini')
    old.get('/login?user=bob')
    path = tmp_path / 'x' / 'new.ini'
    path.write_text(path.read_text().replace('timeout =', name + 'timeout ='))
    new = load('new.ini')
    response = new.get('/', headers={'Cookie': f'PASTE_AUTH_COOKIE={old.cookies["PASTE_AUTH_COOKIE"]}'})
    assert response.text == ''
    assert list(new.cookies) == ['PASTE_AUTH_COOKIE' if name else HOST_NAME]


def test_the_table_is_complete():
    """Each argument of Paste's factory has its row, and what is here exists here."""
    arguments = list(inspect.signature(parent.make_auth_cookie).parameters)[2:]
    rows = [[re.sub(r'\W', '', cell) for cell in row[:2]] for row in rows_of_table(PAGE, 'The options')]
    assert [row[0] for row in rows] == arguments
    assert {row[1] for row in rows} <= set(inspect.signature(SessionCookieHandler).parameters)


def test_the_same_arguments():
    """The constructor takes the parent's arguments, in their order."""
    [call] = re.findall(r'AuthCookieHandler\((.*?)\)``', ' '.join(PAGE.split()))
    theirs = list(inspect.signature(parent.AuthCookieHandler).parameters)
    assert ['application' if each == 'app' else each for each in call.split(', ')] == theirs
    assert list(inspect.signature(SessionCookieHandler).parameters)[:len(theirs)] == theirs


@pytest.mark.parametrize('name', ['theme', 'SITE_LANGUAGE', 'wsgi.x'])
def test_what_may_be_appended(name, load):
    """What Paste let an application append, and we do not."""
    handler = load('new.ini').app
    with pytest.raises(ValueError, match='cannot travel'):
        handler.environ_class(handler, ()).append(name)
