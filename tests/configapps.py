"""What the ini files of configs/ name: one small application, a filter, generators."""
import hashlib
import json
import os
from urllib.parse import parse_qsl

from paste_sessioncookie.cookie import make_session_cookie


def make_app(global_conf, **local_conf):
    """An application that does what the query string says, and tells what it saw."""
    return facts


def facts(environ, start_response):
    body = json.dumps(act(environ)).encode('ascii')
    start_response('200 OK', [('Content-Type', 'application/json'),
                              ('Content-Length', str(len(body)))])
    return [body]


def act(environ):
    """Do what the query string says; returns what was seen before."""
    control = environ['session.control']
    saw = {
        'id': str(environ['session.id']),
        'new': control.new,
        'status': control.status,
        'namespace': control.namespace,
        'user': environ.get('REMOTE_USER'),
        'theme': environ.get('weblog.theme'),
        'currency': environ.get('shop.currency'),
    }
    for name, value in parse_qsl(environ['QUERY_STRING'], keep_blank_values=True):
        if name == 'login':
            control.login(value)
        elif name == 'logout':
            control.logout()
        elif name == 'keep':
            control.keep()
        elif name == 'theme':
            environ['paste.auth.cookie'].append('weblog.theme')
            environ['weblog.theme'] = value
        else:
            environ[name] = value
    return saw


def make_session_filter(global_conf, **local_conf):
    """A paste.filter_factory, as ``use = call:`` in a filter section takes it."""
    def session_filter(app):
        return make_session_cookie(app, global_conf, **local_conf)
    return session_filter


# -- generators, good and bad ----------------------------------------------

def random_24_bytes():
    return os.urandom(24)


def random_15_bytes():
    return os.urandom(15)


def random_text():
    return os.urandom(20).hex()


def same_bytes():
    return hashlib.sha256(b'always').digest()


def broken():
    raise OSError('no entropy today')


not_callable = 'a text'


class Inside:
    """Something whose attribute is a generator."""

    @staticmethod
    def generator():
        return os.urandom(16)


# -- revocation engines, good and bad ----------------------------------------

class Revocations:
    """An engine of a deployer's own."""

    def __init__(self):
        self.logins, self.users = set(), {}

    def revoke_login(self, login_id, until, now):
        self.logins.add(login_id)
        return True

    def revoke_user(self, user, up_to, until, now):
        self.users[user] = max(up_to, self.users.get(user, 0))

    def is_revoked(self, login_id, user, at):
        return login_id in self.logins or at <= self.users.get(user, 0)

    def revoked_up_to(self, user):
        return self.users.get(user, 0)


def make_revocations():
    return Revocations()


def make_half_an_engine():
    engine = Revocations()
    engine.is_revoked = None
    return engine


def make_nothing():
    pass


def make_with_a_name(list_name):
    return Revocations()
