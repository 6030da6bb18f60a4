"""
paste.session takes its session ID from the site
================================================

In the place of ``egg:Paste#session``::

    [filter:sessions]
    use = egg:paste_sessioncookie#paste_session
    session_file_path = %(here)s/sessions

``environ['paste.session.factory']()`` is the session, as ever: what is put
into it is there the next time.

Configuration, in the section or, as in Paste, in ``[DEFAULT]``:

  session_file_path:
      The folder of the sessions; required.  Made if it is not there.  It is
      refused where everybody may write: the files in it are unpickled.

  expiration:
      How long a session that is not used is kept: minutes, or ``12h``, ``14d``.
      Default 48 hours.

  chmod:
      The mode of the files, octal; default 600.  In ``[DEFAULT]``:
      ``session_chmod``.

  carry:
      The keys that an anonymous visitor's session takes along when he logs in.

  session_expiration, cookie_name:
      Not used: these were the cookie's.
"""
from __future__ import annotations

import contextlib
import logging
import os
import pickle
import re
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any

from paste.wsgilib import add_close

from .. import options
from ..section import IniSection, Option
from ..sources import path_of
from . import carry_names, get_control, warn_of_cookie_options
from .files import UNREADABLE, own_folder, unnamed, warn_of_unreadable
from .record import Record, RecordMapping

log = logging.getLogger('paste_sessioncookie')

PREFIX = 'session-'
SWEEP_EVERY = 15 * 60  # seconds, as in Paste

_OURS = re.compile(PREFIX + '[0-9a-f]{40}(?:[.][0-9a-f]{8})?')

Environ = dict[str, Any]


class FileStore:
    """
    A ``record.Store`` of one file for each session, which is always a whole one.

    Constructor arguments: the folder; ``expiration``, of sessions that are not
    used, in seconds; ``chmod``, the mode of the files; the clock.
    """

    def __init__(self, folder: str, expiration: int, chmod: int = 0o600,
                 clock: Callable[[], float] = time.time) -> None:
        self.expiration = expiration
        self._folder = folder
        self._chmod = chmod
        self._clock = clock
        self._next_sweep = 0.0

    def load(self, session_id: str) -> dict[str, Any] | None:
        path = self._path(session_id)
        with unnamed(self._folder), contextlib.suppress(FileNotFoundError):
            if not self._has_expired(path):
                with open(path, 'rb') as file:
                    return self._read(file.read())
        return None

    def _read(self, content: bytes) -> dict[str, Any] | None:
        try:
            return dict(pickle.loads(content))  # nosec B301 # the folder is our own
        except UNREADABLE as error:
            warn_of_unreadable(error)
            return None

    def insert(self, session_id: str, data: dict[str, Any]) -> None:
        path = self._path(session_id)
        temporary = f'{path}.{secrets.token_hex(4)}'
        content = pickle.dumps(data)
        with unnamed(self._folder):
            try:
                with open(temporary, 'xb', opener=_private) as file:
                    file.write(content)
                os.chmod(temporary, self._chmod)
                os.utime(temporary, (self._clock(), self._clock()))
                os.replace(temporary, path)
            except BaseException:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise

    def update(self, session_id: str, data: dict[str, Any]) -> bool:
        if not os.path.exists(self._path(session_id)):
            return False
        self.insert(session_id, data)
        return True

    def touch(self, session_id: str) -> None:
        """It was used."""
        with unnamed(self._folder), contextlib.suppress(FileNotFoundError):
            os.utime(self._path(session_id), (self._clock(), self._clock()))

    def delete(self, session_id: str) -> None:
        with unnamed(self._folder), contextlib.suppress(FileNotFoundError):
            os.unlink(self._path(session_id))

    def sweep_if_due(self) -> None:
        """Remove, beside the request, what has expired."""
        if self._next_sweep <= self._clock():
            self._next_sweep = self._clock() + SWEEP_EVERY
            threading.Thread(
                target=self.sweep, name='paste.session cleanup', daemon=True).start()

    def sweep(self) -> None:
        """Remove what has expired, and what a crash has left half written."""
        try:
            for name in os.listdir(self._folder):
                if _OURS.fullmatch(name):
                    self._sweep(os.path.join(self._folder, name))
        except OSError as error:
            log.error('expired sessions could not be removed: %s', error.strerror)

    def _sweep(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self._has_expired(path):
                os.unlink(path)

    def _has_expired(self, path: str) -> bool:
        return os.path.getmtime(path) + self.expiration < self._clock()

    def _path(self, session_id: str) -> str:
        return os.path.join(self._folder, PREFIX + session_id)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class SiteSession(RecordMapping):
    """A session of paste.session; what is changed inside a value is kept, too."""

    def copy(self) -> dict[str, Any]:
        return dict(self)


class SessionFactory:
    """``environ['paste.session.factory']``, for one request."""

    def __init__(self, record: Record, store: FileStore) -> None:
        self._record = record
        self._store = store
        self._session = SiteSession(record)
        self._known = b''  # the content that the store has

    def __call__(self) -> SiteSession:
        """The session."""
        if not self.used:
            self._store.sweep_if_due()
            self._known = self._content()
        return self._session

    @property
    def used(self) -> bool:
        """Whether it was called."""
        return self._record.loaded

    @property
    def sid(self) -> str:
        """The ID that the visitor has now."""
        return self._record.control.id

    def has_session(self) -> bool:
        """Whether there is a session in the store."""
        return not self._record.new

    def _content(self) -> bytes:
        return pickle.dumps(dict(self._record.sync()))

    def save(self) -> None:
        """Write, if there is something to write."""
        record = self._record
        if not self.used:
            return
        content = self._content()
        changed = content != self._known and (self._session or not record.new)
        if changed or record.modified:
            record.save()
            record.modified = False  # also of what ended meanwhile
        self._known = content

    def close(self) -> None:
        """At the end of the request."""
        self.save()
        if self.used and not self._record.new:
            self._store.touch(str(self.sid))


class SiteSessionMiddleware:
    """
    The filter.

    Constructor arguments: the application; the options of the section, with
    ``expiration`` in seconds and ``chmod`` a number.
    """

    def __init__(self, application: Any, session_file_path: str, expiration: int,
                 chmod: int = 0o600, carry: Collection[str] = ()) -> None:
        self.application = application
        self.store = FileStore(session_file_path, expiration, chmod)
        self._carry = carry

    def __call__(self, environ: Environ, start_response: Callable[..., Any]
                 ) -> Iterable[bytes]:
        """A WSGI application."""
        record = Record(get_control(environ), self.store, self._carry)
        factory = environ['paste.session.factory'] = SessionFactory(record, self.store)

        def save_and_start(status: str, headers: list[tuple[str, str]],
                           *exc_info: Any) -> Any:
            # whoever has the response may come back before it is closed
            factory.save()
            return start_response(status, headers, *exc_info)

        body: Iterable[bytes] = add_close(
            self.application(environ, save_and_start), factory.close)
        return body


middleware = SiteSessionMiddleware


def folder(text: str, here: str) -> str:
    """A folder for this application alone, made if it is not there."""
    return own_folder(path_of(text, here))


def mode(text: str, here: str) -> int:
    if not re.fullmatch('0?[0-7]{2}[0145]', text):
        raise ValueError('it takes three octal digits, as in 600 or 660; not everybody may '
                         'write what is unpickled')
    return int(text, 8)


def keys(text: str, here: str) -> tuple[str, ...]:
    return carry_names(text)


def unused(text: str, here: str) -> str:
    """What was the cookie's."""
    return text


OPTIONS = {
    'session_file_path': Option(
        folder, required='write the folder of the sessions, as in %(here)s/sessions'),
    'expiration': Option(options.duration, 48 * 60 * 60),
    'chmod': Option(mode, 0o600),
    'carry': Option(keys, ()),
    'session_expiration': Option(unused),
    'cookie_name': Option(unused),
}
# as in Paste, what [DEFAULT] says counts, under these names
INHERITED = {'session_file_path': 'session_file_path', 'expiration': 'expiration',
             'chmod': 'session_chmod', 'session_expiration': 'session_expiration',
             'cookie_name': 'session_cookie_name'}


def make_paste_session(app: Any, global_conf: dict[str, Any] | None, /,
                       **local_conf: Any) -> SiteSessionMiddleware:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#paste_session``.

    Raises ConfigError with all faults of the section.
    """
    outer = global_conf or {}
    inherited = {name: outer[theirs] for name, theirs in INHERITED.items() if theirs in outer}
    section = IniSection('paste_session', OPTIONS, global_conf, {**inherited, **local_conf})
    values = section.finish()
    warn_of_cookie_options('paste_sessioncookie#paste_session', [
        name for name in ('session_expiration', 'cookie_name')
        if values.pop(name) is not None])
    return SiteSessionMiddleware(app, **values)
