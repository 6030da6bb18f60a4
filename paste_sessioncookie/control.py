"""
Control: one visitor's session, as an application sees it
=========================================================

:class:`SessionControl`, ``environ['session.control']``, is one namespace's
view of the request's state, with all that an application can do: keep,
regenerate, invalidate, log in, log out.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from . import login, sessionid
from .errors import LoginNotAllowed
from .login import NO_PRIVATE_KEY, Identity
from .sessionid import SessionID
from .state import SessionState


class SessionControl:
    """
    ``environ['session.control']``: a namespace's view of the visitor's session.

    Everything is for this application, but for ``login``, ``logout`` and
    ``revoke``, which are for the whole site.  From ``started`` on, whatever
    changes something raises RuntimeError.
    """

    __slots__ = ('_state', '_namespace', '_may_login')

    def __init__(self, state: SessionState, namespace: str = '',
                 may_login: bool = True) -> None:
        self._state = state
        self._namespace = namespace
        self._may_login = may_login

    @property
    def state(self) -> SessionState:
        """What all views of one request share; for the filters."""
        return self._state

    @property
    def namespace(self) -> str:
        """The name of this application's namespace, ``''`` outside any."""
        return self._namespace

    @property
    def may_login(self) -> bool:
        """Whether ``login`` and ``revoke`` are allowed here."""
        return self._may_login and self._state.policy.may_sign_logins

    @property
    def id(self) -> SessionID:
        """This application's session ID: 40 lower-case hex digits."""
        return self._state.payload.part(self._namespace)[0]

    @property
    def new(self) -> bool:
        """Whether the ID was minted in this request."""
        return self._state.base_is_new or self._namespace in self._state.done.minted

    @property
    def previous_id(self) -> SessionID | None:
        """The ID this application had before an anonymous visitor logged in,
        for one idle timeout, to carry over a basket; else None."""
        previous = self._state.payload.previous
        if previous is None or previous.until <= self._state.now:
            return None
        _, salt, _ = self._state.payload.part(self._namespace)
        if salt or self._namespace in previous.salted:
            return None
        return sessionid.derive(previous.base_id, self._namespace)

    @property
    def identity(self) -> Identity | None:
        """Who is logged in: user, tokens, at (Unix time), by (namespace)."""
        current = self._state.payload.login
        if current is None or self._state.outer_user:
            return None
        return login.identity(current)

    @property
    def status(self) -> str:
        """Why this request has the session it has; see the specification."""
        return self._state.status

    @property
    def started(self) -> bool:
        """Whether start_response has been passed outward."""
        return self._state.started

    def keep(self) -> None:
        """Say that something is kept under this ID, so that it has to last."""
        self._check_open()
        self._state.keep()

    def regenerate(self) -> SessionID:
        """A new ID for this application, which keeps its values.  Raises
        CookieTooLarge where the cookie has no room for one namespace more."""
        self._check_open()
        self._state.new_salt(self._namespace, keep_values=True)
        if not self._state.done.ended:
            # after a log-out a new ID alone is no reason to keep a cookie
            self._state.keep()
        return self.id

    def invalidate(self) -> None:
        """End this application's session: no values, a new ID.  Raises
        CookieTooLarge likewise."""
        self._check_open()
        self._state.new_salt(self._namespace, keep_values=False)

    def login(self, user: str, tokens: Iterable[str] = (), *, again: bool = False) -> None:
        """
        Log a user in for the whole site; every application gets a new ID.

        A login of the user and tokens that are in already changes nothing,
        unless ``again``.  Raises LoginNotAllowed in a namespace without
        ``login = true`` and in a process that cannot sign logins, TypeError or
        ValueError for what is no user or no token, RevocationUnavailable,
        CookieTooLarge.
        """
        self._check_open()
        self._check_may_login()
        self._state.login(user, tokens, self._namespace, again)

    def logout(self) -> bool:
        """
        End the session of the whole site; every application gets a new ID.

        Returns False when copies of the cookie could not be revoked; that is
        an error in the log, unless ``revocation = none`` wants it so.
        """
        self._check_open()
        return self._state.logout()

    def revoke(self, user: str) -> None:
        """Void every login of a user up to now, everywhere.  Raises
        LoginNotAllowed, TypeError, ValueError, RevocationUnavailable."""
        self._check_open()
        self._check_may_login()
        self._state.revoke_user(login.native_user(user))

    def __copy__(self) -> SessionControl:
        return self  # there is one, whoever copies environ

    def __deepcopy__(self, memo: object) -> SessionControl:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError('a session.control belongs to one request: it cannot be pickled')

    def __repr__(self) -> str:
        return f'<SessionControl of {self._namespace!r}: {self.status}>'

    def _check_open(self) -> None:
        if self._state.started:
            raise RuntimeError('the response has started: its headers, and the '
                               'cookie in them, can no longer be changed')

    def _check_may_login(self) -> None:
        if not self._may_login:
            raise LoginNotAllowed(
                f'the namespace {self._namespace!r} may not log users in for the '
                'whole site: write "login = true" into its namespace section')
        if not self.may_login:
            raise LoginNotAllowed(NO_PRIVATE_KEY)
