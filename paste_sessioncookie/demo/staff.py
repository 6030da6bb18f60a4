"""
Staff: an application that checks nothing
=========================================

Who gets here was let in by a ``require_login`` in the pipeline.  It lists who is
known to the accounts, without their passwords.

Configuration: ``accounts``, the file of the accounts.
"""
from __future__ import annotations

from typing import Any

from .pages import html, join
from .store import Database
from .web import Application, Request, Response


class Staff(Application):
    """A WSGI application, inside a ``namespace`` and a ``require_login``."""

    def __init__(self, accounts: Database) -> None:
        self.accounts = accounts
        self.routes = {'/': {'GET': self.show}}

    def show(self, request: Request) -> Response:
        with self.accounts.read() as connection:
            users = connection.execute(
                'SELECT name, groups FROM user ORDER BY name').fetchall()
        return request.page('Staff', html(_PAGE, join(
            html('<tr><th scope="row">{}</th><td>{}</td></tr>', name,
                 ', '.join(groups.split()) or 'none') for name, groups in users)))


_PAGE = '''\
<p>Only users of the group <em>staff</em> come here.  The filter <code>require_login</code>
sees to that; this application does not look who you are.</p>
<section aria-label="Users">
<table>
<caption>Everybody who has an account</caption>
<thead><tr><th scope="col">User</th><th scope="col">Groups</th></tr></thead>
<tbody>
{}
</tbody>
</table>
</section>'''


def make_staff(global_conf: dict[str, Any], accounts: str) -> Staff:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_staff``."""
    return Staff(Database(accounts))
