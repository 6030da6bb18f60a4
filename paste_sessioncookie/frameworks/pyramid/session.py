"""
The session
===========

:class:`SiteSession` is Pyramid's ISession in a store of mappings, and
:func:`session_factory` makes it of a cache.
"""
from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Any

from pyramid.interfaces import ISession
from pyramid.request import Request
from zope.interface import implementer

from ...signer import MAX_DURATION
from .. import carry_names, get_control, lifetime_seconds, request_time
from ..cached import Cache, CacheStore
from ..record import Record, RecordMapping

CREATED = '_created_'
CSRF_TOKEN = '_csrft_'   # the key that Pyramid's own sessions and policies use
FLASH = '_f_'            # likewise, in front of the name of a queue


@implementer(ISession)
class SiteSession(RecordMapping):
    """
    A Pyramid session (ISession), loaded at the first use.

    Written when there is a response, and once more when the request is
    finished; what changes after that, while the body is streamed, at once.
    """

    def __init__(self, record: Record) -> None:
        super().__init__(record)
        self._finished = False
        self._abandoned = False

    def __iter__(self) -> Any:
        return (key for key in super().__iter__() if key != CREATED)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def created(self) -> int:
        """When the session began: Unix time, in seconds."""
        return int(self.record.sync().get(CREATED, request_time(self.record.control)))

    @property
    def new(self) -> bool:
        """Whether the store had nothing."""
        return self.record.new

    @property
    def modified(self) -> bool:
        """Whether there is something to write."""
        return self.record.modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self.record.modified = value
        if value and self._finished:
            self.save()

    def changed(self) -> None:
        """Say that a value was changed in place."""
        self.record.sync()
        self.modified = True

    def regenerate(self) -> None:
        """A new ID for the same data, but for the CSRF token."""
        self.pop(CSRF_TOKEN, None)
        super().regenerate()

    def flash(self, msg: Any, queue: str = '', allow_duplicate: bool = True) -> None:
        """Leave a message for a later page."""
        messages = self.peek_flash(queue)
        if allow_duplicate or msg not in messages:
            self[FLASH + queue] = [*messages, msg]

    def pop_flash(self, queue: str = '') -> list[Any]:
        """The messages, which are then gone."""
        return list(self.pop(FLASH + queue, ()))

    def peek_flash(self, queue: str = '') -> list[Any]:
        """The messages."""
        return list(self.get(FLASH + queue, ()))

    def new_csrf_token(self) -> str:
        """Another token against cross-site request forgery."""
        token = self[CSRF_TOKEN] = secrets.token_hex(20)
        return token

    def get_csrf_token(self) -> str:
        """The token, made if there is none."""
        return self.get(CSRF_TOKEN) or self.new_csrf_token()

    def save(self) -> None:
        """Write what has changed, if anything has."""
        if self._abandoned:
            return
        if self.record.loaded and self.modified and len(self):
            self.record.sync().setdefault(CREATED, self.created)
        super().save()

    def abandon(self) -> None:
        """Write nothing any more."""
        self._abandoned = True

    def answered(self, request: Request, response: Any) -> None:
        """There is a response."""
        self.save()

    def finished(self, request: Request) -> None:
        """The request is finished; its body may still be streamed."""
        self.save()
        self._finished = True


def session_factory(cache: Cache, carry: str | Iterable[str] = ()
                    ) -> Callable[[Request], SiteSession]:
    """
    An ISessionFactory over a cache of cachelib.

    Raises ConfigError for what is no cache, ValueError for what cannot be
    carried.
    """
    names = carry_names(carry)
    store = CacheStore(cache, MAX_DURATION, option='the cache')

    def factory(request: Request) -> SiteSession:
        control = get_control(request.environ)
        session = SiteSession(
            Record(control, store.lasting(lifetime_seconds(control)), names))
        request.add_response_callback(session.answered)
        request.add_finished_callback(session.finished)
        return session
    return factory
