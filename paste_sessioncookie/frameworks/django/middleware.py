"""
SessionMiddleware, and publishing
=================================

``SessionMiddleware`` stands where Django's stood, and is a subclass of it.
With ``'PUBLISH': True`` in ``SITE_SESSION``, a login in Django (its forms, the
admin, ``login()``, ``alogin()``) logs the user in for the whole site.
"""
from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware as DjangoSessionMiddleware
from django.utils.cache import patch_cache_control, patch_vary_headers

from ...environ import CONTROL
from .. import attempt, cookie_name, get_control, is_unsure, only_tokens
from . import conf
from .store import SITE_USER, SiteSession, store_class


class SessionMiddleware(DjangoSessionMiddleware):  # type: ignore[misc]
    """
    Django's sessions, under the site's ID and without a cookie of their own.

    Raises ImproperlyConfigured, when the handler is loaded, with all faults.
    """

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        self.conf = conf.read()
        self.store_class = store_class(self.conf.engine)

    def process_request(self, request: Any) -> None:
        if CONTROL not in request.META and is_test_run():
            # the sessions of Django's test client, which has no filter in front
            super().process_request(request)
            return
        control = get_control(request.META)
        # whoever shows or reports a request's cookies does not show this one
        request.COOKIES.pop(cookie_name(control), None)
        request.session = self.store_class(control, self.conf)
        request.session.take_back = attempt(control)

    def process_response(self, request: Any, response: Any) -> Any:
        """Save what has changed.  Raises SessionInterrupted for a session that
        was ended meanwhile."""
        session = getattr(request, 'session', None)
        if not isinstance(session, SiteSession):
            return super().process_response(request, response) if is_test_run() else response
        # always: a view may ask the control who the visitor is
        patch_vary_headers(response, ('Cookie',))
        if response.status_code >= 500:
            session.rescue()
            return response
        session.remove_ended()
        if session.modified or settings.SESSION_SAVE_EVERY_REQUEST:
            self._save(session, response)
        return response

    def _save(self, session: SiteSession, response: Any) -> None:
        session.keys()  # loads it: whether it is empty is not known before
        if session.is_empty():
            return
        try:
            session.save()
        except UpdateError:
            raise SessionInterrupted(
                "The request's session was deleted before the request completed. The user "
                'may have logged out in a concurrent request, for example.') from None
        if session.control.new:
            # Django's cache stores a page for everybody without a cookie, unless
            # it sees a cookie being set; ours is set outside of it
            patch_cache_control(response, private=True)


def is_test_run() -> bool:
    """Whether Django's test environment is set up, as every test runner does, and
    no server."""
    utils = sys.modules.get('django.test.utils')
    return hasattr(getattr(utils, '_TestState', None), 'saved_data')


def publish_login(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    """
    Make a login of Django's the site's, but never one that came from there.

    If the site cannot have it, nobody is logged in, and the error goes to whoever
    called ``login()``: LoginNotAllowed in a namespace without ``login = true``,
    ValueError for a name that cannot travel, CookieTooLarge, RevocationUnavailable,
    or what ``'TOKENS'`` raises.
    """
    session = getattr(request, 'session', None)
    if (not isinstance(session, SiteSession) or not session.conf.publish
            or SITE_USER in session):
        return
    if SESSION_KEY not in session:
        return  # somebody tells of a login for one request, as with an API's token
    try:
        session.control.login(
            str(user.get_username()), only_tokens(session.conf.tokens(user)))
    except Exception:
        _undo_login(request)
        raise
    session.move()


def publish_logout(sender: Any, request: Any, **kwargs: Any) -> None:
    """
    End the site's login with Django's, even where Django does not know it:
    ``flush()``, which follows, ends the one that the session has.
    """
    session = getattr(request, 'session', None)
    if not isinstance(session, SiteSession):
        return
    if is_unsure(session.control):
        leaves = session.conf.publish or session.receiving
    else:
        leaves = session.conf.publish and session.is_of_identity()
    if leaves:
        session.control.logout()


user_logged_in.connect(publish_login)
user_logged_out.connect(publish_logout)


def _undo_login(request: Any) -> None:
    """Nobody is logged in by halves."""
    from django.contrib.auth.models import AnonymousUser  # settings may import this module

    async def nobody() -> AnonymousUser:
        return AnonymousUser()
    for key in (SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY):
        request.session.pop(key, None)
    request.user, request.auser = AnonymousUser(), nobody
