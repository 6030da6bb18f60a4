"""
Weblog: drafts, a counter and a theme
=====================================

Mount it as often as you like, all with one database: the session ID is
another one in each ``namespace``, and what is kept under it therefore never
meets.  The theme is not in the database: it travels in the cookie.

Drafts are a visitor's, logged in or not.  Those that he wrote before he logged
in are moved to his new session; nothing else is.

Configuration: ``database``, a file.
"""
from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .pages import THEMES, Html, html, join
from .store import Database
from .web import Application, Refusal, Request, Response

THEME = 'weblog.theme'
KEPT = 12 * 3600   # seconds; the default lifetime of a session

_SCHEMA = (
    '''CREATE TABLE IF NOT EXISTS draft (
        number INTEGER PRIMARY KEY, session TEXT NOT NULL, text TEXT NOT NULL,
        at INTEGER NOT NULL)''',
    'CREATE INDEX IF NOT EXISTS draft_session ON draft (session)',
    '''CREATE TABLE IF NOT EXISTS counter (
        session TEXT PRIMARY KEY, saved INTEGER NOT NULL, at INTEGER NOT NULL)''',
)


class Weblog(Application):
    """A WSGI application, inside a ``namespace``.  ``clock`` gives the Unix time."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.routes = {'/': {'GET': self.show}, '/draft': {'POST': self.add_draft},
                       '/delete': {'POST': self.delete_draft},
                       '/theme': {'POST': self.set_theme}}

    def show(self, request: Request) -> Response:
        self.carry(request)  # here alone: who sends a form has seen its page
        theme = request.environ.get(THEME, 'system')
        token = request.token_field()
        saved, drafts = self._kept(request.control.id)
        body = html(
            _PAGE, request.mount, token, _count(saved),
            self._drafts(request, drafts), request.mount, token, _choices(theme))
        title = request.mount.strip('/').capitalize() or 'Weblog'
        return request.page(title, body, theme=theme)

    def add_draft(self, request: Request) -> Response:
        text = request.field('text').strip()
        if not text:
            raise Refusal('400 Bad Request', 'There is no text in your draft.')
        session, now = request.control.id, int(self.clock())
        with self.database.write() as connection:
            for delete in _DELETE_OLD:
                connection.execute(delete, (now - KEPT,))
            connection.execute('INSERT INTO draft (session, text, at) VALUES (?, ?, ?)',
                               (session, text, now))
            connection.execute(_COUNT, (session, now))
        return request.redirect()

    def delete_draft(self, request: Request) -> Response:
        with self.database.write() as connection:
            # a number that is not his own deletes nothing
            connection.execute('DELETE FROM draft WHERE number = ? AND session = ?',
                               (request.field('number'), request.control.id))
        return request.redirect()

    def set_theme(self, request: Request) -> Response:
        theme = request.field('theme')
        if theme not in THEMES:
            raise Refusal('400 Bad Request', 'There is no such theme.')
        request.environ['paste.auth.cookie'].append(THEME)
        request.environ[THEME] = theme
        return request.redirect()

    def carry(self, request: Request) -> None:
        """Move what an anonymous visitor wrote to the session of his login."""
        old, new = request.control.previous_id, request.control.id
        if old is None or not self._kept(old)[0]:
            return
        now = int(self.clock())
        with self.database.write() as connection:
            connection.execute('UPDATE draft SET session = ?, at = ? WHERE session = ?',
                               (new, now, old))
            # another request may have been first: then there is nothing to add
            connection.execute(_ADD_COUNT, (new, now, old))
            connection.execute('DELETE FROM counter WHERE session = ?', (old,))

    def _kept(self, session: str) -> tuple[int, list[tuple[int, str]]]:
        """How many drafts a session has saved, and those it has: number, text."""
        with self.database.read() as connection:
            row = connection.execute(
                'SELECT saved FROM counter WHERE session = ?', (session,)).fetchone()
            drafts = connection.execute(
                'SELECT number, text FROM draft WHERE session = ? ORDER BY number DESC',
                (session,)).fetchall()
        return (row[0] if row else 0), drafts

    def _drafts(self, request: Request, drafts: list[tuple[int, str]]) -> Html:
        if not drafts:
            return Html('<p class="quiet">You have no drafts here.</p>')
        return html('<ul class="cards">\n{}\n</ul>', join(
            html(_DRAFT, number, text, request.mount, request.token_field(), number, number)
            for number, text in drafts))


def _count(saved: int) -> str:
    return 'one draft' if saved == 1 else f'{saved} drafts'


def _choices(chosen: str) -> Html:
    return join(
        html('<label class="choice"><input type="radio" name="theme" value="{}"{}> {}</label>',
             theme, Html(' checked' if theme == chosen else ''), name)
        for theme, name in THEMES.items())


# of sessions that are over by now
_DELETE_OLD = 'DELETE FROM draft WHERE at < ?', 'DELETE FROM counter WHERE at < ?'
_ON_CONFLICT = '''ON CONFLICT (session)
    DO UPDATE SET saved = saved + excluded.saved, at = excluded.at'''
_COUNT = f'INSERT INTO counter VALUES (?, 1, ?) {_ON_CONFLICT}'  # nosec B608 # all constants
_ADD_COUNT = f'''INSERT INTO counter SELECT ?, saved, ? FROM counter
    WHERE session = ? {_ON_CONFLICT}'''  # nosec B608 # likewise

_PAGE = '''\
<p>Your drafts and your theme are this weblog’s own, though its twin has the same code and
the same database.  A draft stays while your session lasts, also when you log in.</p>
<section aria-label="Drafts">
<h2>Drafts</h2>
<form method="post" action="{}/draft">
{}
<label for="text">A new draft</label>
<textarea class="field" id="text" name="text" rows="3" required></textarea>
<p><button>Save the draft</button></p>
</form>
<p>You have saved {} in this session.</p>
{}
</section>
<section aria-label="Theme">
<form method="post" action="{}/theme">
{}
<fieldset>
<legend>Theme</legend>
{}
</fieldset>
<p class="quiet">It travels in the cookie, and begins anew when you log in or out.</p>
<p><button class="second">Use this theme</button></p>
</form>
</section>'''

_DRAFT = '''\
<li>
<p class="text" id="draft-{}">{}</p>
<form method="post" action="{}/delete">
{}
<input type="hidden" name="number" value="{}">
<button class="second" aria-describedby="draft-{}">Delete</button>
</form>
</li>'''


def make_weblog(global_conf: dict[str, Any], database: str) -> Weblog:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_weblog``."""
    return Weblog(Database(database, *_SCHEMA))
