"""
Load: many users at once, in several threads and processes
==========================================================

::

    pip install '.[test]'
    python tests/load/load.py                       # 20 000 requests
    python tests/load/load.py --requests 1000000 --record

gunicorn serves ``site.ini`` in four processes of eight threads.  Each of 32 client threads
is one user after the other: he comes, logs in, keeps a note in each of two applications,
looks at them again and again, and logs out; then his old cookie is sent once more.  Each
answer has to show the user, the session ID and the note of the one who asked, and none of
anybody else, ever.

Memory is read when all that is kept of visitors, which is bounded, is full, and at the end:
no process may have grown.  Needs Linux (``/proc``).
"""
from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
FIGURES = HERE.parents[1] / 'docs' / 'load-figures.inc'

CLIENTS = 32
PROCESSES = 4
THREADS = 8           # of each process
PLACES = '/accounts', '/shop'
LOOKS = 20            # requests of one user that change nothing
#: until each process has seen 4096 session IDs and more than 1024 cookies
WARM_UP = 30_000      # requests
MAX_GROWTH = 1024     # kB of a process: the allocator's, and what is read in between
START = 30            # seconds for the server to start
ANSWER = 30           # seconds for an answer


class CrossTalk(Exception):
    """An answer that is not the caller's."""


class Server:
    """gunicorn, in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        for name in ('site.ini', 'mirror.py'):
            shutil.copy(HERE / name, folder)
        self.log = folder / 'log'
        self.port = free_port()
        with self.log.open('wb') as log:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'gunicorn', '--paste', str(folder / 'site.ini'),
                 '--bind', f'127.0.0.1:{self.port}', '--workers', str(PROCESSES),
                 '--worker-class', 'gthread', '--threads', str(THREADS),
                 '--keep-alive', '5', '--log-level', 'warning'],
                cwd=folder, env={**os.environ, 'PYTHONPATH': str(folder)}, stderr=log)

    def wait(self) -> None:
        end = time.monotonic() + START
        while True:
            with contextlib.suppress(OSError), socket.create_connection(
                    ('127.0.0.1', self.port), timeout=1):
                return
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit('the server does not start: ' + self.log.read_text())
            time.sleep(0.1)

    def memory(self) -> dict[int, int]:
        """The memory of each process that serves, its own, in kB."""
        listed = Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        return {int(child): rss(int(child)) for child in listed.read_text().split()}

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START)


def rss(process: int) -> int:
    for line in Path(f'/proc/{process}/status').read_text().splitlines():
        if line.startswith('RssAnon:'):
            return int(line.split()[1])
    raise SystemExit('this system does not tell the memory of a process')


def free_port() -> int:
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


class Ledger:
    """What all clients know together."""

    def __init__(self, allowed: int) -> None:
        self._lock = threading.Lock()
        self._owners: dict[str, str] = {}   # session ID -> visit
        self._names = itertools.count()
        self._left = allowed
        self.served: Counter[int] = Counter()   # by process
        self.faults: list[BaseException] = []

    def next_visit(self, requests: int) -> str | None:
        """The name of another visit, while there is something left of the load."""
        with self._lock:
            if self._left <= 0 or self.faults:
                return None
            self._left -= requests
            return f'user{next(self._names)}'

    def own(self, session_id: str, visit: str) -> None:
        """This ID is this visit's, and was never another's."""
        with self._lock:
            owner = self._owners.setdefault(session_id, visit)
        if owner != visit:
            raise CrossTalk(f'{visit} has an ID of {owner}')


class Visit:
    """One user, from his first request until he has logged out."""

    def __init__(self, port: int, name: str, ledger: Ledger, looks: int) -> None:
        self.name, self.ledger, self.looks = name, ledger, looks
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=ANSWER)
        self.cookie = ''
        self.ids: dict[str, str] = {}
        self.notes: dict[str, str | None] = {}
        self.user: str | None = None
        self.served: Counter[int] = Counter()

    @staticmethod
    def requests(looks: int) -> int:
        return 8 + looks

    def run(self) -> None:
        with contextlib.closing(self.connection):
            self.ask('/accounts', status='new', new=True)
            self.ask('/accounts', f'/login?user={self.name}', user=self.name, new=True)
            for place in PLACES:
                note = f'{self.name} at {place}'.replace(' ', '.')
                self.ask(place, f'/note?note={note}', note=note)
            for number in range(self.looks):
                self.ask(PLACES[number % len(PLACES)])
            copy = self.cookie
            self.ask('/shop', '/logout', user=None, new=True, kept=self.notes['/shop'])
            self.ask('/shop', status='new', new=True)
            self.ask('/accounts')
            self.cookie = copy
            self.ask('/accounts', status='revoked', new=True)

    def ask(self, place: str, action: str = '/', status: str = 'ok', new: bool = False,
            **changes: str | None) -> None:
        """One request, and whether its answer is ours."""
        said = self.fetch(place + action)
        if new:
            self.ids.clear()
            self.notes.clear()
        self.user = changes.get('user', self.user) if status == 'ok' else None
        if 'note' in changes:
            self.notes[place] = changes['note']
        expected = {'status': status, 'user': self.user,
                    'note': changes.get('kept', self.notes.get(place)),
                    'id': self.ids.setdefault(place, said['id'])}
        # no ID in any output
        wrong = [name for name in expected if said[name] != expected[name]]
        if wrong:
            raise CrossTalk(f'{self.name} asked {place}{action}, and these are wrong: '
                            + ', '.join(wrong))
        self.ledger.own(said['id'], f'{self.name} {place}')

    def fetch(self, path: str) -> dict[str, str]:
        self.connection.request('GET', path, headers={'Cookie': self.cookie})
        response = self.connection.getresponse()
        said = json.loads(response.read())
        set_cookie = response.getheader('Set-Cookie')
        if set_cookie is not None:
            self.cookie = '' if 'Max-Age=0' in set_cookie else set_cookie.partition(';')[0]
        self.served[said.pop('process')] += 1
        return said  # type: ignore[no-any-return]


def client(port: int, ledger: Ledger, looks: int) -> None:
    """Visit after visit."""
    served: Counter[int] = Counter()
    try:
        while (name := ledger.next_visit(Visit.requests(looks))) is not None:
            visit = Visit(port, name, ledger, looks)
            visit.run()
            served += visit.served
    except BaseException as fault:
        ledger.faults.append(fault)
    ledger.served.update(served)


def put_under_load(port: int, requests: int, looks: int = LOOKS) -> tuple[Ledger, float]:
    """That many requests, and a few more; and how many seconds they took."""
    ledger = Ledger(requests)
    threads = [threading.Thread(target=client, args=(port, ledger, looks))
               for _ in range(CLIENTS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if ledger.faults:
        raise ledger.faults[0]
    return ledger, time.monotonic() - start


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    # in memory, if that is possible: each log-out is written to the disk
    shm = '/dev/shm' if os.path.isdir('/dev/shm') else None
    with tempfile.TemporaryDirectory(dir=shm) as folder:
        server = Server(Path(folder))
        try:
            server.wait()
            yield server
        finally:
            server.stop()
            sys.stderr.write(server.log.read_text())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('--requests', type=int, default=20_000, help='after warming up')
    parser.add_argument('--record', action='store_true', help=f'write {FIGURES.name}')
    arguments = parser.parse_args()
    with running_server() as server:
        put_under_load(server.port, WARM_UP, looks=0)
        before = server.memory()
        ledger, seconds = put_under_load(server.port, arguments.requests)
        after = server.memory()
    figures = table(ledger, seconds, before, after)
    print(figures)
    if arguments.record:
        FIGURES.write_text(figures)
    return judge(ledger, before, after)


def judge(ledger: Ledger, before: dict[int, int], after: dict[int, int]) -> int:
    """1 if something is not as it should be, and says what."""
    faults = [f'process {process} grew from {size} kB to {after[process]} kB'
              for process, size in before.items()
              if after.get(process, size) > size + MAX_GROWTH]
    if set(before) != set(after) or set(ledger.served) - set(after):
        faults.append('a process has ended')
    if len(after) != PROCESSES or len(ledger.served) != PROCESSES:
        faults.append(f'{len(ledger.served)} of {PROCESSES} processes have served')
    for fault in faults:
        print(fault)
    return 1 if faults else 0


def table(ledger: Ledger, seconds: float, before: dict[int, int],
          after: dict[int, int]) -> str:
    """The figures, as the manual has them."""
    total = ledger.served.total()
    ids = len(ledger._owners)
    rule = '=' * 40 + '  ' + '=' * 22
    rows = [('requests', f'{total:,}'.replace(',', ' ')),
            ('of them to each process', ', '.join(
                f'{count:,}'.replace(',', ' ') for count in sorted(ledger.served.values()))),
            ('session IDs', f'{ids:,}'.replace(',', ' ')),
            ('requests a second', f'{total / seconds:.0f}'),
            ('memory of each process, warm, MB', shown(before)),
            ('at the end, MB', shown(after))]
    lines = [f'{name:40}  {value}' for name, value in rows]
    return '\n'.join([f'.. CPython {platform.python_version()}, load.py', '', rule, *lines,
                      rule, ''])


def shown(memory: dict[int, int]) -> str:
    return ', '.join(f'{size / 1024:.1f}' for size in memory.values())


if __name__ == '__main__':
    sys.exit(main())
