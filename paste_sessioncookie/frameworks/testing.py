"""
For the test clients of frameworks
==================================

Test clients speak plain http and come without a browser's headers; some begin
with a POST.  :class:`PlainCookie` is the ``session_cookie`` filter for them::

    from paste_sessioncookie.frameworks.testing import PlainCookie

    site = PlainCookie(application)
    client = werkzeug.test.Client(site)
    client.set_cookie(*site.cookie('bob', tokens=('staff',)))
"""
from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from ..control import SessionControl
from ..cookie import PLAIN_NAME, SessionCookieHandler
from ..state import Issue, SessionState


class PlainCookie(SessionCookieHandler):
    """
    The filter with a cookie that is not for https alone.  Never serve it.

    Constructor arguments: the application, and those of SessionCookieHandler;
    the secret is a random one by default.
    """

    cookie_name = PLAIN_NAME

    def __init__(self, application: Any, **options: Any) -> None:
        super().__init__(application, **{
            'secret': secrets.token_bytes(32), 'secure': False, **options})

    def _issue(self, state: SessionState, environ: dict[str, Any]) -> Issue:
        return Issue.FREELY

    def cookie(self, user: str, tokens: Iterable[str] = ()) -> tuple[str, str]:
        """The name and value of a cookie of a user who has just logged in."""
        control = SessionControl(self.identify({}))
        control.login(user, tokens)
        return self.policy.cookie_name, self.signer.sign(control.state.final()).decode('ascii')
