"""An application that shows what its server made of a request, and answers in pieces."""
from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE = 5   # seconds, until the second piece is sent unasked
SHOWN = ('SCRIPT_NAME', 'PATH_INFO', 'HTTP_COOKIE', 'HTTP_HOST', 'REMOTE_ADDR',
         'wsgi.url_scheme')


class Probe:
    """``/``: environ as JSON.  ``/NAME``: a first piece, and a second when there is a
    file NAME.go; when the server is done with them there is a file NAME.closed."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        name = environ['PATH_INFO'].strip('/')
        start_response('200 OK', [('Content-Type', 'text/plain')])
        if name:
            return self.pieces(name)
        control = environ['session.control']
        return [json.dumps({
            **{key: environ.get(key, '') for key in SHOWN},
            'pid': os.getpid(), 'status': control.status,
            'user': control.identity.user if control.identity else '',
            'session': repr(control.id),  # a fingerprint of the ID, not the ID
        }).encode()]

    def pieces(self, name: str) -> Iterator[bytes]:
        end = time.monotonic() + PATIENCE
        try:
            yield b'first\n'
            while not (self.folder / f'{name}.go').exists() and time.monotonic() < end:
                time.sleep(0.01)
            for _ in range(64):  # more than a socket takes that nobody reads
                yield b'second' * 10_000
        finally:
            (self.folder / f'{name}.closed').touch()


def make_probe(global_conf: dict[str, str]) -> Probe:
    return Probe(global_conf['here'])
