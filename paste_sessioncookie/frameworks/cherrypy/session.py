"""
cherrypy.session, under the ID of the site
==========================================
"""
from __future__ import annotations

import functools
import logging
import sys
import threading
from collections.abc import Callable, Collection
from http.cookies import Morsel, SimpleCookie
from typing import Any

import cherrypy
from cherrypy.lib import sessions
from cherrypy.process.plugins import Monitor

from ...control import SessionControl
from .. import keep
from ..record import Record
from .places import Place, Places

log = logging.getLogger('paste_sessioncookie')

NOBODY = 'nobody'  # the ID of no session: where a sweep starts


class SiteSession(sessions.Session):  # type: ignore[misc]
    """
    ``cherrypy.session``: CherryPy's, under the ID of the site.

    What it does not know is asked of the storage.  Constructor arguments: the
    request's control; the storage; ``carry``; ``login_key``, where the
    application keeps who is logged in; ``implicit``, whether it locks itself.
    """

    def __init__(self, control: SessionControl, places: Places,
                 carry: Collection[str] = (), login_key: str = 'username',
                 implicit: bool = True) -> None:
        self._control = control
        self._places = places
        self._carry = carry
        self._login_key = login_key
        self._implicit = implicit
        self.originalid = control.id
        self.missing = self._place.missing
        self._begin()

    def _begin(self) -> None:
        self._record = Record(self._control, self._places, self._carry)

    @property
    def id(self) -> str:
        """The ID that the visitor has now."""
        return self._control.id

    @property
    def _place(self) -> Place:
        return self._places.at(self.id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._place, name)

    def __len__(self) -> int:
        return len(self._place)  # CherryPy's: of all sessions there are

    def now(self) -> Any:
        return self._place.now()

    def clean_up(self) -> None:
        self._place.clean_up()

    @property
    def timeout(self) -> float:
        """Minutes after which this session's record expires."""
        return self._places.timeout

    @timeout.setter
    def timeout(self, minutes: float) -> None:
        self._places.timeout = minutes

    # -- the data --

    @property
    def loaded(self) -> bool:
        """Whether the session was used, and not saved since."""
        return self._record.loaded

    def _sync(self) -> Any:
        """The data of the ID that the visitor has now, locked if that is wanted."""
        if self._implicit:
            self.acquire_lock()
        return self._record.sync()

    _data = property(_sync)  # CherryPy's functions use it

    def load(self) -> None:
        self._sync()
        _start_sweep(self._places)

    def __setitem__(self, key: str, value: Any) -> None:
        if key == self._login_key:
            if value is None and key not in self:
                return  # tools.session_auth, of everybody whom it asks to log in
            if value and value != self.get(key):
                self.regenerate()
        super().__setitem__(key, value)

    def update(self, d: Any) -> None:
        for key, value in dict(d).items():
            self[key] = value

    def setdefault(self, key: str, default: Any = None) -> Any:
        if key not in self:
            self[key] = default
        return self.get(key, default)

    # -- its life --

    def regenerate(self) -> None:
        """A new ID for the same data."""
        self._sync()
        self._record.regenerate()
        self.regenerated = True

    def delete(self) -> None:
        """No data, and a new ID, if the response has not started."""
        if self._control.started:
            self._sync().clear()
            self._places.delete(str(self.id))
        else:
            self._record.invalidate()

    @property
    def _has_content(self) -> bool:
        record = self._record
        return record.loaded and bool(record.sync() or record.modified or not record.new)

    def keep(self) -> None:
        """Before a body is streamed, which the data is written after."""
        if self._has_content:
            keep(self._control)

    def save(self) -> None:
        """Write what there is and let go of it; if used again, it is loaded again."""
        try:
            if self._has_content:
                self._record.save()
            self._begin()
        finally:
            self.release_lock()

    def close(self) -> None:
        """At the end of a request, however it went."""
        redirected = isinstance(sys.exc_info()[1], cherrypy.InternalRedirect)
        if redirected or self.regenerated:
            self.save()  # unless it was; after an error, too: the ID has changed
        else:
            self.release_lock()

    # -- its lock --

    @property
    def locked(self) -> bool:
        """Whether other requests of this visitor wait."""
        return self._places.locked

    def acquire_lock(self) -> None:
        """Lock, if it is not locked."""
        place = self._place
        if not place.locked:
            place.acquire_lock()

    def release_lock(self) -> None:
        """Unlock, if it is locked."""
        self._places.release()


# -- what removes expired sessions --------------------------------------------

_sweeps: dict[tuple[type, str], Monitor] = {}
_sweeps_lock = threading.Lock()


def _start_sweep(places: Places) -> None:
    """One for each storage; CherryPy has one for the first of each class."""
    sweeper = places.at(NOBODY)
    which = type(sweeper), getattr(sweeper, 'storage_path', '')
    with _sweeps_lock:
        if not sweeper.clean_freq or which in _sweeps:
            return
        _sweeps[which] = monitor = Monitor(
            cherrypy.engine, functools.partial(_sweep, sweeper), sweeper.clean_freq * 60,
            name='Session cleanup')
    monitor.subscribe()
    monitor.start()


def _sweep(place: Place) -> None:
    try:
        place.clean_up()
    except Exception as error:  # it would be the monitor's last
        log.error('expired sessions could not be removed (%s)', type(error).__name__)


# -- the cookie that is not sent ----------------------------------------------

class Cookies(SimpleCookie):
    """
    ``response.cookie``, where CherryPy's ``expire()`` finds a session's cookie.

    There is none; to let it expire ends the session.
    """

    def __init__(self, name: str, end: Callable[[], None]) -> None:
        super().__init__()
        self._name = name
        self._end = end

    def __missing__(self, name: str) -> Morsel[str]:
        if name != self._name:
            raise KeyError(name)
        return NoCookie(self._end)


class NoCookie(Morsel):  # type: ignore[type-arg]
    """What is not sent."""

    def __init__(self, end: Callable[[], None]) -> None:
        super().__init__()
        self._end = end

    def __setitem__(self, name: str, value: Any) -> None:
        if name == 'expires':
            self._end()
