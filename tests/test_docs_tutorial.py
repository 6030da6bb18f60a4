"""
The tutorial, followed to the letter
====================================

Its files are saved, its commands are run in its order, and print what it says.  Only
the port is another, and ``.venv`` is the environment that the tests run in.
"""
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time

import pytest
from surroundings import WAIT, free_port, missing

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
PAGE = (DOCS / 'tutorial.rst').read_text('utf-8')
# what makes a new environment: .ci/run has one, from the wheel
INSTALL = ['mkdir site', 'cd site', 'python3 -m venv .venv',
           ".venv/bin/pip install 'paste_sessioncookie[paster]'"]
SERVE = 'PYTHONPATH=. .venv/bin/paster serve site.ini'

BLOCK = re.compile(
    r'^\.\. literalinclude:: /(?P<file>\S+)|^\.\. code-block:: console\n\n(?P<console>(?: {3}.*\n)+)',
    re.MULTILINE)


def steps():
    """What a reader does: ('save', file), or ('run', command, what it prints)."""
    for block in BLOCK.finditer(PAGE):
        if block['file']:
            yield 'save', block['file'], ''
        else:
            lines = re.sub('^ {3}', '', block['console'], flags=re.MULTILINE)
            for command, shown in re.findall(r'^\$ (.*)\n((?:(?!\$ ).*\n)*)', lines, re.MULTILINE):
                yield 'run', command, shown


def wait_for(port, server):
    for _ in range(WAIT * 20):
        with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', port), 1):
            return
        assert server.poll() is None, 'the server has ended'
        time.sleep(0.05)
    raise AssertionError('nobody listens')


class Reader:
    """Somebody at two terminals in one folder."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.server = None
        (folder / '.venv').symlink_to(sys.prefix)

    def save(self, name):
        """An ini file is always site.ini; others keep their names."""
        path = DOCS / name
        target = 'site.ini' if path.suffix == '.ini' else path.name
        text = path.read_text('utf-8').replace('port = 8080', f'port = {self.port}')
        (self.folder / target).write_text(text)

    def run(self, command):
        if command == SERVE:
            return self.serve()
        return subprocess.run(
            ['sh', '-c', command.replace(':8080/', f':{self.port}/')], cwd=self.folder,
            capture_output=True, text=True, timeout=WAIT, check=True).stdout

    def serve(self):
        self.stop()
        # exec: the shell's process is the server's
        self.server = subprocess.Popen(
            ['sh', '-c', SERVE.replace('. .venv', '. exec .venv')], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, 'PYTHONWARNINGS': 'ignore'})
        wait_for(self.port, self.server)
        return ''

    def stop(self):
        # no SIGINT: where the tests run in the background, it is ignored
        if self.server is not None:
            self.server.terminate()
            self.server.wait(WAIT)
            self.server = None


@pytest.fixture
def reader(tmp_path):
    if not shutil.which('curl'):
        missing('needs curl: apt-get install curl')
    if not pathlib.Path(sys.prefix, 'bin', 'paster').exists():
        missing("needs pip install -e '.[paster]'")
    reader = Reader(tmp_path)
    yield reader
    reader.stop()


def test_it_is_what_it_says(reader):
    """Each command of the page prints what the page shows."""
    runs = [step for step in steps() if step[0] == 'run']
    assert [command for _, command, _ in runs[:len(INSTALL)]] == INSTALL
    assert len(runs) > 15
    for action, what, shown in list(steps())[len(INSTALL):]:
        if action == 'save':
            reader.save(what)
        else:
            assert (what, reader.run(what)) == (what, shown)


def test_the_secret_is_nobody_elses(reader):
    """The file that the first start makes can be read by its owner alone."""
    reader.save('examples/tutorial/counter.py')
    reader.save('examples/tutorial/one.ini')
    reader.serve()
    assert (reader.folder / 'session.secret').stat().st_mode & 0o777 == 0o600
