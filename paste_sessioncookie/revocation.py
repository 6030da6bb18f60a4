"""
Revocation: which logins are void although their cookie verifies
================================================================

Deleting the browser's copy does not revoke a signed cookie.  A log-out, and
a login that is replaced, put the login's ID on a list until the cookie would
have expired anyway; ``revoke(user)`` puts a time there, up to which every
login of the user is void.  Only requests that carry a login look anything up.

An engine has the methods of :class:`Revocations`.  One that cannot answer
raises RevocationUnavailable: then no login counts.  In this file are the
engines of one process, and what wraps a deployer's own; ``revocation_store``
and its neighbours have those that processes share.
"""
from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Protocol, TypeVar

from .errors import RevocationUnavailable
from .seldom import Seldom

log = logging.getLogger('paste_sessioncookie')

T = TypeVar('T')

WORDS = ('none', 'memory')  # the engines that are named by a word


class Revocations(Protocol):
    """
    What an engine can do.  All times are Unix times in whole seconds; a user
    is as REMOTE_USER has him.  Each may raise RevocationUnavailable.
    """

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
        users = self._users  # read once: a sweep makes another
        return login_id in self._logins or user in users and at <= users[user][0]

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


class JoinedRevocations:
    """Several lists in memory as one, for a filter with several keys: what is revoked is on
    all of them, and what is on any of them is revoked."""

    def __init__(self, lists: Sequence[MemoryRevocations]) -> None:
        self._lists = lists

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        return all([each.revoke_login(login_id, until, now) for each in self._lists])

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        for each in self._lists:
            each.revoke_user(user, up_to, until, now)

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        for each in self._lists:
            # the lists of keys that sign no more are empty nearly always; to ask for
            # that with a call would take as long as to look up
            if (each._logins or each._users) and each.is_revoked(login_id, user, at):
                return True
        return False

    def revoked_up_to(self, user: str) -> int:
        return max(each.revoked_up_to(user) for each in self._lists)


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


class Complaints:
    """What is said of a list that fails: to the caller each time, to the log at
    most once a minute."""

    def __init__(self, list_shown: str,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """``list_shown``: which list it is, without passwords."""
        self.list_shown = list_shown
        self._seldom = Seldom(monotonic)

    def unavailable(self, reason: str) -> RevocationUnavailable:
        """The exception to raise, and perhaps a line in the log."""
        if self._seldom.due():
            log.error('the revocation list %s fails: %s', self.list_shown, reason)
        return RevocationUnavailable(f'the revocation list {self.list_shown}: {reason}')


METHODS = ('revoke_login', 'revoke_user', 'is_revoked', 'revoked_up_to')


def missing_methods(engine: object) -> list[str]:
    """Those of Revocations that an object has not."""
    return [name for name in METHODS if not callable(getattr(engine, name, None))]


class CustomRevocations:
    """
    ``revocation = module:callable``, or an object: an engine of somebody else's, kept
    from breaking requests.  Whatever it raises, and an answer of the wrong type, is
    RevocationUnavailable.
    """

    def __init__(self, engine: Revocations, complaints: Complaints) -> None:
        self._engine = engine
        self._complaints = complaints

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        return self._ask(bool, 'revoke_login', login_id, until, now)

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        self._ask(object, 'revoke_user', user, up_to, until, now)

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        return self._ask(bool, 'is_revoked', login_id, user, at)

    def revoked_up_to(self, user: str) -> int:
        return self._ask(int, 'revoked_up_to', user)

    def _ask(self, kind: type[T], method: str, *arguments: object) -> T:
        try:
            answer = getattr(self._engine, method)(*arguments)
            if isinstance(answer, kind):
                return answer
            reason = f'{method} returned {type(answer).__name__}, not {kind.__name__}'
        except RevocationUnavailable:
            raise
        except Exception as error:
            # not its text: that of a database's may have the arguments in it
            [*_, place] = traceback.extract_tb(error.__traceback__)
            reason = (f'{method} raised {type(error).__name__} '
                      f'({place.filename}, line {place.lineno})')
        # out here, the error and its text are in no traceback
        raise self._complaints.unavailable(reason)


#: the lists of one process
IN_MEMORY = (MemoryRevocations, JoinedRevocations)
_OURS = (*IN_MEMORY, NoRevocations, CustomRevocations)


def guarded(engine: Revocations) -> Revocations:
    """An engine that was given as an object, such that it breaks no request."""
    return engine if type(engine) in _OURS else CustomRevocations(
        engine, Complaints(type(engine).__name__))


_shared: dict[Hashable, Any] = {}
# may be taken twice: what is made may need another such thing
_shared_lock = threading.RLock()


def shared(key: Hashable, make: Callable[[], T]) -> T:
    """The one thing of this process under a key.  PasteDeploy makes a filter each
    time that a section is named, and all of them must see one log-out."""
    with _shared_lock:
        if key not in _shared:
            _shared[key] = make()
        return _shared[key]  # type: ignore[no-any-return]


def memory_for(list_names: Sequence[str]) -> MemoryRevocations | JoinedRevocations:
    """The list in memory of each name, as one."""
    lists = [shared(('memory', name), MemoryRevocations) for name in list_names]
    return lists[0] if len(lists) == 1 else JoinedRevocations(lists)
