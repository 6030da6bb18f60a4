"""
Record: one request's session, in a store of mappings
=====================================================

For frameworks whose session is a mapping that is loaded and saved as a whole.
:class:`Record` knows under which ID the session is, follows the ID when it
changes, and keeps to the rules for adapters.
"""
from __future__ import annotations

import copy
import logging
from collections.abc import Collection, Iterator, Mapping, MutableMapping
from typing import Any, Protocol

from ..control import SessionControl
from . import keep, only

log = logging.getLogger('paste_sessioncookie')


class Store(Protocol):
    """Where a framework keeps sessions, by ID: 40 lower-case hex digits."""

    def load(self, session_id: str) -> dict[str, Any] | None:
        """What is there; None for nothing."""

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        """Write what was not there, or is there by now."""

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        """Write what was there; False, and nothing written, if it is gone."""

    def delete(self, session_id: str) -> None:
        """Remove what may be there."""


class Record:
    """
    One session in one request.

    Constructor arguments: the request's control; the store; ``carry``, the
    keys that go along when an anonymous visitor logs in; ``data``, a mapping
    of the framework's that is filled at the first :meth:`sync`.
    """

    def __init__(self, control: SessionControl, store: Store,
                 carry: Collection[str] = (),
                 data: MutableMapping[str, Any] | None = None) -> None:
        self.control = control
        self._store = store
        self._carry = carry
        self._data = {} if data is None else data
        self._first = str(control.id)
        self._id = ''           # whose data it is; '' before it was loaded
        self._stored = False    # whether the store had it
        self._left: list[str] = []  # IDs whose data went along to another
        self._basket: dict[str, Any] = {}  # what came along from one
        #: whether there is something to write
        self.modified = False
        #: whether a session without data has a record
        self.keep_empty = False

    @property
    def loaded(self) -> bool:
        """Whether the session was used in this request."""
        return bool(self._id)

    @property
    def new(self) -> bool:
        """Whether the store had nothing."""
        self.sync()
        return not self._stored

    def sync(self) -> MutableMapping[str, Any]:
        """The data, made that of the ID which the visitor has now."""
        now = str(self.control.id)
        if not self._id:
            self._open(now)
        elif now != self._id:
            self._leave()
        return self._data

    def _open(self, session_id: str) -> None:
        """Load what is there, or what an anonymous visitor takes along."""
        self.remove_ended()
        self._id = session_id
        stored = self._store.load(session_id)
        self._stored = stored is not None
        previous = self.control.previous_id
        if stored is None and self._carry and previous is not None:
            stored = self._carried(str(previous), self._store.load(str(previous)) or {})
        self._data.update(stored or {})

    def _leave(self) -> None:
        """Somebody logged in or out, or ended the session, in this request."""
        old, self._id = self._id, str(self.control.id)
        self.modified = False
        basket: dict[str, Any] = {}
        if self.control.previous_id == old:
            basket = self._carried(old, self._data)
        else:
            self._left.append(old)
        self._data.clear()
        self._data.update(basket)
        self._stored = False
        if not basket:
            self._forget()

    def _carried(self, old: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """What goes along from an ID of before the login."""
        if data:
            self._left.append(old)
        basket = only(self._carry, data)
        self._basket = copy.deepcopy(basket)  # a list in it may be changed in place
        self.modified = bool(basket)
        return basket

    def move(self) -> None:
        """Take all data along to the ID that the visitor has now, because the
        framework itself changed it."""
        now = str(self.control.id)
        if self._id and self._id != now:
            if self._stored:
                self._left.append(self._id)
            self._id = now
            self._stored = False
            self.modified = self.modified or bool(self._left)

    def regenerate(self) -> None:
        """A new ID for the same data, as after a login of the framework's own."""
        self.sync()
        if self._stored and self._store.load(self._id) is None:
            self._data.clear()  # the session ended while this request was using it
        self.control.regenerate()
        self.move()

    def invalidate(self) -> None:
        """No data, and a new ID."""
        self.sync()
        self._data.clear()
        self.control.invalidate()
        self.sync()

    def save(self) -> None:
        """Write the data, and remove what it left behind."""
        data = dict(self.sync())
        if self._written(data):
            if data or self.keep_empty:
                keep(self.control)
            self._forget()
        else:
            log.info('a session ended while a request was using it: what that request '
                     'changed is not written')
        self.modified = False

    def remove_ended(self) -> None:
        """Remove the record of a session that ended before it was used here."""
        control = self.control
        if control.id != self._first and control.previous_id != self._first:
            self._store.delete(self._first)

    def _written(self, data: dict[str, Any]) -> bool:
        """Whether the data was written; not if the record has vanished."""
        if self._stored:
            return self._store.update(self._id, data)
        if data or self.keep_empty:
            # a request that only reads does not undo what another did to the basket
            if data != self._basket or self._store.load(self._id) is None:
                self._store.insert(self._id, data)
            self._stored = True
        return True

    def _forget(self) -> None:
        """Remove what is left behind, now that nothing is lost by it."""
        while self._left:
            self._store.delete(self._left.pop())


class RecordMapping(MutableMapping[str, Any]):
    """
    A session that is a mapping: ``record`` is what it is kept in.

    Loaded at the first use.  A value that is changed in place has to be
    assigned again, or ``modified`` to be set.
    """

    def __init__(self, record: Record) -> None:
        self.record = record

    @property
    def modified(self) -> bool:
        """Whether there is something to write."""
        return self.record.modified

    @modified.setter
    def modified(self, value: bool) -> None:
        self.record.modified = value

    def __getitem__(self, key: str) -> Any:
        return self.record.sync()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.record.sync()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self.record.sync()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self.record.sync())

    def __len__(self) -> int:
        return len(self.record.sync())

    def regenerate(self) -> None:
        """A new ID for the same data."""
        self.record.regenerate()

    def invalidate(self) -> None:
        """No data, and a new ID."""
        self.record.invalidate()

    def save(self) -> None:
        """Write what has changed, if anything has; before start_response."""
        if self.record.loaded:
            self.record.sync()
            if self.modified:
                self.record.save()
        else:
            self.record.remove_ended()
