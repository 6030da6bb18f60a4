"""What visitors send: any Cookie header at all, and nothing ever breaks."""
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NAME, START, Clock, Probe, Visitor, login, logout
from paste_sessioncookie import SessionCookieHandler, SessionCookieSigner
from paste_sessioncookie.encoding import Login, Payload

SECRET = 'the secret of the site that everybody attacks here'


def signed(secret=SECRET, user=None, **changes):
    """A cookie of somebody, as a server would have made it."""
    payload = Payload('ab' * 20, START, START, START + 1800, START + 43200,
                      Login('cd' * 16, START, '', user, ()) if user else None, {}, None, {})
    signer = SessionCookieSigner(secret, cookie_name=NAME)
    return signer.sign(payload._replace(**changes)).decode()


VALUE = signed(user='bob')
latin1 = st.text(st.characters(max_codepoint=0xff))


def ask(header):
    """One request with a Cookie header, taken as it is."""
    probe = Probe()
    visitor = Visitor(SessionCookieHandler(probe, secret=SECRET, clock=Clock()))
    response = visitor.get(HTTP_COOKIE=header)
    assert response.status_int == 200
    assert re.fullmatch('[0-9a-f]{40}', probe.id)
    return probe, visitor


@given(latin1)
def test_any_header(header):
    """No header raises, and none makes anybody out of nobody."""
    probe, visitor = ask(header)
    assert probe.control.identity is None and 'REMOTE_USER' not in probe.environ
    assert probe.control.new and len(visitor.set_cookies) == 1


@given(latin1, latin1)
def test_any_value(value, other):
    """Likewise for any value under our name, also beside another."""
    probe, visitor = ask(f'{NAME}={value}; {NAME}={other}')
    assert probe.control.identity is None and 'REMOTE_USER' not in probe.environ
    assert probe.control.status in ('malformed', 'too-large', 'unknown-key')


@given(st.integers(0, len(VALUE) - 1), latin1.filter(bool))
def test_any_change(position, text):
    """No cookie that was changed anywhere is accepted."""
    changed = VALUE[:position] + text + VALUE[position + len(text):]
    if changed.partition(';')[0].partition(',')[0].strip(' \t') == VALUE:
        return
    probe, _ = ask(f'{NAME}={changed}')
    assert probe.control.identity is None and probe.control.new


@given(latin1.filter(lambda text: NAME not in text),
       latin1.filter(lambda text: NAME not in text))
def test_odd_neighbours(before, after):
    """Whatever other cookies say, ours is found."""
    probe, _ = ask(f'{before};{NAME}={VALUE};{after}')
    assert probe.environ['REMOTE_USER'] == 'bob'


@pytest.mark.parametrize('header, status, user', [
    (f'{NAME}={VALUE}', 'ok', 'bob'),
    (f'{NAME}={VALUE}; {NAME}={VALUE}', 'ok', 'bob'),
    (f'{NAME}=junk; {NAME}={VALUE}', 'ok', 'bob'),
    (f'{NAME}={VALUE}; {NAME}={signed("another secret, of 32 bytes or more", user="eve")}', 'ok', 'bob'),
    (f'{NAME}={VALUE}; {NAME}={signed(user="eve", idle=START)}', 'ok', 'bob'),
    (f'{NAME}={VALUE}, {NAME}={signed(user="eve")}', 'ok', 'bob'),
    (f'foo=x,{NAME}={VALUE}', 'new', None),
    (f'foo="; {NAME}={VALUE}; "', 'ok', 'bob'),
    (f'{NAME.lower()}={VALUE}', 'new', None),
    (f'{NAME} ={VALUE}', 'new', None),
    (f'{NAME}="{VALUE}"', 'malformed', None),
    (f'{NAME}=', 'malformed', None),
    (f'{NAME}=' + 'x' * 5000, 'too-large', None),
    ('x=' + 'x' * 100000 + f'; {NAME}={VALUE}', 'ok', 'bob'),
    (f'{NAME}={VALUE}; {NAME}={signed(user="eve")}', 'conflict', None),
    (f'{NAME}={VALUE}; {NAME}={signed()}', 'conflict', None),
    ('; '.join(f'{NAME}=junk{n}' for n in range(8)) + f'; {NAME}={VALUE}', 'conflict', None),
    ('; '.join(f'{NAME}=junk{n}' for n in range(7)) + f'; {NAME}={VALUE}', 'ok', 'bob'),
    (f'{NAME}={signed("another secret, of 32 bytes or more")}', 'unknown-key', None),
    (f'{NAME}={VALUE[:-1]}{"1" if VALUE[-1] != "1" else "2"}', 'bad-signature', None),
    (f'{NAME}={signed(idle=START)}', 'expired-idle', None),
    (f'{NAME}={signed(absolute=START)}', 'expired-absolute', None),
    (f'{NAME}={signed(user="bob", issued=START + 61)}', 'malformed', None),
    (f'{NAME}={signed(created=START + 1)}', 'malformed', None),
    (f'{NAME}={signed(user="bob", issued=START - 1800, created=START - 1800)}', 'expired-idle', None),
], ids=range(25))
def test_status(header, status, user):
    """Each kind of header has its status, and who is not accepted is nobody."""
    probe, _ = ask(header)
    assert (probe.control.status, probe.environ.get('REMOTE_USER')) == (status, user)
    assert probe.control.new is (status != 'ok')


@pytest.mark.parametrize('header, level, status', [
    (f'{NAME}=junk', logging.INFO, 'malformed'),
    (f'{NAME}=' + 'x' * 5000, logging.INFO, 'too-large'),
    (f'{NAME}={VALUE}; {NAME}={signed()}', logging.WARNING, 'conflict'),
    (f'{NAME}={VALUE[:-1]}!', logging.WARNING, 'bad-signature'),
    (f'{NAME}={signed("another secret, of 32 bytes or more")}', logging.WARNING, 'unknown-key'),
    (f'{NAME}={signed(idle=START)}', logging.DEBUG, 'expired-idle'),
    ('; '.join(f'{NAME}=junk{n}' for n in range(8)), logging.INFO, 'malformed'),
], ids=['malformed', 'too-large', 'conflict', 'bad-signature', 'unknown-key', 'expired', 'many'])
def test_one_line(caplog, header, level, status):
    """At most one line a request, of the status's level, with nothing secret in it."""
    caplog.set_level(logging.DEBUG)
    ask(header)
    (record,) = caplog.records
    assert (record.name, record.levelno) == ('paste_sessioncookie', level)
    assert record.getMessage() == f'the cookie {NAME} is not accepted: {status}'


def test_conflict_writes_nothing():
    """Of two cookies that are both good, neither is touched but by a log-in or
    a log-out."""
    probe = Probe()
    visitor = Visitor(SessionCookieHandler(probe, secret=SECRET, clock=Clock()))
    header = f'{NAME}={VALUE}; {NAME}={signed(user="eve")}'
    for act, written in ((None, False), (lambda e: e['session.control'].keep(), False),
                         (lambda e: e['session.control'].regenerate(), False),
                         (login('carol'), True), (lambda e: e['session.control'].logout(), True)):
        probe.act = act
        visitor.get(HTTP_COOKIE=header)
        assert bool(visitor.set_cookies) is written


def test_logout_in_a_conflict(caplog):
    """Which of several logins is meant cannot be told: copies may live on, and
    that is said."""
    probe = Probe()
    visitor = Visitor(SessionCookieHandler(probe, secret=SECRET, clock=Clock()))
    probe.act = logout
    visitor.get(HTTP_COOKIE=f'{NAME}={VALUE}; {NAME}={signed(user="eve")}')
    assert probe.result is False and visitor.cookie is None
    assert 'could not be revoked: there were several' in caplog.text


def test_a_fresh_session_each_time():
    """Who is not accepted has another ID each time, never one of the cookie's."""
    ids = {ask(f'{NAME}={VALUE[:-1]}!')[0].id for _ in range(20)}
    assert len(ids) == 20 and ask(f'{NAME}={VALUE}')[0].id not in ids


def test_fixation():
    """A cookie planted before a log-in gains its planter nothing."""
    probe = Probe()
    site = SessionCookieHandler(probe, secret=SECRET, clock=Clock())
    attacker, victim = Visitor(site), Visitor(site)
    attacker.get()
    planted = probe.id
    victim.cookie = attacker.cookie
    probe.act = login()
    victim.get()
    probe.act = None
    victim.get()
    assert probe.id != planted and probe.environ['REMOTE_USER'] == 'bob'
    attacker.get()
    assert probe.id == planted and 'REMOTE_USER' not in probe.environ
