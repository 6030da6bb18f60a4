"""Servers in process groups of their own, and the demonstration under one."""
from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path

from client import Address, Connection, Visitor
from surroundings import free_port
from table import NOTHING, More, Server

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / 'docs' / 'examples' / 'servers'
PATIENCE = 20   # seconds, until a server that does not start or stop is a failure


class Process:
    """A program that runs in a folder.  Its output goes to a file there."""

    def __init__(self, folder: Path, command: Sequence[str],
                 environment: Mapping[str, str] = {}) -> None:
        self.folder = folder
        self.command = [*as_somebody(command[0]), *command]
        self.environment = {
            **os.environ, 'HOME': str(folder), 'PYTHONPATH': str(folder),
            'PATH': f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}',
            **environment}

    def start(self, answers: Callable[[], bool]) -> None:
        """Returns when ``answers`` is true."""
        with open(self.folder / 'output', 'ab') as output:
            self._process = subprocess.Popen(
                self.command, cwd=self.folder, stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True, env=self.environment)
        end = time.monotonic() + PATIENCE
        while not answers():
            if time.monotonic() > end or self._process.poll() is not None:
                self.stop()
                raise AssertionError(f'{self.command[0]} does not start:\n{self.log}')
            time.sleep(0.05)

    def stop(self) -> None:
        """As an init system does: SIGTERM, and then all that is left of the group."""
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def reload(self, how: signal.Signals) -> None:
        self._process.send_signal(how)

    @property
    def log(self) -> str:
        return (self.folder / 'output').read_text(errors='replace')


def as_somebody(program: str) -> list[str]:
    """Apache does not serve as root; but nobody else can read the tests' files.  So it
    has root under another name."""
    if os.geteuid() == 0 and program in ('apache2', 'mod_wsgi-express'):
        return ['unshare', '--user', '--map-user=1000', '--map-group=1000']
    return []


class Site:
    """The demonstration, and a probe, under a server: a context manager."""

    def __init__(self, server: Server, folder: Path, more: More = NOTHING) -> None:
        self.server = server
        self.folder = folder
        self.more = more
        self.port = free_port()
        self.address = Address(self.port)
        self.root = '/site' if more is server.mount else ''
        self._grace = ''   # the cookie of a user who stays logged in
        self._write()
        self._process = Process(
            folder, shlex.split(self._here(server.command + more.command)), more.environment)

    def _write(self) -> None:
        """development.ini, with the files that the server takes, and with the probe."""
        shutil.copy(Path(__file__).with_name('probe.py'), self.folder)
        text = (ROOT / 'development.ini').read_text(encoding='utf-8')
        text = text.replace('/profiles = profiles\n', '/profiles = profiles\n/probe = probe\n')
        text += '\n[app:probe]\npaste.app_factory = probe:make_probe\n'
        if self.more is self.server.processes and self.more is not NOTHING:
            # the line that development.ini has for that
            text = text.replace('# revocation = sqlite:', 'revocation = sqlite:')
        for name in self.server.files:
            part = (EXAMPLES / name).read_text(encoding='utf-8')
            if name.endswith('.ini'):
                text = with_sections(text, part)
            else:
                (self.folder / name).write_text(self._here(part))
        (self.folder / 'development.ini').write_text(self._here(text + self.more.ini))

    def _here(self, text: str) -> str:
        return text.replace('8080', str(self.port))

    def __enter__(self) -> Site:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.stop()

    def start(self) -> None:
        self._process.start(self._answers)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, HTTPException), Connection(self.address) as there:
            path = f'{self.root}/missing'
            return there.ask('GET', path, b'Connection: close').status == 404
        return False

    def restart(self) -> None:
        """By the server's own signal, if it has one."""
        if self.server.reload is None:
            self._process.stop()
            self.start()
        else:
            self._process.reload(self.server.reload)

    def mounted(self) -> Site:
        """Another, at /site, with the same secret and users."""
        folder = self.folder / 'mounted'
        folder.mkdir()
        shutil.copy(self.folder / 'session.secret', folder)
        shutil.copytree(self.folder / 'demo-data', folder / 'demo-data')
        return Site(self.server, folder, self.server.mount)

    def visitor(self, cookie: str = '') -> Visitor:
        return Visitor(self.address, cookie)

    def grace(self) -> Visitor:
        """Somebody who is logged in, in the same session each time."""
        if not self._grace:
            visitor = self.visitor()
            visitor.log_in()
            self._grace = visitor.cookie
        return self.visitor(self._grace)

    @property
    def secret(self) -> str:
        return (self.folder / 'session.secret').read_text().strip()

    @property
    def log(self) -> str:
        return self._process.log


def with_sections(text: str, part: str) -> str:
    """An ini file with the sections of another instead of its own of the same name."""
    names = re.findall(r'^\[.+\]$', part, re.MULTILINE)
    kept = [section for section in re.split(r'^(?=\[)', text, flags=re.MULTILINE)
            if section.partition('\n')[0] not in names]
    return ''.join(kept) + '\n' + part
