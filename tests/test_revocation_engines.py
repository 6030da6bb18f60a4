"""
What every revocation engine does
=================================

The same tests for each engine, made as an ini file would make it.  Only ``none``
is not among them: see test_revocation.py.
"""
import os
import secrets
import subprocess
import sys

import pytest
from conftest import START, Clock, Probe, Visitor, login, logout
from surroundings import run_together

from paste_sessioncookie import SessionCookieHandler, cookie, engines

ENGINES = ['memory', 'sqlite', 'redis', 'custom']


@pytest.fixture(params=ENGINES)
def option(request, tmp_path):
    """What stands in an ini file."""
    if request.param == 'redis':
        return request.getfixturevalue('redis_server').url
    return {'memory': 'memory', 'sqlite': f'sqlite:{tmp_path}/revoked.db',
            'custom': 'configapps:make_revocations'}[request.param]


@pytest.fixture
def make_engine(option):
    """The engine for a secret (and those that are accepted besides)."""
    made = []

    def make(*secrets):
        handler = SessionCookieHandler(None, secret=secrets[0], accept_secrets=secrets[1:],
                                       revocations=engines.revocation(option, ''))
        made.append(handler.policy.revocations)
        return made[-1]
    yield make
    if isinstance(engines.revocation(option, ''), cookie.Store):
        engines.revocation(option, '').close()


@pytest.fixture
def engine(make_engine, secret):
    return make_engine(secret)


@pytest.fixture
def name():
    """Custom lists are one for the whole process: each test has its own user."""
    return secrets.token_hex(8)


def test_a_login_is_revoked(engine, name):
    """A login on the list is void, others are not."""
    assert engine.is_revoked(name, 'bob', START) is False
    assert engine.revoke_login(name, START + 100, START) is True
    assert engine.is_revoked(name, 'bob', START) is True
    assert engine.is_revoked(name, 'bob', START + 99) is True
    assert engine.is_revoked(name + 'x', 'bob', START) is False
    assert engine.revoked_up_to(name) == 0


def test_a_user_is_revoked(engine, name):
    """All of a user's logins up to a time are void, later ones and others' are not."""
    assert engine.revoked_up_to(name) == 0
    engine.revoke_user(name, START + 50, START + 100, START)
    assert engine.revoked_up_to(name) == START + 50
    assert engine.is_revoked('x', name, START + 50) is True
    assert engine.is_revoked('x', name, START + 51) is False
    assert engine.is_revoked('x', name + 'x', START + 50) is False
    assert engine.is_revoked(name, 'bob', START) is False


def test_a_later_time_stays(engine, name):
    """Revoking a user again never takes anything back."""
    engine.revoke_user(name, START + 50, START + 1000, START)
    engine.revoke_user(name, START + 40, START + 900, START)
    assert engine.revoked_up_to(name) == START + 50
    engine.revoke_user(name, START + 60, START + 900, START)
    assert engine.revoked_up_to(name) == START + 60


def test_again(engine, name):
    """A login that is revoked twice is revoked."""
    engine.revoke_login(name, START + 100, START)
    engine.revoke_login(name, START + 90, START)
    assert engine.is_revoked(name, 'bob', START)


@pytest.mark.parametrize('user', [
    '\xc5\x81ukasz', 'a:b', "o'hara; DROP TABLE revoked", '*', '{x}', '%', 'x' * 3000, ' ', '\xff'],
    ids=ascii)
def test_users_of_all_kinds(engine, name, user):
    """A user may have any character, and is himself alone."""
    engine.revoke_user(name + user, START, START + 100, START)
    assert engine.revoked_up_to(name + user) == START
    assert engine.revoked_up_to(name) == 0
    assert engine.revoked_up_to(name + user + user) == 0


def test_one_list_for_a_key(make_engine, secret, name):
    """All filters of a section see one list."""
    one, other = make_engine(secret), make_engine(secret)
    one.revoke_login(name, START + 100, START)
    one.revoke_user(name, START, START + 100, START)
    assert other.is_revoked(name, 'bob', START)
    assert other.revoked_up_to(name) == START


@pytest.mark.parametrize('option', ['memory', 'sqlite', 'redis'], indirect=True)
def test_a_list_for_each_key(make_engine, secret, name):
    """Another site's user of the same name is somebody else; only what
    module:callable makes is one list for the process."""
    one, other = make_engine(secret), make_engine(secrets.token_hex(32))
    one.revoke_user(name, START, START + 100, START)
    one.revoke_login(name, START + 100, START)
    assert other.revoked_up_to(name) == 0
    assert not other.is_revoked(name, name, START)


def test_while_secrets_are_changed(make_engine, name):
    """Filters before and after the change of the secret see each other's log-outs,
    and what was revoked before stays revoked, also when the old secret is gone."""
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    before, prepared, swapped, after = (
        make_engine(old), make_engine(old, new), make_engine(new, old), make_engine(new))
    for number, (writer, reader) in enumerate([
            (before, prepared), (before, swapped), (prepared, swapped), (swapped, prepared),
            (prepared, after), (swapped, after), (prepared, before), (after, swapped)]):
        writer.revoke_login(f'{name}{number}', START + 100, START)
        writer.revoke_user(f'{name}{number}', START, START + 100, START)
        assert reader.is_revoked(f'{name}{number}', 'bob', START)
        assert reader.is_revoked('x', f'{name}{number}', START)
        assert reader.revoked_up_to(f'{name}{number}') == START


def test_a_user_alone_while_secrets_are_changed(make_engine, name):
    """A user's logins are void under each secret, also where nobody ever logged out."""
    writer, reader = make_engine(name * 4, 'new' * 20), make_engine('old' * 20, name * 4)
    writer.revoke_user(name, START, START + 100, START)
    assert reader.is_revoked('x', name, START)


def test_threads(engine, name):
    """Many threads may revoke and ask at once, and none is forgotten."""
    def work(number):
        for n in range(100):
            engine.revoke_login(f'{name} {number} {n}', START + 10**6, START + n)
            assert engine.is_revoked(f'{name} {number} {n}', 'bob', START)
            engine.revoke_user(name, START + n, START + 10**6, START)
    run_together(8, work)
    assert all(engine.is_revoked(f'{name} {number} {n}', 'bob', START)
               for number in range(8) for n in range(100))
    assert engine.revoked_up_to(name) == START + 99


def test_a_module_with_a_site_of_its_own(tmp_path):
    """The module that an ini file names may build filters: when it is imported, in
    another thread meanwhile, and when its callable is called."""
    (tmp_path / 'shop.py').write_text('''
import threading
from paste_sessioncookie import SessionCookieHandler
from configapps import Revocations

def make():
    SessionCookieHandler(None, secret=bytes(range(64)))
    return Revocations()

make()
other = threading.Thread(target=make)
other.start()
other.join()
''')
    code = ('from paste_sessioncookie import engines\n'
            'assert engines.revocation("shop:make", "") is engines.revocation("shop:make", "")')
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60, env={
        **os.environ, 'PYTHONPATH': os.pathsep.join((str(tmp_path), os.path.dirname(__file__)))})


# -- behind real filters -----------------------------------------------------

class Site:
    """Two filters of one section; two browsers can have copies of one cookie."""

    def __init__(self, option, secret):
        self.clock = Clock()
        self.probe = Probe()
        self.doors = [Visitor(SessionCookieHandler(
            self.probe, secret=secret, clock=self.clock,
            revocations=engines.revocation(option, ''))) for _ in range(2)]

    def visit(self, door, cookie, act=None):
        """A request with a cookie: its status, and the cookie afterwards."""
        self.probe.act = act
        self.doors[door].cookie = cookie
        self.doors[door].get()
        return self.probe.control.status, self.doors[door].cookie


@pytest.fixture
def site(make_engine, option, secret):
    return Site(option, secret)


def test_logout(site):
    """A copy of the cookie is void everywhere once its owner has logged out."""
    _, kept = site.visit(0, None, login('bob'))
    assert site.visit(1, kept)[0] == 'ok'
    site.visit(0, kept, logout)
    assert site.probe.result is True
    assert [site.visit(door, kept)[0] for door in (0, 1)] == ['revoked'] * 2


@pytest.mark.parametrize('again', [login('eve'), login('bob', again=True), login('bob', ['staff'])],
                         ids=['another', 'again', 'groups'])
def test_a_login_that_is_replaced(site, again):
    """The old login is void, the new one is not."""
    _, old = site.visit(0, None, login('bob'))
    _, new = site.visit(0, old, again)
    assert site.visit(1, old)[0] == 'revoked'
    assert site.visit(1, new)[0] == 'ok'


def test_revoke(site, name):
    """Every login of a user is void, and he can log in again at once."""
    _, phone = site.visit(0, None, login(name))
    _, desk = site.visit(1, None, login(name))
    _, eve = site.visit(1, None, login('eve' + name))
    site.visit(1, eve, lambda environ: environ['session.control'].revoke(name))
    assert [site.visit(0, each)[0] for each in (phone, desk, eve)] == ['revoked', 'revoked', 'ok']
    _, new = site.visit(0, None, login(name))
    assert [site.visit(door, new)[0] for door in (0, 1)] == ['ok', 'ok']


def test_not_before(option, secret, make_engine):
    """not_before voids a login that no list has."""
    probe, clock = Probe(), Clock()
    probe.act = login('bob')
    visitor = Visitor(SessionCookieHandler(probe, secret=secret, clock=clock))
    visitor.get()
    later = Visitor(SessionCookieHandler(
        probe, secret=secret, clock=clock, not_before=START + 1,
        revocations=engines.revocation(option, '')))
    later.cookie, probe.act = visitor.cookie, None
    later.get()
    assert probe.control.status == 'revoked'


def test_expired_is_expired(site):
    """When the list may forget a login, its cookie is refused for its age."""
    _, kept = site.visit(0, None, login('bob'))
    site.visit(0, kept, logout)
    site.clock.move(12 * 3600)
    assert site.visit(0, kept)[0] == 'expired-absolute'
