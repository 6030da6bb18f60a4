"""
revocation.py: which logins are void although they verify
=========================================================

What all engines do is in test_revocation_engines.py.
"""
import traceback

import configapps
import pytest
from conftest import START, Visitor, login, logout

from paste_sessioncookie import RevocationUnavailable
from paste_sessioncookie.revocation import (
    Complaints, CustomRevocations, MemoryRevocations, NoRevocations)
from paste_sessioncookie.seldom import LOG_EVERY


class Clocks:
    """The time of day and the monotonic clock; a list that goes by them."""

    def __init__(self):
        self.now, self.monotonic = START, 0
        self.revocations = MemoryRevocations(lambda: self.monotonic)

    def pass_by(self, seconds):
        self.now += seconds
        self.monotonic += seconds

    def revoke(self, name, seconds):
        """The entries may go so many seconds after the start."""
        self.revocations.revoke_login(name, START + seconds, self.now)
        self.revocations.revoke_user(name, self.now, START + seconds, self.now)


def test_entries_go_at_their_expiry():
    """What no cookie can bring back any more is forgotten, and nothing else."""
    clocks = Clocks()
    for n in range(1000):
        clocks.revoke(f'old {n}', 100)
    clocks.revoke('young', 101)
    assert len(clocks.revocations) == 2002
    clocks.pass_by(100)
    clocks.revoke('later', 300)
    assert len(clocks.revocations) == 4
    assert clocks.revocations.is_revoked('young', '', 1)
    assert clocks.revocations.is_revoked('', 'young', START)
    clocks.pass_by(59)
    clocks.revoke('later', 300)  # within a minute nothing is swept
    assert len(clocks.revocations) == 4
    clocks.pass_by(1)
    clocks.revoke('later', 300)
    assert len(clocks.revocations) == 2


@pytest.mark.parametrize('step', [10**6, -10**6])
def test_a_clock_that_is_set(step):
    """A clock that steps forward and back, or only back, brings no login back,
    and does not stop the sweeping."""
    clocks = Clocks()
    clocks.revoke('old', 100)
    clocks.now += step
    clocks.pass_by(61)
    clocks.revoke('other', clocks.now - START + 10)
    assert clocks.revocations.is_revoked('old', '', 1)
    clocks.now -= step
    clocks.pass_by(61)
    clocks.revoke('other', clocks.now - START + 10)
    assert not clocks.revocations.is_revoked('old', '', 1)


def test_none():
    """Without a list nothing is void, and nobody is told that it is."""
    revocations = NoRevocations()
    assert revocations.revoke_login('one', 100, 0) is False
    assert not revocations.is_revoked('one', 'bob', 50)
    assert revocations.revoked_up_to('bob') == 0
    with pytest.raises(RevocationUnavailable, match='revocation = none'):
        revocations.revoke_user('bob', 50, 100, 0)


# -- module:callable ---------------------------------------------------------

METHODS = [('revoke_login', 'l0gin', 100, 0), ('revoke_user', 'bob', 1, 100, 0),
           ('is_revoked', 'l0gin', 'bob', 1), ('revoked_up_to', 'bob')]


class Faulty(configapps.Revocations):
    """An engine that, from some time on, does what a test says."""

    act = None

    def __getattribute__(self, name):
        act = super().__getattribute__('act')
        return super().__getattribute__(name) if act is None else act


def raises(*arguments):
    raise KeyError(*arguments)


def returns_text(*arguments):
    return 'b0rrowed-w0rds'


@pytest.fixture
def faulty():
    return Faulty()


@pytest.fixture
def custom(faulty):
    return CustomRevocations(faulty, Complaints('shop.lists:make'))


@pytest.mark.parametrize('method, arguments', [(name, rest) for name, *rest in METHODS])
def test_what_it_raises(custom, faulty, caplog, method, arguments):
    """Whatever it raises means that it does not answer; where is said, what not:
    a database's error may have the login's ID in it."""
    faulty.act = raises
    with pytest.raises(RevocationUnavailable, match=f'{method} raised KeyError') as raised:
        getattr(custom, method)(*arguments)
    said = caplog.text + ''.join(traceback.format_exception(raised.value))
    assert 'shop.lists:make fails: ' in said and 'test_revocation.py, line' in said
    assert 'l0gin' not in said and 'bob' not in said


@pytest.mark.parametrize('method, arguments', [(name, rest) for name, *rest in METHODS[::2]])
@pytest.mark.parametrize('answer', [print, returns_text])
def test_what_it_returns(custom, faulty, method, arguments, answer):
    """An answer that is none is no answer."""
    faulty.act = answer
    with pytest.raises(RevocationUnavailable, match=f'{method} returned .*, not bool') as raised:
        getattr(custom, method)(*arguments)
    assert 'b0rrowed' not in str(raised.value)


def test_what_it_raises_on_purpose(custom, faulty, caplog):
    """Its own RevocationUnavailable is passed on; what to log is its business."""
    def away(user):
        raise RevocationUnavailable('the moon is down')
    faulty.act = away
    with pytest.raises(RevocationUnavailable, match='^the moon is down$'):
        custom.revoked_up_to('bob')
    assert not caplog.records


@pytest.mark.parametrize('given', ['custom', 'faulty'])
def test_it_does_not_stop_the_site(make_site, probe, given, faulty, request):
    """An engine that breaks logs nobody in and breaks no request, be it named in an ini
    file or given as an object."""
    visitor = Visitor(make_site(probe, revocations=request.getfixturevalue(given)))
    probe.act = login('bob')
    visitor.get()
    kept = visitor.cookie
    faulty.act = raises
    probe.act = None
    assert visitor.get().status_int == 200
    assert (probe.control.status, probe.control.identity) == ('unavailable', None)
    assert (visitor.cookie, visitor.set_cookies) == (kept, [])
    probe.act = logout
    visitor.get()
    assert (probe.result, visitor.cookie) == (False, None)
    faulty.act = probe.act = None
    visitor.cookie = kept
    visitor.get()
    assert probe.control.status == 'ok'


def test_complaints_are_few(caplog):
    """An outage is a line a minute, not a line a request."""
    now = [0.0]
    complaints = Complaints('sqlite:/revoked.db', lambda: now[0])
    for second in range(LOG_EVERY + 1):
        now[0] = second
        assert 'sqlite:/revoked.db' in str(complaints.unavailable('disk I/O error'))
    assert caplog.messages == [
        'the revocation list sqlite:/revoked.db fails: disk I/O error'] * 2
