"""One site under several host names, in a browser: which of them share the cookie."""
import os

import configapps
import pytest
from test_demo import COOKIE, Server, listening

from paste_sessioncookie import SessionCookieHandler

EVERYWHERE = ('/', '/accounts', '/blog', '/news', '/wiki')


def at(somebody, host, port):
    return somebody.at(f'http://{host}:{port}')


@pytest.fixture(scope='module')
def wide(tmp_path_factory):
    """The demonstration, with one cookie for all hosts of ``site.localhost``."""
    with Server(tmp_path_factory.mktemp('wide'), 'domain = site.localhost') as server:
        yield server


def test_hosts_are_apart(somebody, server):
    """Without ``domain`` each host has its own cookie, and its own login."""
    one, other = (at(somebody, f'{name}.localhost', server.port) for name in 'ab')
    one.log_in('ada')
    assert other.user('/') == []
    other.log_in('grace')
    assert one.user('/wiki') == ['ada']
    assert {(each['name'], each['domain']) for each in somebody.cookies()} == {
        (COOKIE, 'a.localhost'), (COOKIE, 'b.localhost')}


def test_hosts_share(somebody, wide):
    """With ``domain`` a login at one host is one at all of them, and so is a logout."""
    one, other = (at(somebody, f'{name}.site.localhost', wide.port) for name in 'ab')
    one.write('/blog', 'From the first host')
    one.log_in('ada')
    for path in EVERYWHERE:
        assert other.user(path) == ['ada']
    assert other.drafts('/blog') == ['From the first host']
    other.choose('/news', 'night')
    assert one.theme('/news') == 'night'
    other.log_out()
    for path in EVERYWHERE:
        assert one.user(path) == []


def test_the_wide_cookie(somebody, wide):
    """It is one cookie, of the domain, and still for https and not for scripts."""
    for name in 'ab':
        at(somebody, f'{name}.site.localhost', wide.port).go('/blog')
    cookie, = somebody.cookies()
    assert cookie['name'] == 'site_session'
    assert cookie['domain'] == '.site.localhost'
    assert cookie['secure'] and cookie['httpOnly'] and cookie['session']
    assert (cookie['sameSite'], cookie['path']) == ('Lax', '/')


@pytest.mark.parametrize('host', ['localhost', 'a.localhost', 'site.localhost.localhost'])
def test_hosts_outside(somebody, wide, host):
    """A host outside of the domain neither sees the login nor keeps a cookie."""
    at(somebody, 'a.site.localhost', wide.port).log_in('ada')
    inside = somebody.cookies()
    outside = at(somebody, host, wide.port)
    assert outside.user('/') == []
    assert somebody.cookies() == inside


def test_a_top_level_domain(somebody):
    """No browser keeps a cookie for all of ``localhost``, as for all of ``com``: for tests
    on one machine, the hosts take one more name in front."""
    site = SessionCookieHandler(configapps.facts, secret=os.urandom(32), domain='localhost')
    with listening(site) as port:
        at(somebody, 'a.localhost', port).go('/?login=bob')
        assert somebody.cookies() == []
