"""namespace.py: one application's own part."""
import logging
import re

import pytest
from paste.urlmap import URLMap

from conftest import Visitor, login, logout, put, setting
from paste_sessioncookie import ConfigError, Namespace
from paste_sessioncookie.namespace import mount_point


@pytest.fixture
def weblogs(make_site, probe):
    """One application twice, by mount point, and once more outside of any."""
    urls = URLMap()
    own = Namespace(probe)
    urls['/blog'] = own
    urls['/news'] = own
    urls['/'] = probe
    return Visitor(make_site(urls))


@pytest.mark.parametrize('script_name, name', [
    ('', '/'), ('/blog', '/blog'), ('/blog/', '/blog'), ('/a/b', '/a/b'), ('/', '/'),
    ('/b\xc3\xb6', '/b\xc3\xb6'), ('/a\nb', '/a%0Ab'), ('/\x00', '/%00'), ('/Ł', '/%C5%81')])
def test_mount_point(script_name, name):
    """SCRIPT_NAME, one trailing slash removed; whatever a server takes for one."""
    assert mount_point({'SCRIPT_NAME': script_name}) == name


def test_two_instances(weblogs, probe):
    """Each has its own ID, values and name, without any configuration."""
    seen = {}
    for path, theme in (('/blog', 'dark'), ('/news', 'light'), ('/', 'plain')):
        probe.act = put('weblog.theme', theme)
        weblogs.get(path)
    probe.act = None
    for path in ('/blog', '/news', '/'):
        weblogs.get(path)
        seen[path] = (probe.id, probe.environ['weblog.theme'], probe.control.namespace,
                      list(probe.environ['paste.auth.cookie']))
        assert probe.control.id == probe.id and re.fullmatch('[0-9a-f]{40}', probe.id)
    assert len({id for id, *_ in seen.values()}) == 3
    assert [values[1:] for values in seen.values()] == [
        (theme, name, ['REMOTE_USER', 'REMOTE_SESSION', 'weblog.theme'])
        for theme, name in (('dark', '/blog'), ('light', '/news'), ('plain', ''))]


def test_the_same_name_is_the_same_session(make_site, probe):
    """Applications that shall share a session name the same namespace."""
    urls = URLMap()
    urls['/a'] = Namespace(probe, 'shop')
    urls['/b'] = Namespace(probe, 'shop')
    visitor = Visitor(make_site(urls))
    probe.act = put('shop.basket', '1')
    visitor.get('/a')
    one = probe.id
    probe.act = None
    visitor.get('/b')
    assert (probe.id, probe.environ['shop.basket']) == (one, '1')


def test_the_id_does_not_depend_on_the_secret(make_site, probe, secret):
    """IDs stay when secrets change."""
    visitor = Visitor(make_site(Namespace(probe, 'shop')))
    visitor.get()
    old = probe.id
    visitor.app = Visitor(make_site(Namespace(probe, 'shop'), secret='n' * 16 + 'ew' * 16,
                                    accept_secrets=[secret])).app
    visitor.get()
    assert probe.id == old and visitor.set_cookies
    visitor.app = Visitor(make_site(Namespace(probe, 'shop'), secret='n' * 16 + 'ew' * 16)).app
    visitor.get()
    assert probe.id == old and probe.control.status == 'ok'


def test_the_environ_outside_is_left_alone(make_site, probe):
    """The filter passes a copy inward; the rest of environ is the same."""
    outer = {}

    def around(environ, start_response):
        outer.update(environ=environ, before=dict(environ))
        return Namespace(probe, 'shop')(environ, start_response)
    probe.act = put('shop.basket', '1')
    visitor = Visitor(make_site(around))
    for _ in range(2):
        visitor.get()
        assert outer['environ'] == outer['before']
        assert probe.environ['wsgi.input'] is outer['environ']['wsgi.input']
        assert 'shop.basket' not in outer['environ']


def test_the_sites_values(make_site, probe):
    """What the deployer listed is everybody's; REMOTE_SESSION is each one's own."""
    urls = URLMap()
    urls['/a'], urls['/b'], urls['/'] = Namespace(probe), Namespace(probe), probe
    visitor = Visitor(make_site(urls, scanlist=('REMOTE_USER', 'REMOTE_SESSION', 'site.lang')))
    probe.act = setting(**{'site.lang': 'de', 'REMOTE_SESSION': 'a'})
    visitor.get('/a')
    probe.act = setting(REMOTE_SESSION='root')
    visitor.get('/')
    probe.act = None
    for path, session in (('/a', 'a'), ('/b', None), ('/', 'root')):
        visitor.get(path)
        assert probe.environ['site.lang'] == 'de'
        assert probe.environ.get('REMOTE_SESSION') == session
    probe.act = lambda environ: environ.pop('site.lang')
    visitor.get('/b')
    probe.act = None
    visitor.get('/a')
    assert 'site.lang' not in probe.environ


def test_a_remote_session_from_outside(weblogs, probe):
    """Inside of a namespace it is the namespace's own, whoever set another; the
    outer one of a nested pair is no exception."""
    weblogs.get('/', REMOTE_SESSION='outer')
    assert probe.environ['REMOTE_SESSION'] == 'outer'
    probe.act = setting(REMOTE_SESSION='mine')
    weblogs.get('/blog', REMOTE_SESSION='outer')
    probe.act = None
    weblogs.get('/blog', REMOTE_SESSION='outer')
    assert probe.environ['REMOTE_SESSION'] == 'mine'
    weblogs.get('/news', REMOTE_SESSION='outer')
    assert 'REMOTE_SESSION' not in probe.environ


def test_a_remote_session_of_an_outer_namespace(make_site, probe):
    """The inner one of a nested pair does not see it, and loses none of its own."""
    def outer(environ, start_response):
        if environ['PATH_INFO'] == '/in':
            return Namespace(probe, 'inner')(environ, start_response)
        return probe(environ, start_response)
    visitor = Visitor(make_site(Namespace(outer, 'outer')))
    for path, value in (('/in', 'own'), ('/', 'private')):
        probe.act = setting(REMOTE_SESSION=value)
        visitor.get(path)
    probe.act = None
    visitor.get('/in')
    assert probe.environ['REMOTE_SESSION'] == 'own'


def test_invalidate_and_the_sites_values(make_site, probe):
    """One application's end takes nothing of the site."""
    urls = URLMap()
    urls['/a'], urls['/'] = Namespace(probe), probe
    visitor = Visitor(make_site(urls, scanlist=('REMOTE_USER', 'site.lang')))

    def both(environ):
        put('shop.basket', '1')(environ)
        environ['site.lang'] = 'de'
    probe.act = both
    visitor.get('/a')
    probe.act = lambda environ: environ['session.control'].invalidate()
    visitor.get('/a')
    probe.act = None
    visitor.get('/a')
    assert probe.environ['site.lang'] == 'de' and 'shop.basket' not in probe.environ


def test_nested(make_site, probe):
    """A namespace in a namespace has a session of its own, by its own name."""
    seen = []

    def look(environ):
        seen.append((environ['session.control'].namespace, str(environ['session.id']),
                     environ.get('shop.basket'), list(environ['paste.auth.cookie'])))

    def middle(inner):
        def application(environ, start_response):
            look(environ)
            put('shop.basket', 'outer')(environ)
            return inner(environ, start_response)
        return application
    probe.act = lambda environ: (look(environ), put('shop.basket', 'inner')(environ))
    visitor = Visitor(make_site(Namespace(middle(Namespace(probe, 'inner')), 'outer')))
    visitor.get(), visitor.get()
    listed = ['REMOTE_USER', 'REMOTE_SESSION']
    (n1, id1, v1, l1), (n2, id2, v2, l2), (n3, id3, v3, l3), (n4, id4, v4, l4) = seen
    assert (n1, n2, v1, v2, l1, l2) == ('outer', 'inner', None, None, listed, listed)
    assert (v3, v4, l3, l4) == ('outer', 'inner', [*listed, 'shop.basket'], [*listed, 'shop.basket'])
    assert id1 == id3 != id2 == id4


# -- who may log in ---------------------------------------------------------------

def test_login_is_off(make_site, probe):
    """Without login = true a change of REMOTE_USER stays the application's own."""
    visitor = Visitor(make_site(Namespace(probe, 'shop')))
    probe.act = setting(REMOTE_USER='bob', REMOTE_USER_TOKENS='staff')
    visitor.get()
    probe.act = None
    visitor.get()
    assert 'REMOTE_USER' not in probe.environ and probe.control.identity is None


def test_the_idiom_cannot_log_out_either(make_site, probe):
    """... but the control can."""
    urls = URLMap()
    urls['/door'], urls['/shop'] = Namespace(probe, login=True), Namespace(probe)
    visitor = Visitor(make_site(urls))
    probe.act = login()
    visitor.get('/door')
    probe.act = setting(REMOTE_USER='')
    visitor.get('/shop')
    probe.act = None
    visitor.get('/shop')
    assert probe.environ['REMOTE_USER'] == 'bob'
    probe.act = logout
    visitor.get('/shop')
    assert visitor.cookie is None


def test_the_idiom_behind_the_door(make_site, probe):
    """With login = true the idiom works inside of a namespace."""
    visitor = Visitor(make_site(Namespace(probe, 'door', login=True)))
    probe.act = setting(REMOTE_USER='bob', REMOTE_USER_TOKENS='staff')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.control.identity[:2] == ('bob', ('staff',))
    assert probe.control.identity.by == 'door'
    probe.act = setting(REMOTE_USER='')
    visitor.get()
    assert visitor.cookie is None


def test_a_user_set_between_the_filters(make_site, probe):
    """A handler between the two logs in for the site; inside, its user stands."""
    def handler(environ, start_response):
        if environ['PATH_INFO'] == '/login':
            environ['REMOTE_USER'] = 'bob'
        return Namespace(probe, 'door', login=True)(environ, start_response)
    visitor = Visitor(make_site(handler))
    probe.act = setting(REMOTE_USER='mallory')
    visitor.get('/login')
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'bob'


def test_values_of_an_application_survive_a_login_around_it(make_site, probe):
    """What this request set inside stays, when the user is set further out."""
    def handler(environ, start_response):
        environ['REMOTE_USER'] = 'bob'
        return Namespace(probe, 'shop')(environ, start_response)
    visitor = Visitor(make_site(handler))
    probe.act = put('shop.basket', '1')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['shop.basket'] == '1'


# -- errors and warnings -------------------------------------------------------

def test_without_the_list(make_site, probe):
    """Something between the two filters may not take the list away."""
    def between(environ, start_response):
        del environ['paste.auth.cookie']
        return Namespace(probe, 'shop')(environ, start_response)
    with pytest.raises(ConfigError, match='something between'):
        Visitor(make_site(between)).get()


def test_without_a_session_cookie(probe):
    """The error names the order to write."""
    with pytest.raises(ConfigError, match='"pipeline = session namespace application"'):
        Visitor(Namespace(probe)).get()


@pytest.mark.parametrize('name', ['Łódź', 'a\nb', '\x00'])
def test_a_name_that_is_none(probe, name):
    """A name that could not be written into a cookie is refused at once."""
    with pytest.raises(ConfigError, match='native string'):
        Namespace(probe, name)


@pytest.mark.parametrize('mount, name, options, warned', [
    ('/shop', '', {}, False), ('', '', {}, True), ('', 'shop', {}, False),
    ('/shop', '', {'domain': 'example.org'}, True), ('/shop', 'shop', {'domain': 'example.org'}, False)])
def test_a_name_that_may_not_be_unique(make_site, probe, caplog, mount, name, options, warned):
    """At the root of a host, and with a domain, one warning says to write a name."""
    visitor = Visitor(make_site(Namespace(probe, name), **options))
    for _ in range(3):
        visitor.get(SCRIPT_NAME=mount)
    assert [r.levelno for r in caplog.records
            if 'Write namespace = NAME' in r.getMessage()] == [logging.WARNING] * warned
