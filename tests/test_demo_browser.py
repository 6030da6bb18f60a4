"""The demonstration in a browser: Chromium, as a person uses it."""
from __future__ import annotations

import json
import os

import configapps
import pytest
from person import browsing
from test_demo import COOKIE, PASSWORDS, Caller, Server, listening
from test_requirelogin import ACCEPTED, EVIL

from paste_sessioncookie import SessionCookieHandler
from paste_sessioncookie.requirelogin import RequireLogin

#: what the browser keeps of the cookie; no domain with a dot: it is this host's alone
STORED = {'name': COOKIE, 'domain': '127.0.0.1', 'path': '/', 'secure': True,
          'httpOnly': True, 'sameSite': 'Lax', 'session': True, 'expires': -1}


@pytest.fixture(scope='module')
def without_scripts(tmp_path_factory):
    """Somebody who has switched JavaScript off."""
    with browsing(tmp_path_factory.mktemp('no_scripts'), scripts=False) as person:
        yield person


@pytest.mark.parametrize('browser, title', [('chromium', 'ran'), ('without_scripts', '')])
def test_scripts_run(browser, title, request):
    """Of the two browsers, one runs scripts."""
    person = request.getfixturevalue(browser)
    person.driver.get('data:text/html,<script>document.title = "ran"</script>')
    assert person.driver.title == title


@pytest.mark.parametrize('browser', ['chromium', 'without_scripts'])
def test_a_visit(browser, server, request):
    """Drafts and themes apart, one login for all, and out again; with and without
    JavaScript."""
    person = request.getfixturevalue(browser).at(server.url)
    person.be_new()
    person.write('/blog', 'For the blog')
    person.write('/news', 'For the news')
    person.choose('/news', 'night')

    person.go('/wiki/page/Home')
    person.find('main a[href^="/accounts"]').click()
    person.fill_in('ada')
    assert person.driver.current_url == f'{person.url}/wiki/page/Home'
    assert 'Welcome, Ada Lovelace.' in person.find('main').text
    for path in ('/', '/accounts', '/blog', '/news', '/wiki'):
        assert person.user(path) == ['ada']

    # drafts have come along; values that nobody has moved have not
    assert person.drafts('/blog') == ['For the blog']
    assert person.drafts('/news') == ['For the news']
    assert person.theme('/news') == 'system'
    person.choose('/blog', 'sepia')
    assert person.theme('/blog') == 'sepia'
    assert person.theme('/news') == 'system'
    assert person.user('/blog') == ['ada']

    person.go('/wiki/edit/Home')
    person.find('#text').send_keys(' Written by hand.')
    person.press('form[action^="/wiki/edit"] button')
    assert 'Written by hand.' in person.find('main').text

    person.log_out()
    for path in ('/', '/accounts', '/blog', '/news', '/wiki'):
        assert person.user(path) == []
    assert person.drafts('/blog') == person.drafts('/news') == []
    assert person.theme('/blog') == 'system'


def test_staff(person):
    """One logs in on the way, and is where one wanted to be."""
    person.go('/staff/?by=name')
    assert person.find('h1').text == 'Log in'
    person.fill_in('ada')
    assert person.driver.current_url == f'{person.url}/staff/?by=name'
    assert person.find('h1').text == 'Staff'


def test_not_staff(person):
    """Who is in no such group is refused, and not sent to and fro."""
    person.go('/staff')
    person.fill_in('grace')
    assert person.driver.current_url == f'{person.url}/staff'
    assert person.find('h1').text == 'Forbidden'


def test_log_out_everywhere(person):
    """What is logged in elsewhere is logged out, too."""
    elsewhere = Caller(person.url)
    elsewhere('/accounts/login', token=elsewhere.token('/accounts'), name='ada',
              password=PASSWORDS['ada'])
    person.log_in('ada')
    person.find('a[href="/accounts/everywhere"]').click()
    person.press('form[action="/accounts/everywhere"] button')
    assert person.find('h1').text == 'You are logged out everywhere'
    assert person.user('/') == []
    assert '<strong>ada</strong>' not in elsewhere('/')[1]


def test_came_from_stays(tmp_path):
    """No came_from that is accepted leads a browser to another host."""
    def redirecting(environ, start_response):
        index = environ['QUERY_STRING'].removeprefix('go=')
        location = [('Location', table[int(index)])] if index.isdigit() else []
        start_response('303 See Other' if location else '200 OK', [
            ('Content-Type', 'text/html'), *location])
        return [b'here']
    # the first ones lead away, or this would show nothing
    table = [f'//{EVIL}', f'/\\{EVIL}', f'/\t/{EVIL}', *ACCEPTED]
    with listening(redirecting) as port, browsing(
            tmp_path, f'http://127.0.0.1:{port}',
            f'--host-resolver-rules=MAP {EVIL} 127.0.0.1:{port}') as person:
        hosts = []
        for index in range(len(table)):
            person.go(f'/other?go={index}')
            assert person.find('body').text == 'here'
            hosts.append(person.script('return location.hostname'))
    assert hosts == [EVIL] * 3 + ['127.0.0.1'] * len(ACCEPTED)


def test_no_dialog(somebody):
    """Who is told 401 sees the page: the browser does not ask for a password."""
    site = SessionCookieHandler(RequireLogin(None), secret=os.urandom(32))
    with listening(site) as port:
        person = somebody.at(f'http://127.0.0.1:{port}')
        person.go('/')
        assert person.find('h1').text == 'Unauthorized'
        assert person.script(
            'return performance.getEntriesByType("navigation")[0].responseStatus') == 401


def test_the_cookie(person):
    """One cookie is stored, with the attributes that the site asked for."""
    person.go('/')
    person.choose('/blog', 'sepia')
    for path in ('/accounts', '/news', '/wiki'):
        person.go(path)
    cookie, = person.cookies()
    assert {key: cookie[key] for key in STORED} == STORED
    assert cookie['size'] == len(COOKIE + cookie['value']) < 300
    assert person.script('return document.cookie') == ''


def test_restart(tmp_path, somebody):
    """A server that is stopped and started has lost nothing, and who has logged out
    stays so."""
    server = Server(tmp_path)
    person = somebody.at(server.url)
    with server:
        person.write('/blog', 'Before')
        person.log_in('grace')
        person.choose('/news', 'night')
        assert person.drafts('/blog') == ['Before']
    before = person.cookies()
    with server:
        assert person.drafts('/blog') == ['Before']
        assert person.theme('/news') == 'night'
        assert person.user('/wiki') == ['grace']
        assert person.cookies() == before
        person.log_out()
    with server:
        assert person.user('/wiki') == person.drafts('/blog') == []


def test_closing_the_browser(tmp_path):
    """The cookie goes with the browser's window, unless it is persistent."""
    def site(**options):
        return listening(SessionCookieHandler(
            configapps.facts, secret=os.urandom(32), **options))

    with site() as brief, site(persistent=True) as persistent:
        urls = [f'http://{host}.localhost:{port}' for host, port in (
            ('brief', brief), ('persistent', persistent))]
        with browsing(tmp_path) as person:
            for url in urls:
                person.at(url).go('/?login=bob')
            lasting = {each['domain'] for each in person.cookies() if not each['session']}
        with browsing(tmp_path) as person:
            users = [seen_user(person.at(url)) for url in urls]
    assert lasting == {'persistent.localhost'}
    assert users == [None, 'bob']


def seen_user(person):
    """Whom ``configapps.facts`` sees."""
    person.go('/')
    return json.loads(person.find('body').text)['user']


def test_styles_are_applied(person):
    """The browser takes the style sheet under the page's policy: nothing is refused."""
    person.driver.get_log('browser')  # of pages before
    person.go('/')
    assert person.find('nav li').value_of_css_property('list-style-type') == 'none'
    system = person.find('body').value_of_css_property('background-color')
    person.choose('/blog', 'sepia')
    assert person.find('body').value_of_css_property('background-color') != system
    assert person.driver.get_log('browser') == []
