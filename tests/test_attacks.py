"""
The corpus of attacks
=====================

Every case of ``tests/attacks/*.json``, sent to sites of several shapes.  Whatever a case
is about, all of them say: no exception, nobody logged in who should not be, no session
that somebody else knows, nothing in environ that was not there, one harmless Set-Cookie at
most, and one line in the log that repeats nothing of what was sent.
"""
import logging
import re
import types
from dataclasses import replace

import pytest

import attack_corpus
import attack_wire
import specified
from attack_corpus import (
    ACCEPTED_SECRET, BASE_IDS, LIFETIME, NAME, NEEDS, PUBLIC_KEY, TIMEOUT, cases)
from conftest import START, Clock, Probe
from test_demo import Server
from paste_sessioncookie import Namespace, SessionCookieHandler
from paste_sessioncookie.requirelogin import RequireLogin

SECRET = 'the secret of the site that everybody attacks here'
STATUSES = {'new', 'ok', 'renewed', 'expired-idle', 'expired-absolute', 'malformed', 'too-large',
            'unknown-key', 'bad-signature', 'bad-login', 'conflict'}
LOGIN_URL = '/accounts/login'
PUT_IN = {'session.id', 'session.control', 'paste.auth.cookie'}

CASES = [pytest.param(case, id=case.name) for case in cases()]


# -- the corpus itself ---------------------------------------------------------------

def test_there_are_enough():
    """At least 250 cases, no two with one name, no two that send the same."""
    assert len(cases()) >= 250
    sent = {(case.cookie_header(START, SECRET), case.needs) for case in cases()}
    assert len({case.name for case in cases()}) == len(sent) == len(cases())


def test_every_case_is_whole():
    """Each has its reason, a status that there is, and needs that there are."""
    for case in cases():
        assert case.reason.endswith(('.', ').')), case.name
        assert case.expect.status in STATUSES, case.name
        assert case.needs <= set(NEEDS), case.name
    assert {case.expect.status for case in cases()} == STATUSES


def test_the_manual_has_all_words():
    """The README of the corpus explains every word and every filter that cases use."""
    manual = (attack_corpus.TESTS / 'attacks' / 'README.rst').read_text('utf-8')
    files = ''.join(path.read_text('ascii')
                    for path in (attack_corpus.TESTS / 'attacks').glob('*.json'))
    words = set(re.findall(r'<([a-z0-9 ]+)[|>]', files)) - {'now'}
    filters = set(re.findall(r'\|([a-z0-9-]+)', files))
    signs = set(re.findall('"sign": "([^"]+)', files))
    assert filters == set(attack_corpus.FILTERS)
    assert signs == set(attack_corpus.KEYS) - {'current'}
    assert [each for each in (*(f'<{word}>' for word in words), *filters, *signs)
            if f'``{each}' not in manual] == []


@pytest.mark.parametrize('case', CASES)
def test_the_specification_says_so(case):
    """Who reads the header by the specification alone comes to the same end."""
    header = case.cookie_header(START, SECRET)
    status, login = specified.admit(
        keys(case), header, START, TIMEOUT, LIFETIME,
        [PUBLIC_KEY] if 'login_keys' in case.needs else [])
    assert (status, login and login['user']) == (case.expect.status, case.expect.user)


def keys(case):
    secrets = [SECRET, ACCEPTED_SECRET] if 'accept_secrets' in case.needs else [SECRET]
    return [{'secret': secret, 'cookie_name': NAME, 'domain': '', 'path': '/'}
            for secret in secrets]


# -- sites ---------------------------------------------------------------------------

def alone(probe):
    return probe


def in_namespace(probe):
    return Namespace(probe)


def for_staff(probe):
    return Namespace(RequireLogin(probe, LOGIN_URL, ['staff']))


def ask(case, shape):
    """Two requests with the header of a case, as a site remembers what it has verified:
    what the application saw of each, and the answer."""
    probe = Probe()
    script_name = '' if shape is alone else '/wiki'
    site = SessionCookieHandler(
        shape(probe), secret=SECRET, clock=Clock(),
        accept_secrets=[ACCEPTED_SECRET] if 'accept_secrets' in case.needs else (),
        login_public_keys=[PUBLIC_KEY] if 'login_keys' in case.needs else None)
    before = {
        'REQUEST_METHOD': 'GET', 'SCRIPT_NAME': script_name, 'PATH_INFO': '/page',
        'QUERY_STRING': '', 'SERVER_NAME': 'example.org', 'SERVER_PORT': '443',
        'SERVER_PROTOCOL': 'HTTP/1.1', 'HTTP_HOST': 'example.org', 'REMOTE_ADDR': '192.0.2.1',
        'HTTP_COOKIE': case.cookie_header(START, SECRET, script_name),
        'wsgi.url_scheme': 'https', 'wsgi.multiprocess': False}
    for _ in range(2):
        answers = []
        site(dict(before), lambda *answer: answers.append(answer))
        [(status, headers)] = answers
        yield types.SimpleNamespace(
            probe=probe, before=before, namespace=script_name, status=int(status[:3]),
            headers=headers)


@pytest.mark.parametrize('case', CASES)
def test_attack(case, caplog):
    """In each shape of site the application sees the session that the case says and
    nothing else; behind require_login it is called for staff only."""
    caplog.set_level(logging.DEBUG)
    for shape in (alone, in_namespace, for_staff):
        status = status_for_staff(case) if shape is for_staff else 200
        for number, asked in enumerate(ask(case, shape)):
            assert asked.status == status
            check_seen(case, asked)
            check_set_cookie(case, asked)
            check_log(case, caplog.records, is_first=number == 0)
            caplog.clear()


def status_for_staff(case):
    if not case.expect.user:
        return 303
    return 200 if case.expect.is_staff else 403


FULLER = [pytest.param(replace(case, recipe={**case.recipe, 'payload': {
    **case.recipe['payload'], 'values': "site.unlisted=^"}}), id=case.name)
    for case in cases() if isinstance(case.recipe.get('payload'), dict)
    and 'values' not in case.recipe['payload']
    and len(case.cookie_header(START, SECRET)) < 3900]


@pytest.mark.parametrize('case', FULLER)
def test_in_a_fuller_cookie(case, caplog):
    """What is wrong with one part is wrong beside others: there is more than one way to
    read a payload."""
    test_the_specification_says_so(case)
    test_attack(case, caplog)


def test_a_server(tmp_path):
    """The same over a socket, to the demonstration: what goes through the server is seen
    as the case says, and the log repeats nothing."""
    with Server(tmp_path) as server:
        secret = (tmp_path / 'session.secret').read_text().strip()
        faults, refused = attack_wire.attack(('127.0.0.1', server.port), secret)
    assert faults == []
    assert len(refused) < 10
    log = server.log.read_text()
    assert 'Traceback' not in log
    for line in log.splitlines():
        said = re.match(f'the cookie {NAME} is not accepted: ([a-z-]+)( [(][0-9]+ times[)])?$', line)
        assert said and said[1] in STATUSES or NAME not in line


def check_seen(case, asked):
    """The application is called for whom it may be, and sees what it should."""
    if asked.status == 200:
        check_environ(case, asked)
        check_session(case, asked)
    else:
        assert asked.probe.environ is None


def check_environ(case, asked):
    """Only what the filters promise is added, and nothing that was there is changed."""
    environ, user = asked.probe.environ, case.expect.user
    assert {key: environ.get(key) for key in asked.before} == asked.before
    added = environ.keys() - asked.before.keys() - PUT_IN
    assert added - {'REMOTE_USER_TOKENS'} == {
        *case.expect.values, *(['REMOTE_USER', 'AUTH_TYPE'] if user else [])}
    assert environ.get('REMOTE_USER') == user
    assert environ.get('REMOTE_USER_TOKENS') == ('staff' if case.expect.is_staff else None)
    assert {key: environ[key] for key in case.expect.values} == case.expect.values


def check_session(case, asked):
    """The session is the one that the case says, or one that nobody has seen."""
    control, session_id = asked.probe.control, asked.probe.id
    assert control.status == case.expect.status
    text_user = case.expect.user and case.expect.user.encode('latin-1').decode('utf-8')
    assert (control.identity and control.identity.user) == text_user
    expected = case.session_id(asked.namespace)
    if expected is None:
        assert control.new and re.fullmatch('[0-9a-f]{40}', session_id)
        assert session_id not in {specified.session_id(base_id, asked.namespace, '')
                                  for base_id in BASE_IDS.values()}
    else:
        assert session_id == expected and not control.new
    assert control.previous_id is None


def check_set_cookie(case, asked):
    """One cookie at most, of harmless characters; a fresh one says nothing that came along."""
    sent = [value for name, value in asked.headers if name == 'Set-Cookie']
    if case.expect.status in ('ok', 'conflict'):
        assert sent == []
        return
    [header] = sent
    value = re.fullmatch(
        fr'{NAME}=([][A-Za-z0-9!&*+./:=@_~{{}}^|()?#$-]+); Path=/; HttpOnly; SameSite=Lax; Secure', header)[1]
    _, payload = specified.verify(keys(case)[:1], value, START, TIMEOUT, LIFETIME)
    if case.expect.status == 'renewed':
        assert payload['base_id'] == BASE_IDS[case.expect.session]
        return
    assert payload['base_id'] not in asked.before['HTTP_COOKIE']
    assert not (payload['login'] or payload['values'] or payload['sections']
                or payload['previous'])


def check_log(case, records, is_first):
    """What was refused is one line, of which the attacker chooses not a character; for
    more of the same there may be none."""
    lines = [record.getMessage() for record in records]
    if case.expect.status in ('new', 'ok', 'renewed'):
        assert lines == []
    elif lines or is_first:
        assert lines == [f'the cookie {NAME} is not accepted: {case.expect.status}']
