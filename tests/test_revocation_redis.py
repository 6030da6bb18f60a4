"""revocation_redis.py: a list in Redis, for several machines."""
import contextlib
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
import traceback

import pytest
import trustme
from conftest import START, Visitor, login, logout
from redisserver import PATIENT
from surroundings import free_port

from paste_sessioncookie import ConfigError, RevocationUnavailable, cookie, engines
from paste_sessioncookie.revocation_redis import (
    ANSWER_TIMEOUT, CONNECT_TIMEOUT, GRACE, PREFIX, RETRY_AFTER, TRIAL, RedisStore)
from paste_sessioncookie.revocation_store import StoredRevocations

PASSWORD = 'b0rrowed-w0rds'


@pytest.fixture
def make_store():
    """Stores that are closed at the end."""
    made = []

    def make(url, **options):
        made.append(RedisStore(url, **options))
        return made[-1]
    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store, redis_server):
    store = make_store(redis_server.url)
    store.prepare()
    return store


@pytest.fixture
def name():
    return os.urandom(16)


def key(name):
    return PREFIX + name.hex().encode()


# -- what is asked -----------------------------------------------------------

def test_a_look_up_is_one_command(store, redis_server, make_site, probe):
    """A request with a login asks once, one without asks nothing, and a log-out is
    one command more."""
    visitor = Visitor(make_site(probe, revocations=store))
    redis_server.calls()
    visitor.get(), visitor.get()
    assert redis_server.calls() == {}
    probe.act = login('bob')
    visitor.get()
    redis_server.calls()
    probe.act = None
    for _ in range(5):
        visitor.get()
    assert redis_server.calls() == {'mget': 5}
    probe.act = logout
    visitor.get()
    calls = redis_server.calls()
    assert (calls['mget'], calls['eval']) == (1, 1)


def test_nobody_is_named_in_it(store, redis_server):
    """Neither users nor login IDs nor the list's name are in Redis."""
    revocations = StoredRevocations(store, ['5a' * 32])
    revocations.revoke_login('10917' * 8, START + 10, START)
    revocations.revoke_user('b0bby-tables', START, START + 10, START)
    keys = redis_server.ask(b'KEYS *')
    assert PREFIX in keys
    for text in (b'10917' * 3, b'b0bby', b'5a' * 8):
        assert text not in keys


# -- expiry, by Redis itself -------------------------------------------------

def seconds_left(server, name):
    return int(server.ask(b'TTL ' + key(name)).splitlines()[0][1:])


@pytest.mark.parametrize('skew', [0, 86400, -86400])
def test_redis_drops_what_has_expired(store, redis_server, name, skew):
    """An entry lives until its expiry, and a little longer, by the clock of Redis
    and by ours, whichever is slower."""
    now = int(time.time()) + skew
    store.put(name, 1, now + 100, now)
    expected = 100 + GRACE + max(skew, 0)
    assert expected - 10 <= seconds_left(redis_server, name) <= expected + 1


def test_the_later_expiry_stays(store, redis_server, name):
    """An entry that is put again does not expire sooner."""
    now = int(time.time())
    store.put(name, 2, now + 1000, now)
    store.put(name, 1, now + 10, now)
    assert store.latest([name]) == 2
    assert seconds_left(redis_server, name) > GRACE + 900
    store.put(name, 3, now + 2000, now)
    assert store.latest([name]) == 3
    assert seconds_left(redis_server, name) > GRACE + 1900


def test_it_really_goes(store, redis_server, name):
    """What has expired is gone."""
    now = int(time.time())
    store.put(name, 1, now - GRACE - 100, now)
    end = time.monotonic() + 20
    while store.latest([name]):
        assert time.monotonic() < end
        time.sleep(0.05)


# -- addresses ---------------------------------------------------------------

@pytest.mark.parametrize('url, shown, expected', [
    ('redis://localhost', 'redis://localhost:6379/0', {}),
    ('redis://:w%40rd@host:7000/3', 'redis://host:7000/3', {'password': 'w@rd', 'db': 3}),
    ('rediss://site:word@host?ssl_ca_certs=/ca.pem', 'rediss://host:6379/0',
     {'username': 'site', 'password': 'word', 'ssl_ca_certs': '/ca.pem'}),
    ('REDIS://host/', 'redis://host:6379/0', {}),
    ('unix:///run/redis.sock?db=2&password=word', 'unix:///run/redis.sock',
     {'path': '/run/redis.sock', 'db': 2, 'password': 'word'}),
    ('redis://host?socket_timeout=0.2', 'redis://host:6379/0', {'socket_timeout': 0.2})])
def test_addresses(make_store, url, shown, expected):
    """An address says what redis-py is told, with our time-outs unless it has its own;
    what is shown of it has no password."""
    engine, _, rest = url.partition(':')
    store = make_store(f'{engine.lower()}:{rest}')
    arguments = {'socket_timeout': ANSWER_TIMEOUT, 'socket_connect_timeout': CONNECT_TIMEOUT,
                 **expected}
    found = store._client.connection_pool.connection_kwargs
    assert {each: found[each] for each in arguments} == arguments
    with pytest.raises(RevocationUnavailable) as raised:
        raise store._complaints.unavailable('away')
    assert str(raised.value) == f'the revocation list {shown}: away'


def test_user_and_password(make_redis, make_store, name, caplog):
    """They are used; without them Redis refuses, and the log says so without them."""
    server = make_redis()
    server.ask(f'ACL SETUSER site on >{PASSWORD} ~paste_sessioncookie:* +eval +mget +get +set '
               '+ttl +time +ping'.encode(), b'ACL SETUSER default off')
    good = make_store(f'unix://site:{PASSWORD}@{server.socket}{PATIENT}')
    good.prepare()
    good.put(name, 7, START, START)
    assert good.latest([name]) == 7
    assert not caplog.records  # it may not ask for the memory, and does without
    for url in (server.url, f'unix://site:{PASSWORD}x@{server.socket}{PATIENT}'):
        bad = make_store(url)
        bad.prepare()
        with pytest.raises(RevocationUnavailable, match='AuthenticationError') as raised:
            bad.latest([name])
        said = caplog.text + ''.join(traceback.format_exception(raised.value))
        assert 'does not answer yet: AuthenticationError' in said
        assert PASSWORD not in said


def test_tls(make_redis, make_store, tmp_path, name, caplog):
    """rediss:// verifies the server, by the authorities that the address names."""
    pem, port, authority = str(tmp_path / 'server.pem'), free_port(), trustme.CA()
    authority.cert_pem.write_to_path(pem + '.ca')
    server = authority.issue_cert('localhost')
    server.private_key_pem.write_to_path(pem)
    server.cert_chain_pems[0].write_to_path(pem + '.crt')
    make_redis('--tls-port', str(port), '--tls-cert-file', pem + '.crt', '--tls-key-file', pem,
               '--tls-auth-clients', 'no', '--tls-ca-cert-file', pem + '.ca')
    patient = PATIENT.replace('?', '&')
    good = make_store(f'rediss://localhost:{port}?ssl_ca_certs={pem}.ca{patient}')
    good.put(name, 7, START, START)
    assert good.latest([name]) == 7
    with pytest.raises(RevocationUnavailable, match='(?i)certificate'):
        make_store(f'rediss://localhost:{port}{PATIENT}').latest([name])


def test_without_redis_py(monkeypatch, secret):
    """Where redis-py is not installed, the ini file is refused, with what to install."""
    monkeypatch.setitem(sys.modules, 'redis', None)
    with pytest.raises(ConfigError, match=re.escape(
            'revocation = redis:...: redis-py is not installed: '
            "pip install 'paste_sessioncookie[redis]'")):
        cookie.make_session_cookie(None, {}, secret=secret, revocation='redis://nowhere')


def test_redis_py_is_imported_only_when_it_is_used():
    """Who has another engine does not load it."""
    subprocess.run([sys.executable, '-c', 'import sys, paste_sessioncookie\n'
                    'assert "redis" not in sys.modules'], check=True, timeout=60)


# -- what Redis is like ------------------------------------------------------

@pytest.mark.parametrize('policy, warned', [
    ('allkeys-lru', True), ('volatile-ttl', True), ('volatile-lru', True), ('noeviction', False)])
def test_a_redis_that_forgets_for_space(make_redis, make_store, caplog, policy, warned):
    """One warning of a policy that may drop entries: the volatile ones, too."""
    server = make_redis('--maxmemory', '100mb', '--maxmemory-policy', policy)
    store = make_store(server.url)
    store.prepare()
    store.latest([b'x'])
    found = [each.getMessage() for each in caplog.records]
    assert len(found) == warned
    assert all(f'maxmemory-policy {policy}' in each for each in found)


def test_a_policy_without_a_limit(make_redis, make_store, caplog):
    """Without maxmemory nothing is dropped, whatever the policy."""
    make_store(make_redis('--maxmemory-policy', 'allkeys-lru').url).prepare()
    assert not caplog.records


def test_it_is_inspected_when_it_comes(make_redis, make_store, caplog):
    """A Redis that was away while the ini file was loaded is looked at later, once."""
    server = make_redis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    server.kill()
    store = make_store(server.url)
    store.prepare()
    assert 'does not answer yet: ConnectionError' in caplog.text
    caplog.clear()
    server.start()
    for _ in range(3):
        store.latest([b'x'])
    assert len(caplog.records) == 1 and 'allkeys-lru' in caplog.text


@pytest.mark.parametrize('break_it, write, reason', [
    ((b'CONFIG SET maxmemory 1',), True, r'OutOfMemoryError|ResponseError \(OOM\)'),
    ((b'CONFIG SET replica-read-only yes', b'REPLICAOF 127.0.0.1 1'), True, 'ReadOnlyError'),
    ((b'CONFIG SET requirepass ' + PASSWORD.encode(),), False, 'AuthenticationError'),
    ((b'REPLICAOF 127.0.0.1 1', b'CONFIG SET replica-serve-stale-data no'), False, 'MasterDownError|MASTERDOWN'),
    ((b'ACL SETUSER default -mget',), False, 'NoPermissionError'),
    ((b'ACL SETUSER default -eval',), True, 'NoPermissionError')],
    ids=['full', 'replica', 'password', 'no master', 'no mget', 'no eval'])
def test_redis_says_no(make_redis, make_store, name, caplog, break_it, write, reason):
    """An error that Redis answers means that the list does not answer; it is named,
    and is no reason to stop asking."""
    server = make_redis()
    server.ask(*break_it)
    store = make_store(server.url)
    for _ in range(2):
        with pytest.raises(RevocationUnavailable, match=reason) as raised:
            store.put(name, 7, START, START) if write else store.latest([name])
        assert PASSWORD not in ''.join(traceback.format_exception(raised.value))
        assert 'a moment ago' not in str(raised.value)
    assert len(caplog.records) == 1
    assert f'the revocation list {server.hasty} fails: ' in caplog.text
    assert name.hex() not in caplog.text


def test_something_else_under_our_keys(store, redis_server, name):
    """What is no time is no answer; a list is not written over."""
    redis_server.ask(b'SET ' + key(name) + b' soon')
    with pytest.raises(RevocationUnavailable, match='no number'):
        store.latest([name])
    with pytest.raises(RevocationUnavailable, match='ResponseError'):
        store.put(name, 7, START, START)
    redis_server.ask(b'SET ' + key(name) + b' ' + b'9' * 5000)
    with pytest.raises(RevocationUnavailable, match='no number'):
        store.latest([name])
    redis_server.ask(b'DEL ' + key(name), b'LPUSH ' + key(name) + b' 7')
    with pytest.raises(RevocationUnavailable, match='WRONGTYPE'):
        store.put(name, 7, START, START)


def test_an_error_that_repeats_what_was_said(make_store, caplog):
    """A server that repeats AUTH's arguments in its error gets no password into
    the log or a traceback."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        def answer():
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    said = connection.recv(4096)
                    connection.sendall(b"-NOPE unknown command, with args beginning with: '%s'\r\n"
                                       % said.replace(b'\r\n', b' '))
                    connection.recv(4096)
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        store = make_store('redis://site:{}@127.0.0.1:{}{}'.format(
            PASSWORD, server.getsockname()[1], PATIENT))
        store.prepare()
        with pytest.raises(RevocationUnavailable) as raised:
            store.latest([b'x'])
    assert PASSWORD not in caplog.text + ''.join(traceback.format_exception(raised.value))


@pytest.mark.parametrize('answer', [
    b'$1\r\n7\r\n', b'*0\r\n', b'*1\r\n*0\r\n', b':7\r\n', b'+OK\r\n', b'*2\r\n$1\r\n7\r\n$-1\r\n',
    b'*1\r\n' * 3000 + b'*0\r\n', b'*1\r\n$x\r\n', b'?\r\n', b'*-1\r\n'])
def test_an_answer_that_is_none(make_store, answer):
    """Whatever a server answers that is no answer to a look-up, is no answer."""
    with socket.create_server(('127.0.0.1', 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        while b'MGET' not in (said := connection.recv(4096)) and said:
                            connection.sendall(b'+OK\r\n' * said.count(b'*'))
                        connection.sendall(answer)
        threading.Thread(target=serve, daemon=True).start()
        store = make_store(f'redis://127.0.0.1:{server.getsockname()[1]}{PATIENT}')
        with pytest.raises(RevocationUnavailable):
            store.latest([b'x'])
        server.shutdown(socket.SHUT_RDWR)


# -- outages -----------------------------------------------------------------

class Outage:
    """A way to lose Redis, and to get it back as it was."""

    def __init__(self, server, way):
        self.server, self.way = server, way

    def begin(self):
        self.server.pause() if self.way == 'stopped' else self.server.kill()

    def end(self):
        self.server.go_on() if self.way == 'stopped' else self.server.start()


@pytest.fixture(params=['killed', 'stopped'])
def outage(request, make_redis):
    return Outage(make_redis(), request.param)


@pytest.fixture
def bob(outage, make_store, make_site, probe):
    """Somebody who is logged in, at a site with the library's own time-outs."""
    visitor = Visitor(make_site(probe, revocations=make_store(outage.server.hasty)))
    probe.act = login('bob')
    until(probe, visitor, 'new', 'ok')
    probe.act = None
    until(probe, visitor, 'ok')
    return visitor


def until(probe, visitor, *statuses):
    """Ask until a status comes: one answer may be late on a busy machine."""
    end = time.monotonic() + 20
    while True:
        try:
            visitor.get()
            if probe.control.status in statuses:
                return
        except RevocationUnavailable:
            pass
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nobody_is_logged_in_by_an_outage(outage, bob, probe, caplog):
    """No login counts, no cookie is touched, nobody's request fails; and all is well
    afterwards, without a restart of the site."""
    kept = bob.cookie
    outage.begin()
    for _ in range(3):
        assert bob.get().status_int == 200
        assert (probe.control.status, probe.control.identity) == ('unavailable', None)
        assert 'REMOTE_USER' not in probe.environ
        assert (bob.cookie, bob.set_cookies) == (kept, [])
    assert len([each for each in caplog.records if ' fails: ' in each.getMessage()]) == 1
    outage.end()
    until(probe, bob, 'ok')
    assert probe.control.identity.user == 'bob'
    assert bob.cookie == kept


def test_login_in_an_outage(outage, bob, probe):
    """login() and revoke() raise, and nothing has changed."""
    kept = bob.cookie
    outage.begin()

    def act(environ):
        for call in (environ['session.control'].login, environ['session.control'].revoke):
            with pytest.raises(RevocationUnavailable):
                call('eve')
    probe.act = act
    bob.get()
    assert (bob.cookie, bob.set_cookies) == (kept, [])


def test_logout_in_an_outage(outage, bob, probe, caplog):
    """The browser's cookie goes, False is returned, and the error says why."""
    def act(environ):
        outage.begin()
        return logout(environ)
    probe.act = act
    bob.get()
    assert (probe.result, bob.cookie) == (False, None)
    assert 'logged out, but copies of the cookie could not be revoked' in caplog.text


def test_what_was_revoked_is_revoked_afterwards(outage, bob, probe):
    """A server that only paused still has its list (one that was killed has what it
    keeps on disk: nothing, here)."""
    kept = bob.cookie
    probe.act = logout
    bob.get()
    assert probe.result is True
    probe.act = None
    bob.cookie = kept
    outage.begin()
    bob.get()
    assert probe.control.status == 'unavailable'
    outage.end()
    until(probe, bob, 'revoked' if outage.way == 'stopped' else 'ok')


def test_an_idle_connection_that_died(make_redis, make_store, name):
    """A restart while nobody asked is not noticed at all."""
    server = make_redis()
    store = make_store(server.url)
    for _ in range(3):
        assert store.latest([name]) == 0
        server.kill()
        server.start()
    store.put(name, 7, START, START)
    assert server.ask(b'CLIENT KILL TYPE normal SKIPME yes')
    assert store.latest([name]) == 7


def test_many_wait_for_nobody(make_redis, make_store, name):
    """In an outage only one request at a time finds out how it is, and only twice
    a second; all others are answered at once."""
    server = make_redis()
    now = [0.0]
    store = make_store(server.hasty, monotonic=lambda: now[0])
    asked = []
    ask = store._client.execute_command

    def execute_command(*command):
        asked.append(command)
        return ask(*command)
    store._client.execute_command = execute_command
    server.pause()
    for half_second in range(4):
        for part in range(10):
            now[0] = half_second * RETRY_AFTER + part * RETRY_AFTER / 10 + 0.01
            with pytest.raises(RevocationUnavailable, match='TimeoutError'):
                store.latest([name])
        assert len(asked) == 2 * (half_second + 1)
    server.go_on()
    now[0] += RETRY_AFTER
    store._client.execute_command = ask
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            assert store.latest([name]) == 0
            break
        except RevocationUnavailable:
            now[0] += RETRY_AFTER
    assert store.latest([name]) == 0


def test_others_do_not_wait_for_who_tries(make_redis, make_store, name):
    """While one request finds out, which a name server can make slow, the others
    are refused at once; but not for ever, should it never come back."""
    server = make_redis()
    now = [0.0]
    store = make_store(server.url, monotonic=lambda: now[0])
    server.kill()
    with pytest.raises(RevocationUnavailable):
        store.latest([name])
    server.start()
    now[0] = 1.0
    ask, refused = store._client.execute_command, []

    def slow(*command):
        store._client.execute_command = ask
        for late in (0.1, RETRY_AFTER, TRIAL - 0.1):
            now[0] = 1 + late
            with pytest.raises(RevocationUnavailable, match='a moment ago'):
                store.latest([name])
            refused.append(late)
        now[0] = 1 + TRIAL
        assert store.latest([name]) == 0
        return ask(*command)
    store._client.execute_command = slow
    assert store.latest([name]) == 0
    assert len(refused) == 3


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='reads /proc (Linux)')
def test_fork(redis_server, name):
    """After a fork, parent and child have connections of their own."""
    code = f'''
import os
from paste_sessioncookie.revocation_redis import RedisStore
store = RedisStore({redis_server.url!r})
store.prepare()
names = lambda: [os.readlink('/proc/self/fd/' + f) for f in os.listdir('/proc/self/fd')
                 if os.path.islink('/proc/self/fd/' + f)]
assert not [each for each in names() if 'socket' in each]
store.put(b'parent', 7, 10**10, 1)
children = []
for child in range(5):
    pid = os.fork()
    children.append(pid)
    if not pid:
        for n in range(100):
            store.put(b'%d %d' % (child, n), n + 1, 10**10, 1)
            assert store.latest([b'%d %d' % (child, n)]) == n + 1
        os._exit(0)
for n in range(300):
    assert store.latest([b'parent']) == 7
for pid in children:
    assert os.waitpid(pid, 0)[1] == 0
'''
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)


def test_one_store_for_an_address(redis_server):
    """All filters with one address share connections, and what is known of an outage."""
    store = engines.revocation(redis_server.url, '')
    assert engines.revocation(redis_server.url, '') is store
    store.close()


def test_it_is_away_while_loading(tmp_path, caplog):
    """A site starts when Redis is late, with one warning for all filters."""
    caplog.set_level(logging.DEBUG)
    for _ in range(2):
        engines.revocation(f'unix://:{PASSWORD}@{tmp_path}/nowhere', '')
    [warning] = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == (
        f'the revocation list unix://{tmp_path}/nowhere does not answer yet: ConnectionError '
        '(No such file or directory).  Until it does, no login counts')
