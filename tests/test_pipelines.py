"""
The pipelines that people have: configs/pipelines, loaded and used
==================================================================

The ini files have the shape of those of OpenStack, of Pyramid's cookiecutter, Zope, CKAN,
Kallithea and TurboGears, with the filters where their users put them.  What they name is in
``pipelineapps``.  ``docs/howto/existing-pipelines.rst`` shows them.
"""
import logging
import os
import shutil
from base64 import b64encode
from pathlib import Path
from runpy import run_path

import pytest
from paste.deploy import loadapp
from webtest import TestApp

from paste_sessioncookie import ConfigError

for module in ('keystonemiddleware', 'oslo_middleware', 'pyramid', 'repoze.who', 'tg', 'Zope2'):
    if 'CI' not in os.environ:
        pytest.importorskip(module, reason="needs pip install -e '.[test]'")

CONFIGS = Path(__file__).parent / 'configs' / 'pipelines'
HTTPS = {'wsgi.url_scheme': 'https'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A copy of configs/pipelines, where secrets and data can be made."""
    copy = Path(shutil.copytree(CONFIGS, tmp_path / 'pipelines'))
    monkeypatch.chdir(copy / 'zope')  # zope.conf says that its home is there
    return copy


@pytest.fixture
def load(folder):
    """Loads an ini file as a server does, after changes to its text."""
    def load(name, *changes, app='main', **global_conf):
        ini = folder / name
        text = (CONFIGS / name).read_text(encoding='ascii')
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        ini.write_text(text, encoding='ascii')
        return loadapp(f'config:{ini}', app, global_conf=global_conf)
    return load


class Browser:
    """One jar of cookies for several processes of one host."""

    def __init__(self, *apps):
        first = TestApp(apps[0], extra_environ=HTTPS)
        # some of them cannot be hashed
        self.apps = {id(app): TestApp(app, extra_environ=HTTPS, cookiejar=first.cookiejar)
                     for app in apps}

    def get(self, app, path, **options):
        return self.apps[id(app)].get(path, **options)

    def user(self, app, path):
        return self.get(app, path).json['user']


def converse(door, other):
    """Log in at ``door``, be known at ``other``, log out there, be unknown at ``door``;
    each is an application and a path.  The two have IDs of their own."""
    browser = Browser(door[0], other[0])
    assert (browser.user(*door), browser.user(*other)) == (None, None)
    browser.get(door[0], door[1] + '?login=bob')
    assert (browser.user(*door), browser.user(*other)) == ('bob', 'bob')
    assert browser.get(*door).json['id'] != browser.get(*other).json['id']
    browser.get(other[0], other[1] + '?logout')
    assert (browser.user(*door), browser.user(*other)) == (None, None)
    return browser


def warnings(caplog):
    return [record.getMessage() for record in caplog.records
            if record.name == 'paste_sessioncookie' and record.levelno >= logging.WARNING]


# -- OpenStack ---------------------------------------------------------------

def compute(load, *changes, strategy='site'):
    return load('openstack/api-paste.ini', *changes, app='osapi_compute', auth_strategy=strategy)


def refused(app, path, **options):
    TestApp(app, extra_environ=HTTPS).get(path, status=401, **options)


def test_word_lists(load, caplog):
    """The service's own lists stay as they are; one more serves whoever is logged in to the
    site."""
    app = compute(load)
    browser = Browser(app)
    refused(app, '/v2.1/servers')
    browser.get(app, '/console?login=bob')
    assert browser.user(app, '/v2.1/servers') == 'bob'
    browser.get(app, '/v2.1/servers?logout')
    refused(app, '/v2.1/servers')
    assert browser.user(app, '/console') is None
    assert not warnings(caplog)


def test_other_word_lists_do_not_know_the_site(load):
    """Where a token is asked for, the site's login is none; and nobody is turned away for
    having one."""
    app = compute(load, strategy='keystone')
    browser = Browser(app)
    browser.get(app, '/console?login=bob')
    browser.get(app, '/v2.1/servers', status=401)
    app = compute(load, strategy='noauth2')
    token = {'X-Auth-Token': 'ann:shop'}
    assert TestApp(app).get('/v2.1/servers', headers=token).json['user'] == 'ann'


def test_one_name_for_each_list(load):
    """A service that picks its pipeline by name takes the cookie from the other's file."""
    console, images = compute(load), load('openstack/glance-api-paste.ini', app='glance-api-site')
    browser = Browser(console, images)
    browser.get(images, '/v2/images', status=401)
    browser.get(console, '/console?login=bob')
    assert browser.user(images, '/v2/images') == 'bob'
    browser.get(images, '/v2/images?logout')
    browser.get(images, '/v2/images', status=401)


def test_health_checks_get_no_cookie(load):
    """What answers in front of the filter sends nothing of it."""
    app = TestApp(load('openstack/glance-api-paste.ini', app='glance-api-site'))
    assert 'Set-Cookie' not in app.get('/healthcheck').headers


# -- Pyramid -------------------------------------------------------------------

def test_pyramid(load, caplog):
    """The cookiecutter's application, and a second one beside it."""
    app = load('pyramid/development.ini')
    converse((app, '/'), (app, '/wiki'))
    assert not warnings(caplog)


# -- Zope ----------------------------------------------------------------------

@pytest.fixture(scope='module')
def zope_site():
    """Puts what is published into the database; Zope is one in a process."""
    def add():
        import transaction
        import Zope2
        from pipelineapps import Site
        root = Zope2.app()
        if 'site' not in root.objectIds():
            root._setObject('site', Site())
        transaction.commit()
        root._p_jar.close()
    return add


def test_zope(load, zope_site, caplog):
    """Zope behind Paste's urlmap: it is published under its virtual host's root."""
    app = load('zope/zope.ini')
    zope_site()
    converse((app, '/accounts'), (app, '/site/facts'))
    assert not warnings(caplog)


# -- Pylons and what came after --------------------------------------------------

def basic(user):
    """The header of a user whose password is his name."""
    return {'Authorization': 'Basic ' + b64encode(f'{user}:{user}'.encode()).decode()}


def test_who_takes_the_login_of_the_site(load, caplog):
    """repoze.who asks nobody whom the site knows, and leaves his log-out to the site."""
    app = load('pylons/ckan.ini')
    browser = converse((app, '/accounts'), (app, '/'))
    browser.get(app, '/dashboard', status=401)
    browser.get(app, '/accounts?login=bob')
    assert browser.user(app, '/dashboard') == 'bob'
    assert not warnings(caplog)


def test_who_keeps_its_own_login(load):
    """Whom repoze.who itself has let in is its own user: not the site's."""
    app = load('pylons/ckan.ini')
    browser = Browser(app)
    assert browser.get(app, '/dashboard', headers=basic('ann')).json['user'] == 'ann'
    assert browser.user(app, '/accounts') is None


def test_who_at_the_door(load):
    """With ``login = true``, whom repoze.who lets in is logged in to the site."""
    app = load('pylons/ckan.ini', ('namespace = ckan', 'namespace = ckan\nlogin = true'))
    browser = Browser(app)
    browser.get(app, '/dashboard', headers=basic('ann'))
    assert browser.user(app, '/accounts') == 'ann'


def test_own_sessions_stay(load):
    """The application's own session, and its cookie, are as before."""
    app = load('pylons/ckan.ini')
    browser = Browser(app)
    assert {each.split('=')[0].strip() for each in browser.get(app, '/').headers.getall('Set-Cookie')} \
        == {'ckan', '__Host-site_session'}


def test_without_a_pipeline(folder, load):
    """An application that reads its ini file itself is wrapped in Python, with the
    sections of another file."""
    app = run_path(str(folder / 'ckan' / 'wsgi.py'))['application']
    accounts = load('kallithea/accounts.ini', (
        'use = egg:paste_sessioncookie#session_cookie\nsecret = generate:%(here)s/session.secret'
        '\nrevocation = sqlite:%(here)s/revoked.sqlite', 'use = config:../ckan/session.ini#session'))
    converse((accounts, '/'), (app, '/'))


# -- Kallithea, RhodeCode, Galaxy --------------------------------------------------

def test_prefix(load, caplog):
    """Two processes behind one proxy; the namespace is what the proxy mounts."""
    accounts, code = load('kallithea/accounts.ini'), load('kallithea/my.ini')
    browser = converse((accounts, '/'), (code, '/'))
    assert browser.get(code, '/').json['namespace'] == '/code'
    assert not warnings(caplog)


# -- TurboGears ----------------------------------------------------------------------

def test_turbogears(load, caplog):
    """The quickstart's application, with a second one beside it."""
    app = load('turbogears/development.ini')
    browser = converse((app, '/accounts'), (app, '/'))
    assert browser.get(app, '/').json['greeting'] == 'development'
    assert not warnings(caplog)


def test_turbogears_tests(load):
    """The quickstart's test.ini inherits the application, with options of its own, and
    the cookie."""
    app = load('turbogears/test.ini')
    facts = TestApp(app, extra_environ=HTTPS).get('/').json
    assert (facts['greeting'], facts['debug']) == ('testing', False)


# -- in the wrong place ------------------------------------------------------------------

NO_FILTER = 'namespace has no session_cookie outside of it: write the session_cookie first'


@pytest.mark.parametrize('name, app, old, new, path', [
    ('pyramid/development.ini', 'main', 'filter-with = session\n', '', '/'),
    ('turbogears/development.ini', 'main', 'pipeline = session sites', 'pipeline = sites', '/'),
    ('kallithea/my.ini', 'main', 'filter-with = session\n', '', '/'),
    ('openstack/glance-api-paste.ini', 'glance-api-site', 'session own', 'own session', '/v2'),
])
def test_namespace_outside(load, name, app, old, new, path):
    """Without the cookie outside, the first request says what to write."""
    site = TestApp(load(name, (old, new), app=app), extra_environ=HTTPS)
    with pytest.raises(ConfigError, match=NO_FILTER):
        site.get(path)


def test_namespace_outside_in_a_word_list(load):
    """So it is where another filter turns exceptions into answers: the answer says it."""
    app = TestApp(compute(load, ('filter-with = session\n', '')), extra_environ=HTTPS)
    assert NO_FILTER in app.get('/v2.1/servers', status=500).text


@pytest.mark.parametrize('name, old', [
    ('turbogears/development.ini', 'pipeline = session sites'),
    ('zope/zope.ini', 'pipeline =\n    session\n    sites'),
])
def test_filter_with_on_a_pipeline(load, name, old):
    """Paste Deploy loads it; each request fails."""
    site = TestApp(load(name, (old, 'pipeline = sites\nfilter-with = session')), extra_environ=HTTPS)
    with pytest.raises(TypeError, match='composed'):
        site.get('/')


def test_filter_with_loses_what_an_heir_says(load):
    """An application that has ``filter-with`` hands none of its heir's options on: so the
    application stands in a section of its own, and the filter in a pipeline."""
    old = '[app:tg]\nuse = call:pipelineapps:make_turbogears'
    load('turbogears/development.ini', (old, old + '\nfilter-with = session'))
    heir = load('turbogears/test.ini', ('pipeline = session tg', 'pipeline = tg'))
    assert TestApp(heir, extra_environ=HTTPS).get('/').json['greeting'] == 'development'


def ask_a_raised_response(load, zope_site, *changes):
    """Log in by a response that is raised; who is known then."""
    app = load('zope/zope.ini', ('namespace = plone', 'namespace = plone\nlogin = true'), *changes)
    zope_site()
    browser = Browser(app)
    assert browser.get(app, '/site/go?login=bob').location == '/accounts'
    return browser.user(app, '/accounts')


MOVED = [('    own\n    egg:Zope#httpexceptions', '    own'),
         ('    session\n    sites', '    egg:Zope#httpexceptions\n    session\n    sites')]


def test_httpexceptions_outside(load, zope_site):
    """A response that is raised carries no cookie past a filter inside of what catches
    it: who logs in that way is not logged in."""
    assert ask_a_raised_response(load, zope_site) == 'bob'
    assert ask_a_raised_response(load, zope_site, *MOVED) is None


def test_httpexceptions_outside_are_warned_of(load, zope_site, caplog):
    """A warning says where Zope's filter belongs, as it does of Paste's."""
    ask_a_raised_response(load, zope_site, *MOVED)
    [warning] = warnings(caplog)
    assert 'httpexceptions is outside of session_cookie' in warning


def test_who_outside(load):
    """Outside of the filter, repoze.who does not see the site's login; whom it lets in
    stands, and the site's login is not shown."""
    app = load('pylons/ckan.ini', ('[app:ckan]', '[filter:who]\nuse = egg:repoze.who#config\n'
                                   'config_file = %(here)s/who.ini\n\n[app:ckan]'),
               ('[filter:session]', '[filter:session]\nfilter-with = who'))
    browser = Browser(app)
    browser.get(app, '/accounts?login=bob')
    assert browser.get(app, '/accounts', headers=basic('ann')).json['user'] == 'ann'
    assert browser.user(app, '/accounts') == 'bob'


def test_mounted_at_the_root(load, caplog):
    """A namespace without a name at the root of the host is warned of."""
    app = load('pyramid/development.ini', ('namespace = myproject\n', ''))
    TestApp(app, extra_environ=HTTPS).get('/')
    [warning] = warnings(caplog)
    assert 'Write namespace = NAME' in warning


def test_prefix_inside(load, caplog):
    """A prefix inside of the namespace comes too late, and is warned of likewise."""
    app = load('kallithea/my.ini', ('filter-with = session', 'filter-with = cookie'), (
        'filter-with = proxy-prefix\n', ''), ('filter-with = own', 'filter-with = late'), (
        '[app:main]', '[filter:late]\nuse = proxy-prefix\nfilter-with = own\n\n[app:main]'), (
        '[filter:session]', '[filter:cookie]'))
    TestApp(app, extra_environ=HTTPS).get('/')
    [warning] = warnings(caplog)
    assert 'Write namespace = NAME' in warning


def test_two_secrets(load, caplog):
    """Two sections with a secret each, of one host: each refuses the other's cookie, and
    the log says so at each turn."""
    accounts = load('kallithea/accounts.ini')
    code = load('kallithea/my.ini', (
        'use = config:accounts.ini#session',
        'use = egg:paste_sessioncookie#session_cookie\nsecret = generate:%(here)s/other.secret'))
    browser = Browser(accounts, code)
    browser.get(accounts, '/?login=bob')
    assert browser.user(code, '/') is None
    assert warnings(caplog) == ['the cookie __Host-site_session is not accepted: unknown-key']
