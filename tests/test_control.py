"""control.py and state.py: one visitor's session in one request."""
import contextlib
import copy
import dataclasses
import logging
import re

import pytest

from conftest import START, Visitor, login, logout, put
from paste_sessioncookie import (
    CookieTooLarge, LoginNotAllowed, Namespace, RevocationUnavailable, SessionControl,
    SessionCookieSigner)
from paste_sessioncookie.revocation import MemoryRevocations

MINUTE, HOUR = 60, 3600  # seconds


class Switchable(MemoryRevocations):
    """A list that answers or does not, like one behind a network."""

    down = False

    def _answer(self):
        if self.down:
            raise RevocationUnavailable('the list is down')

    def revoke_login(self, *args):
        self._answer()
        return super().revoke_login(*args)

    def revoke_user(self, *args):
        self._answer()
        return super().revoke_user(*args)

    def is_revoked(self, *args):
        self._answer()
        return super().is_revoked(*args)

    def revoked_up_to(self, *args):
        self._answer()
        return super().revoked_up_to(*args)


@pytest.fixture
def revocations():
    return Switchable()


@pytest.fixture
def guarded(make_site, probe, revocations):
    """A visitor of a site whose revocation list can be switched off."""
    return Visitor(make_site(probe, revocations=revocations))


@pytest.fixture
def spaces(make_site, probe):
    """A function: a visitor of a site with these namespaces, at /name each."""
    def make(**options):
        inner = {f'/{name}': Namespace(probe, name, login=True) for name in 'abc'}

        def choose(environ, start_response):
            return inner.get(environ['PATH_INFO'], probe)(environ, start_response)
        return Visitor(make_site(choose, **options))
    return make


def test_by_itself(make_site, probe):
    """A control that no filter has put anywhere is for whatever it is told."""
    state = make_site(probe).identify({})
    outside, inside = SessionControl(state), SessionControl(state, '/blog', may_login=False)
    assert outside.state is inside.state is state
    assert (outside.namespace, outside.may_login) == ('', True)
    assert (inside.namespace, inside.may_login) == ('/blog', False)
    assert outside.id != inside.id


# -- the ID -----------------------------------------------------------------

def test_the_id(visitor, probe):
    """It is 40 hex digits, in environ and in the control, and stays."""
    visitor.get()
    first = probe.id
    assert re.fullmatch('[0-9a-f]{40}', first)
    assert probe.control.id == first
    assert (probe.control.new, probe.control.status) == (True, 'new')
    visitor.get()
    assert probe.id == first
    assert (probe.control.new, probe.control.status) == (False, 'ok')


def test_the_id_is_not_in_the_cookie(visitor, probe):
    """Who reads an application's log cannot make a cookie of its IDs."""
    visitor.get()
    assert probe.id not in visitor.cookie


def test_everybody_has_another(make_site, probe):
    """Two visitors never share an ID."""
    site = make_site(probe)
    ids = set()
    for _ in range(50):
        Visitor(site).get()
        ids.add(probe.id)
    assert len(ids) == 50


def test_regenerate(visitor, probe):
    """A new ID at once and from then on; the values stay."""
    visitor.get(), visitor.get()
    old = probe.id
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    probe.act = regenerate
    visitor.get()
    new = probe.result
    assert new != old and probe.control.id == new and probe.control.new
    assert probe.id == old  # environ is a snapshot
    probe.act = None
    visitor.get()
    assert probe.id == new and not probe.control.new
    assert probe.environ['weblog.theme'] == 'dark'


def regenerate(environ):
    return environ['session.control'].regenerate()


def invalidate(environ):
    environ['session.control'].invalidate()


def test_invalidate(visitor, probe):
    """A new ID, and the values are gone, but for those of this request."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    old = probe.id

    def act(environ):
        put('weblog.draft', '1')(environ)
        environ['session.control'].invalidate()
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.id != old
    assert 'weblog.theme' not in probe.environ
    assert probe.environ['weblog.draft'] == '1'


def test_only_ones_own(spaces, probe):
    """regenerate() and invalidate() concern one namespace alone."""
    visitor = spaces()
    ids = {}

    def look():
        probe.act = None
        for path in ('/', '/a', '/b'):
            visitor.get(path)
            ids.setdefault(path, []).append(probe.id)
    look()
    for act in (regenerate, invalidate):
        probe.act = act
        visitor.get('/a')
        look()
    assert len(set(ids['/a'])) == 3
    assert len(set(ids['/'])) == len(set(ids['/b'])) == 1


def test_a_33rd_namespace(make_site, probe):
    """The call that needs one namespace too many says so; nothing else is lost."""
    visitor = Visitor(make_site(lambda environ, start_response: Namespace(
        probe, environ['PATH_INFO'])(environ, start_response)))
    probe.act = regenerate
    for n in range(32):
        visitor.get(f'/{n}')

    def act(environ):
        for call in (environ['session.control'].regenerate,
                     environ['session.control'].invalidate):
            with pytest.raises(CookieTooLarge, match='more than 32 namespaces'):
                call()
    probe.act = act
    visitor.get('/32')
    probe.act = regenerate
    visitor.get('/31')
    assert visitor.set_cookies


def test_no_room_for_a_salt(make_site, probe):
    """A cookie full of long names has no room for one more."""
    visitor = Visitor(make_site(lambda environ, start_response: Namespace(
        probe, environ['PATH_INFO'])(environ, start_response), maxlen=512))
    visitor.get()

    def act(environ):
        with pytest.raises(CookieTooLarge, match='too large'):
            environ['session.control'].regenerate()
    probe.act = act
    visitor.get('/' + 'x' * 400)


# -- login and logout ---------------------------------------------------------

def test_login(spaces, probe, clock):
    """A login in one application is seen by all, with another ID each."""
    visitor = spaces()
    before = {}
    for path in ('/', '/a', '/b'):
        visitor.get(path)
        before[path] = probe.id
    probe.act = login('Łukasz', ('staff', 'admin'))
    visitor.get('/a')
    assert probe.control.identity == ('Łukasz', ('staff', 'admin'), START, 'a')
    assert 'REMOTE_USER' not in probe.environ
    probe.act = None
    clock.move(7)
    for path in ('/', '/a', '/b'):
        visitor.get(path)
        assert probe.environ['REMOTE_USER'] == 'Å\x81ukasz'
        assert probe.environ['REMOTE_USER_TOKENS'] == 'staff,admin'
        assert probe.environ['AUTH_TYPE'] == 'cookie'
        assert probe.control.identity == ('Łukasz', ('staff', 'admin'), START, 'a')
        assert probe.id != before[path]
        assert probe.control.previous_id == before[path]


def test_a_login_without_tokens(visitor, probe):
    """Without groups there is no REMOTE_USER_TOKENS."""
    probe.act = login()
    visitor.get(), visitor.get()
    assert 'REMOTE_USER_TOKENS' not in probe.environ


def test_the_same_login_changes_nothing(visitor, probe):
    """Who is in with these groups stays in, and no cookie goes out."""
    probe.act = login('bob', ('a', 'b'))
    visitor.get()
    probe.act = login('bob', ('b', 'a', 'b'))
    visitor.get()
    assert not visitor.set_cookies


@pytest.mark.parametrize('act', [
    login('bob', ('a', 'b'), again=True), login('bob', ('a',)), login('eve', ('a', 'b'))])
def test_another_login(visitor, probe, act):
    """Re-authentication, other groups and another user make new IDs and void the
    old login."""
    probe.act = login('bob', ('a', 'b'))
    visitor.get()
    probe.act = None
    visitor.get()
    old, copy = probe.id, visitor.cookie
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.id != old
    visitor.cookie = copy
    visitor.get()
    assert probe.control.status == 'revoked'


@pytest.mark.parametrize('user, tokens, error', [
    ('', (), ValueError), ('a\nb', (), ValueError), (None, (), TypeError), (b'bob', (), TypeError),
    ('bob', 'staff', TypeError), ('bob', ('a b',), ValueError), ('bob', (1,), TypeError)])
def test_no_login(visitor, probe, user, tokens, error):
    """A login of nobody is an error of the application; nothing changes."""
    def act(environ):
        with pytest.raises(error):
            environ['session.control'].login(user, tokens)
    visitor.get()
    probe.act = act
    visitor.get()
    assert probe.control.identity is None and not visitor.set_cookies


def test_a_login_that_does_not_fit(visitor, probe):
    """login() itself says so, and who was in stays in, everywhere."""
    probe.act = login()
    visitor.get()

    def act(environ):
        with pytest.raises(CookieTooLarge, match='login 50'):
            environ['session.control'].login('x' * 5000)
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert (probe.environ['REMOTE_USER'], probe.control.status) == ('bob', 'ok')


def test_no_room_for_the_previous_id(make_site, probe, caplog):
    """A login counts more than the basket, and the loss is said."""
    visitor = Visitor(make_site(probe, maxlen=512))
    visitor.get()
    probe.act = login('x' * 240)
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'x' * 240
    assert probe.control.previous_id is None
    assert 'no room to remember the ID' in caplog.text


def test_values_go_with_a_login(visitor, probe):
    """Restored values go, those of this request stay."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()

    def act(environ):
        put('weblog.color', 'red')(environ)
        environ['session.control'].login('bob')
        put('weblog.size', '10')(environ)
    probe.act = act
    visitor.get()
    probe.act = None
    visitor.get()
    assert 'weblog.theme' not in probe.environ
    assert (probe.environ['weblog.color'], probe.environ['weblog.size']) == ('red', '10')


def test_logout(spaces, probe):
    """A log-out in one application is one in all; the cookie is deleted."""
    visitor = spaces()
    probe.act = login()
    visitor.get('/a')
    before = {}
    probe.act = None
    for path in ('/', '/a', '/b'):
        visitor.get(path)
        before[path] = probe.id
    probe.act = logout
    visitor.get('/b')
    assert probe.result is True
    assert probe.control.identity is None and probe.control.new
    assert visitor.set_cookies == [
        '__Host-site_session=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0; '
        'Expires=Thu, 01 Jan 1970 00:00:00 GMT']
    probe.act = None
    for path in ('/', '/a', '/b'):
        visitor.get(path)
        assert 'REMOTE_USER' not in probe.environ
        assert probe.id != before[path]
        assert probe.control.previous_id is None


def test_a_copied_cookie_does_not_undo_a_logout(visitor, probe):
    """A copy from before the log-out is refused, and gets a fresh session."""
    probe.act = login()
    visitor.get()
    copy, old = visitor.cookie, None
    probe.act = None
    visitor.get()
    old = probe.id
    probe.act = logout
    visitor.get()
    probe.act = None
    for _ in range(2):
        visitor.cookie = copy
        visitor.get()
        assert probe.control.status == 'revoked'
        assert probe.control.identity is None
        assert probe.control.new and probe.id != old
        assert visitor.cookie != copy


def test_logout_of_nobody(visitor, probe):
    """A log-out without a login ends the session all the same."""
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    old = probe.id
    probe.act = logout
    visitor.get()
    assert probe.result is True and visitor.cookie is None
    probe.act = None
    visitor.get()
    assert probe.id != old and 'weblog.theme' not in probe.environ


def test_logout_without_a_cookie(visitor, probe):
    """Who came without a cookie is told nothing: a form posted from another site
    must not delete what the browser did not send."""
    probe.act = logout
    visitor.get()
    assert not visitor.set_cookies


@pytest.mark.parametrize('after, kept', [
    (lambda environ: environ['session.control'].keep(), True),
    (put('weblog.flash', 'bye'), True), (login('eve'), True),
    (regenerate, False), (invalidate, False), (lambda environ: None, False)],
    ids=['keep', 'value', 'login', 'regenerate', 'invalidate', 'nothing'])
@pytest.mark.parametrize('before', [
    lambda environ: None, lambda environ: environ['session.control'].keep()],
    ids=['', 'keep before'])
def test_what_follows_a_logout(visitor, probe, before, after, kept):
    """The cookie is deleted unless something is kept after the log-out."""
    probe.act = login()
    visitor.get()

    def act(environ):
        before(environ)
        logout(environ)
        after(environ)
    probe.act = act
    visitor.get()
    assert (visitor.cookie is not None) is kept
    new = probe.control.id
    probe.act = None
    visitor.get()
    assert (probe.control.id == new) is kept


def test_login_and_logout_in_one_request(visitor, probe):
    """The last call counts."""
    def act(environ):
        environ['session.control'].login('bob')
        environ['session.control'].logout()
    probe.act = act
    visitor.get()
    assert visitor.cookie is None


# -- the previous ID --------------------------------------------------------

def test_previous_id_lasts_one_idle_timeout(visitor, probe, clock):
    """It is offered for half an hour, renewals or not, and then goes."""
    visitor.get()
    old = probe.id
    probe.act = login()
    visitor.get()
    assert probe.control.previous_id == old
    size = len(visitor.cookie)
    probe.act = None
    for _ in range(29):
        clock.move(MINUTE)
        visitor.get()
        assert probe.control.previous_id == old
    clock.move(MINUTE)
    visitor.get()
    assert probe.control.previous_id is None
    clock.move(16 * MINUTE)
    visitor.get()
    assert len(visitor.cookie) == size - len(f'{"ab" * 20}:{START}:')  # it left the cookie


@pytest.mark.parametrize('first', [None, regenerate, invalidate])
@pytest.mark.parametrize('then', [None, regenerate, invalidate])
def test_previous_id_and_salts(spaces, probe, first, then):
    """A namespace that had a salt before, or has one now, is offered nothing."""
    visitor = spaces()
    probe.act = first
    visitor.get('/a')
    probe.act = login()
    visitor.get('/b')
    probe.act = then
    visitor.get('/a')
    probe.act = None
    visitor.get('/a')
    assert (probe.control.previous_id is not None) is (first is None and then is None)
    visitor.get('/c')
    assert probe.control.previous_id is not None


def test_previous_id_is_from_nobody_to_somebody_only(visitor, probe):
    """From one user to another nothing is offered; the same user keeps it."""
    visitor.get()
    old = probe.id
    probe.act = login()
    visitor.get()
    probe.act = login('bob', again=True)
    visitor.get()
    assert probe.control.previous_id == old
    probe.act = login('eve')
    visitor.get()
    assert probe.control.previous_id is None
    probe.act = logout
    visitor.get()
    assert probe.control.previous_id is None


# -- revoking ---------------------------------------------------------------

def revoke(user):
    def act(environ):
        environ['session.control'].revoke(user)
    return act


def test_revoke(make_site, probe, clock):
    """Every login of the user is void, everywhere; a new one counts."""
    site = make_site(probe)
    phone, desk, eve = Visitor(site), Visitor(site), Visitor(site)
    for visitor, user in ((phone, 'Łukasz'), (desk, 'Łukasz'), (eve, 'eve')):
        probe.act = login(user)
        visitor.get()
    probe.act = revoke('Łukasz')
    phone.get()
    probe.act = None
    for visitor, status in ((phone, 'revoked'), (desk, 'revoked'), (eve, 'ok')):
        visitor.get()
        assert probe.control.status == status
    probe.act = login('Łukasz')
    desk.get()
    probe.act = None
    desk.get()
    assert probe.control.identity == ('Łukasz', (), START + 61, '')
    assert probe.control.status == 'ok'


def test_revoke_again_within_the_minute(make_site, probe, clock):
    """A login made just after a call is void after the next call."""
    visitor = Visitor(make_site(probe))
    for _ in range(3):
        probe.act = revoke('bob')
        visitor.get()
        probe.act = login('bob', again=True)
        visitor.get()
        probe.act = None
        visitor.get()
        assert probe.control.status == 'ok'
    probe.act = revoke('bob')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.control.status == 'revoked'


def test_many_revocations_lock_nobody_out(make_site, probe, clock):
    """However often a user is revoked in a second, a minute later he can log in."""
    visitor = Visitor(make_site(probe))

    def act(environ):
        for _ in range(1000):
            environ['session.control'].revoke('bob')
        with pytest.raises(RevocationUnavailable, match='in a minute'):
            environ['session.control'].login('bob')
    probe.act = act
    visitor.get()
    clock.move(61)
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.get()
    assert probe.control.status == 'ok'


@pytest.mark.parametrize('fast', [0, 60])
def test_no_login_escapes_many_revocations(make_site, probe, clock, fast):
    """Each revocation voids the login before it, also one of a server whose clock is
    fast, however many there are in a second."""
    visitor = Visitor(make_site(probe))
    other = Visitor(make_site(probe, clock=lambda: clock.now + fast))
    escaped, made = [], 0
    for _ in range(200):
        probe.act = login('bob')
        with contextlib.suppress(RevocationUnavailable):
            other.cookie = None
            other.get()
            made += 1
        kept = other.cookie
        probe.act = revoke('bob')
        visitor.get()
        probe.act = None
        other.cookie = kept
        other.get()
        escaped.append(probe.control.status == 'ok')
    assert made > 50 and not any(escaped)


def test_revoke_and_login_in_one_request(make_site, probe):
    """"Log out everywhere else": the user who is in gets a new login at once."""
    site = make_site(probe)
    here, there = Visitor(site), Visitor(site)
    probe.act = login()
    here.get(), there.get()

    def act(environ):
        environ['session.control'].revoke('bob')
        environ['session.control'].login('bob')
    probe.act = act
    here.get()
    probe.act = None
    here.get()
    assert (probe.control.status, probe.environ['REMOTE_USER']) == ('ok', 'bob')
    there.get()
    assert probe.control.status == 'revoked'


def test_revoke_at_the_end_of_a_long_request(make_site, probe, clock):
    """Every login up to the call is void, not up to when the request began."""
    site = make_site(probe)
    admin, mallory = Visitor(site), Visitor(site)
    probe.act = None

    def act(environ):
        clock.move(200)
        probe.act = login('mallory')
        mallory.get()
        clock.move(100)
        environ['session.control'].revoke('mallory')
    probe.act = act
    admin.get()
    probe.act = None
    mallory.get()
    assert probe.control.status == 'revoked'


def test_revoke_nobody(visitor, probe):
    """Only a user can be revoked."""
    def act(environ):
        with pytest.raises(ValueError):
            environ['session.control'].revoke('')
        with pytest.raises(TypeError):
            environ['session.control'].revoke(None)
    probe.act = act
    visitor.get()


def test_without_a_list(make_site, probe, caplog):
    """revocation = none: logout() says that copies live on, and revoke() that it
    cannot."""
    visitor = Visitor(make_site(probe, revocations='none'))
    probe.act = login()
    visitor.get()
    copy = visitor.cookie
    probe.act = login('eve')
    visitor.get()
    probe.act = logout
    visitor.get()
    assert probe.result is False and visitor.cookie is None
    visitor.cookie = copy

    def act(environ):
        with pytest.raises(RevocationUnavailable, match='revocation = none'):
            environ['session.control'].revoke('bob')
    probe.act = act
    visitor.get()
    assert probe.environ['REMOTE_USER'] == 'bob'
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


# -- a list that does not answer ---------------------------------------------

def test_unavailable(guarded, probe, revocations, caplog):
    """Nobody is logged in by an outage, nobody's cookie is destroyed by it."""
    probe.act = login()
    guarded.get()
    probe.act = None
    guarded.get()
    old = probe.id
    caplog.set_level(logging.INFO)
    revocations.down = True
    seen = set()
    for act in (None, put('weblog.theme', 'x'), lambda e: e['session.control'].keep(),
                regenerate, invalidate):
        probe.act = act
        guarded.get()
        assert probe.control.status == 'unavailable'
        assert probe.control.identity is None and 'REMOTE_USER' not in probe.environ
        assert not guarded.set_cookies
        seen.add(probe.id)
    assert old not in seen and len(seen) == 5
    revocations.down = False
    assert caplog.text.count('nothing is kept of a request with status unavailable') == 3
    probe.act = None
    guarded.get()
    assert (probe.control.status, probe.id) == ('ok', old)


def test_anonymous_visitors_do_not_notice(guarded, probe, revocations):
    """Only requests that carry a login ask the list."""
    guarded.get()
    revocations.down = True
    guarded.get()
    assert probe.control.status == 'ok'


def test_login_while_unavailable(guarded, probe, revocations):
    """login() and revoke() raise, and nothing has changed."""
    revocations.down = True

    def act(environ):
        for call in (environ['session.control'].login, environ['session.control'].revoke):
            with pytest.raises(RevocationUnavailable):
                call('bob')
    probe.act = act
    guarded.get()
    assert probe.control.identity is None


def test_replacing_a_login_that_cannot_be_revoked(guarded, probe, revocations):
    """Who cannot be logged out is not replaced."""
    probe.act = login()
    guarded.get()

    def act(environ):
        revocations.down = True
        with pytest.raises(RevocationUnavailable):
            environ['session.control'].login('eve')
    probe.act = act
    guarded.get()
    assert probe.control.identity.user == 'bob'


@pytest.mark.parametrize('down_before', [True, False])
@pytest.mark.parametrize('keep', [True, False])
def test_logout_while_unavailable(guarded, probe, revocations, caplog, down_before, keep):
    """The browser's cookie goes, copies could not be revoked, and that is said."""
    probe.act = login()
    guarded.get()
    revocations.down = down_before

    def act(environ):
        revocations.down = True
        result = logout(environ)
        if keep and down_before:
            environ['session.control'].keep()  # that ID is never sent
        return result
    probe.act = act
    guarded.get()
    assert probe.result is False and guarded.cookie is None
    assert [r.getMessage() for r in caplog.records
            if r.levelno == logging.ERROR and 'copies' in r.getMessage()] == [
        'logged out, but copies of the cookie could not be revoked: ' + (
            'the list does not answer' if down_before else 'the list is down')]


def test_login_when_it_answers_again(guarded, probe, revocations):
    """A login in the very request that found the list away counts."""
    probe.act = login()
    guarded.get()
    revocations.down = True

    def act(environ):
        revocations.down = False
        environ['session.control'].login('eve')
    probe.act = act
    guarded.get()
    probe.act = None
    guarded.get()
    assert (probe.environ['REMOTE_USER'], probe.control.status) == ('eve', 'ok')


# -- what else voids a session --------------------------------------------------

def test_not_before(make_site, probe, clock):
    """Sessions and logins from before a time are void, later ones are not."""
    visitor = Visitor(make_site(probe))
    probe.act = login()
    visitor.get()
    probe.act = None
    visitor.app = Visitor(make_site(probe, not_before=START + 1)).app
    visitor.get()
    assert (probe.control.status, probe.control.identity) == ('revoked', None)
    clock.move(1)
    probe.act = login()
    visitor.cookie = None
    visitor.get(), visitor.get()
    assert probe.control.status == 'ok'


@pytest.mark.parametrize('at, status', [
    (-1, 'bad-login'), (0, 'ok'), (120, 'ok'), (121, 'bad-login'), (10**9, 'bad-login')])
def test_the_time_of_a_login(make_site, probe, visitor, secret, at, status):
    """A login is not older than its session, nor more than two minutes ahead."""
    probe.act = login()
    visitor.get()
    signer = SessionCookieSigner(secret, cookie_name='__Host-site_session')
    payload = signer.auth(visitor.value, START)
    forged = payload.replace(login=dataclasses.replace(payload.login, at=START + at))
    visitor.cookie = '__Host-site_session=' + signer.sign(forged).decode()
    probe.act = None
    old = payload.base_id
    visitor.get()
    assert probe.control.status == status
    assert (probe.control.identity is None) is (status != 'ok')
    assert probe.control.new is (status != 'ok')
    assert (old in (visitor.cookie or '')) is (status == 'ok')


# -- what may be done when ------------------------------------------------------

@pytest.mark.parametrize('call', [
    lambda c: c.keep(), lambda c: c.regenerate(), lambda c: c.invalidate(),
    lambda c: c.login('bob'), lambda c: c.logout(), lambda c: c.revoke('bob')],
    ids=['keep', 'regenerate', 'invalidate', 'login', 'logout', 'revoke'])
def test_started(make_site, call):
    """From start_response on, whatever changes something raises."""
    def application(environ, start_response):
        control = environ['session.control']
        assert not control.started
        start_response('200 OK', [('Content-Type', 'text/plain')])
        assert control.started
        with pytest.raises(RuntimeError, match='has started'):
            call(control)
        assert control.id and control.identity is None
        return [b'']
    Visitor(make_site(application)).get()


def test_restore(visitor, probe):
    """What an attempt did can be taken back, and nothing of it goes out."""
    visitor.get()
    before = visitor.cookie

    def attempt(environ):
        state = environ['session.control'].state
        earlier = copy.copy(state)
        login('bob')(environ)
        environ['session.control'].regenerate()
        state.restore(earlier)
        assert environ['session.control'].id == environ['session.id']
        assert environ['session.control'].identity is None
        assert not environ['session.control'].new
    probe.act = attempt
    visitor.get()
    assert not visitor.set_cookies and visitor.cookie == before


@pytest.mark.parametrize('call', [lambda c: c.login('bob'), lambda c: c.revoke('bob')])
def test_not_allowed(make_site, probe, call):
    """A namespace without login = true is told which option to set."""
    def act(environ):
        with pytest.raises(LoginNotAllowed, match="'shop'.*login = true"):
            call(environ['session.control'])
        assert environ['session.control'].logout() is True
    probe.act = act
    Visitor(make_site(Namespace(probe, 'shop'))).get()


def test_the_control_is_read_only(visitor, probe):
    """What it says cannot be set."""
    visitor.get()
    for name in ('id', 'new', 'namespace', 'previous_id', 'identity', 'status', 'started',
                 'may_login', 'state', 'other'):
        with pytest.raises(AttributeError):
            setattr(probe.control, name, True)


def test_repr(visitor, probe):
    """A debug page may show it: no ID, no user."""
    probe.act = login('somebody')
    visitor.get(), visitor.get()
    assert repr(probe.control) == "<SessionControl of '': ok>"


def test_the_clock_of_another_server_is_ahead(make_site, probe, clock):
    """A cookie made a minute ahead of us can be changed here, and stays good."""
    visitor = Visitor(make_site(probe))
    clock.move(60)
    visitor.get()
    clock.move(-60)
    probe.act = put('weblog.theme', 'dark')
    visitor.get()
    assert visitor.set_cookies
    probe.act = None
    visitor.get()
    assert (probe.control.status, probe.environ['weblog.theme']) == ('ok', 'dark')


@pytest.mark.parametrize('options', [{'issue': 'always'}, {'issue': 'kept'}])
def test_the_limits_of_time(make_site, probe, clock, options):
    """Idle time-out and lifetime, as a visitor meets them."""
    visitor = Visitor(make_site(probe, timeout=30, lifetime=120, **options))
    probe.act = login()
    visitor.get()
    probe.act = None
    for _ in range(11):
        clock.move(10 * MINUTE)
        visitor.get()
        assert probe.control.status in ('ok', 'renewed')
    clock.move(10 * MINUTE)
    visitor.get()
    assert (probe.control.status, probe.control.identity) == ('expired-absolute', None)
    probe.act = login()
    visitor.get()
    probe.act = None
    clock.move(30 * MINUTE)
    visitor.get()
    assert probe.control.status == 'expired-idle' and probe.control.new
