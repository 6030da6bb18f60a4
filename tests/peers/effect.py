"""Whether an adapter was at work in a run of a framework's tests.

A plugin imports this before the adapter: from then on it is counted how often
the control of a request is asked for, and written down at the end.
"""
import atexit
import functools
import os
from pathlib import Path

from paste_sessioncookie import frameworks

native = frameworks.get_control
requests = 0


@functools.wraps(native)
def get_control(environ):
    global requests
    requests += 1
    return native(environ)


def write_down():
    Path(os.environ['PEER_REQUESTS']).write_text(str(requests))


frameworks.get_control = get_control
atexit.register(write_down)
