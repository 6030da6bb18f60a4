"""One function, called with an environ and nothing in front."""
from wsgiref.util import setup_testing_defaults

import notes

from paste_sessioncookie.frameworks import get_control


def call(environ):
    setup_testing_defaults(environ)
    statuses = []
    body = b''.join(notes.notes(
        environ, lambda status, headers, exc_info=None: statuses.append(status)))
    return statuses[0], body.decode()


def test_logout():
    environ = {'PATH_INFO': '/logout'}
    control = get_control(environ)  # puts one there
    control.login('bob')
    call(environ)
    assert control.identity is None


def test_mine():
    environ = {'PATH_INFO': '/mine', 'REMOTE_USER': 'bob'}
    get_control(environ)
    assert call(environ) == ('200 OK', 'Notes of bob')
