"""
Changing the secret, round by round
===================================

Each ini file of docs/howto/change-the-secret.rst is a server.  (The same with real
processes, that are restarted under way, is in test_rollout.py.)
"""
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from paste.deploy import loadapp, loadfilter
from test_docs import VECTORS
from webtest import TestApp

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
PAGE = (DOCS / 'howto' / 'change-the-secret.rst').read_text('utf-8')
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'}
ROUNDS = ('before', '1-accept', '2-swap', '3-drop')


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a server, with both secrets; the new one is made as the page says."""
    copy = pathlib.Path(shutil.copytree(DOCS / 'examples' / 'change_the_secret', tmp_path / 'x'))
    [command] = re.findall(r'^ {3}\$ (.*)', PAGE, re.MULTILINE)
    for name in ('tomorrow.secret', 'session.secret'):
        subprocess.run(['sh', '-c', command.replace('tomorrow.secret', name).replace(
            'python3', sys.executable)], cwd=copy, check=True)
        assert (copy / name).stat().st_mode & 0o777 == 0o600
    monkeypatch.syspath_prepend(str(copy))
    monkeypatch.delitem(sys.modules, 'whoami', raising=False)
    yield copy
    sys.modules.pop('whoami', None)


@pytest.fixture
def servers(folder):
    """A server of each round."""
    return {name: loadapp(f'config:{folder / name}.ini') for name in ROUNDS}


class Visitor:
    """Somebody who goes from server to server with one cookie."""

    def __init__(self, server):
        self.client = TestApp(server, extra_environ=HTTPS)

    def at(self, server, path='/'):
        self.client.app = TestApp(server).app
        return self.client.get(path).text


def next_to_each_other():
    return [(ROUNDS[at], ROUNDS[at + side]) for at in range(4) for side in (-1, 1)
            if 0 <= at + side < 4]


@pytest.mark.parametrize('here, there', [
    # who comes from round 3 back to 2, or from before to 3, is another matter, below
    pair for pair in next_to_each_other() if pair != ('2-swap', '3-drop')])
def test_side_by_side(here, there, servers):
    """Who logs in at a server of one round is known at one of the next, and back."""
    visitor = Visitor(servers[here])
    visitor.at(servers[here], '/login')
    for server in (there, here, there):
        assert visitor.at(servers[server]).startswith('bob ')


def test_the_whole_way(servers, caplog):
    """A visitor who comes once in each round stays logged in, without a line in the log."""
    visitor = Visitor(servers['before'])
    visitor.at(servers['before'], '/login')
    seen = [visitor.at(servers[each]) for each in ROUNDS]
    assert seen == ['bob ok', 'bob ok', 'bob renewed', 'bob ok']
    assert not caplog.records


def test_who_did_not_come_in_round_two(servers):
    """The old secret is unknown in round 3: so it waits for a lifetime."""
    visitor = Visitor(servers['before'])
    visitor.at(servers['before'], '/login')
    assert visitor.at(servers['3-drop']) == 'nobody unknown-key'


def test_a_round_left_out(servers):
    """Who meets a server that does not know the new secret is logged out everywhere."""
    visitor = Visitor(servers['2-swap'])
    visitor.at(servers['2-swap'], '/login')
    assert visitor.at(servers['before']) == 'nobody unknown-key'
    assert visitor.at(servers['2-swap']).startswith('nobody')


def test_a_leaked_secret(servers, caplog):
    """Replaced at once, it is worth nothing; the log names the status."""
    thief = Visitor(servers['before'])
    thief.at(servers['before'], '/login')
    assert thief.at(servers['3-drop']) == 'nobody unknown-key'
    assert [record.levelname for record in caplog.records] == ['WARNING']


def test_login_keys(folder):
    """A login of the old key counts in the first two rounds, one of the new in all."""
    import whoami
    for name, pair in zip(('login.pem', 'tomorrow.pem'), VECTORS['login_keys'].values()):
        (folder / name).write_text(pair['private_key'])
        (folder / name).chmod(0o600)
        (folder / f'{name}.pub').write_text(pair['public_key'])
    (folder / 'keys-0.ini').write_text(
        (folder / 'keys-1.ini').read_text().partition('login_public')[0]
        + 'login_private_key = file:login.pem\n')
    servers = [loadfilter(f'config:{folder / f"keys-{number}.ini"}', 'session')(whoami.whoami)
               for number in range(4)]

    def known(maker):
        visitor = Visitor(maker)
        visitor.at(maker, '/login')
        copy = dict(visitor.client.cookies)
        header = {'Cookie': '; '.join(f'{name}={value}' for name, value in copy.items())}
        return [TestApp(server, extra_environ=HTTPS).get('/', headers=header).text
                for server in servers]
    assert known(servers[0]) == ['bob ok'] * 3 + ['nobody bad-login']
    assert known(servers[2]) == ['nobody bad-login'] + ['bob ok'] * 3
