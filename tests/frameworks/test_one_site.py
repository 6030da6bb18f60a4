"""Four frameworks in one site: docs/examples/frameworks.ini, served by paster."""
import http.client
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

MISSING = [name for name in ('beaker', 'bottle', 'cachelib', 'django', 'flask', 'paste.script',
                             'pyramid')
           if importlib.util.find_spec(name) is None]
if MISSING and 'CI' not in os.environ:
    pytest.skip(f"needs {', '.join(MISSING)} (pip install -e '.[test,paster]')",
                allow_module_level=True)

EXAMPLES = Path(__file__).parents[2] / 'docs' / 'examples'
APPLICATIONS = ['django', 'django2', 'flask', 'pyramid', 'beaker']
OTHERS = APPLICATIONS[1:]


class Browser:
    """Cookies by name, sent to every path; forms with what is hidden in them."""

    def __init__(self, port):
        self.port = port
        self.cookies = {}

    def get(self, path):
        return self._ask('GET', path)

    def submit(self, path, action, **fields):
        """Press a button of the page at ``path``."""
        hidden = re.findall('<input type="hidden" name="(.+?)" value="(.+?)"',
                            self.get(path))
        return self._ask('POST', action, urlencode({**dict(hidden), **fields}))

    def log_in(self, user='bob', password='an example'):
        return self.submit('/django/login/', '/django/login/', username=user,
                           password=password)

    def log_out(self, application):
        return self.submit(f'/{application}/', f'/{application}/logout/')

    def add(self, application):
        return self.submit(f'/{application}/', f'/{application}/add/')

    def user(self, application):
        return self._shown('user', application)

    def basket(self, application):
        return self._shown('basket', application)

    def _shown(self, what, application):
        return unescape(re.search(f'id="{what}">(.*?)<', self.get(f'/{application}/'))[1])

    def _ask(self, method, path, body=None):
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=30)
        try:
            connection.request(method, path, body, {
                'Cookie': '; '.join(f'{name}={value}' for name, value in self.cookies.items()),
                'Content-Type': 'application/x-www-form-urlencoded'})
            response = connection.getresponse()
            page = response.read().decode()
        finally:
            connection.close()
        for header in response.headers.get_all('Set-Cookie', []):
            name, _, value = header.partition(';')[0].partition('=')
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        assert response.status in (200, 302, 303), page
        return page


@pytest.fixture(scope='module')
def port(tmp_path_factory):
    """The site, served by paster in a process of its own, on a port of its choice."""
    assert not MISSING
    folder = tmp_path_factory.mktemp('site')
    text = (EXAMPLES / 'frameworks.ini').read_text()
    (folder / 'frameworks.ini').write_text(text.replace('port = 8080', 'port = 0'))
    with open(folder / 'output', 'wb') as output:
        process = subprocess.Popen(
            [shutil.which('paster', path=Path(sys.executable).parent), 'serve',
             'frameworks.ini'], cwd=folder, stdout=output, stderr=output,
            env={**os.environ, 'PYTHONPATH': str(EXAMPLES / 'frameworks'),
                 'PYTHONUNBUFFERED': '1'})
    try:
        yield served(process, folder / 'output')
    finally:
        process.terminate()
        process.wait(30)


def served(process, output):
    """The port that paster says."""
    for _ in range(600):
        found = re.search(r'serving on http://127\.0\.0\.1:(\d+)', output.read_text())
        if found:
            return int(found[1])
        assert process.poll() is None, output.read_text()
        time.sleep(0.1)
    raise AssertionError(f'paster does not serve: {output.read_text()}')


@pytest.fixture
def browser(port):
    return Browser(port)


def test_one_login(browser):
    """Who logs in in Django is known in all."""
    assert {browser.user(each) for each in APPLICATIONS} == {'nobody'}
    browser.log_in()
    assert {browser.user(each) for each in APPLICATIONS} == {'bob'}
    assert set(browser.cookies) == {'__Host-site_session', 'csrftoken'}


def test_a_wrong_password(browser):
    """... with the right password."""
    assert 'correct username' in browser.log_in(password='a guess')
    assert {browser.user(each) for each in APPLICATIONS} == {'nobody'}


@pytest.mark.parametrize('where', APPLICATIONS)
def test_one_log_out(browser, where):
    """Who logs out in any of them is logged out of all, and so is a copy."""
    browser.log_in()
    for each in APPLICATIONS:
        browser.add(each)
    copy = Browser(browser.port)
    copy.cookies = dict(browser.cookies)
    browser.log_out(where)
    for somebody in (browser, copy):
        assert {somebody.user(each) for each in APPLICATIONS} == {'nobody'}
        assert {somebody.basket(each) for each in APPLICATIONS} == {'nothing'}


def test_two_instances_do_not_collide(browser):
    """Django twice, over one database: two baskets."""
    browser.add('django')
    browser.add('django2')
    browser.add('django2')
    assert browser.basket('django') == 'a book'
    assert browser.basket('django2') == 'a book, a book'


@pytest.mark.parametrize('where', APPLICATIONS)
def test_a_basket_survives_a_login(browser, where):
    """An anonymous visitor's basket is still there after a login in Django."""
    browser.add(where)
    browser.log_in()
    assert browser.user(where) == 'bob'
    assert browser.basket(where) == 'a book'
    browser.add(where)
    assert browser.basket(where) == 'a book, a book'
    assert browser.basket(OTHERS[0] if where != OTHERS[0] else 'flask') == 'nothing'


@pytest.mark.parametrize('where', APPLICATIONS)
def test_a_planted_cookie_gains_nothing(browser, port, where):
    """Whoever planted his cookie before the login is nobody after it, in all of
    them, and sees nothing of what the user does."""
    attacker = Browser(port)
    attacker.user(where)
    planted = attacker.cookies['__Host-site_session']
    browser.cookies['__Host-site_session'] = planted
    browser.user(where)
    browser.log_in()
    browser.add(where)
    assert browser.cookies['__Host-site_session'] != planted
    assert {attacker.user(each) for each in APPLICATIONS} == {'nobody'}
    assert attacker.basket(where) == 'nothing'
    assert browser.basket(where) == 'a book'
