"""
Wiki: another application, with its own users
=============================================

It has no way to log in.  When somebody comes who has logged in elsewhere, it
sets up its own session under ``session.id``, and at first sight its own record
of the user, from ``session.profile``.

Configuration: ``database``, a file.
"""
from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .pages import Html, html, join
from .store import Database
from .web import Application, Refusal, Request, Response, see_other

PROFILE_LENGTH = 200   # characters that are kept of each part of a profile
KEPT = 12 * 3600       # seconds; the default lifetime of a session

_NAME = re.compile(r'[A-Z][A-Za-z0-9 -]{0,39}')
_LINK = re.compile(rf'\[\[({_NAME.pattern})\]\]')

_SCHEMA = (
    '''CREATE TABLE IF NOT EXISTS page (
        name TEXT PRIMARY KEY, text TEXT NOT NULL, user TEXT NOT NULL)''',
    '''CREATE TABLE IF NOT EXISTS member (
        user TEXT PRIMARY KEY, full_name TEXT NOT NULL, email TEXT NOT NULL,
        motto TEXT NOT NULL)''',
    '''CREATE TABLE IF NOT EXISTS session (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, edits INTEGER NOT NULL,
        at INTEGER NOT NULL)''',
)

_HOME = '''\
This wiki has its own users, and no way to log in.

Write a name in brackets, as in [[Another page]], to make one.'''


class Member(NamedTuple):
    """The wiki's own record of a user; what is not known is ''."""

    user: str
    full_name: str = ''
    email: str = ''
    motto: str = ''

    @property
    def shown(self) -> str:
        return self.full_name or self.user


class Wiki(Application):
    """
    A WSGI application, inside a ``namespace`` and a ``profile``.

    ``clock`` gives the Unix time.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self.database = database
        self.clock = clock
        self.routes = {
            '/': {'GET': self.show_all}, '/page/*': {'GET': self.show},
            '/edit/*': {'GET': self.edit, 'POST': self.save}}

    def add_home(self) -> None:
        with self.database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO page VALUES ('Home', ?, '')", (_HOME,))

    # -- pages ------------------------------------------------------------

    def show_all(self, request: Request) -> Response:
        with self.database.read() as connection:
            names = [name for name, in connection.execute(
                'SELECT name FROM page ORDER BY name')]
        links = join(html('<li>{}</li>', _page_link(request, name)) for name in names)
        return request.page('Wiki', html(
            '{}<section aria-labelledby="pages"><h2 id="pages">Pages</h2>\n'
            '<ul>{}</ul></section>', self._greeting(request), links))

    def show(self, request: Request) -> Response:
        name = _page_name(request)
        greeting = self._greeting(request)
        row = self._page(name)
        if row is None:
            return request.page(name, html(
                '{}<section><p>There is no such page yet.</p>{}</section>',
                greeting, _edit_link(request, name, 'Write it')), '404 Not Found')
        text, author = row
        return request.page(name, html(
            '{}<section aria-label="Text">\n{}\n{}{}</section>', greeting,
            _formatted(request, text), _signature(author),
            _edit_link(request, name, 'Edit this page')))

    def edit(self, request: Request) -> Response:
        name = _page_name(request)
        if self.member(request) is None:
            return see_other(request.login_url())
        text = (self._page(name) or ('', ''))[0]
        return request.page(f'Edit: {name}', html(
            _FORM, request.mount, name, request.token_field(), text,
            _page_link(request, name)))

    def save(self, request: Request) -> Response:
        name, member = _page_name(request), self.member(request)
        if member is None:
            raise Refusal('403 Forbidden', 'Only who is logged in may edit pages.')
        text = request.field('text').strip()
        if not text:
            raise Refusal('400 Bad Request', 'A page takes some text.')
        with self.database.write() as connection:
            connection.execute('INSERT OR REPLACE INTO page VALUES (?, ?, ?)',
                               (name, text, member.user))
            connection.execute('UPDATE session SET edits = edits + 1 WHERE id = ?',
                               (request.control.id,))
        return request.redirect(f'/page/{_in_url(name)}')

    def _page(self, name: str) -> tuple[str, str] | None:
        """Text, and the name of who wrote it last ('' for the first text)."""
        with self.database.read() as connection:
            row: tuple[str, str] | None = connection.execute(
                "SELECT text, coalesce(nullif(full_name, ''), page.user) FROM page "
                'LEFT JOIN member ON page.user = member.user WHERE name = ?',
                (name,)).fetchone()
        return row

    # -- users ------------------------------------------------------------

    def member(self, request: Request) -> Member | None:
        """Who is there, with a session; None for an anonymous visitor."""
        identity = request.control.identity
        if identity is None:
            return None
        session = request.control.id
        with self.database.read() as connection:
            known = connection.execute(
                'SELECT 1 FROM session WHERE id = ?', (session,)).fetchone()
        if not known:
            self._welcome(session, identity.user, request.environ['session.profile'])
        return self._record(identity.user)

    def _welcome(self, session: str, user: str, profile: Mapping[str, Any]) -> None:
        """A session, and a record of the user if there is none."""
        member = self._record(user)
        if member == Member(user):  # first sight, or nothing was known then
            member = Member(user, **{part: str(profile.get(part, ''))[:PROFILE_LENGTH]
                                     for part in Member._fields[1:]})
        now = int(self.clock())
        with self.database.write() as connection:
            connection.execute('DELETE FROM session WHERE at < ?', (now - KEPT,))
            connection.execute('INSERT OR REPLACE INTO session VALUES (?, ?, 0, ?)',
                               (session, user, now))
            connection.execute('INSERT OR REPLACE INTO member VALUES (?, ?, ?, ?)', member)

    def _record(self, user: str) -> Member:
        with self.database.read() as connection:
            row = connection.execute(
                'SELECT * FROM member WHERE user = ?', (user,)).fetchone()
        return Member(*row) if row else Member(user)

    def _greeting(self, request: Request) -> Html:
        member = self.member(request)
        if member is None:
            return html('<p>You may read.  <a href="{}">Log in</a> to write, too.</p>',
                        request.login_url())
        with self.database.read() as connection:
            edits, = connection.execute(
                'SELECT coalesce(sum(edits), 0) FROM session WHERE id = ?',
                (request.control.id,)).fetchone()
        return html(_GREETING, member.shown, member.email or 'unknown',
                    member.motto or 'unknown', edits)


def _page_name(request: Request) -> str:
    """Raises Refusal for what cannot be the name of a page."""
    if not _NAME.fullmatch(request.name):
        raise Refusal('404 Not Found', 'A page’s name is a capital, then letters, digits, '
                      'spaces and hyphens; 40 at most.')
    return request.name


def _in_url(name: str) -> str:
    return name.replace(' ', '%20')


def _page_link(request: Request, name: str) -> Html:
    return html('<a href="{}/page/{}">{}</a>', request.mount, _in_url(name), name)


def _edit_link(request: Request, name: str, text: str) -> Html:
    return html('<p><a href="{}/edit/{}">{}</a></p>', request.mount, _in_url(name), text)


def _signature(author: str) -> Html:
    return html('<p class="quiet">Last edited by {}.</p>', author) if author else Html()


def _formatted(request: Request, text: str) -> Html:
    """Paragraphs, with ``[[Links]]``."""
    paragraphs = []
    for paragraph in re.split(r'\n\s*\n', text):
        # what is split off at odd places are the names
        pieces = [_page_link(request, piece) if odd % 2 else html('{}', piece)
                  for odd, piece in enumerate(_LINK.split(paragraph))]
        paragraphs.append(html('<p class="text">{}</p>', Html(''.join(pieces))))
    return join(paragraphs)


_GREETING = '''\
<p>Welcome, <strong>{}</strong>.  You did not log in here: the wiki recognised your login,
and made its own record of you.</p>
<section aria-labelledby="record">
<h2 id="record">The wiki’s record</h2>
<dl>
<div><dt>E-mail</dt><dd>{}</dd></div>
<div><dt>Motto</dt><dd>{}</dd></div>
<div><dt>Edits in this session</dt><dd>{}</dd></div>
</dl>
</section>'''

_FORM = '''\
<section aria-label="Edit">
<form method="post" action="{}/edit/{}">
{}
<label for="text">Text</label>
<textarea class="field" id="text" name="text" rows="12" required
 aria-describedby="help">{}</textarea>
<p class="quiet" id="help">An empty line begins a paragraph; [[Name]] is a link.</p>
<p><button>Save</button></p>
</form>
<p>Back to {}, without saving.</p>
</section>'''


def make_wiki(global_conf: dict[str, Any], database: str) -> Wiki:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_wiki``."""
    wiki = Wiki(Database(database, *_SCHEMA))
    wiki.add_home()
    return wiki
