"""
Changing the secret of two servers, in the three rounds of the manual
=====================================================================

1: ``accept_secrets`` has tomorrow's secret on every server; 2: the two are
swapped; 3: yesterday's is dropped after ``lifetime``.  Two processes, each
with its own ini file, serve on loopback and are started anew, one after the
other, for each step.  The visitor is a cookie that is handed around by hand.
"""
import contextlib
import hashlib
import http.client
import json
import os
import re
import subprocess
import sys
import time

import pytest

TESTS = os.path.dirname(os.path.abspath(__file__))
OLD = hashlib.sha256(b'the secret of yesterday').hexdigest()
NEW = hashlib.sha256(b'the secret of tomorrow').hexdigest()
STRANGE = hashlib.sha256(b'the secret of another site').hexdigest()

SITE = '''
[composite:main]
use = egg:Paste#urlmap
/accounts = accounts
/blog = blog

[pipeline:accounts]
pipeline = session door app

[pipeline:blog]
pipeline = session own app

[filter:session]
use = egg:paste_sessioncookie#session_cookie
secret = {secret}
accept_secrets = {accept}
secure = auto
timeout = {timeout}
persistent = true

[filter:own]
use = egg:paste_sessioncookie#namespace

[filter:door]
use = egg:paste_sessioncookie#namespace
login = true

[app:app]
use = call:configapps:make_app
'''

SERVE = '''
import sys
from paste.deploy import loadapp
from waitress import create_server

server = create_server(loadapp('config:' + sys.argv[1]), host='127.0.0.1', port=0)
print(server.effective_port, flush=True)
server.run()
'''


class Server:
    """One process with one ini file; it can be started anew with another one."""

    def __init__(self, ini):
        self.ini = ini
        self.process = None

    def start(self, secret, accept='', timeout='30m'):
        """Begin to start, with these secrets; ``get`` waits until it is there."""
        self.stop()
        self.ini.write_text(SITE.format(secret=secret, accept=accept, timeout=timeout))
        path = os.pathsep.join(filter(None, [TESTS, os.environ.get('PYTHONPATH')]))
        self.process = subprocess.Popen(
            [sys.executable, '-c', SERVE, str(self.ini)], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env={**os.environ, 'PYTHONPATH': path})
        self.port = None

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=10)
            self.process.stdout.close()
            self.process = None

    def get(self, path, cookie=None):
        """What the application saw, the Set-Cookie's name=value, and its Max-Age."""
        if self.port is None:
            self.port = int(self.process.stdout.readline())
        headers = {} if cookie is None else {'Cookie': f'a=b; {cookie}; c=d'}
        with contextlib.closing(
                http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)) as connection:
            connection.request('GET', path, headers=headers)
            response = connection.getresponse()
            saw = json.loads(response.read())
        set_cookies = response.headers.get_all('Set-Cookie', [])
        assert response.status == 200
        assert len(set_cookies) <= 1
        if not set_cookies:
            return saw, None, None
        [header] = set_cookies
        return saw, header.partition(';')[0], int(re.search('Max-Age=([0-9]+)', header)[1])


@pytest.fixture
def servers(tmp_path):
    """Two servers, and a third for a test that needs one."""
    made = [Server(tmp_path / f'{name}.ini') for name in ('one', 'two', 'three')]
    yield made
    for server in made:
        server.stop()


class Visitor:
    """Somebody who goes from server to server, and compares what he is told."""

    def __init__(self):
        self.cookie = None
        self.seen = {}     # path -> session ID

    def at(self, server, path):
        saw, cookie, max_age = server.get(path, self.cookie)
        self.cookie = cookie or self.cookie
        return saw, cookie, max_age

    @property
    def issued(self):
        return int(parts(self.cookie)[1].split('!')[2])

    def is_known(self, *servers):
        """The session, its IDs and the login are at these servers what they were."""
        for server in servers:
            for path in ('/accounts', '/blog'):
                saw, _, _ = self.at(server, path)
                assert saw['status'] in ('ok', 'renewed')
                assert not saw['new']
                assert saw['id'] == self.seen.setdefault(path, saw['id'])
                assert saw['user'] == 'bob'
                if path == '/blog':
                    assert saw['theme'] == 'dark'


def logged_in(server):
    """A visitor with a login and a value."""
    visitor = Visitor()
    visitor.at(server, '/accounts?login=bob')
    visitor.at(server, '/blog?theme=dark')
    return visitor


def parts(cookie):
    """Key ID and payload, in which all times are."""
    _, key_id, rest = cookie.partition('=')[2].split('.', 2)
    return key_id, rest.rpartition('.')[0]


def test_rollout(servers):
    """Step by step, server by server, no session, no ID and no login is lost; after the
    last step what was signed with the old secret is refused."""
    one, two, three = servers
    one.start(OLD)
    two.start(OLD)
    three.start(NEW)   # knows the new one only: tells us its key ID
    visitor = logged_in(one)
    visitor.is_known(one, two)
    stale = visitor.cookie
    old_key, new_key = parts(stale)[0], parts(three.get('/blog')[1])[0]
    assert old_key != new_key

    # 1: everybody learns the new secret; both sign with the old one
    one.start(OLD, accept=NEW)
    visitor.is_known(one, two, one)
    two.start(OLD, accept=NEW)
    visitor.is_known(one, two)
    assert visitor.cookie == stale

    # 2: the new one signs, first here and then there
    one.start(NEW, accept=OLD)
    visitor.is_known(two)
    assert parts(visitor.cookie)[0] == old_key
    visitor.is_known(one)
    assert parts(visitor.cookie)[0] == new_key
    visitor.is_known(two)
    assert parts(visitor.cookie)[0] == old_key
    two.start(NEW, accept=OLD)
    visitor.is_known(two, one)
    assert parts(visitor.cookie)[0] == new_key

    # who was away meanwhile comes with the old cookie, and is still known
    late = Visitor()
    late.cookie, late.seen = stale, visitor.seen
    late.is_known(two)
    assert parts(late.cookie)[0] == new_key

    # 3: the old one is dropped
    one.start(NEW)
    visitor.is_known(one, two)
    two.start(NEW)
    visitor.is_known(one, two, three)
    late.is_known(one, two)
    for server in (one, two):
        saw, cookie, _ = server.get('/blog', stale)
        assert (saw['status'], saw['user'], saw['theme']) == ('unknown-key', None, None)
        assert saw['new'] and saw['id'] != visitor.seen['/blog']
        assert parts(cookie)[0] == new_key


def test_step_one_left_out(servers):
    """A server that does not know the new secret yet refuses what is signed with it:
    that is what the first step is for."""
    one, two, _ = servers
    one.start(NEW, accept=OLD)
    two.start(OLD)
    visitor = logged_in(one)
    saw, cookie, _ = two.get('/blog', visitor.cookie)
    assert (saw['status'], saw['user'], saw['new']) == ('unknown-key', None, True)
    assert parts(cookie)[0] != parts(visitor.cookie)[0]


def test_signed_anew_at_once_and_not_extended(servers):
    """A cookie that is signed with an accepted secret is signed anew at the first request,
    once, and every time in it stays."""
    one, two, _ = servers
    one.start(OLD)
    two.start(NEW, accept=OLD)
    visitor = logged_in(one)
    before = visitor.cookie
    _, _, first_max_age = one.get('/blog')
    assert first_max_age == 1800
    time.sleep(1.1)  # times are whole seconds: one that was extended would differ
    saw, after, max_age = two.get('/blog', before)
    assert saw['status'] == 'renewed'
    assert parts(after)[0] != parts(before)[0]
    assert parts(after)[1] == parts(before)[1]
    assert max_age < first_max_age
    saw, again, _ = two.get('/blog', after)
    assert (saw['status'], again) == ('ok', None)


def test_idle_time_ends_although_signed_anew(servers):
    """Nobody lives longer by going to and fro between a server of each secret."""
    one, two, _ = servers
    one.start(OLD, accept=NEW, timeout='4s')
    two.start(NEW, accept=OLD, timeout='4s')
    one.get('/blog')
    two.get('/blog')
    time.sleep(1 - time.time() % 1)  # a second has begun: 2 s until half has passed
    visitor = logged_in(one)
    issued = visitor.issued
    for _ in range(3):
        for server in (two, one):
            saw, _, _ = visitor.at(server, '/blog')
            assert (saw['status'], visitor.issued) == ('renewed', issued)
    time.sleep(max(0, issued + 4 - time.time()))
    for server in (one, two):
        saw, _, _ = server.get('/blog', visitor.cookie)
        assert (saw['status'], saw['user']) == ('expired-idle', None)


def test_what_changes_is_signed_with_ours(servers):
    """A value that is set on the way is dated and signed by who sets it, login and IDs
    staying."""
    one, two, _ = servers
    one.start(OLD)
    two.start(NEW, accept=OLD)
    visitor = logged_in(one)
    saw, _, _ = visitor.at(one, '/blog')
    old_key = parts(visitor.cookie)[0]
    _, cookie, max_age = visitor.at(two, '/blog?theme=light')
    assert max_age == 1800
    assert parts(cookie)[0] != old_key
    changed, _, _ = visitor.at(two, '/blog')
    assert changed == {**saw, 'theme': 'light'}


def test_secret_that_nobody_knows(servers):
    """A cookie of another site's secret is anonymous here, and is replaced."""
    one, two, _ = servers
    one.start(STRANGE)
    two.start(NEW, accept=OLD)
    visitor = logged_in(one)
    saw, cookie, _ = two.get('/blog', visitor.cookie)
    assert (saw['status'], saw['user'], saw['theme'], saw['new']) == (
        'unknown-key', None, None, True)
    saw, again, _ = two.get('/blog', cookie)
    assert (saw['status'], saw['new'], again) == ('ok', False, None)


def test_leaked_secret(servers):
    """A leaked secret is removed, not accepted: what is signed with it is worth nothing,
    and everybody starts afresh."""
    one, two, _ = servers
    one.start(OLD)
    visitor = logged_in(one)
    one.start(NEW)
    two.start(NEW)
    for server in (one, two):
        saw, _, _ = server.get('/accounts', visitor.cookie)
        assert (saw['status'], saw['user']) == ('unknown-key', None)
    fresh = logged_in(one)
    fresh.is_known(one, two)
