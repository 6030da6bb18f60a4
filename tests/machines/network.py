"""Machines of one network, each a network namespace on a bridge."""
from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CLONE_NEWNET = 0x40000000  # linux/sched.h


class Machine:
    """A network namespace with an address, and the processes that run there."""

    def __init__(self, namespace: str, address: str, folder: Path) -> None:
        self.namespace = namespace
        self.address = address
        self.folder = folder
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *command: str, **environment: str) -> subprocess.Popen[bytes]:
        """A server, in the machine's folder; its output goes to a file there."""
        with open(self.folder / 'output', 'ab') as output:
            process = subprocess.Popen(
                ['ip', 'netns', 'exec', self.namespace, *command], cwd=self.folder,
                stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                start_new_session=True, env={**os.environ, **environment})
        self._running.append(process)
        return process

    def stop(self, process: subprocess.Popen[bytes],
             how: signal.Signals = signal.SIGTERM) -> None:
        """Stop a server; with SIGKILL, all of its processes at once."""
        with contextlib.suppress(ProcessLookupError):
            if how == signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._running.remove(process)

    def stop_all(self) -> None:
        for process in list(self._running):
            self.stop(process)

    @property
    def output(self) -> str:
        return (self.folder / 'output').read_text(errors='replace')

    def enter(self) -> None:
        """From here on, the sockets that this thread makes are this machine's."""
        with open(f'/run/netns/{self.namespace}') as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), 'setns')


@contextlib.contextmanager
def network(folder: Path, **addresses: str) -> Iterator[dict[str, Machine]]:
    """Machines by name, each with its address, in one network of 256."""
    prefix = f'psc{os.getpid()}'
    switch = f'{prefix}-switch'
    machines: dict[str, Machine] = {}
    made = []
    try:
        _ip('netns', 'add', switch)
        made.append(switch)
        _ip('-n', switch, 'link', 'add', 'bridge', 'type', 'bridge')
        _ip('-n', switch, 'link', 'set', 'bridge', 'up')
        for number, (name, address) in enumerate(addresses.items()):
            namespace = f'{prefix}-{name}'
            _ip('netns', 'add', namespace)
            made.append(namespace)
            port = f'port{number}'
            _ip('-n', namespace, 'link', 'add', 'eth0', 'type', 'veth',
                'peer', 'name', port, 'netns', switch)
            _ip('-n', switch, 'link', 'set', port, 'master', 'bridge', 'up')
            _ip('-n', namespace, 'address', 'add', f'{address}/24', 'dev', 'eth0')
            _ip('-n', namespace, 'link', 'set', 'eth0', 'up')
            _ip('-n', namespace, 'link', 'set', 'lo', 'up')
            (folder / name).mkdir()
            machines[name] = Machine(namespace, address, folder / name)
        yield machines
    finally:
        for machine in machines.values():
            machine.stop_all()
        for namespace in made:
            _ip('netns', 'del', namespace)


def _ip(*arguments: str) -> None:
    subprocess.run(['ip', *arguments], check=True)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 20) -> None:
    """Until a callable gives something true; it may raise OSError until then."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.05)
