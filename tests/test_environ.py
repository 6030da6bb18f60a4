"""environ.py: what an application sees, and what is read back."""
import copy
import gc
import pickle
import sys
import weakref

import pytest
from paste.auth import cookie as parent

from conftest import NAME, START, Visitor, login, put, setting
from paste_sessioncookie import (
    Namespace, SessionCookieEnviron, SessionCookieHandler, SessionCookieSigner)
from paste_sessioncookie.encoding import Section
from paste_sessioncookie.environ import (
    CGI_NAMES, INFRASTRUCTURE, _check_own_key, own_key_fault, scanlist_fault)

KEYS = ('session.id', 'session.control', 'paste.auth.cookie')


# -- which keys may travel ---------------------------------------------------

@pytest.mark.parametrize('key', ['weblog.theme', 'a.b', 'shop.basket.items', 'x1.y_2', 'my-app.x'])
def test_own_keys(key):
    """Lower-case dotted names may be appended."""
    assert not own_key_fault(key)


@pytest.mark.parametrize('key', [
    '', 'theme', 'REMOTE_ADDR', 'HTTP_HOST', 'weblog', 'Weblog.theme', 'weblog.Theme', '.a', 'a.',
    'a..b', 'a b.c', 'a.b\n', '1a.b', 'weblog.é', *(f'{name}.x' for name in sorted(INFRASTRUCTURE))])
def test_keys_of_others(key):
    """Names of the server, the gateway and the frameworks may not."""
    assert own_key_fault(key)


@pytest.mark.parametrize('key', ['REMOTE_USER', 'REMOTE_SESSION', 'AUTH_TYPE', 'REMOTE_USER_TOKENS', 'key',
                                 'MY_KEY', 'site.lang', 'beaker.lang'])
def test_the_sites_keys(key):
    """The deployer may list more."""
    assert not scanlist_fault(key)


@pytest.mark.parametrize('key', ['HTTP_HOST', 'HTTP_', 'SSL_CLIENT_CERT', 'wsgi.input', 'session.id', 'a b',
                                 'paste.auth.cookie', '', 'é', *sorted(CGI_NAMES)])
def test_keys_that_nobody_may_list(key):
    """No cookie says what only the server can know."""
    assert scanlist_fault(key)


# -- the list ----------------------------------------------------------------

def test_the_list(visitor, probe):
    """It is the parent's class, names what travels, and knows its handler."""
    def act(environ):
        scanlist = environ['paste.auth.cookie']
        assert isinstance(scanlist, parent.AuthCookieEnviron)
        assert isinstance(scanlist, SessionCookieEnviron)
        assert isinstance(scanlist.handler, SessionCookieHandler)
        assert scanlist == ['REMOTE_USER', 'REMOTE_SESSION', *environ.get('x.expected', [])]
        for key in ('weblog.theme', 'REMOTE_USER', 'weblog.theme'):
            scanlist.append(key)
        environ['weblog.theme'] = 'dark'
    probe.act = act
    visitor.get()
    visitor.get(**{'x.expected': ['weblog.theme']})


@pytest.mark.parametrize('key', ['theme', 'wsgi.input', 'HTTP_HOST', 'REMOTE_ADDR', 'repoze.who.identity'])
def test_append_refuses(visitor, probe, key):
    """append() of what may not travel is a clear error."""
    def act(environ):
        with pytest.raises(ValueError, match=f'{key}.*cannot travel'):
            environ['paste.auth.cookie'].append(key)
    probe.act = act
    visitor.get()


def test_what_the_deployer_listed_may_be_appended(make_site, probe):
    """A key of the scanlist is in the list already, whatever its name."""
    visitor = Visitor(make_site(probe, scanlist=['REMOTE_USER', 'THEME']))
    probe.act = put('THEME', 'dark')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['THEME'] == 'dark'


# -- values --------------------------------------------------------------------

@pytest.mark.parametrize('value', [
    '', 'dark', 'a b', 'a=b&c;d,"e"\\', '100%', '~', 'Å\x81ód', '\xff\x80\x9f', ' x '])
def test_values_travel(visitor, probe, value):
    """Any native string comes back as it was."""
    probe.act = put('weblog.theme', value)
    visitor.get()
    probe.act = None
    for _ in range(2):
        visitor.get()
        assert probe.environ['weblog.theme'] == value
        assert type(probe.environ['weblog.theme']) is str
        assert not visitor.set_cookies


class Theme(str):
    """A string that is written otherwise, as a member of an enumeration is from
    Python 3.11 on."""

    def __format__(self, spec):
        return f'Theme.{self.upper()}'


def test_a_value_of_a_kind_of_str_travels(visitor, probe):
    """It is the text that counts, not how its class writes it."""
    probe.act = put('weblog.theme', Theme('dark'))
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['weblog.theme'] == 'dark'


def test_a_key_that_is_listed_twice(make_site, probe):
    """It is one key."""
    Visitor(make_site(probe, scanlist=['site.theme', 'REMOTE_USER', 'site.theme'])).get()
    assert probe.environ['paste.auth.cookie'] == ['site.theme', 'REMOTE_USER']


@pytest.mark.parametrize('value', ['a\nb', '\x00', '\x7f', 'Łódź', '😀', '\ud800', 7, b'x', ['x']], ids=repr)
def test_values_that_cannot_travel(visitor, probe, value):
    """Anything else is an error of the application, which names the key alone."""
    probe.act = put('weblog.theme', value)
    with pytest.raises((ValueError, TypeError), match="environ\\['weblog.theme'\\]") as raised:
        visitor.get()
    assert str(value) not in str(raised.value)


@pytest.mark.parametrize('forget', [
    lambda environ: environ.pop('weblog.theme'),
    lambda environ: environ.update({'weblog.theme': None}),
    lambda environ: environ['paste.auth.cookie'].remove('weblog.theme')],
    ids=['deleted', 'None', 'off the list'])
def test_values_end(visitor, probe, forget):
    """A value that is deleted, or taken off the list, travels no more."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    probe.act = forget
    visitor.get()
    assert visitor.set_cookies
    probe.act = None
    visitor.get()
    assert 'weblog.theme' not in probe.environ
    assert 'weblog.theme' not in probe.environ['paste.auth.cookie']


def test_values_are_read_when_the_response_starts(make_site):
    """What is set after append() and before start_response counts."""
    seen = []

    def application(environ, start_response):
        seen.append(environ.get('weblog.theme'))
        environ['paste.auth.cookie'].append('weblog.theme')
        environ['weblog.theme'] = 'dark'
        start_response('200 OK', [('Content-Type', 'text/plain')])
        environ['weblog.theme'] = 'too late'
        return [b'']
    visitor = Visitor(make_site(application))
    visitor.get(), visitor.get()
    assert seen == [None, 'dark']


def test_appended_and_not_set(visitor, probe):
    """A name without a value is no value."""
    probe.act = lambda environ: environ['paste.auth.cookie'].append('weblog.theme')
    visitor.get(), visitor.get()
    assert probe.environ['paste.auth.cookie'].count('weblog.theme') == 1
    assert not visitor.set_cookies


def test_what_is_there_already_stays(visitor, probe):
    """A key that something outside has set is not overwritten, and not stored."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    probe.act = None
    visitor.get(**{'weblog.theme': 'from outside'})
    assert probe.environ['weblog.theme'] == 'from outside'
    assert 'weblog.theme' in probe.environ['paste.auth.cookie']
    assert not visitor.set_cookies
    visitor.get()
    assert probe.environ['weblog.theme'] == 'dark'
    visitor.get(REMOTE_SESSION='from outside')
    assert not visitor.set_cookies


def test_what_is_there_does_not_begin_to_travel(visitor, probe):
    """What came from outside is not the visitor's, whose cookie has no values."""
    for _ in range(2):
        visitor.get(REMOTE_SESSION='from outside')
    visitor.get()
    assert 'REMOTE_SESSION' not in probe.environ and probe.control.status == 'ok'


def test_appending_what_is_there_already(visitor, probe):
    """An application may let something travel that came from outside."""
    probe.act = lambda environ: environ['paste.auth.cookie'].append('front.lang')
    visitor.get(**{'front.lang': 'de'})
    probe.act = None
    visitor.get()
    assert probe.environ['front.lang'] == 'de'


def test_a_key_no_longer_listed(make_site, probe):
    """What the deployer takes off the scanlist is restored no more."""
    visitor = Visitor(make_site(probe, scanlist=['REMOTE_USER', 'THEME']))
    probe.act = put('THEME', 'dark')
    visitor.get()
    probe.act = None
    visitor.app = Visitor(make_site(probe)).app
    visitor.get()
    assert 'THEME' not in probe.environ
    assert probe.control.status == 'ok'


def test_a_session_no_longer_listed(make_site, probe):
    """REMOTE_SESSION is no exception, also inside of a namespace."""
    visitor = Visitor(make_site(Namespace(probe, 'shop')))
    probe.act = setting(REMOTE_SESSION='x')
    visitor.get()
    probe.act = None
    visitor.app = Visitor(make_site(Namespace(probe, 'shop'), scanlist=['REMOTE_USER'])).app
    visitor.get()
    assert 'REMOTE_SESSION' not in probe.environ and probe.control.status == 'ok'


def test_a_key_no_longer_allowed(visitor, probe, monkeypatch):
    """A name that has become the infrastructure's since is not restored."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    monkeypatch.setattr('paste_sessioncookie.environ.INFRASTRUCTURE', {'weblog'})
    monkeypatch.setattr('paste_sessioncookie.environ._check_own_key',
                        _check_own_key.__wrapped__)  # it remembers
    probe.act = None
    visitor.get()
    assert 'weblog.theme' not in probe.environ
    assert 'weblog.theme' not in probe.environ['paste.auth.cookie']


@pytest.mark.parametrize('act, error, match', [
    (lambda environ: environ['paste.auth.cookie'].extend(['HTTP_HOST']), ValueError, 'HTTP_HOST'),
    (lambda environ: environ['paste.auth.cookie'].extend([['x']]), TypeError, 'list is no'),
    (lambda environ: environ.update({'paste.auth.cookie': ['weblog.theme']}), ValueError, 'replaced'),
], ids=['a bad name', 'no name', 'another list'])
def test_past_append(visitor, probe, act, error, match):
    """Who gets a name into the list some other way is told at the response."""
    probe.act = act
    with pytest.raises(error, match=match):
        visitor.get()


def test_the_list_is_taken_away(visitor, probe):
    """An application that cleans environ up loses nothing by it."""
    def act(environ):
        put('weblog.theme', 'dark')(environ)
        del environ['paste.auth.cookie'], environ['session.control'], environ['session.id']
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['weblog.theme'] == 'dark'


class Odd:
    """Something that cannot be compared, like an array."""

    def __eq__(self, other):
        raise RuntimeError

    __ne__ = __eq__
    __hash__ = None


@pytest.mark.parametrize('key', ['REMOTE_SESSION', 'REMOTE_USER', 'REMOTE_USER_TOKENS'])
@pytest.mark.parametrize('value', [Odd(), ['staff'], 7, b'x'], ids=['odd', 'list', 'int', 'bytes'])
def test_no_strings(visitor, probe, key, value):
    """Anything may be put into environ; what is no str is a clear error."""
    probe.act = setting(**{'REMOTE_USER': 'bob', key: value})
    with pytest.raises(TypeError, match=key):
        visitor.get()


def test_a_login_in_a_section(visitor, probe, secret):
    """No value, whoever signed it, makes a user."""
    signer = SessionCookieSigner(secret, cookie_name=NAME)
    visitor.get()
    payload = signer.auth(visitor.value, START)
    values = {'AUTH_TYPE': 'cookie', 'REMOTE_USER': 'root', 'REMOTE_USER_TOKENS': 'admin'}
    for forged in (payload.replace(sections={'': Section('', values)}),
                   payload.replace(values=values)):
        visitor.cookie = f'{NAME}={signer.sign(forged).decode()}'
        visitor.get()
        assert probe.control.status == 'ok'
        assert not set(values) & set(probe.environ)


def test_a_key_that_became_the_sites(make_site, probe):
    """What was an application's own and is listed now is the site's alone."""
    visitor = Visitor(make_site(probe))
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    visitor.app = Visitor(make_site(probe, scanlist=['REMOTE_USER', 'weblog.theme'])).app
    probe.act = None
    visitor.get()
    assert 'weblog.theme' not in probe.environ


def test_copies_of_environ(visitor, probe):
    """Whoever copies environ has the same control and the same list."""
    def act(environ):
        environ = {key: environ[key] for key in (*KEYS, 'PATH_INFO')}
        deep = copy.deepcopy(environ)
        for key in ('session.control', 'paste.auth.cookie'):
            assert deep[key] is environ[key] is copy.copy(environ[key])
        assert deep['session.id'] == environ['session.id']
        with pytest.raises(TypeError, match='cannot be pickled'):
            pickle.dumps(environ['session.control'])
    probe.act = act
    visitor.get()


# -- the parent's idiom --------------------------------------------------------

def test_idiom(visitor, probe):
    """Setting REMOTE_USER logs in, emptying it logs out: the parent's own example."""
    probe.act = setting(REMOTE_USER='bob', REMOTE_SESSION='a-session-id')
    visitor.get()
    probe.act = None
    visitor.get()
    assert (probe.environ['REMOTE_USER'], probe.environ['REMOTE_SESSION'],
            probe.environ['AUTH_TYPE']) == ('bob', 'a-session-id', 'cookie')
    assert probe.control.identity.user == 'bob'
    old = probe.id
    probe.act = setting(REMOTE_USER='')
    visitor.get()
    assert visitor.cookie is None
    probe.act = None
    visitor.get()
    assert probe.id != old
    assert not {'REMOTE_USER', 'REMOTE_SESSION', 'AUTH_TYPE'} & set(probe.environ)


def test_idiom_deleting(visitor, probe):
    """Deleting REMOTE_USER logs out, too."""
    probe.act = login()
    visitor.get()
    probe.act = lambda environ: environ.pop('REMOTE_USER')
    visitor.get()
    assert visitor.cookie is None


@pytest.mark.parametrize('before, values, after', [
    ((), {'REMOTE_USER': 'bob', 'REMOTE_USER_TOKENS': 'a, b'}, ('bob', ('a', 'b'))),
    ((), {'REMOTE_USER_TOKENS': 'a'}, None),
    (('eve', ('staff',)), {'REMOTE_USER': 'bob'}, ('bob', ())),
    (('eve', ('staff',)), {'REMOTE_USER': 'bob', 'REMOTE_USER_TOKENS': 'a'}, ('bob', ('a',))),
    (('bob', ('staff',)), {'REMOTE_USER': 'bob'}, ('bob', ('staff',))),
    (('bob', ('staff',)), {'REMOTE_USER': 'bob', 'REMOTE_USER_TOKENS': ''}, ('bob', ())),
    (('bob', ('staff',)), {'REMOTE_USER': '', 'REMOTE_USER_TOKENS': 'x'}, None),
    (('bob', ('staff',)), {'REMOTE_USER': None}, None),
    (('bob', ('staff',)), {'AUTH_TYPE': 'digest'}, ('bob', ('staff',))),
    ((), {'REMOTE_USER': 'Å\x81ukasz'}, ('Łukasz', ())),
], ids=repr)
def test_idiom_and_groups(visitor, probe, before, values, after):
    """Groups count only if they were set in the same request as the user."""
    if before:
        probe.act = login(*before)
        visitor.get()
    probe.act = setting(**values)
    visitor.get()
    probe.act = None
    visitor.get()
    identity = probe.control.identity
    assert (identity and identity[:2]) == after


@pytest.mark.parametrize('user, match', [
    ('caf\xe9', 'UTF-8 read as latin-1'), ('Łukasz', 'UTF-8 read as latin-1'),
    ('\ud800', 'UTF-8 read as latin-1'), ('a\nb', 'no control characters'),
    (7, 'not int'), (b'bob', 'not bytes')], ids=repr)
def test_idiom_with_no_user(visitor, probe, user, match):
    """What is no user in environ is an error of the application."""
    probe.act = setting(REMOTE_USER=user)
    with pytest.raises((ValueError, TypeError), match=match):
        visitor.get()


def test_the_control_wins(visitor, probe):
    """In a request that uses the control, REMOTE_USER says nothing."""
    def act(environ):
        environ['REMOTE_USER'] = 'eve'
        environ['session.control'].login('bob')
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'bob'

    def out(environ):
        environ['session.control'].logout()
        environ['REMOTE_USER'] = 'eve'
    probe.act = out
    visitor.get()
    assert visitor.cookie is None


def test_regenerating_is_not_logging_in(visitor, probe):
    """A new ID and a REMOTE_USER in one request are both seen."""
    def act(environ):
        environ['session.control'].regenerate()
        environ['REMOTE_USER'] = 'bob'
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'bob'


@pytest.mark.parametrize('scanlist', [(), ('REMOTE_SESSION',)])
def test_the_idiom_is_off(make_site, probe, scanlist):
    """Without REMOTE_USER in the scanlist it is the application's own affair."""
    visitor = Visitor(make_site(probe, scanlist=scanlist))
    probe.act = setting(REMOTE_USER='bob')
    visitor.get()
    probe.act = None
    visitor.get()
    assert 'REMOTE_USER' not in probe.environ
    probe.act = login('eve')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'eve'


def test_a_login_is_no_value(make_site, probe):
    """REMOTE_USER and its company come from the verified login alone."""
    visitor = Visitor(make_site(probe, scanlist=(
        'REMOTE_USER', 'REMOTE_USER_TOKENS', 'AUTH_TYPE')))
    probe.act = setting(REMOTE_USER_TOKENS='admin', AUTH_TYPE='x')
    visitor.get(), visitor.get()
    probe.act = None
    visitor.get()
    assert not {'REMOTE_USER', 'REMOTE_USER_TOKENS', 'AUTH_TYPE'} & set(probe.environ)


# -- a user from outside --------------------------------------------------------

def test_a_user_from_outside_stands_inside_of_a_namespace(make_site, probe):
    """... also where something in between has taken him away."""
    def between(environ, start_response):
        del environ['REMOTE_USER']
        return Namespace(probe, 'door', login=True)(environ, start_response)
    visitor = Visitor(make_site(between, issue='kept'))
    probe.act = setting(REMOTE_USER='root')
    visitor.get(REMOTE_USER='carol')
    assert not visitor.set_cookies


def test_a_user_from_outside_stands(visitor, probe):
    """Our login is not shown beside him, and nothing of him is stored."""
    probe.act = login('bob', ('staff',))
    visitor.get()
    probe.act = None
    visitor.get(REMOTE_USER='eve', AUTH_TYPE='Basic')
    assert (probe.environ['REMOTE_USER'], probe.environ['AUTH_TYPE']) == ('eve', 'Basic')
    assert 'REMOTE_USER_TOKENS' not in probe.environ
    assert probe.control.identity is None
    assert not visitor.set_cookies
    for change in (setting(REMOTE_USER='mallory'), setting(REMOTE_USER=''),
                   setting(REMOTE_USER_TOKENS='x')):
        probe.act = change
        visitor.get(REMOTE_USER='eve')
        assert not visitor.set_cookies
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'bob'


def test_an_empty_user_from_outside(visitor, probe):
    """Some servers set an empty REMOTE_USER: that is nobody."""
    probe.act = login('bob', ('staff',))
    visitor.get()
    probe.act = None
    visitor.get(REMOTE_USER='', REMOTE_USER_TOKENS='', AUTH_TYPE='')
    assert (probe.environ['REMOTE_USER'], probe.environ['REMOTE_USER_TOKENS'],
            probe.environ['AUTH_TYPE']) == ('bob', 'staff', 'cookie')


def test_groups_of_nobody(visitor, probe):
    """Groups from outside do not become our user's."""
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.get(REMOTE_USER_TOKENS='admin')
    assert 'REMOTE_USER_TOKENS' not in probe.environ


def test_nobody_and_what_is_said_outside(visitor, probe):
    """Without a login of ours environ says what it said outside."""
    outside = {'REMOTE_USER': '', 'AUTH_TYPE': 'x', 'REMOTE_USER_TOKENS': 'admin'}
    visitor.get(**outside)
    assert outside.items() <= probe.environ.items()
    assert probe.control.identity is None


# -- leaving no traces -----------------------------------------------------------

@pytest.mark.parametrize('outside', [
    {}, {'REMOTE_USER': 'eve', 'AUTH_TYPE': 'Basic'}, {'REMOTE_USER': '', 'AUTH_TYPE': 'x'},
    {'REMOTE_USER_TOKENS': 'admin'}, {'AUTH_TYPE': 'x'}, {'REMOTE_USER': ''}, {'weblog.theme': 'outer', 'REMOTE_SESSION': 'outer'},
    {'session.id': 'x', 'session.control': 'y', 'paste.auth.cookie': []}], ids=repr)
@pytest.mark.parametrize('logged_in', [True, False])
def test_an_exception_leaves_nothing(make_site, probe, outside, logged_in):
    """When the call raises, environ is as it was."""
    visitor = Visitor(make_site(probe))

    def begin(environ):
        put('weblog.theme', 'dark')(environ)
        environ['REMOTE_SESSION'] = 'x'
        if logged_in:
            environ['session.control'].login('bob', ('staff',))
    probe.act = begin
    visitor.get()

    def act(environ):
        environ['REMOTE_USER'] = 'mallory' if not outside.get('REMOTE_USER') else 'eve'
        raise LookupError
    probe.act = act
    environ = {}

    def outer(inner):
        def application(given, start_response):
            environ.update(before=dict(given), given=given)
            return inner(given, start_response)
        return application
    visitor.app = outer(make_site(probe))
    with pytest.raises(LookupError):
        visitor.get(**outside)
    assert environ['given'] == environ['before']


def test_a_refused_name_is_forgotten(visitor, probe):
    """What an application took from a visitor, and is no name, is not kept."""
    name = 'x' * 1000

    def act(environ):
        with pytest.raises(ValueError):
            environ['paste.auth.cookie'].append(name)
    probe.act = act
    before = sys.getrefcount(name)
    visitor.get()
    gc.collect()
    assert sys.getrefcount(name) == before


def test_no_reference_cycles_of_errors(make_site, probe):
    """Nor does one that ends in an error of the application's."""
    probe.act = put('weblog.theme', 7)
    site = make_site(probe)
    gc.collect()
    gc.disable()
    try:
        with pytest.raises(TypeError):
            site({'REQUEST_METHOD': 'GET', 'wsgi.url_scheme': 'https'}, None)
        probe.environ = probe.control = None
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_no_reference_cycles(visitor, probe):
    """A request leaves nothing behind for the garbage collector."""
    visitor.get()
    probe.act = login()
    gc.collect()
    gc.disable()
    try:
        visitor.get()
        # environ holds the list, and the list goes when environ goes
        scanlist = weakref.ref(probe.environ['paste.auth.cookie'])
        probe.environ = probe.control = None
        assert scanlist() is None
        assert gc.collect() == 0
    finally:
        gc.enable()
