"""revocation.py: which logins are void although they verify."""
import threading

import pytest

from paste_sessioncookie import RevocationUnavailable
from paste_sessioncookie.revocation import MemoryRevocations, NoRevocations, memory_for


def test_a_login_is_revoked():
    """A login on the list is void, others are not."""
    revocations = MemoryRevocations()
    assert revocations.revoke_login('one', 100, 0) is True
    assert revocations.is_revoked('one', 'bob', 50)
    assert not revocations.is_revoked('two', 'bob', 50)


def test_a_user_is_revoked():
    """All of a user's logins up to a time are void, later ones and others' are not."""
    revocations = MemoryRevocations()
    assert revocations.revoked_up_to('bob') == 0
    revocations.revoke_user('bob', 50, 100, 0)
    assert revocations.revoked_up_to('bob') == 50
    assert revocations.is_revoked('x', 'bob', 50)
    assert not revocations.is_revoked('x', 'bob', 51)
    assert not revocations.is_revoked('x', 'eve', 50)


def test_a_later_time_stays():
    """Revoking a user again never takes anything back."""
    revocations = MemoryRevocations()
    revocations.revoke_user('bob', 50, 1000, 0)
    revocations.revoke_user('bob', 40, 900, 0)
    assert revocations.revoked_up_to('bob') == 50
    assert revocations.is_revoked('y', 'bob', 50)


class Clocks:
    """The time of day and the monotonic clock; a list that goes by them."""

    def __init__(self):
        self.now = self.monotonic = 0
        self.revocations = MemoryRevocations(lambda: self.monotonic)

    def pass_by(self, seconds):
        self.now += seconds
        self.monotonic += seconds

    def revoke(self, name, until):
        self.revocations.revoke_login(name, until, self.now)
        self.revocations.revoke_user(name, self.now, until, self.now)


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
    assert clocks.revocations.is_revoked('', 'young', 0)
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
    clocks.revoke('other', clocks.now + 10)
    assert clocks.revocations.is_revoked('old', '', 1)
    clocks.now -= step
    clocks.pass_by(61)
    clocks.revoke('other', clocks.now + 10)
    assert not clocks.revocations.is_revoked('old', '', 1)


def test_one_list_for_a_key():
    """All filters of a section, that is of a key, share a list."""
    assert memory_for('this test') is memory_for('this test')
    assert memory_for('this test') is not memory_for('another')


def test_threads():
    """Many threads may revoke and ask at once, and none is forgotten."""
    revocations = MemoryRevocations()

    def work(number):
        for n in range(500):
            revocations.revoke_login(f'{number} {n}', 10**6, n * 61)
            assert revocations.is_revoked(f'{number} {n}', 'bob', 1)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(revocations) == 4000


def test_none():
    """Without a list nothing is void, and nobody is told that it is."""
    revocations = NoRevocations()
    assert revocations.revoke_login('one', 100, 0) is False
    assert not revocations.is_revoked('one', 'bob', 50)
    assert revocations.revoked_up_to('bob') == 0
    with pytest.raises(RevocationUnavailable, match='revocation = none'):
        revocations.revoke_user('bob', 50, 100, 0)
