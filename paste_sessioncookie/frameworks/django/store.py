"""
An engine's session, under the site's ID
========================================

:func:`store_class` makes of an engine's ``SessionStore``, whichever it is, one
whose key is the visitor's session ID.  Wherever Django would invent a key, it
asks the control.  The records are the engine's own: ``clearsessions``, the
shell and the admin see them as ever.

What reads or writes the store is there twice, for Django's ``async`` views.
"""
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase

from ...control import SessionControl
from .. import keep, may_be_stored, only

if TYPE_CHECKING:
    from .conf import Conf

#: in a session: the user at the site whose login this session's login came from
SITE_USER = '_site_user'


class SiteSession(SessionBase):  # type: ignore[misc]
    """
    What is put before an engine's class.

    Constructor arguments: the request's control, and what the settings say.
    """

    _session_cache: dict[str, Any]  # there once it was loaded

    #: takes back what this request has changed of the ID and the login
    take_back: Callable[[], bool]
    #: whether the site's login is received
    receiving = False

    def __init__(self, control: SessionControl, conf: Conf) -> None:
        self.control = control
        self.conf = conf
        self._id = str(control.id)       # whose session this is
        self._asked = False              # whether the store was asked for it
        self._loading = False
        self._moved: list[str] = []      # IDs whose data went along to another
        self._ended: list[str] = []      # IDs whose session is over
        self._kept: dict[str, Any] | None = None  # what was there before a new ID
        may_be_there = may_be_stored(control) or control.previous_id is not None
        super().__init__(self._id if may_be_there else None)

    # -- under which ID -----------------------------------------------------

    def _follow(self) -> None:
        """Be the session of the ID that the visitor has now: somebody may have
        logged in or out, or ended the session, in this request."""
        now = str(self.control.id)
        if now == self._id:
            return
        old, self._id = self._id, now
        self._kept = None
        loaded = hasattr(self, '_session_cache')
        self._asked = loaded
        self._session_key = None if loaded else now
        if self.control.previous_id != old:
            self._ended.append(old)
            self._keep_only(())
        elif loaded:
            self._keep_only(self.conf.carry)
            (self._moved if self._session_cache else self._ended).append(old)

    def _keep_only(self, names: tuple[str, ...]) -> None:
        if hasattr(self, '_session_cache'):
            self._session_cache = only(names, self._session_cache)
            self.modified = bool(self._session_cache)

    def move(self) -> None:
        """Take the data along to the ID that the visitor has now, because
        Django's own login changed it."""
        now = str(self.control.id)
        if now == self._id:
            return
        self._id = now
        if self._kept is None:
            self._kept = dict(self._session_cache)
        if self._session_key is not None:
            self._moved.append(self._session_key)
        self._session_key = None
        self.modified = True

    @property
    def session_key(self) -> str | None:
        """The ID; None if nothing is stored under it."""
        self._follow()
        key: str | None = self._session_key
        return key

    def is_empty(self) -> bool:
        self._follow()
        return bool(super().is_empty())

    def _get_new_session_key(self) -> str:
        return str(self.control.id)

    async def _aget_new_session_key(self) -> str:
        return str(self.control.id)

    # -- loading ------------------------------------------------------------

    def _get_session(self, no_load: bool = False) -> dict[str, Any]:
        self._follow()
        data: dict[str, Any] = super()._get_session(no_load)
        return data

    async def _aget_session(self, no_load: bool = False) -> dict[str, Any]:
        self._follow()
        data: dict[str, Any] = await super()._aget_session(no_load)
        return data

    _session = property(_get_session)

    def load(self) -> dict[str, Any]:
        """What is stored, or what an anonymous visitor takes along."""
        self._asked = self._loading = True
        try:
            data: dict[str, Any] = super().load()
            if self._seek_previous():
                data = self._take_along(super().load())
        finally:
            self._loading = False
        return data

    async def aload(self) -> dict[str, Any]:
        self._asked = self._loading = True
        try:
            data: dict[str, Any] = await super().aload()
            if self._seek_previous():
                data = self._take_along(await super().aload())
        finally:
            self._loading = False
        return data

    def _seek_previous(self) -> bool:
        """Look under the ID of before the login, if there is nothing here."""
        previous = self.control.previous_id
        if (self._session_key is not None or not self.conf.carry or previous is None
                or previous in self._moved):
            return False
        self._session_key = str(previous)
        return True

    def _take_along(self, data: dict[str, Any]) -> dict[str, Any]:
        if self._session_key is not None:
            self._moved.append(self._session_key)
        self._session_key = None
        basket = only(self.conf.carry, data)
        self.modified = self.modified or bool(basket)
        return basket

    # -- storing ------------------------------------------------------------

    def create(self) -> None:
        """Store the session for the first time."""
        if not self._take_id():
            return
        try:
            self.save(must_create=True)
        except CreateError:  # another request was first, or it had expired
            self.save()
        self.modified = True

    async def acreate(self) -> None:
        if not self._take_id():
            return
        try:
            await self.asave(must_create=True)
        except CreateError:
            await self.asave()
        self.modified = True

    def _take_id(self) -> bool:
        """Take the visitor's ID; a new one for whoever has a session already.
        False for the engine of files, which replaces what has expired."""
        self._follow()
        if self._loading:
            self._session_key = None
            return False
        if self._session_key is not None:
            self._id = str(self.control.regenerate())
        self._session_key = self._id
        self._asked = True
        return True

    def save(self, must_create: bool = False) -> None:
        """Write the session, and remove what it left behind.  Raises UpdateError
        if it was there and has vanished since."""
        self._follow()
        if not (must_create or self._asked):
            if not hasattr(self, '_session_cache'):
                self._get_session()
            elif not self.exists(self._id):
                self._session_key = None
        super().save(must_create)
        keep(self.control)
        while self._moved:
            self.delete(self._moved.pop())
        self.remove_ended()

    async def asave(self, must_create: bool = False) -> None:
        self._follow()
        if not (must_create or self._asked):
            if not hasattr(self, '_session_cache'):
                await self._aget_session()
            elif not await self.aexists(self._id):
                self._session_key = None
        await super().asave(must_create)
        keep(self.control)
        while self._moved:
            await self.adelete(self._moved.pop())
        while self._ended:
            await self.adelete(self._ended.pop())

    def remove_ended(self) -> None:
        """Remove the records of sessions that this request has seen end."""
        self._follow()
        while self._ended:
            self.delete(self._ended.pop())

    def rescue(self) -> None:
        """The request failed: nothing of it is saved, and neither a login nor a new
        ID counts.  A log-out does."""
        left = {self._id, *self._moved, *self._ended}
        if not self.take_back():
            self.remove_ended()
            return
        self._id = str(self.control.id)
        self._moved, self._ended = [], []
        for failed in left - {self._id, str(self.control.previous_id)}:
            self.delete(failed)
        if self._kept:
            # the new ID took it away, unless a transaction was rolled back
            self._session_cache, self._session_key = self._kept, None
            self.create()

    # -- renewing, ending ---------------------------------------------------

    def cycle_key(self) -> None:
        """A new ID for the same data, stored at once; what another request has
        ended meanwhile is not brought back."""
        self._get_session()
        if self._session_key is not None and not self.exists(self._session_key):
            self._session_cache = {}
        self.control.regenerate()
        self.move()
        self.create()

    async def acycle_key(self) -> None:
        await self._aget_session()
        if self._session_key is not None and not await self.aexists(self._session_key):
            self._session_cache = {}
        self.control.regenerate()
        self.move()
        await self.acreate()

    def flush(self) -> None:
        """No data, and a new ID.  Whoever was logged in by the site's login, or
        for the site, is logged out of the site."""
        of_the_site = self._is_of_the_site(self._get_session())
        super().flush()
        self._begin_anew(of_the_site)
        self.remove_ended()

    async def aflush(self) -> None:
        of_the_site = self._is_of_the_site(await self._aget_session())
        await super().aflush()
        self._begin_anew(of_the_site)
        while self._ended:
            await self.adelete(self._ended.pop())

    def is_of_identity(self) -> bool:
        """Whether somebody is in at the site, and no other user was received."""
        identity = self.control.identity
        return identity is not None and self.get(SITE_USER, identity.user) == identity.user

    def _is_of_the_site(self, data: dict[str, Any]) -> bool:
        """Whether the session's login is the site's as well, received or published."""
        if SITE_USER in data:
            return self.is_of_identity()
        return self.conf.publish and SESSION_KEY in data

    def _begin_anew(self, of_the_site: bool) -> None:
        if of_the_site:
            self.control.logout()
        else:
            self.control.invalidate()
        self._id = str(self.control.id)
        self._ended += self._moved
        self._moved = []
        self._kept = None

    # -- what has no visitor ------------------------------------------------

    @classmethod
    def clear_expired(cls) -> None:
        engine_of(cls).clear_expired()

    @classmethod
    async def aclear_expired(cls) -> None:
        await engine_of(cls).aclear_expired()


def engine_of(store: type[SiteSession]) -> Any:
    """The engine's class, which a class of :func:`store_class` was made of."""
    return store.__mro__[store.__mro__.index(SiteSession) + 1]


@functools.cache
def store_class(engine: Any) -> type[SiteSession]:
    """An engine's class, with the site's IDs.  It has the name of the engine's:
    the salt of Django's signatures is made of it, and both can read the records."""
    return type(engine.__name__, (SiteSession, engine), {
        '__module__': __name__, '__qualname__': engine.__qualname__})
