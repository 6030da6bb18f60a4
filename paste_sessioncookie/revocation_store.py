"""
Revocations in a store: the list that several processes share
==============================================================

A :class:`Store` keeps names, each with a time up to which something is void;
:class:`StoredRevocations` makes a list of one, for the keys of a filter.

No login ID and no user is in a store: a name is a keyed one-way hash, and the
key, which comes from the site's secret, is not in the store either.  So several
sites can share a store, and who reads it learns nothing of either.  (Where logins
are signed the key comes from a public key: who has that can try user names.)

A filter with several keys, as while secrets are changed (``accept_secrets``), has
several lists.  It writes and reads them all: whoever accepts a cookie has the key
of it, and so has whoever logs it out.
"""
from __future__ import annotations

import abc
import hashlib
from collections.abc import Sequence

#: up to which a login is void that is void by its ID; no time in a cookie has
#: as many digits
FOREVER = 10**12

_NAME_SIZE = 16  # bytes: 128 bits, as a login ID has


class Store(abc.ABC):
    """Keeps a time for each name.  Both methods raise RevocationUnavailable."""

    @abc.abstractmethod
    def put(self, name: bytes, up_to: int, until: int, now: int) -> None:
        """Keep ``up_to`` under a name until the time ``until``; of what was there
        before, the later times stay."""

    @abc.abstractmethod
    def latest(self, names: Sequence[bytes]) -> int:
        """The latest ``up_to`` under any of the names, or 0."""


class StoredRevocations:
    """The lists of one filter in a store, as one."""

    def __init__(self, store: Store, list_names: Sequence[str]) -> None:
        """``list_names``: 64 hex digits each."""
        self._store = store
        self._keys = [bytes.fromhex(list_name) for list_name in list_names]

    def revoke_login(self, login_id: str, until: int, now: int) -> bool:
        for name in self._names(b'login', login_id):
            self._store.put(name, FOREVER, until, now)
        return True

    def revoke_user(self, user: str, up_to: int, until: int, now: int) -> None:
        for name in self._names(b'user', user):
            self._store.put(name, up_to, until, now)

    def is_revoked(self, login_id: str, user: str, at: int) -> bool:
        return at <= self._store.latest(
            self._names(b'login', login_id) + self._names(b'user', user))

    def revoked_up_to(self, user: str) -> int:
        return self._store.latest(self._names(b'user', user))

    def _names(self, kind: bytes, text: str) -> list[bytes]:
        """What stands for a text in each list."""
        return [hashlib.blake2b(text.encode('utf-8'), digest_size=_NAME_SIZE, key=key,
                                person=kind).digest() for key in self._keys]
