"""What tests find around them, or not: programs, ports, other threads."""
import os
import socket
import threading

import pytest

WAIT = 60  # seconds, until a thread that hangs is a failure


def missing(what):
    """Something is not installed: a skip on a user's machine; where the project is
    released (CI is set) nothing may be left out."""
    if 'CI' in os.environ:
        pytest.fail(what)
    pytest.skip(what, allow_module_level=True)


def free_port():
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return found.getsockname()[1]


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
