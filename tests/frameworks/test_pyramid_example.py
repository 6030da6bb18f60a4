"""The page on Pyramid: its examples run as they stand, its options are all there."""
import http.cookiejar
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request

import pytest

if 'CI' not in os.environ:
    pytest.importorskip('pyramid', reason="needs pip install 'paste_sessioncookie[pyramid]'")

from conftest import Visitor
from paste.deploy import loadapp
from pyramid.authorization import Allow
from pyramid.interfaces import ISecurityPolicy
from pyramid.security import remember
from pyramidapps import one_view
from webtest import TestApp
from zope.interface.verify import verifyObject

from paste_sessioncookie.frameworks.pyramid.store import OPTIONS

EXAMPLE = pathlib.Path(__file__).parents[2] / 'docs' / 'examples' / 'pyramid'
MODULES = [path.stem for path in EXAMPLE.glob('*.py')]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of the example, which can be imported."""
    for path in EXAMPLE.iterdir():
        if path.is_file():
            shutil.copy(path, tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in MODULES:
        monkeypatch.delitem(sys.modules, name, raising=False)
    yield tmp_path
    for name in MODULES:
        sys.modules.pop(name, None)


def test_the_options_of_the_page():
    """The page explains those that there are, in their order."""
    page = (EXAMPLE.parents[1] / 'howto' / 'pyramid.rst').read_text()
    assert re.findall(r'^``(site_session\.[a-z_]+)``$', page, re.M) == list(OPTIONS)


def token(page):
    return re.search('name="csrf_token" value="([^"]+)"', page)[1]


def add(browser, thing):
    """Send the shop's form."""
    form = browser.get('/shop/')
    return browser.post('/shop/add', {'csrf_token': token(form.text), 'thing': thing})


class TestDeployed:
    @pytest.fixture
    def browser(self, folder):
        return self.browser_of(loadapp(f'config:{folder}/site.ini'))

    def browser_of(self, app):
        return TestApp(app, extra_environ={
            'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443',
            'HTTP_ORIGIN': 'https://localhost'})

    def log_in(self, browser, **more):
        form = browser.get('/accounts/login')
        return browser.post('/accounts/login', {
            'csrf_token': token(form.text), 'user': 'bob', 'password': 'builder', **more})

    def test_basket_goes_along(self, browser):
        """Who fills a basket and logs in next door has it still, under a name."""
        assert 'nobody has nothing' in browser.get('/shop/')
        assert 'nobody has nails' in add(browser, 'nails').follow()
        assert self.log_in(browser).status_int == 303
        assert 'Bob the Builder has nails' in browser.get('/shop/')
        form = browser.get('/accounts/login')
        browser.post('/accounts/logout', {'csrf_token': token(form.text)})
        assert 'nobody has nothing' in browser.get('/shop/')

    def test_groups(self, browser):
        """The login's groups are principals."""
        browser.get('/shop/count', status=403)
        self.log_in(browser)
        assert browser.get('/shop/count').text == '42'

    def test_wrong_password(self, browser):
        """A wrong password logs nobody in."""
        assert self.log_in(browser, password='x').status_int == 200
        assert 'nobody has nothing' in browser.get('/shop/')

    @pytest.mark.parametrize('path, fields', [
        ('/accounts/login', {'user': 'bob', 'password': 'builder'}),
        ('/shop/add', {'thing': 'nails'})])
    def test_protected_forms(self, browser, path, fields):
        """A form without its token is refused."""
        browser.get('/shop/')
        browser.post(path, fields, status=400)

    def test_no_markup(self, browser):
        """What a visitor writes is shown as it is."""
        assert '<b>' not in add(browser, '<b>').follow()

    def test_configured_in_python(self, folder, make_site):
        """The settings may be objects."""
        import configured
        app = configured.main({}, sessions=str(folder / 'own'))
        assert 'nobody has nothing' in Visitor(make_site(app)).get().text

    def test_redis(self, folder, redis_socket):
        """The site with pyramid_session_redis loads and works."""
        text = (folder / 'redis.ini').read_text()
        assert 'redis://localhost:6379/0' in text
        (folder / 'redis.ini').write_text(
            text.replace('redis://localhost:6379/0', f'unix://{redis_socket}'))
        browser = self.browser_of(loadapp(f'config:{folder}/redis.ini'))
        form = browser.get('/')
        browser.post('/add', {'csrf_token': token(form.text), 'thing': 'nails'})
        assert 'nobody has nails' in browser.get('/')

    def test_own_policy(self, folder, make_site):
        """The policy that the page shows is one, and works."""
        import policy
        assert verifyObject(ISecurityPolicy, policy.Policy())

        class Root:
            __acl__ = [(Allow, 'role:administrator', 'rule')]

            def __init__(self, request):
                pass

        def view(request):
            before = bool(request.has_permission('rule'))
            remember(request, 'bob')
            return before, bool(request.has_permission('rule'))
        app = one_view(view, security_policy=policy.Policy(), root_factory=Root)
        assert Visitor(make_site(app)).get().text == str((False, True))


class TestServed:
    @pytest.fixture
    def address(self, folder):
        """The example under pserve, at a port of the system's choice."""
        ini = folder / 'site.ini'
        text = ini.read_text()
        assert 'port = 8080' in text
        ini.write_text(text.replace('port = 8080', 'port = 0'))
        pserve = pathlib.Path(sys.executable).with_name('pserve')
        with open(folder / 'log', 'wb') as log:
            process = subprocess.Popen(
                [pserve, 'site.ini'], cwd=folder, stdout=log, stderr=log,
                env={**os.environ, 'PYTHONPATH': '.', 'PYTHONUNBUFFERED': '1'})
        try:
            yield self.wait(process, folder / 'log')
        finally:
            process.terminate()
            process.wait(20)

    def wait(self, process, log):
        for _ in range(600):
            serving = re.search('serving on (http://[0-9.]+:[0-9]+)', log.read_text())
            if serving:
                return serving[1]
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        raise AssertionError(log.read_text())

    def test_pserve(self, address):
        """pserve serves the file: a basket, a login, a log-out."""
        # browsers take this machine for as safe as https
        jar = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(
            secure_protocols=('http', 'https')))
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

        def get(path, **form):
            data = urllib.parse.urlencode(form).encode() if form else None
            with opener.open(address + path, data, timeout=20) as response:
                return response.read().decode()
        shop = get('/shop/')
        assert 'nobody has nails' in get(
            '/shop/add', csrf_token=token(shop), thing='nails')
        form = get('/accounts/login')
        assert 'Bob the Builder has nails' in get(
            '/accounts/login', csrf_token=token(form), user='bob', password='builder')
        form = get('/accounts/login')
        assert 'nobody has nothing' in get('/accounts/logout', csrf_token=token(form))
