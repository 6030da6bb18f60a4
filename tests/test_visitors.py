"""What visitors send: any Cookie header at all, and nothing ever breaks.  Headers that
somebody has thought of are in ``attacks``."""
import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import NAME, START, Clock, Probe, Visitor, login, logout
from paste_sessioncookie import SessionCookieHandler, SessionCookieSigner
from paste_sessioncookie.encoding import Login, Payload
from paste_sessioncookie.seldom import Seldom

SECRET = 'the secret of the site that everybody attacks here'


def signed(secret=SECRET, user=None, **changes):
    """A cookie of somebody, as a server would have made it."""
    payload = Payload('ab' * 20, START, START, START + 1800, START + 43200,
                      Login('cd' * 16, START, '', user, ()) if user else None, {}, None, {})
    signer = SessionCookieSigner(secret, cookie_name=NAME)
    return signer.sign(payload.replace(**changes)).decode()


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


def test_a_flood_of_bad_cookies(caplog, monkeypatch):
    """What is refused is logged once a minute for each reason, and then with how often."""
    site = SessionCookieHandler(Probe(), secret=SECRET, clock=Clock())
    clock = Clock()
    monkeypatch.setattr(site, '_refusals', {
        status: Seldom(clock) for status in ('malformed', 'bad-signature')})
    visitor = Visitor(site)
    for seconds in (0, 1, 59):
        clock.now = START + seconds
        for value in 'junk', VALUE[:-1] + '!':
            visitor.get(HTTP_COOKIE=f'{NAME}={value}')
    assert [record.levelname for record in caplog.records] == ['WARNING']
    clock.now = START + 61
    visitor.get(HTTP_COOKIE=f'{NAME}={VALUE[:-1]}!')
    assert caplog.messages[-1] == f'the cookie {NAME} is not accepted: bad-signature (3 times)'


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
