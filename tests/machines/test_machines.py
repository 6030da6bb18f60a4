"""Several machines behind a balancer, and several processes on one machine.

The files are those of docs/howto/several-servers.
"""
import os
import secrets
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from browser import COOKIE, Browser, Crowd
from network import network, wait_until
from surroundings import free_port

FILES = Path(__file__).parents[2] / 'docs' / 'examples' / 'several_servers'
VISITORS = 8
PROGRAMS = {'ip': 'iproute2', 'nginx': 'nginx-light', 'redis-server': 'redis-server',
            'openssl': 'openssl'}


class Site:
    """A balancer, two application servers, a Redis and a client, each a machine."""

    def __init__(self, machines, folder):
        self.machines = machines
        self.balancer, self.redis = machines['balancer'], machines['redis']
        self.servers = machines['one'], machines['two']
        self.running = {}
        self.secret = new_secret()
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj',
             '/CN=site.example', '-addext', 'subjectAltName=IP:192.0.2.10', '-days', '2',
             '-keyout', 'site.key', '-out', 'site.crt'],
            cwd=self.balancer.folder, check=True, capture_output=True)
        tls = ssl.create_default_context(cafile=self.balancer.folder / 'site.crt')
        self.front = (self.balancer.address, 443, tls)
        for server in self.servers:
            for name in ('site.ini', 'shop.py', 'gunicorn.conf.py'):
                shutil.copy(FILES / name, server.folder)

    def start(self):
        self.start_redis()
        for server in self.servers:
            self.start_server(server, self.secret)
        shutil.copy(FILES / 'nginx.conf', self.balancer.folder)
        folder = self.balancer.folder
        (folder / 'logs').mkdir()
        self.balancer.start(
            'nginx', '-p', str(folder), '-c', 'nginx.conf', '-e', 'logs/error', '-g',
            'daemon off; user root; pid nginx.pid;')
        wait_until(Browser(self.front).get, 'the balancer')

    def start_redis(self):
        self.running['redis'] = self.redis.start(
            'redis-server', '--bind', self.redis.address, '--protected-mode', 'no',
            '--save', '', '--appendonly', 'no')

    def start_server(self, server, secret, accept=()):
        """With these secrets, as after a change of the file on one server."""
        (server.folder / 'session.secret').write_text(secret)
        accepted = ''
        for number, each in enumerate(accept):
            (server.folder / f'accept{number}').write_text(each)
            accepted += f' file:%(here)s/accept{number}'
        text = (FILES / 'site.ini').read_text()
        (server.folder / 'site.ini').write_text(text.replace(
            'session.secret\n', f'session.secret\naccept_secrets ={accepted}\n', 1))
        self.running[server] = server.start(
            str(Path(sys.executable).parent / 'gunicorn'), '--paste', 'site.ini',
            SERVER=server.namespace, PYTHONPATH='.', HOME='.')
        wait_until(self.at(server).get, server.namespace)

    def stop_server(self, server, how=signal.SIGTERM):
        server.stop(self.running.pop(server), how)

    def restart(self, secret, accept=()):
        """One server after the other."""
        for server in self.servers:
            self.stop_server(server)
            self.start_server(server, secret, accept)

    def at(self, server, cookie=None):
        """A visitor of one server, past the balancer."""
        browser = Browser((server.address, 8080, None))
        browser.cookie = cookie
        return browser

    def crowd(self):
        return Crowd([Browser(self.front) for _ in range(VISITORS)],
                     self.machines['client'].enter)


def new_secret():
    return secrets.token_hex(32)


@pytest.fixture
def on_the_client():
    """Runs a function on the client's machine: there, in a thread of its own."""
    def run(machine, function):
        result = []

        def inside():
            try:
                machine.enter()
                result.append(function())
            except BaseException as error:
                result.append(error)
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if isinstance(result[0], BaseException):
            raise result[0]
        return result[0]
    return run


@pytest.fixture
def site(tmp_path, on_the_client):
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if 'CI' not in os.environ and (missing or os.geteuid() != 0):
        pytest.skip('makes network namespaces: needs root, and Debian\'s '
                    + ' '.join(missing or PROGRAMS.values()))
    addresses = {'balancer': '192.0.2.10', 'one': '192.0.2.11', 'two': '192.0.2.12',
                 'redis': '192.0.2.20', 'client': '192.0.2.30'}
    with network(tmp_path, **addresses) as machines:
        site = Site(machines, tmp_path)
        on_the_client(machines['client'], site.start)
        yield site


@pytest.fixture
def visit(site, on_the_client):
    """Runs a function on the client's machine, with the site."""
    def run(function):
        return on_the_client(site.machines['client'], lambda: function(site))
    return run


def test_logged_out_on_every_machine(visit):
    """Log in on one, be known on the other, log out there, be out on the first."""
    def story(site):
        one, two = site.servers
        here = site.at(one)
        here.post('/login', user='bob')
        there = site.at(two, here.cookie)
        answer = there.get()
        assert (answer['user'], answer['status']) == ('bob', 'ok')
        assert answer['server'] == two.namespace
        assert there.post('/logout')['user'] is None
        assert there.cookie is None
        answer = here.get()
        assert (answer['user'], answer['status']) == (None, 'revoked')
    visit(story)


def test_through_the_balancer_by_tls(visit):
    """A visitor of the balancer meets both servers, and is one visitor."""
    def story(site):
        browser = Browser(site.front)
        before = browser.post('/login', user='bob')
        answers = [browser.get() for _ in range(4)]
        assert {answer['server'] for answer in answers} == {
            server.namespace for server in site.servers}
        assert {answer['session'] for answer in answers} == {before['session']}
        assert [answer['visits'] for answer in answers] == [1, 2, 3, 4]
    visit(story)


def test_a_killed_server_loses_nobody(visit):
    """One server is killed under load: all sessions and logins go on."""
    def story(site):
        one, two = site.servers
        with site.crowd() as crowd:
            wait_until(lambda: len(crowd.count.servers) == 2, 'both servers')
            site.stop_server(one, signal.SIGKILL)
            killed_at = crowd.answers
            wait_until(lambda: crowd.answers > killed_at + 200, 'answers of the other')
            site.start_server(one, site.secret)
        return crowd.count
    count = visit(story)
    assert count.lost == []
    assert count.answers > 200


def test_a_changed_secret_loses_nobody(visit):
    """The three steps of a new secret, one server after the other, under load."""
    def story(site):
        old, new = site.secret, new_secret()
        with site.crowd() as crowd:
            for secret, accept in ((old, [new]), (new, [old]), (new, [])):
                before = crowd.answers
                wait_until(lambda: crowd.answers > before + 50, 'answers')
                site.restart(secret, accept)
            before = crowd.answers
            wait_until(lambda: crowd.answers > before + 50, 'answers')
        return crowd.count
    count = visit(story)
    assert count.lost == []


def test_an_outage_of_redis(visit):
    """While Redis is away nobody is logged in, and nobody's cookie is harmed."""
    def story(site):
        browser = Browser(site.front)
        browser.post('/login', user='bob')
        site.redis.stop(site.running['redis'], signal.SIGKILL)
        answer = browser.get()
        assert (answer['user'], answer['status']) == (None, 'unavailable')
        assert not browser.set_cookies
        assert Browser(site.front).get()['status'] == 'new'
        site.start_redis()
        # each worker notices by itself
        wait_until(lambda: {browser.get()['status'] for _ in range(20)} == {'ok'}, 'Redis')
        assert browser.get()['user'] == 'bob'
    visit(story)


def test_a_cookie_of_4_kb_passes_the_balancer(visit):
    """The buffers of the example are large enough for the largest cookie."""
    def story(site):
        browser = Browser(site.front)
        browser.post('/login', user='bob')
        browser.post('/note', note='x' * 3000)
        room = 4096 - len(COOKIE) - len(browser.cookie)
        browser.post('/note', note='x' * (3000 + room - len('shop.visits:1000;')))
        assert 4050 < len(COOKIE) + len(browser.cookie) <= 4096
        assert browser.get()['status'] == 'ok'
    visit(story)


@pytest.fixture
def workers(tmp_path):
    """The site of one machine: gunicorn with four workers."""
    port = free_port()
    for name in ('one-machine.ini', 'shop.py'):
        shutil.copy(FILES / name, tmp_path)
    with open(tmp_path / 'output', 'wb') as output:
        process = subprocess.Popen(
            [Path(sys.executable).parent / 'gunicorn', '--paste', 'one-machine.ini',
             '--bind', f'127.0.0.1:{port}', '--workers', '4'],
            cwd=tmp_path, stdout=output, stderr=output,
            env={**os.environ, 'PYTHONPATH': '.', 'HOME': '.'})
    where = ('127.0.0.1', port, None)
    try:
        try:
            wait_until(Browser(where).get, 'gunicorn')
        except TimeoutError:
            raise AssertionError((tmp_path / 'output').read_text()) from None
        yield where
    finally:
        process.terminate()
        process.wait(20)


def test_logged_out_in_every_process(workers):
    """Over sqlite, a log-out counts in all workers at once."""
    browser = Browser(workers)
    for number in range(10):
        browser.post('/login', user=f'user{number}')
        copy = Browser(workers)
        copy.cookie = browser.cookie
        browser.post('/logout')
        for _ in range(12):
            copy_of_copy = Browser(workers)
            copy_of_copy.cookie = copy.cookie
            assert copy_of_copy.get()['status'] == 'revoked'
