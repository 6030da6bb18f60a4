"""What docs/howto/flask.rst shows works."""
import os
import pathlib
import shutil
import sys

import pytest
from paste.deploy import loadapp
from surroundings import pytest_in
from webtest import TestApp

for name in ('flask_login', 'flask_session'):
    if 'CI' not in os.environ:
        pytest.importorskip(name, reason="needs pip install -e '.[test]'")

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / 'docs' / 'examples' / 'flask'


@pytest.fixture
def folder(tmp_path):
    """A copy, in which the secret and the sessions may be written."""
    return pathlib.Path(shutil.copytree(EXAMPLES, tmp_path / 'flask'))


@pytest.fixture
def site(folder, monkeypatch):
    monkeypatch.syspath_prepend(str(folder))
    names = ('accounts', 'weblog', 'shop')
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield TestApp(loadapp(f'config:{folder / "site.ini"}'), extra_environ={
        'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'})
    for name in names:
        sys.modules.pop(name, None)


def log_in(site, **options):
    return site.post('/accounts/login', {'user': 'bob', 'password': 'an example'}, **options)


def test_accounts(site):
    """A login by the control, and its session."""
    assert site.get('/accounts/').text == 'nobody, visit 1'
    assert site.get('/accounts/').text == 'nobody, visit 2'
    site.post('/accounts/login', {'user': 'bob', 'password': 'wrong'}, status=403)
    assert log_in(site).text == 'Hello, bob'
    assert site.get('/accounts/').text == 'bob, visit 1'
    site.post('/accounts/logout')
    assert site.get('/accounts/').text == 'nobody, visit 1'


def test_weblog(site):
    """Flask-Login's user is who logged in next door; his log-out is the site's."""
    site.get('/weblog/', status=401)
    log_in(site)
    assert site.get('/weblog/').text == 'bob of readers'
    site.post('/weblog/logout')
    site.get('/weblog/', status=401)
    assert site.get('/accounts/').text.startswith('nobody')


def test_shop(site):
    """The basket goes along into the login, and not out of it."""
    site.get('/shop/')
    site.post('/shop/books')
    assert site.post('/shop/songs').text == 'books, songs'
    log_in(site)
    assert site.get('/shop/').text == 'books, songs'
    site.post('/accounts/logout')
    assert site.get('/shop/').text == 'nothing'


def test_one_cookie(site):
    """Flask sends none of its own."""
    for path in ('/accounts/', '/shop/'):
        site.get(path)
    log_in(site)
    site.get('/weblog/')
    assert list(site.cookies) == ['__Host-site_session']


def test_tests_of_an_application(folder):
    """The example of a test passes."""
    found = pytest_in(folder, 'test_weblog.py')
    assert '2 passed' in found.stdout, found.stdout
