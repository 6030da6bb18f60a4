"""
Revocation: which logins are void although their cookie verifies
================================================================

Deleting the browser's copy does not revoke a signed cookie.  A log-out, and
a login that is replaced, put the login's ID on a list until the cookie would
have expired anyway; ``revoke(user)`` puts a time there, up to which every
login of the user is void.  Only requests that carry a login look anything up.

An engine has the methods of :class:`MemoryRevocations`.  One that cannot
answer raises RevocationUnavailable: then no login counts.
"""
from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from .errors import RevocationUnavailable


class Revocations(Protocol):
    """What an engine can do.  All times are Unix times in whole seconds."""

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        """Void one login; the entry may go at ``until``.  False: this engine
        revokes nothing, by configuration."""

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        """Void a user's logins dated ``up_to`` or before; it may go at ``until``."""

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        """Whether a login, by its ID or by its user and date, is void."""

    def revoked_up_to(self, user: str) -> int:
        """The ``up_to`` of the user, or 0."""


_Expiry = tuple[int, float]  # Unix time, and the monotonic clock's
_NEVER = (0, (0, 0.0))       # up to, expiry


class MemoryRevocations:
    """
    The list of one process.  Entries go at their expiry, never for space.

    An entry goes when both the time of day and ``monotonic``, a clock that
    nobody sets, say so: a clock that was wrong for a moment brings no login
    back.  Writers take turns; readers need not, a look-up in a dict is atomic.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._logins: dict[str, _Expiry] = {}             # by login ID
        self._users: dict[str, tuple[int, _Expiry]] = {}  # up to, by user
        self._sweep_at = 0.0                              # by the monotonic clock

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        with self._lock:
            self._sweep(now)
            self._logins[login_id] = self._expiry(until, now)
        return True

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        with self._lock:
            self._sweep(now)
            old_up_to, old_expiry = self._users.get(user, _NEVER)
            self._users[user] = max(old_up_to, up_to), max(
                old_expiry, self._expiry(until, now))

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        return login_id in self._logins or at <= self._users.get(user, _NEVER)[0]

    def revoked_up_to(self, user: str) -> int:
        return self._users.get(user, _NEVER)[0]

    def __len__(self) -> int:
        return len(self._logins) + len(self._users)

    def _expiry(self, until: int, now: int) -> _Expiry:
        return until, self._monotonic() + until - now

    def _sweep(self, now: int) -> None:
        """Drop what has expired; once a minute is enough."""
        monotonic = self._monotonic()
        if monotonic < self._sweep_at:
            return
        self._sweep_at = monotonic + 60
        self._logins = {login_id: expiry for login_id, expiry in self._logins.items()
                        if now < expiry[0] or monotonic < expiry[1]}
        self._users = {user: entry for user, entry in self._users.items()
                       if now < entry[1][0] or monotonic < entry[1][1]}


class NoRevocations:
    """``revocation = none``: a copied cookie lives until it expires."""

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        return False

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        raise RevocationUnavailable('revocation = none: nothing can be revoked')

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        return False

    def revoked_up_to(self, user: str) -> int:
        return 0


_shared: dict[str, MemoryRevocations] = {}
_shared_lock = threading.Lock()


def memory_for(list_name: str) -> MemoryRevocations:
    """The one list of this process for a key: PasteDeploy makes a filter each
    time that a section is named, and all of them must see one log-out."""
    with _shared_lock:
        return _shared.setdefault(list_name, MemoryRevocations())
