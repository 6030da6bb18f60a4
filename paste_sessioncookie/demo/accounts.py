"""
Accounts: log in and log out, for the whole site
================================================

The only application here with ``login = true``.  Who somebody is it finds out
by a password; then it tells ``environ['session.control']``, and every
application knows.

Configuration: ``database``, a file.

A site that is not a demonstration also slows down who guesses passwords.
"""
from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from paste_sessioncookie import RevocationUnavailable
from paste_sessioncookie.requirelogin import safe_came_from

from .pages import Html, html, join
from .store import Database
from .web import Application, Refusal, Request, Response, see_other

#: name, password, groups
DEMO_USERS = (('ada', 'analytical engine', 'staff editors'),
              ('grace', 'first compiler', 'editors'),
              ('linus', 'free as in wiki', ''))

# OWASP's Password Storage Cheat Sheet: N = 2**14 and r = 8 (16 MB) take p = 5
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2 ** 14, 8, 5
SALT_BYTES = 16

#: checked for a user that there is not, so that it takes as long
_NOBODY = (bytes(SALT_BYTES), bytes(64), '')

_SCHEMA = '''CREATE TABLE IF NOT EXISTS user (
    name TEXT PRIMARY KEY, salt BLOB NOT NULL, hash BLOB NOT NULL, groups TEXT NOT NULL)'''


class Accounts(Application):
    """A WSGI application, inside a ``namespace`` with ``login = true``."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.routes = {'/': {'GET': self.show},
                       '/login': {'GET': self.show, 'POST': self.login},
                       '/logout': {'POST': self.logout},
                       '/everywhere': {'GET': self.ask, 'POST': self.logout_everywhere}}

    def show(self, request: Request) -> Response:
        """The form to log in, or the one to log out."""
        identity = request.control.identity
        if identity is not None:
            return request.page('You are logged in', html(
                _LOGGED_IN, identity.user, request.mount, request.token_field(),
                request.mount))
        return self._form(request, request.query.get('came_from', ''))

    def login(self, request: Request) -> Response:
        name, came_from = request.field('name'), request.field('came_from')
        groups = self.check_password(name, request.field('password'))
        if groups is None:
            return self._form(request, came_from, name, _WRONG, '403 Forbidden')
        try:
            request.control.login(name, groups)
        except RevocationUnavailable:
            raise Refusal('503 Service Unavailable', _NO_LOGIN) from None
        back = safe_came_from(came_from)  # anybody can write a link with one
        return see_other(back) if back else request.redirect()

    def logout(self, request: Request) -> Response:
        if not request.control.logout():
            return request.page('You are logged out', html(
                '<p class="alert" role="alert">{}</p>', _NOT_REVOKED))
        return request.redirect()

    def ask(self, request: Request) -> Response:
        """Whether to log out everywhere."""
        if request.control.identity is None:
            return request.redirect()
        return request.page('Log out everywhere', html(
            _EVERYWHERE, request.mount, request.token_field(), request.mount))

    def logout_everywhere(self, request: Request) -> Response:
        identity = request.control.identity
        if identity is None:
            return request.redirect()
        try:
            request.control.revoke(identity.user)
        except RevocationUnavailable:
            raise Refusal('503 Service Unavailable', _NOT_EVERYWHERE) from None
        request.control.logout()
        return request.page('You are logged out everywhere', html(
            '<p>Whoever was logged in as <strong>{}</strong>, in any browser, is logged out.'
            '</p>', identity.user))

    def check_password(self, name: str, password: str) -> list[str] | None:
        """The user's groups; None for a wrong name or password."""
        with self.database.read() as connection:
            row = connection.execute(
                'SELECT salt, hash, groups FROM user WHERE name = ?', (name,)).fetchone()
        salt, wanted, groups = row or _NOBODY
        if hmac.compare_digest(hash_password(password, salt), wanted) and row:
            return str(groups).split()
        return None

    def add_demo_users(self) -> None:
        """At the first start only: hashing is slow."""
        with self.database.write() as connection:
            if connection.execute('SELECT 1 FROM user').fetchone():
                return
            for name, password, groups in DEMO_USERS:
                salt = secrets.token_bytes(SALT_BYTES)
                connection.execute('INSERT INTO user VALUES (?, ?, ?, ?)', (
                    name, salt, hash_password(password, salt), groups))

    def _form(self, request: Request, came_from: str, name: str = '',
              fault: Html = Html(), status: str = '200 OK') -> Response:
        return request.page('Log in', html(
            _FORM, fault, request.mount, request.token_field(), came_from, name,
            _FAULTY if fault else Html(), _FAULTY_HERE if fault else Html(),
            _DEMO_TABLE), status)


def hash_password(password: str, salt: bytes) -> bytes:
    """64 bytes; takes some tenths of a second, on purpose."""
    return hashlib.scrypt(password.encode('utf-8'), salt=salt,
                          n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P)


_FORM = '''\
{}
<section aria-label="Log in">
<form method="post" action="{}/login">
{}
<input type="hidden" name="came_from" value="{}">
<label for="name">User</label>
<input class="field" id="name" name="name" value="{}" autocomplete="username"
 autocapitalize="none" spellcheck="false" required{}>
<label for="password">Password</label>
<input class="field" id="password" name="password" type="password"
 autocomplete="current-password" required{}>
<p><button>Log in</button></p>
</form>
</section>
<section aria-label="Demonstration users">
{}
</section>'''

_DEMO_TABLE = html('''\
<table>
<caption>This is a demonstration, so here is everybody’s password.</caption>
<thead><tr><th scope="col">User</th><th scope="col">Password</th>
<th scope="col">Groups</th></tr></thead>
<tbody>
{}
</tbody>
</table>''', join(
    html('<tr><th scope="row">{}</th><td><code>{}</code></td><td>{}</td></tr>',
         name, password, ', '.join(groups.split()) or 'none')
    for name, password, groups in DEMO_USERS))

_LOGGED_IN = '''\
<p>You are <strong>{}</strong>, here and in every application of this site.</p>
<section aria-label="Log out">
<form method="post" action="{}/logout">
{}
<p>Logging out ends your session in all of them.</p>
<p><button>Log out</button></p>
</form>
<p><a href="{}/everywhere">Log out everywhere</a>, if you have left another browser logged
in.</p>
</section>'''

_EVERYWHERE = '''\
<section aria-label="Log out everywhere">
<form method="post" action="{}/everywhere">
{}
<p>Every login of yours up to now becomes void: in this browser, in all others, and in any copy
of your cookie.  You can log in again at once.</p>
<p><button>Log out everywhere</button></p>
</form>
<p><a href="{}">Stay logged in</a></p>
</section>'''

# either field may be the wrong one; whoever comes back is at the one that is empty now
_FAULTY = Html(' aria-invalid="true" aria-describedby="fault"')
_FAULTY_HERE = Html(_FAULTY + ' autofocus')

_WRONG = Html('<p class="alert" role="alert" id="fault">That user and that password do not '
              'belong together.</p>')
_NO_LOGIN = 'Nobody can log in for the moment; please try again later.'
_NOT_EVERYWHERE = 'Your other logins cannot be ended for the moment; please try again later.'
_NOT_REVOKED = ('This browser is logged out.  If somebody has copied your cookie, the copy '
                'could not be called back.')


def make_accounts(global_conf: dict[str, Any], database: str) -> Accounts:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_accounts``."""
    accounts = Accounts(Database(database, _SCHEMA))
    accounts.add_demo_users()
    return accounts
