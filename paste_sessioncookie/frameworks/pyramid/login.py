"""
The login
=========

:class:`SiteSecurityPolicy` makes the site's login Pyramid's;
:class:`SiteLoginHelper` is for policies of an application's own.
"""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pyramid.authorization import ACLHelper, Authenticated, Everyone
from pyramid.interfaces import ISecurityPolicy, ISessionFactory
from pyramid.request import Request, RequestLocalCache
from zope.interface import implementer

from ...login import Identity
from .. import get_control, is_unsure, profile_of, site_user

MakeUser = Callable[[Identity, Mapping[str, Any]], Any]


class SiteLoginHelper:
    """The site's login, for a security policy of the application's own."""

    def identify(self, request: Request) -> Identity | None:
        """
        Who is logged in for the whole site: user, tokens, at, by.

        A REMOTE_USER from the server or from other middleware counts as well;
        ``at`` is then the time of the request, and ``by`` is empty.
        """
        return site_user(request.environ)

    def authenticated_userid(self, request: Request) -> str | None:
        """The user's text, or None."""
        identity = self.identify(request)
        return identity and identity.user

    def remember(self, request: Request, userid: str, *, tokens: Iterable[str] = (),
                 again: bool = False) -> list[tuple[str, str]]:
        """
        Log a user in for the whole site, at once; there are no headers to send.

        ``tokens``: groups.  ``again``: also if this user is in already.  Raises
        what ``session.control.login`` does.
        """
        control = get_control(request.environ)
        if control.identity:
            _load_session(request)
        control.login(userid, tokens, again=again)
        return []

    def forget(self, request: Request) -> list[tuple[str, str]]:
        """Log out of the whole site.  The session of somebody who is not logged
        in goes on."""
        control = get_control(request.environ)
        if control.identity or is_unsure(control):
            _load_session(request)
            control.logout()
        return []


def _load_session(request: Request) -> None:
    """What ends has to be known, or its record would stay in the store."""
    if request.registry.queryUtility(ISessionFactory) is not None:
        request.session.new


@implementer(ISecurityPolicy)
class SiteSecurityPolicy:
    """
    The site's login as Pyramid's security policy, with the ACLs of resources.

    ``make_user(identity, profile)`` returns the application's user, which is
    then ``request.identity``, or None: the visitor is anonymous here, and the
    site's login stands.  ``identity`` is the site's (user, tokens, at, by),
    ``profile`` the mapping of a profile filter, or an empty one.  Without the
    function ``request.identity`` is the site's.
    """

    def __init__(self, make_user: MakeUser | None = None) -> None:
        self.helper = SiteLoginHelper()
        self.acl = ACLHelper()
        self._make_user = make_user
        self._users = RequestLocalCache()  # request -> (the site's identity, user)

    def identity(self, request: Request) -> Any:
        """The user, or None; asked for once for each login in a request."""
        identity = self.helper.identify(request)
        if identity is None or self._make_user is None:
            return identity
        known, user = self._users.get(request, (None, None))
        if known != identity:
            user = self._make_user(identity, profile_of(request.environ))
            self._users.set(request, (identity, user))
        return user

    def authenticated_userid(self, request: Request) -> str | None:
        """The site's user, if the application knows him."""
        if self.identity(request) is None:
            return None
        return self.helper.authenticated_userid(request)

    def principals(self, request: Request) -> list[str]:
        """Whom an ACL may name: Everyone; for who is logged in also
        Authenticated, the user and ``group:`` with each token."""
        userid = self.authenticated_userid(request)
        identity = self.helper.identify(request)
        if userid is None or identity is None:
            return [Everyone]
        groups = [f'group:{token}' for token in identity.tokens]
        # nobody becomes a group by choosing its name as his own
        own = [] if userid.startswith(('group:', 'system.')) else [userid]
        return [Everyone, Authenticated, *own, *groups]

    def permits(self, request: Request, context: Any, permission: str) -> Any:
        """What the ACLs say."""
        return self.acl.permits(context, self.principals(request), permission)

    def remember(self, request: Request, userid: str, **kw: Any) -> list[tuple[str, str]]:
        """Log in; see :class:`SiteLoginHelper`."""
        return self.helper.remember(request, userid, **kw)

    def forget(self, request: Request, **kw: Any) -> list[tuple[str, str]]:
        """Log out; likewise."""
        return self.helper.forget(request, **kw)
