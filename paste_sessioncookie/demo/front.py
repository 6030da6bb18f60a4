"""
The front page
==============

It says what there is to see, and what the site knows of the visitor.  There is no
``namespace`` around it: its session ID is the site's.
"""
from __future__ import annotations

from typing import Any

from .pages import Html
from .web import Application, Request, Response


class Front(Application):
    """A WSGI application, for the root of the site."""

    def __init__(self) -> None:
        self.routes = {'/': {'GET': self.show}}

    def show(self, request: Request) -> Response:
        return request.page('Five applications, one cookie', _TEXT)


_TEXT = Html('''\
<ol>
<li>Everything behind this address shares one signed cookie, and nothing else.</li>
<li><a href="/accounts">Accounts</a> logs you in: once, and everywhere.</li>
<li><a href="/blog">Blog</a> and <a href="/news">News</a> are one application, mounted twice,
with one store: see that your drafts, your theme and your session there do not mix.</li>
<li><a href="/wiki">Wiki</a> has its own users, and meets you when you come, logged in.</li>
<li><a href="/staff">Staff</a> is for the group of that name.  Others log in first, or are
refused.</li>
<li>Below is what this page sees of you; compare it with what the others see.</li>
</ol>''')


def make_front(global_conf: dict[str, Any]) -> Front:
    """Paste Deploy entry point: ``egg:paste_sessioncookie#demo_front``."""
    return Front()
