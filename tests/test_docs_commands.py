"""What the pages show of the commands is what they say."""
import pathlib
import re
import secrets
import shutil
import subprocess
import sys
import time

import pytest
from paste.deploy import loadfilter

from conftest import Probe, Visitor, login
from paste_sessioncookie import Namespace, SessionCookieHandler

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / 'docs' / 'examples'


@pytest.fixture
def folder(tmp_path):
    """A folder with a secret, which is not everybody's."""
    (tmp_path / 'session.secret').write_text(secrets.token_hex(32))
    (tmp_path / 'session.secret').chmod(0o600)
    return tmp_path


def ask(folder, *arguments, text=''):
    """Exit status of a command, and what it printed."""
    done = subprocess.run(
        [sys.executable, '-m', 'paste_sessioncookie', *arguments], cwd=folder, input=text,
        capture_output=True, text=True, timeout=60)
    assert done.stderr == ''
    return done.returncode, done.stdout


def test_a_finding(folder):
    """The finding of ``check`` in docs/reference/commands."""
    shutil.copy(EXAMPLES / 'findings' / 'site.ini', folder)
    status, found = ask(folder, 'check', 'site.ini')
    assert status == 1
    assert found.startswith((EXAMPLES / 'findings' / 'finding.txt').read_text())


def test_an_expired_cookie(folder):
    """The answer of ``inspect`` in docs/howto/why-is-my-cookie-refused, at another time:
    somebody who logged in, stayed for two hours, and went for lunch."""
    shutil.copy(EXAMPLES / 'refused' / 'production.ini', folder)
    loadfilter(f'config:{folder}/production.ini', 'session')(print)   # makes the list
    moment = time.time() - (3 * 60 + 20) * 60
    probe = Probe()
    probe.act = login('bob', tokens=['staff'])
    visitor = Visitor(SessionCookieHandler(
        Namespace(probe, '/accounts', True), clock=lambda: moment,
        secret=(folder / 'session.secret').read_text()))
    visitor.get()
    probe.act = None
    for _ in range(9):   # until 1 h 5 min ago
        moment += 15 * 60
        visitor.get()
    status, found = ask(folder, 'inspect', 'production.ini', text=visitor.cookie)
    assert status == 1
    assert _timeless(found.replace(str(folder), '/srv/site')) == _timeless(
        (EXAMPLES / 'refused' / 'expired.txt').read_text())


def _timeless(text):
    """Without times, which have gone on."""
    return re.sub(r'(in )?(\d+ (h|min|s) )+(ago )?\(.*UTC\)', 'TIME', text)
