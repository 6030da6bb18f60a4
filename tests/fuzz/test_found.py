"""What the machine found."""
from conftest import START, Clock, Probe, Visitor, login
from paste_sessioncookie import SessionCookieHandler
from paste_sessioncookie.revocation import MemoryRevocations

SECRET = 'the secret of two servers, which is long enough'


def revoke(environ):
    environ['session.control'].revoke('bob')


def test_a_login_after_a_revocation():
    """A login right after revoke() counts on a server whose clock is 59 s behind, too: at
    60 s it would be dated 121 s ahead there, which is more than a server takes."""
    probe, revocations, ahead = Probe(), MemoryRevocations(), Clock()
    ahead.move(59)
    one, two = (
        SessionCookieHandler(probe, secret=SECRET, clock=clock, revocations=revocations)
        for clock in (ahead, Clock()))
    visitor = Visitor(one)
    probe.act = revoke
    visitor.get()
    probe.act = login('bob')
    visitor.get()
    probe.act = None
    visitor.app = Visitor(two).app
    visitor.get()
    assert (probe.control.status, probe.environ.get('REMOTE_USER')) == ('ok', 'bob')
    assert probe.control.identity.at == START + 120
