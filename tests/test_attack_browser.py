"""
Attacks that take a browser
===========================

A page of another site, and a page of a sibling host, in the Chromium of somebody who is
logged in to the demonstration.  That an accepted ``came_from`` stays here is in
``test_demo_browser.py``.
"""
import contextlib
import html
import json
import urllib.parse

import pytest

import configapps
from test_demo import COOKIE, PASSWORDS, Caller, listening
from paste_sessioncookie import SessionCookieHandler

# of the suffix "localhost", which browsers look up by themselves
HOME = 'www.site.localhost'
SIBLING = 'evil.site.localhost'
ELSEWHERE = 'evil.localhost'

#: what the pages of the attacker have the browser do
FORM = '''<form method="post" action="{url}">{fields}</form>
<script>document.forms[0].submit()</script>'''
FIELD = '<input name="{}" value="{}">'
EMBEDDED = '''<img src="{url}/"><iframe src="{url}/blog"></iframe><script src="{url}/wiki"></script>
<link rel="stylesheet" href="{url}/news"><form method="post" action="{url}/accounts/logout"
 target="frame"></form><iframe name="frame"></iframe><script>
document.forms[0].submit()
var requests = ["GET", "POST"].map(method => fetch("{url}/accounts", {{
  method: method, mode: "no-cors", credentials: "include"}}).catch(error => 0))
window.onload = () => Promise.all(requests).then(() => document.title = "done")
</script>'''
TOSS = '''<script>
for (let cookie of {cookies}) document.cookie = cookie
document.title = "done"
</script>'''


class Evil:
    """A server of pages for whoever looks at them."""

    def __init__(self, port, pages):
        self.port = port
        self.pages = pages
        self.headers = []

    def url(self, host, page, *set_cookies):
        """The address of a page, which also sets cookies."""
        self.pages.append((page, set_cookies))
        return f'http://{host}:{self.port}/{len(self.pages) - 1}'


@contextlib.contextmanager
def evil_server():
    pages = []

    def application(environ, start_response):
        number = environ['PATH_INFO'][1:]
        page, set_cookies = pages[int(number)] if number.isdigit() else ('', ())
        start_response('200 OK', [('Content-Type', 'text/html; charset=utf-8'),
                                  *(('Set-Cookie', each) for each in set_cookies)])
        return [page.encode('utf-8')]
    with listening(application) as port:
        yield Evil(port, pages)


@pytest.fixture(scope='module')
def evil():
    """The attacker's server."""
    with evil_server() as evil:
        yield evil


@pytest.fixture
def victim(somebody, server, evil):
    """Somebody who has just come to the site, and the attacker's server."""
    person = somebody.at(f'http://{HOME}:{server.port}')
    person.go('/')
    return person, evil


@pytest.fixture
def ada(victim):
    """Ada, who is logged in, and the attacker's server."""
    person, evil = victim
    person.log_in('ada')
    return person, evil


@pytest.fixture
def attacker(server):
    """The attacker, who has an account, and a session that is logged in."""
    caller = Caller(server.url)
    caller('/accounts/login', token=caller.token('/accounts'), name='linus',
           password=PASSWORDS['linus'])
    return caller


def cookie(person):
    return {each['name']: each['value'] for each in person.driver.get_cookies()}[COOKIE]


def is_untouched(person, before, users):
    """The person is who he was, everywhere, with the cookie that he had."""
    for path in ('/', '/accounts', '/blog'):
        assert person.user(path) == users
    assert cookie(person) == before


def post_from_elsewhere(person, evil, path, fields):
    """A page of another site sends a form to the site; gives the heading of the answer."""
    inputs = ''.join(FIELD.format(name, html.escape(value)) for name, value in fields.items())
    person.driver.get(evil.url(ELSEWHERE, FORM.format(
        url=person.url + path, fields=inputs)))
    person.wait(is_at(person.url))
    return person.find('h1').text


def is_at(site):
    def check(driver):
        return driver.current_url.startswith(f'{site}/') and driver.execute_script(
            'return document.readyState') == 'complete'
    return check


@pytest.mark.parametrize('path, fields', [
    ('/accounts/logout', {}), ('/accounts/everywhere', {COOKIE: 'x', 'REMOTE_USER': 'admin'}),
    ('/blog/draft', {'text': 'evil'}), ('/accounts/login', {'name': 'linus'}), ('/', {})])
def test_a_form_of_another_site(ada, attacker, path, fields):
    """It does nothing, and above all puts no fresh session in the place of the one that
    the browser has: it comes without the cookie."""
    person, evil = ada
    before = cookie(person)
    fields = {'token': attacker.token('/accounts'), 'password': PASSWORDS['linus'], **fields}
    heading = post_from_elsewhere(person, evil, path, fields)
    assert heading in ('Forbidden', 'Method Not Allowed')
    is_untouched(person, before, ['ada'])


def test_login_from_another_site(victim, attacker):
    """Nobody is logged in as the attacker by the attacker's page: the form's token is of
    the attacker's session."""
    person, evil = victim
    before = cookie(person)
    fields = {'token': attacker.token('/accounts'), 'name': 'linus',
              'password': PASSWORDS['linus']}
    assert post_from_elsewhere(person, evil, '/accounts/login', fields) == 'Forbidden'
    is_untouched(person, before, [])


@pytest.mark.parametrize('host', [ELSEWHERE, SIBLING])
def test_parts_of_another_page(ada, host):
    """Images, frames, scripts and fetches of another page change nothing, also of a
    sibling, whose requests come with the cookie."""
    person, evil = ada
    before = cookie(person)
    person.driver.get(evil.url(host, EMBEDDED.format(url=person.url)))
    person.wait(is_done)
    is_untouched(person, before, ['ada'])


def is_done(driver):
    return driver.title == 'done'


def tossed(name_and_value):
    """What a sibling sets so that the site gets it, by a script and by headers."""
    name, _, value = name_and_value.partition('=')
    return [f'{cookie}; Path={path}; Domain=site.localhost{more}'
            for path in ('/', '/blog', '/accounts')
            for more in ('', '; Secure')
            for cookie in (
                f'{name}={value}', f'{name.lower()}={value}', f'{name.upper()}={value}',
                f'{name} ={value}', f' {name}={value}', f'={name}={value}', f'=={name}={value}',
                f'{name_and_value}', f'foo=x,{name}={value}', f'bar=x, {name}={value}',
                f',{name}={value}', f'a="{name}={value}', f'b={name}={value}"',
                f'\u2000{name}={value}', f'\u00a0{name}={value}', f'\u0085{name}={value}',
                f'\u200b{name}={value}', f'\ufeff{name}={value}', f'$Version=1,{name}={value}',
                f'"{name}"={value}', f'%5F%5F{name[2:]}={value}', f'{name}[]={value}',
                f'\t{name}={value}', f'{name}\t={value}', f'{name}')]


@pytest.mark.parametrize('by', ['script', 'headers'])
def test_tossed_by_a_sibling(ada, attacker, by):
    """Nothing that a sibling host can set is taken for the site's cookie, or keeps it
    from being found."""
    person, evil = ada
    before = cookie(person)
    toss(person, evil, attacker.cookie, by)
    is_untouched(person, before, ['ada'])


@pytest.mark.parametrize('by', ['script', 'headers'])
def test_tossed_before_the_first_visit(victim, attacker, by):
    """Nor is who comes for the first time the attacker; and he can log in."""
    person, evil = victim
    person.driver.delete_all_cookies()
    toss(person, evil, attacker.cookie, by)
    for path in ('/blog', '/accounts', '/'):
        assert person.user(path) == []
    person.log_in('ada')
    is_untouched(person, cookie(person), ['ada'])


def toss(person, evil, name_and_value, by):
    cookies = tossed(name_and_value)
    # a page of Python's server has headers in latin-1
    sets = [each.encode('utf-8').decode('latin-1') for each in cookies]
    page = TOSS.format(cookies=json.dumps(cookies if by == 'script' else []))
    # a browser keeps 180 cookies of a site: not so many that it drops the site's own
    person.driver.get(evil.url(SIBLING, page, *(sets if by == 'headers' else [])))
    person.wait(is_done)
    person.go('/blog')
    arrived = [urllib.parse.unquote(each['name'] + each['value'])
               for each in person.driver.get_cookies() if each['name'] != COOKIE]
    # or this would show nothing
    assert len(arrived) > 10 and any(f',{COOKIE}=' in each for each in arrived)


def test_a_name_without_the_prefix(somebody, evil):
    """The limit, and why secure is true by default: without ``__Host-`` a sibling can make
    a visitor the attacker; but it cannot be done to who is there already."""
    site = SessionCookieHandler(configapps.facts, secret=b'x' * 32, secure=None)
    with listening(site) as port:
        person = somebody.at(f'http://{HOME}:{port}')
        attacker = Caller(f'http://127.0.0.1:{port}')
        attacker('/?login=eve')
        assert attacker.cookie.startswith('site_session=')
        page = TOSS.format(cookies=json.dumps(
            [f'{attacker.cookie}; Path=/; Domain=site.localhost']))
        for before, after in (('/?keep=', None), ('/?login=bob', None), (None, 'eve')):
            person.be_new()
            if before:
                person.go(before)
            person.driver.get(evil.url(SIBLING, page))
            person.go('/')
            assert json.loads(person.find('body').text)['user'] == after
