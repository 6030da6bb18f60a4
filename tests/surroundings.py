"""What tests find around them, or not: programs, ports, other threads."""
import contextlib
import os
import random
import socket
import subprocess
import sys
import threading

import pytest

WAIT = 60  # seconds, until a thread that hangs is a failure


def missing(what):
    """Something is not installed: a skip on a user's machine; where the project is
    released (CI is set) nothing may be left out."""
    if 'CI' in os.environ:
        pytest.fail(what)
    pytest.skip(what, allow_module_level=True)


def pytest_in(folder, *arguments):
    """Run the tests of a folder, without this project's settings."""
    environ = {name: value for name, value in os.environ.items() if name != 'PYTEST_ADDOPTS'}
    return subprocess.run(
        [sys.executable, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *arguments],
        cwd=folder, env=environ, timeout=300, text=True, capture_output=True)


def free_port():
    """A port of 127.0.0.1 on which nobody listens, below those that the kernel gives to
    outgoing connections: one of these may take it before the server is there."""
    while True:
        port = random.randrange(20_000, 32_768)  # ip_local_port_range begins there
        with socket.socket() as found, contextlib.suppress(OSError):
            found.bind(('127.0.0.1', port))
            return port


def run_together(count, work):
    """Run ``work(number)`` in threads, at the same time; raises what one raised."""
    faults, start = [], threading.Barrier(count, timeout=WAIT)

    def run(number):
        try:
            start.wait()
            work(number)
        except BaseException as fault:
            faults.append(fault)
    threads = [threading.Thread(target=run, args=(number,), daemon=True)
               for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    if faults:
        raise faults[0]
    assert not any(thread.is_alive() for thread in threads)
