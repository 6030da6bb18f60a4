"""cookie.py: identify, call, remember."""
import doctest
import logging

import pytest
from paste.auth import cookie as parent

import paste_sessioncookie
from conftest import NAME, Visitor, login, logout, put
from paste_sessioncookie import (
    ConfigError, CookieTooLarge, Namespace, SessionCookieHandler, SessionCookieSigner, engines)
from paste_sessioncookie.cookie import LOG_LEVELS, make_session_cookie

MINUTE = 60  # seconds


def keep(environ):
    environ['session.control'].keep()


def navigation(site='none', **more):
    """What a browser says about a click or a typed address."""
    return {'HTTP_SEC_FETCH_SITE': site, 'HTTP_SEC_FETCH_MODE': 'navigate',
            'HTTP_SEC_FETCH_DEST': 'document', **more}


# -- the cookie as it is set ---------------------------------------------------

@pytest.mark.parametrize('options, name, attributes', [
    ({}, NAME, 'Path=/; HttpOnly; SameSite=Lax; Secure'),
    ({'secure': False}, 'site_session', 'Path=/; HttpOnly; SameSite=Lax'),
    ({'secure': None}, 'site_session', 'Path=/; HttpOnly; SameSite=Lax; Secure'),
    ({'domain': 'example.org'}, 'site_session',
     'Path=/; Domain=example.org; HttpOnly; SameSite=Lax; Secure'),
    ({'path': '/shop'}, 'site_session', 'Path=/shop; HttpOnly; SameSite=Lax; Secure'),
    ({'samesite': 'Strict'}, NAME, 'Path=/; HttpOnly; SameSite=Strict; Secure'),
    ({'samesite': 'None'}, NAME, 'Path=/; HttpOnly; SameSite=None; Secure'),
    ({'cookie_name': 'sid'}, 'sid', 'Path=/; HttpOnly; SameSite=Lax; Secure'),
    ({'persistent': True}, NAME, 'Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1800'),
    ({'persistent': True, 'lifetime': 10}, NAME,
     'Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=600'),
], ids=repr)
def test_attributes(make_site, probe, options, name, attributes):
    """The cookie's name and attributes, set and deleted alike."""
    visitor = Visitor(make_site(probe, **options))
    visitor.get()
    (header,) = visitor.set_cookies
    assert header.startswith(name + '=1.')
    assert header.partition('; ')[2] == attributes
    probe.act = logout
    visitor.get()
    (header,) = visitor.set_cookies
    assert header == '{}=; {}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'.format(
        name, attributes.partition('; Max-Age')[0])


def test_auto_over_http(make_site, probe):
    """secure = auto: as the request is."""
    visitor = Visitor(make_site(probe, secure=None))
    visitor.get(**{'wsgi.url_scheme': 'http'})
    assert 'Secure' not in visitor.set_cookies[0]


def test_a_class_with_another_name(probe, secret):
    """The parent's seams: a subclass with its own cookie_name and environ_class."""
    class List(SessionCookieHandler.environ_class):
        pass

    class Handler(SessionCookieHandler):
        cookie_name = 'mine'
        environ_class = List
    visitor = Visitor(Handler(probe, secret=secret))
    visitor.get()
    assert visitor.cookie.startswith('mine=')
    assert type(probe.environ['paste.auth.cookie']) is List


def test_a_signer_of_ones_own(probe, secret):
    """The parent's seams: signer_class, and a signer that is given."""
    class Signer(SessionCookieSigner):
        pass

    class Handler(SessionCookieHandler):
        signer_class = Signer
    assert type(Handler(probe, secret=secret).signer) is Signer
    signer = SessionCookieSigner(secret)
    site = SessionCookieHandler(probe, signer=signer)
    visitor = Visitor(site)
    visitor.get(), visitor.get()
    assert probe.control.status == 'ok'
    assert site.signer is signer and signer.auth(visitor.value).base_id
    SessionCookieHandler(probe, signer=signer)  # for the same cookie it may be shared
    # it signs for this cookie from now on
    assert SessionCookieSigner(secret, cookie_name=NAME).auth(signer.sign('x')) == 'x'


def test_a_scanlist_of_words(make_site, probe):
    """A string of keys is taken as in an ini file, not apart by letters."""
    assert make_site(probe, scanlist='REMOTE_USER site.lang').scanlist == (
        'REMOTE_USER', 'site.lang')


def test_is_the_parents(make_site, probe):
    """A true subclass, with the parent's attributes."""
    site = make_site(probe, cookie_name='sid')
    assert isinstance(site, parent.AuthCookieHandler)
    assert (site.application, site.cookie_name, tuple(site.scanlist), site.environ_name) == (
        probe, 'sid', ('REMOTE_USER', 'REMOTE_SESSION'), 'paste.auth.cookie')
    assert paste_sessioncookie.cookie.middleware is SessionCookieHandler


def test_positional_arguments(probe, secret):
    """The parent's constructor arguments, in the parent's order."""
    site = SessionCookieHandler(probe, 'sid', ['REMOTE_USER'], None, secret, 20, 2000)
    assert (site.cookie_name, site.scanlist, site.signer.timeout, site.signer.maxlen) == (
        'sid', ('REMOTE_USER',), 20, 2000)


# -- when it is sent --------------------------------------------------------------

def test_not_on_every_response(visitor, probe, clock):
    """Sent at first, when something changes, and when half the idle time has passed."""
    visitor.get()
    assert visitor.set_cookies
    for _ in range(14):
        clock.move(MINUTE)
        visitor.get()
        assert not visitor.set_cookies and probe.control.status == 'ok'
    clock.move(MINUTE)
    visitor.get()
    assert visitor.set_cookies and probe.control.status == 'renewed'
    visitor.get()
    assert not visitor.set_cookies and probe.control.status == 'ok'
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    assert visitor.set_cookies
    visitor.get()
    assert not visitor.set_cookies


def test_a_change_renews(visitor, probe, clock, secret):
    """A cookie that goes out anyway is dated anew; its absolute end stays."""
    visitor.get()
    signer = SessionCookieSigner(secret, cookie_name=NAME)
    first = signer.auth(visitor.value, clock())
    clock.move(5 * MINUTE)
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    second = signer.auth(visitor.value, clock())
    assert second.issued - first.issued == second.idle - first.idle == 5 * MINUTE
    assert (second.created, second.absolute) == (first.created, first.absolute)


def test_a_longer_timeout(make_site, probe, clock):
    """A visitor who is there all the time notices nothing when it is lengthened."""
    visitor = Visitor(make_site(probe, timeout=10))
    visitor.get()
    visitor.app = Visitor(make_site(probe, timeout=30)).app
    for _ in range(60):
        clock.move(MINUTE)
        visitor.get()
        assert probe.control.status in ('ok', 'renewed')


def test_another_secret(make_site, probe, clock, secret):
    """What was signed with an accepted secret is signed anew at once, and no time
    in it is extended."""
    visitor = Visitor(make_site(probe))
    visitor.get()
    old = SessionCookieSigner(secret, cookie_name=NAME).auth(visitor.value, clock())
    clock.move(5 * MINUTE)
    new = 'the new secret of this test, long enough'
    visitor.app = Visitor(make_site(probe, secret=new, accept_secrets=[secret])).app
    visitor.get()
    assert visitor.set_cookies and probe.control.status == 'renewed'
    assert SessionCookieSigner(new, cookie_name=NAME).auth(visitor.value, clock()) == old
    visitor.get()
    assert not visitor.set_cookies and probe.control.status == 'ok'


def test_another_secret_and_time_to_renew(make_site, probe, clock, secret):
    """When it is due as well, it is dated anew."""
    visitor = Visitor(make_site(probe))
    visitor.get()
    clock.move(20 * MINUTE)
    new = 'the new secret of this test, long enough'
    visitor.app = Visitor(make_site(probe, secret=new, accept_secrets=[secret])).app
    visitor.get()
    clock.move(20 * MINUTE)
    visitor.get()
    assert probe.control.status == 'renewed'


def test_a_renewal_leaves_public_responses_alone(visitor, probe, clock):
    """Shared caches may keep a public response; a change goes out all the same."""
    visitor.get()
    clock.move(20 * MINUTE)
    probe.headers.append(('Cache-Control', 'public, max-age=60'))
    response = visitor.get()
    assert not visitor.set_cookies
    assert response.headers['Cache-Control'] == 'public, max-age=60'
    assert response.headers['Vary'] == 'Cookie'
    probe.act = put('weblog.theme', 'dark')
    response = visitor.get()
    assert visitor.set_cookies
    assert response.headers['Cache-Control'] == 'private, max-age=60'


def test_the_applications_own_headers(visitor, probe):
    """Its cookies and its list of headers are left alone."""
    mine = [('Content-Type', 'text/plain'), ('Set-Cookie', 'a=b'), ('Vary', 'Accept')]

    def application(environ, start_response):
        start_response('200 OK', mine)
        return [b'']
    other = Visitor(SessionCookieHandler(application))
    response = other.get()
    assert mine == [('Content-Type', 'text/plain'), ('Set-Cookie', 'a=b'), ('Vary', 'Accept')]
    assert response.headers.getall('Set-Cookie')[0] == 'a=b' and len(other.set_cookies) == 2
    assert response.headers.getall('Vary') == ['Accept, Cookie']


# -- where a fresh ID may go out ------------------------------------------------------

SENT = [
    ('GET', {}), ('HEAD', {}),
    ('GET', navigation()), ('GET', navigation('cross-site')),
    ('POST', navigation()), ('POST', navigation('same-origin')), ('POST', navigation('same-site')),
    ('GET', {'HTTP_SEC_FETCH_SITE': 'same-origin', 'HTTP_SEC_FETCH_MODE': 'cors',
             'HTTP_SEC_FETCH_DEST': 'empty'}),
    ('PUT', {'HTTP_SEC_FETCH_SITE': 'same-origin', 'HTTP_SEC_FETCH_DEST': 'empty'}),
    ('GET', {'HTTP_SEC_FETCH_SITE': 'same-origin', 'HTTP_SEC_FETCH_DEST': 'iframe'}),
]
NOT_SENT = [
    ('POST', {}), ('PUT', {}), ('OPTIONS', {}),
    ('POST', navigation('cross-site')),
    ('GET', navigation('cross-site', HTTP_SEC_FETCH_DEST='iframe')),
    ('GET', navigation('cross-site', HTTP_SEC_FETCH_MODE='no-cors')),
    ('GET', {'HTTP_SEC_FETCH_SITE': 'cross-site'}),
    ('GET', {'HTTP_SEC_FETCH_MODE': 'cors'}),
    ('GET', {'HTTP_SEC_FETCH_SITE': 'nonsense', 'HTTP_SEC_FETCH_DEST': 'empty'}),
]
NEVER = [
    ('GET', {'HTTP_SEC_FETCH_SITE': 'same-origin', 'HTTP_SEC_FETCH_DEST': part})
    for part in ('image', 'style', 'script', 'font', 'audio', 'video', 'track', 'manifest')]


@pytest.mark.parametrize('method, environ', SENT + NOT_SENT + NEVER, ids=repr)
@pytest.mark.parametrize('issue', ['always', 'kept'])
def test_a_fresh_id(make_site, probe, method, environ, issue):
    """A fresh ID goes out only where the browser would have sent our cookie."""
    visitor = Visitor(make_site(probe, issue=issue))
    visitor.request(method, '/', **environ)
    may = (method, environ) in SENT
    assert bool(visitor.set_cookies) is (may and issue == 'always')
    for act in (keep, put('weblog.theme', 'x'),
                lambda environ: environ['session.control'].regenerate()):
        visitor.cookie = None
        probe.act = act
        visitor.request(method, '/', **environ)
        assert bool(visitor.set_cookies) is may
    visitor.cookie = None
    probe.act = login()
    visitor.request(method, '/', **environ)
    assert bool(visitor.set_cookies) is ((method, environ) not in NEVER)


@pytest.mark.parametrize('method, environ', SENT + NOT_SENT + NEVER, ids=repr)
def test_after_a_refused_cookie(visitor, method, environ):
    """Who sent a cookie that is refused gets a fresh one, but with parts of pages."""
    visitor.cookie = NAME + '=1.nonsense'
    visitor.request(method, '/', **environ)
    assert bool(visitor.set_cookies) is ((method, environ) not in NEVER)


@pytest.mark.parametrize('method, environ', SENT + NOT_SENT + NEVER, ids=repr)
def test_with_a_good_cookie(visitor, probe, method, environ):
    """Changes of a session that is there go out on any request."""
    visitor.get()
    probe.act = put('weblog.theme', 'x')
    visitor.request(method, '/', **environ)
    assert visitor.set_cookies


def test_strict(make_site, probe):
    """A Strict cookie does not come with a link from another site."""
    visitor = Visitor(make_site(probe, samesite='Strict'))
    visitor.get(**navigation('cross-site'))
    assert not visitor.set_cookies
    visitor.get(**navigation('none'))
    assert visitor.set_cookies


def test_samesite_none(make_site, probe):
    """A cookie that comes with every request may be made on every request."""
    visitor = Visitor(make_site(probe, samesite='None'))
    visitor.post(**navigation('cross-site'))
    assert visitor.set_cookies


def test_a_session_that_is_ended_before_it_begins(make_site, probe):
    """With nothing kept, no ID goes out for a new one alone."""
    def invalidate(environ):
        environ['session.control'].invalidate()
    probe.act = invalidate
    visitor = Visitor(make_site(probe, issue='kept'))
    visitor.get()
    assert not visitor.set_cookies


def test_nothing_is_lost_in_silence(visitor, probe, caplog):
    """What is not kept is said, once a request."""
    caplog.set_level(logging.INFO)
    probe.act = put('weblog.theme', 'x')
    visitor.post()
    assert 'nothing is kept of a request' in caplog.text
    caplog.clear()
    probe.act = None
    visitor.post()
    assert not caplog.records


def test_kept_and_untouched(make_site, probe, clock):
    """issue = kept: a session that is there is kept up by reading."""
    visitor = Visitor(make_site(probe, issue='kept'))
    probe.act = keep
    visitor.get()
    old = probe.id
    probe.act = None
    for _ in range(5):
        clock.move(20 * MINUTE)
        visitor.get()
        assert probe.id == old


# -- what does not fit -------------------------------------------------------------

@pytest.fixture
def catching(make_site, probe):
    """A visitor of an application inside of which an error page is shown."""
    def catcher(environ, start_response):
        try:
            return probe(environ, start_response)
        except (CookieTooLarge, ValueError, TypeError) as error:
            import sys
            probe.error = error
            start_response('500 Oops', [('Content-Type', 'text/plain')], sys.exc_info())
            return [b'error page']
    return Visitor(make_site(catcher))


def test_too_large(visitor, probe):
    """CookieTooLarge is raised before any header leaves."""
    probe.act = put('weblog.note', 'x' * 5000)
    with pytest.raises(CookieTooLarge, match="'' 50"):
        visitor.get()


def test_just_not_too_large(make_site, probe, clock):
    """The limit is the last size that fits."""
    def fill(size):
        return put('weblog.note', 'x' * size)
    site = make_site(probe)
    visitor = Visitor(site)
    probe.act = fill(1)
    visitor.get()
    most = 4096 - len(visitor.cookie) + len('=') + 1
    visitor.cookie = None
    probe.act = fill(most)
    visitor.get()
    assert len(visitor.cookie) == 4096 + len('=')
    probe.act = fill(most + 1)
    with pytest.raises(CookieTooLarge):
        visitor.get()


def test_too_large_in_a_traceback(visitor, probe):
    """A debug page shows the locals of every frame: no base ID is among them."""
    probe.act = put('weblog.note', 'x' * 5000)
    with pytest.raises(CookieTooLarge) as raised:
        visitor.get()
    base_id = probe.control.state.payload.base_id
    frames = [entry.frame.raw for entry in raised.traceback
              if 'paste_sessioncookie' in str(entry.path)]
    assert 'sign' in [frame.f_code.co_name for frame in frames]
    for frame in frames:
        assert base_id not in repr(frame.f_locals)


def test_too_large_and_an_error_page(catching, probe, caplog):
    """On the call with exc_info the largest values go, and that is said."""
    def act(environ):
        put('weblog.note', 'secret note ' * 500)(environ)
        put('weblog.theme', 'dark')(environ)
        return environ['session.control'].regenerate()
    probe.act = act
    response = catching.get()
    assert (response.status_int, response.body) == (500, b'error page')
    (header,) = catching.set_cookies
    assert len(header.partition(';')[0]) < 4096
    assert "weblog.note of ''" in caplog.text and 'secret note' not in caplog.text
    new = probe.result
    probe.act = None
    catching.get()
    assert probe.id == new  # a salt is never dropped
    assert probe.environ['weblog.theme'] == 'dark' and 'weblog.note' not in probe.environ


def test_too_many_namespaces_of_values(make_site, probe, caplog):
    """Values of a 33rd namespace are an error, too; on the error page they go."""
    def choose(environ, start_response):
        return Namespace(probe, environ['PATH_INFO'])(environ, start_response)
    visitor = Visitor(make_site(choose))
    probe.act = put('a.b', '1')
    for n in range(32):
        visitor.get(f'/{n}')
    with pytest.raises(CookieTooLarge, match='more than 32 namespaces'):
        visitor.get('/32')


@pytest.mark.parametrize('change', [None, put('weblog.more', 'y')])
def test_a_smaller_maxlen(make_site, probe, clock, caplog, change):
    """A cookie from before maxlen was made smaller stays good; when it is due, its
    largest values go, and that is said.  A change that does not fit is an error."""
    visitor = Visitor(make_site(probe))

    def fill(environ):
        put('weblog.note', 'x' * 1000)(environ)
        environ['session.control'].login('bob')
    probe.act = fill
    visitor.get()
    visitor.app = Visitor(make_site(probe, maxlen=600)).app
    probe.act = None
    visitor.get()
    assert probe.environ['weblog.note'] and not visitor.set_cookies
    clock.move(20 * MINUTE)
    if change:
        probe.act = change
        with pytest.raises(CookieTooLarge):
            visitor.get()
        return
    visitor.get()
    assert "weblog.note of ''" in caplog.text
    visitor.get()
    assert (probe.environ['REMOTE_USER'], probe.control.status) == ('bob', 'ok')
    assert 'weblog.note' not in probe.environ


def test_a_login_that_no_longer_fits(make_site, probe, clock, caplog):
    """It is shown as long as it lives; no response fails for it."""
    visitor = Visitor(make_site(probe))
    probe.act = login('x' * 1000)
    visitor.get()
    probe.act = None
    visitor.app = Visitor(make_site(probe, maxlen=600)).app
    clock.move(20 * MINUTE)
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'x' * 1000 and not visitor.set_cookies
    assert 'the whole cookie' in caplog.text


def test_logging_out_always_fits(make_site, probe):
    """However full the cookie is, it can be deleted."""
    visitor = Visitor(make_site(probe))
    probe.act = put('weblog.note', 'x' * 3700)
    visitor.get()
    probe.act = logout
    visitor.get()
    assert visitor.cookie is None


@pytest.mark.parametrize('act', [put('weblog.theme', 7), put('weblog.theme', 'a\nb'),
                                 lambda environ: environ.update(REMOTE_USER='caf\xe9'),
                                 lambda environ: environ.update(REMOTE_USER='x' * 5000)])
def test_what_cannot_travel_and_an_error_page(catching, probe, caplog, act):
    """What is no value, and no user, does not stand in the way of an error page."""
    probe.act = act
    assert catching.get().status_int == 500
    assert 'is lost' in caplog.text
    probe.act = None
    catching.get()
    assert probe.control.status == 'ok'
    assert not {'weblog.theme', 'REMOTE_USER'} & set(probe.environ)


# -- warnings -----------------------------------------------------------------------

def warnings_of(caplog, text):
    return [r for r in caplog.records if r.levelno == logging.WARNING and text in r.getMessage()]


def test_a_large_cookie(visitor, probe, caplog):
    """Above 3500 characters one warning names the buffers of servers in front."""
    for n in range(3):
        probe.act = put('weblog.note', 'x' * (3400 + n))
        visitor.get()
    (record,) = warnings_of(caplog, 'proxy_buffer_size')
    assert 'buffer-size' in record.getMessage() and 'xxx' not in record.getMessage()


@pytest.mark.parametrize('environ, options, warned', [
    ({'HTTP_ACCEPT': 'text/html,*/*'}, {}, True),
    ({'HTTP_ACCEPT': 'text/html', **navigation()}, {}, False),
    ({'HTTP_ACCEPT': '*/*'}, {}, False), ({}, {}, False),
    ({'HTTP_ACCEPT': 'text/html', 'wsgi.url_scheme': 'https'}, {}, False),
    ({'HTTP_ACCEPT': 'text/html'}, {'secure': None}, False),
    ({'HTTP_ACCEPT': 'text/html'}, {'secure': False}, False),
], ids=repr)
def test_plain_http(make_site, probe, caplog, environ, options, warned):
    """A browser over plain http does not keep the cookie: one warning says what to do."""
    visitor = Visitor(make_site(probe, **options))
    for _ in range(3):
        visitor.cookie = None
        visitor.get(**{'wsgi.url_scheme': 'http', **environ})
    records = warnings_of(caplog, 'over plain http')
    assert len(records) == warned
    assert all('trusted_proxy' in r.getMessage() and 'secure = auto' in r.getMessage()
               for r in records)


def test_plain_http_by_a_program(visitor, caplog):
    """A form that is posted is no navigation that a warning could be about."""
    visitor.post(**{'wsgi.url_scheme': 'http', 'HTTP_ACCEPT': 'text/html'})
    assert not caplog.records


@pytest.mark.parametrize('option, warned', [
    ('memory', True), ('none', False), ('sqlite:revoked.db', False)])
def test_several_processes(make_site, probe, caplog, tmp_path, option, warned):
    """The memory of one process does not reach the others: one warning, which says
    what does."""
    visitor = Visitor(make_site(probe, revocations=engines.revocation(option, str(tmp_path))))
    for _ in range(3):
        visitor.cookie = None
        visitor.get(**{'wsgi.multiprocess': True})
    records = warnings_of(caplog, 'several processes')
    assert len(records) == warned
    assert all('revocation = sqlite:PATH' in record.getMessage() for record in records)


def test_httpexceptions_outside(visitor, caplog):
    """The parent's warning: a raised redirect carries no cookie."""
    for _ in range(2):
        visitor.cookie = None
        visitor.get(**{'paste.httpexceptions': object()})
    assert len(warnings_of(caplog, 'httpexceptions')) == 1


def test_quiet(visitor, probe, caplog):
    """A visitor's ordinary day is not in the log."""
    caplog.set_level(logging.DEBUG)
    visitor.get()
    probe.act = login()
    visitor.get(), visitor.get()
    probe.act = logout
    visitor.get()
    assert not caplog.records


def test_every_status_has_its_level():
    """Each refusal is logged at a level that is decided."""
    assert set(LOG_LEVELS) == {
        'new', 'expired-idle', 'expired-absolute', 'bad-signature', 'unknown-key', 'malformed',
        'too-large', 'conflict', 'bad-login', 'revoked', 'unavailable'}


# -- two filters -----------------------------------------------------------------

def test_inside_itself(make_site, probe):
    """A second filter of the same section joins the first."""
    visitor = Visitor(make_site(make_site(probe)))
    visitor.get()
    assert len(visitor.set_cookies) == 1
    visitor.get()
    assert probe.control.status == 'ok' and not visitor.set_cookies


@pytest.mark.parametrize('inner', [{'cookie_name': 'other'}, {'secret': 'x' * 10 + 'qwertyui' * 4},
                                   {'domain': 'example.org', 'cookie_name': 'same'}], ids=repr)
def test_inside_another(make_site, probe, inner):
    """One with another name or key is an error that names both."""
    outer = {'cookie_name': inner['cookie_name']} if 'domain' in inner else {}
    visitor = Visitor(make_site(make_site(probe, **inner), **outer))
    with pytest.raises(ConfigError, match='outside is .*, inside is ') as raised:
        visitor.get()
    assert 'qwerty' not in str(raised.value)


def test_one_list_for_all_filters_of_a_section(make_site, probe):
    """A log-out through one filter holds at the next of the same section."""
    one, two = make_site(probe), make_site(probe)
    visitor = Visitor(one)
    probe.act = login()
    visitor.get()
    copy = visitor.cookie
    probe.act = logout
    visitor.get()
    probe.act = None
    other = Visitor(two)
    other.cookie = copy
    other.get()
    assert probe.control.status == 'revoked'


# -- made by hand ------------------------------------------------------------------

@pytest.mark.parametrize('options, texts', [
    ({'secret': 'short'}, ['5 bytes']),
    ({'samesite': 'None', 'secure': False, 'cookie_name': '__Secure-x', 'issue': 'x',
      'scanlist': ['HTTP_HOST', 'wsgi.input']},
     ['samesite = None', '__Secure-x', 'issue = x', 'HTTP_HOST', 'wsgi.input']),
    ({'cookie_name': '__host-x', 'domain': 'example.org'}, ['no domain']),
    ({'cookie_name': '__Host-x', 'path': '/shop'}, ['path = /']),
    ({'cookie_name': '__Http-x', 'secure': None}, ['secure = true']),
    ({'samesite': 'lax'}, ['Lax, Strict, None']),
    ({'path': '/; Domain=evil'}, ['path', 'semicolons']), ({'cookie_name': 'a b'}, ['cookie_name']),
    ({'domain': 'http://x'}, ['domain', 'no scheme']),
    ({'revocations': 'redis://:pw@x'}, ['revocations: of words it takes one of: none, memory']),
    ({'revocations': {}}, ['a dict has no revoke_login, revoke_user, is_revoked, revoked_up_to']),
    ({'signer': SessionCookieSigner(), 'secret': 'x' * 40}, ['signer']),
    ({'signer': SessionCookieSigner(), 'timeout': 10}, ['signer']),
    ({'signer': SessionCookieSigner(cookie_name='other')}, ['other', NAME]),
    ({'signer': parent.AuthCookieSigner()}, ['AuthCookieSigner']),
])
def test_bad_arguments(probe, options, texts):
    """The constructor refuses what cannot work, all faults at once."""
    with pytest.raises(ConfigError) as raised:
        SessionCookieHandler(probe, **options)
    for text in texts:
        assert text in str(raised.value)


def test_factory(probe, secret):
    """The factory hands every option on."""
    site = make_session_cookie(
        probe, {'__file__': '/site.ini'}, secret=secret, cookie_name='sid', timeout='90s',
        lifetime='14d', scanlist='REMOTE_USER site.lang', maxlen='2000', secure='auto', samesite='strict',
        domain='Example.org', path='/shop', persistent='true', issue='kept', generator='secrets:token_bytes',
        revocation='none', not_before='2026-01-31T12:00:00Z', accept_secrets='b' * 20 + 'acdefghijklm')
    assert (site.signer.idle_seconds, site.signer.lifetime_seconds) == (90, 14 * 86400)
    assert (site.cookie_name, site.scanlist, site.secure, site.samesite, site.persistent) == (
        'sid', ('REMOTE_USER', 'site.lang'), None, 'Strict', True)
    assert (site.policy.issue_always, site.policy.not_before, site.policy.domain) == (
        False, 1769860800, 'example.org')
    assert len(site.signer.keys.by_id) == 2


def test_doctest():
    """The example in the module's docstring is true."""
    assert doctest.testmod(paste_sessioncookie.cookie).failed == 0
