"""CherryPy's own tests of its sessions, natively and through our tool.

They run a real server and a real memcached.

    python tests/peers/cherrypy_session.py
"""
from __future__ import annotations

import os
import shutil
from pathlib import Path

import common

CHERRYPY = 'CherryPy==18.10.0'
TESTS = Path('cherrypy', 'test', 'test_session.py')

# Lines of the tests that look at CherryPy's own cookie
CHANGED = (
    ('the attributes are those of the site\'s cookie, some without "="', (
        ("dict([p.strip().split('=')", "dict([p.strip().partition('=')[::2]"),
        ("expected_cookie_keys = {'session_id', 'expires', 'Path', 'Max-Age'}",
         "expected_cookie_keys = {'site_session', 'Path', 'HttpOnly', 'SameSite'}"),
        ("== {'temp', 'Path'}", "== {'site_session', 'Path', 'HttpOnly', 'SameSite'}"))),
    ('the session\'s ID is not in the cookie', (
        ("        id = self.cookies[0][1].split(';', 1)[0].split('=', 1)[1]",
         "        self.getPage('/session_cookie', self.cookies)\n"
         "        id = self.body.decode()"),
        ("id1 = cookie_parts['temp']", "id1 = self.body.decode()"),
        ("id2 = cookie_parts['temp']", "id2 = self.body.decode()"))),
    ('nothing is stored of a session that is only read', (
        ("cherrypy.session.load()", "cherrypy.session['seen'] = True"),)),
)


def run(folder: Path) -> bool:
    """Run CherryPy's test_session.py twice, and compare."""
    place = common.prepare(folder, CHERRYPY, 'python-memcached', 'pytest<9', 'path',
                           'pytest-services', 'more-itertools')
    memcached(place.python.parent)
    native = tests(place, None)
    source = (place.folder / TESTS).read_text()
    for reason, lines in CHANGED:
        print(f'changed for us: {reason}')
        for before, after in lines:
            assert before in source, before
            source = source.replace(before, after)
    (place.folder / TESTS).write_text(source)
    ours = tests(place, 'cherrypy_session_plugin')
    return common.compare(f'{CHERRYPY}, {TESTS}', native, ours, {})


def memcached(where: Path) -> None:
    """The tests start it, and it does not run as root unless told who to be."""
    found = shutil.which('memcached')
    assert found, 'needs memcached (Debian: apt-get install memcached)'
    command = where / 'memcached'
    command.write_text(f'#!/bin/sh\nexec {found} -u nobody "$@"\n')
    command.chmod(0o755)


def tests(place: common.Place, plugin: str | None) -> common.Outcome:
    return common.pytest(place, plugin, TESTS,
                         PATH=f"{place.python.parent}:{os.environ['PATH']}")


if __name__ == '__main__':
    common.main(run)
