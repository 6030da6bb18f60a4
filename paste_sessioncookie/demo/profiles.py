"""
Profiles: who somebody is, by XML-RPC
=====================================

A back end for programs: ``get_profile(user)`` answers a struct of ``full_name``,
``email`` and ``motto``, an empty one for a user that it does not know.  It
looks at no session, and a program that posts without a cookie gets none.

Configuration: ``database``, a file.

It tells everybody who asks.  A site that is not a demonstration mounts it
where only its own servers come.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from xmlrpc.client import Fault, dumps  # nosec B411 # only written with it

from ..profileserver import unmarshal
from .store import Database
from .web import Environ, Refusal, read_body

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

#: user, full name, e-mail, motto; some user of the accounts is missing here
DEMO_PROFILES = (
    ('ada', 'Ada Lovelace', 'ada@example.org', 'The engine weaves algebraic patterns.'),
    ('grace', 'Grace Hopper', 'grace@example.org', 'A ship in port is safe, but …'),
)

_SCHEMA = '''CREATE TABLE IF NOT EXISTS profile (
    user TEXT PRIMARY KEY, full_name TEXT NOT NULL, email TEXT NOT NULL,
    motto TEXT NOT NULL)'''


class Profiles:
    """A WSGI application that speaks XML-RPC."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except Refusal as refusal:
            start_response(refusal.status, [('Content-Type', 'text/plain'), *refusal.headers])
            return [refusal.why.encode('utf-8')]
        start_response('200 OK', [('Content-Type', 'text/xml'),
                                  ('Content-Length', str(len(answer)))])
        return [answer]

    def get_profile(self, user: str) -> dict[str, Any]:
        """The XML-RPC method."""
        with self.database.read() as connection:
            row = connection.execute(
                'SELECT full_name, email, motto FROM profile WHERE user = ?',
                (user,)).fetchone()
        return dict(zip(('full_name', 'email', 'motto'), row)) if row else {}

    def add_demo_profiles(self) -> None:
        with self.database.write() as connection:
            connection.executemany(
                'INSERT OR IGNORE INTO profile VALUES (?, ?, ?, ?)', DEMO_PROFILES)

    def _answer(self, environ: Environ) -> bytes:
        """The XML of an answer or a fault.  Raises Refusal for what is no call."""
        if environ['REQUEST_METHOD'] != 'POST':
            raise Refusal('405 Method Not Allowed', 'This is an XML-RPC server.',
                          ('Allow', 'POST'))
        answer = self._call(read_body(environ))
        return dumps(answer, methodresponse=True, encoding='utf-8').encode('utf-8')

    def _call(self, body: bytes) -> tuple[dict[str, Any]] | Fault:
        try:
            # not the standard library's: anybody can send entities, which grow
            [user], method = unmarshal(body)
            good = method == 'get_profile' and isinstance(user, str)
        except Exception:  # whatever a foreign call does to the reader
            good = False
        return (self.get_profile(user),) if good else Fault(
            1, 'it takes a call of get_profile with a user')


def make_profiles(global_conf: dict[str, Any], database: str) -> Profiles:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_profiles``."""
    profiles = Profiles(Database(database, _SCHEMA))
    profiles.add_demo_profiles()
    return profiles
