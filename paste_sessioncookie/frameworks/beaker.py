"""
Beaker takes its session ID from the site
=========================================

Beaker's session middleware, without a cookie: ``environ['beaker.session']``
is the session of the ID that the site's cookie gives, in any of Beaker's
stores.  For Bottle and whatever else reads that key::

    [filter:beaker]
    use = egg:paste_sessioncookie#beaker_session
    session.type = file
    session.data_dir = %(here)s/sessions

Configuration: ``environ_key``, and Beaker's own options of a session, with
``session.`` or ``beaker.session.`` before their names; in the filter's section
also without.  Those of its cookie (``key``, ``secret``, ``cookie_expires``,
...) are not used, with one warning; ``type = cookie`` is refused.  One more:

    ``session.carry``

        The keys that an anonymous visitor's session takes along when he logs
        in (none).
"""
from __future__ import annotations

import contextlib
import inspect
import logging
import pickle
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from beaker.cache import clsmap
from beaker.container import (
    AbstractDictionaryNSManager, DBMNamespaceManager, FileNamespaceManager,
    OpenResourceNamespaceManager)
from beaker.converters import asbool
from beaker.ext.redisnm import RedisNamespaceManager
from beaker.middleware import SessionMiddleware as CookieMiddleware
from beaker.session import Session, SessionObject
from beaker.synchronization import null_synchronizer
from beaker.util import coerce_session_params

from ..control import SessionControl
from ..errors import ConfigError
from ..section import unknown
from . import carry_names, get_control, keep, lifetime_seconds, only, warn_of_cookie_options
from .files import own_folder, warn_of_unreadable

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

log = logging.getLogger('paste_sessioncookie')

# a session ID that no filter gives to anybody
NOBODY = '0' * 40
# what Beaker itself keeps in a session
OWN_KEYS = frozenset({'_accessed_time', '_creation_time', '_domain', '_path'})
ENDED = ('a session ended while a request was using it: what that request changed is not '
         'written')


class StoredSession(Session):  # type: ignore[misc]
    """
    A session of Beaker's, by its ID.

    Constructor arguments: a dictionary that is not used, and those of
    Beaker's Session.  One that cannot be read, or was not used for longer
    than ``timeout``, is empty and has the ID that was asked for.
    """

    def __init__(self, headers: dict[str, Any], invalidate_corrupt: bool = False,
                 **options: Any) -> None:
        # Session would warn, with the ID in the warning
        self._lenient = invalidate_corrupt
        super().__init__(headers, use_cookies=False, **options)

    def load(self) -> None:
        """Read what is there."""
        self.namespace = self._manager(self.id)
        self._begin(self._fetch(self.namespace))

    def _manager(self, session_id: str) -> Any:
        return self.namespace_class(str(session_id), data_dir=self.data_dir,
                                    digest_filenames=False, **self.namespace_args)

    def _fetch(self, namespace: Any) -> dict[str, Any] | None:
        """The data of a session, if it can be read and was in use of late."""
        data = self._readable(namespace)
        if data is not None and self.timeout is not None:
            now = time.time()
            if now - data.get('_accessed_time', now) > self.timeout:
                return None
        return data

    def _readable(self, namespace: Any) -> dict[str, Any] | None:
        try:
            return self._read(namespace)
        except Exception as error:
            if not self._lenient:
                raise
            self._read(self._manager(NOBODY))  # raises if no session can be read
            warn_of_unreadable(error)
            return None

    def _read(self, namespace: Any) -> dict[str, Any] | None:
        namespace.acquire_read_lock()
        try:
            stored = _get(namespace)
        finally:
            namespace.release_read_lock()
        return None if stored is None else dict(self._decrypt_data(stored))

    def _begin(self, stored: Mapping[str, Any] | None) -> None:
        """Hold what was stored, or nothing."""
        self.is_new = stored is None
        found = stored or {}
        self.last_accessed = found.get('_accessed_time')
        now = time.time()
        self.clear()
        self.update({'_creation_time': now, **found, '_accessed_time': now})
        self.accessed_dict = self.copy()


class SiteSession(StoredSession):
    """
    The visitor's session, under the ID that the site gives.

    Constructor arguments: the request's control; ``carry``; those of
    Beaker's Session.
    """

    def __init__(self, control: SessionControl, carry: Collection[str] = (),
                 **options: Any) -> None:
        self.control = control
        self._carry = carry
        self._id = control.id
        self._stored = False        # whether the store had it
        self._left: list[str] = []  # IDs whose data went along to another
        super().__init__({}, id=control.id, **options)

    @property
    def id(self) -> str:
        """The ID that the site gives: 40 lower-case hex digits."""
        return self._id

    @id.setter
    def id(self, value: str) -> None:
        if value != self._id:
            raise AttributeError('the ID of a session is given by the site: regenerate_id() '
                                 'and invalidate() change it')

    @property
    def moved(self) -> bool:
        """Whether the data is still to be written under a new ID."""
        return bool(self._left)

    def load(self) -> None:
        """Read what is there, or what an anonymous visitor takes along."""
        super().load()
        self._stored = not self.is_new
        previous = self.control.previous_id
        if self.is_new and self._carry and previous is not None:
            basket = only(self._carry, self._fetch(self._manager(previous)) or {})
            if basket:
                self._left.append(previous)
                self._take(basket)

    def _manager(self, session_id: str) -> Any:
        manager = super()._manager(session_id)
        if getattr(manager, 'timeout', 0) is None:  # a store that can forget a session
            manager.timeout = lifetime_seconds(self.control)
        return manager

    @property
    def _locks(self) -> int:
        """How often lock() was called, and unlock() not yet."""
        locks: int = getattr(self.namespace, 'openers', 0)
        return locks

    def _take(self, basket: dict[str, Any]) -> None:
        """Go on with some keys of a session that ends here."""
        self.update(basket)
        self.accessed_dict.update(basket)

    def sync(self) -> None:
        """Become the session of the ID that the visitor has now."""
        if self._id != self.control.id:
            self._leave()

    def _leave(self) -> None:
        """Somebody logged in or out, or ended the session, in this request."""
        old = self._id
        basket = only(self._carry, self) if self.control.previous_id == old else {}
        self._left.append(old)
        self._rename()
        self._begin(None)
        self._take(basket)
        if not basket:
            self._forget()

    def _rename(self) -> None:
        """Go on under the ID that the visitor has now; a lock() goes along."""
        held = self._locks
        for _ in range(held):
            self.namespace.release_write_lock()
        self._id = self.control.id
        self._stored = False
        self.namespace = self._manager(self._id)
        for _ in range(held):
            self.namespace.acquire_write_lock()

    def regenerate_id(self) -> None:
        """A new ID for the same data; the old record goes when it is saved."""
        self.sync()
        ended = self._stored and self._ended()
        self.control.regenerate()
        if ended:
            log.info(ENDED)
            self._begin(None)
        self._left.append(self._id)
        self._rename()

    def _ended(self) -> bool:
        """Whether another request has removed what was stored."""
        if self._locks:  # it is open: reading it another time would fail
            return _get(self.namespace) is None
        return self._readable(self._manager(self._id)) is None

    def invalidate(self) -> None:
        """End the session: no data, no record, and a new ID."""
        self.sync()
        self.control.invalidate()
        self.sync()
        self.was_invalidated = True

    delete = invalidate

    def _update_cookie_out(self, set_cookie: bool = True) -> None:
        """There is no cookie, whose domain or path could change."""

    # -- writing -----------------------------------------------------------

    def lock(self) -> None:
        """Nobody else writes this session until unlock(), if its store has locks."""
        self.sync()
        self._view()  # or what was read before would count
        super().lock()

    def save(self, accessed_only: bool = False) -> None:
        """
        Write the session, and remove what it left behind.

        With ``accessed_only``: nothing of what was changed, but that it was
        used; and what a new ID makes necessary.
        """
        self.sync()
        if self._stored and accessed_only:
            self._update(accessed_only=True)
        elif self._stored:
            self._change()
        elif not accessed_only:
            self._create(dict(self))
        elif self.moved:
            self._create(dict(self.accessed_dict), absent=True)

    def _change(self) -> None:
        if self._update():
            keep(self.control)
        else:
            log.info(ENDED)

    def _create(self, data: dict[str, Any], absent: bool = False) -> None:
        """Write what was not there, ``absent``: if it still is not; a session with
        nothing in it is not begun."""
        if not OWN_KEYS.issuperset(data):
            self._insert(self._encrypt_data(data), absent)
            self._stored = True
            keep(self.control)
        self._forget()

    def _forget(self) -> None:
        while self._left:
            self._delete(self._left.pop())

    def _view(self) -> Any:
        """The store's view of this session: a new one, since some read but
        once; but for one that lock() has opened."""
        if not self._locks:
            self.namespace = self._manager(self._id)
        return self.namespace

    def _update(self, accessed_only: bool = False) -> bool:
        """Write what was there; False if it is gone."""
        changed = None if accessed_only else self._encrypt_data(dict(self))
        namespace = self._view()
        with _writing(namespace):
            if changed is None:
                # not accessed_dict: another request may have changed the data
                changed = self._accessed(namespace)
            if changed is not None and _put(namespace, changed, existing=True):
                return True
            namespace.flags = 'r'  # or files and databases write nothing at all
            return False

    def _accessed(self, namespace: Any) -> Any:
        """What is there, with the time of this request; None for nothing."""
        stored = _get(namespace)
        return None if stored is None else self._encrypt_data({
            **self._decrypt_data(stored), '_accessed_time': self['_accessed_time']})

    def _insert(self, value: Any, absent: bool) -> None:
        try:
            self._write(value, absent)
        except Exception:
            # another request was first, or what is there cannot be read
            self._delete(self._id)
            self._write(value, absent=False)

    def _write(self, value: Any, absent: bool) -> None:
        namespace = self._view()
        with _writing(namespace, replace=not absent):
            if not _put(namespace, value, existing=False if absent else None):
                namespace.flags = 'r'

    def _delete(self, session_id: str) -> None:
        namespace = self._manager(session_id)
        if isinstance(namespace, OpenResourceNamespaceManager):
            namespace.remove()
        else:  # remove() would empty a memcached server, and search all of Redis
            with _writing(namespace), contextlib.suppress(KeyError):
                del namespace['session']


@contextlib.contextmanager
def _writing(namespace: Any, replace: bool = False) -> Iterator[None]:
    """Write under the lock of the store, if it has one."""
    lock = null_synchronizer()
    if isinstance(namespace, AbstractDictionaryNSManager):
        lock = namespace.get_creation_lock('session')  # the one that it has
    lock.acquire()
    try:
        namespace.acquire_write_lock(replace=replace)
        try:
            yield
        finally:
            namespace.release_write_lock()
    finally:
        lock.release()


def _get(namespace: Any) -> Any:
    """What is there; None for nothing."""
    try:
        return namespace['session']
    except KeyError:
        return None


def _put(namespace: Any, value: Any, existing: bool | None) -> bool:
    """Write; ``existing``: only if there is something, or nothing.  Whether it was."""
    if isinstance(namespace, RedisNamespaceManager):
        # in one command, for there is no lock; Beaker's own is deprecated
        return bool(namespace.client.set(
            namespace._format_key('session'), pickle.dumps(value),
            ex=namespace.timeout, xx=existing is True, nx=existing is False))
    if existing is not None and ('session' in namespace) != existing:
        return False
    namespace['session'] = value
    return True


class SiteSessionObject(SessionObject):  # type: ignore[misc]
    """
    ``environ['beaker.session']``: the session, loaded at its first use.

    Constructor arguments: environ, and the options of :func:`read_options`.
    """

    def _session(self) -> SiteSession:
        held = self.__dict__
        if held['_sess'] is None:
            held['_headers'] = {'cookie_out': None, 'set_cookie': False}
            held['_sess'] = SiteSession(get_control(held['_environ']), **held['_params'])
        session: SiteSession = held['_sess']
        session.sync()
        return session

    def get_by_id(self, id: str) -> StoredSession | None:
        """Somebody's session, by its ID; None if there is none."""
        session = StoredSession({}, id=str(id), **self.__dict__['_params'])
        return None if session.is_new else session

    def persist(self) -> None:
        """Write what is to be written, at the end of a request."""
        super().persist()
        session = self._session()
        if session.moved:
            session.save(accessed_only=True)


class SessionMiddleware(CookieMiddleware):  # type: ignore[misc]
    """
    Beaker's SessionMiddleware, without a cookie.

    Constructor arguments as there: the application; ``config``, of which the
    options with a prefix count; ``environ_key``; options, with or without a
    prefix.  Raises ConfigError.
    """

    def __init__(self, wrap_app: WSGIApplication, config: Mapping[str, Any] | None = None,
                 environ_key: str = 'beaker.session', **kwargs: Any) -> None:
        self.wrap_app = self.app = wrap_app
        self.environ_key = environ_key
        self.options = read_options(
            'paste_sessioncookie#beaker_session', config or {}, kwargs)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse
                 ) -> Iterable[bytes]:
        """A WSGI application.  The session is saved when the response starts."""
        session = SiteSessionObject(environ, **self.options)
        registry = environ.get('paste.registry')
        if registry is not None and registry.reglist:
            registry.register(self.session, session)
        environ[self.environ_key] = session
        environ['beaker.get_session'] = self._get_session
        if 'paste.testing_variables' in environ and 'webtest_varname' in self.options:
            environ['paste.testing_variables'][self.options['webtest_varname']] = session

        def save_and_start(status: str, headers: list[tuple[str, str]],
                           exc_info: Any = None) -> Any:
            if session.accessed():
                session.persist()
            if exc_info is None:
                return start_response(status, headers)
            return start_response(status, headers, exc_info)
        return self.wrap_app(environ, save_and_start)

    def _get_session(self, session_id: str | None = None) -> StoredSession:
        """A session that has nothing to do with the visitor's."""
        return StoredSession({}, id=session_id, **self.options)


middleware = SessionMiddleware


# -- options -----------------------------------------------------------------

PREFIXES = ('beaker.session.', 'session.')
# how Beaker sends its cookie
IGNORED = frozenset({
    'cookie_domain', 'cookie_expires', 'cookie_path', 'httponly', 'id', 'key', 'samesite',
    'secret', 'secure', 'use_cookies'})
# besides those of Session and of the store
MORE = frozenset({'auto', 'carry', 'lock_dir', 'log_file', 'webtest_varname'})
SECRETS = frozenset({'encrypt_key', 'url', 'validate_key'})
# of files that are unpickled
FOLDERS = ('data_dir', 'dbm_dir', 'file_dir')


def prefixed(config: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a session among others, without their prefix."""
    return {name.removeprefix(prefix): value for name, value in config.items()
            for prefix in PREFIXES if name.startswith(prefix)}


def read_options(what: str, shared: Mapping[str, Any],
                 own: Mapping[str, Any] | None = None,
                 others: Collection[str] = ()) -> dict[str, Any]:
    """
    The options of a session, for :class:`SiteSessionObject`.

    ``what`` is configured; ``shared``: what more than that is configured by;
    ``own``: nobody else's, so that the prefix may be absent, and every option
    must be known; ``others``: options that somebody else reads.  Raises
    ConfigError with all faults.
    """
    own = own or {}
    own_options = {name: value for name, value in own.items()
                   if not name.startswith(PREFIXES)} | prefixed(own)
    given = {name: value for name, value in {**prefixed(shared), **own_options}.items()
             if name not in others}
    file = shared.get('__file__')
    where = what + (f' (loaded from {file})' if file else '')
    section = _Section(given)
    section.look_for_unknown(own_options, where)
    section.check()
    if section.faults:
        raise ConfigError(f'{where}: Beaker\'s sessions cannot work', section.faults)
    warn_of_cookie_options(where, IGNORED & given.keys())
    return section.options


class _Section:
    """Options as given, converted: ``options``, and ``faults``."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.options: dict[str, Any] = {'invalidate_corrupt': True,
                                        'save_accessed_time': True}
        self.faults: list[str] = []
        self._given = {name: value for name, value in given.items()
                       if name not in IGNORED}
        for name, value in self._given.items():
            self._convert(name, value)
        self._store = self._find_store()

    def _convert(self, name: str, value: Any) -> None:
        try:
            self.options[name] = _converted(name, value)
        except Exception as error:  # Beaker raises nothing more special
            shown = '...' if name in SECRETS else value
            self.faults.append(f'{name} = {shown}: {error}')

    def _find_store(self) -> Any:
        kind = self.options.get('type') or (
            'file' if self.options.get('data_dir') else 'memory')
        try:
            return self.options.get('namespace_class') or clsmap[kind]
        except KeyError:
            self.faults.append(f'type = {kind}: there is no such store; there are: '
                               + ', '.join(sorted(clsmap._clsmap)))
            return None

    def look_for_unknown(self, own: Collection[str], where: str) -> None:
        """A fault for each option that nothing reads; a warning for the shared."""
        if self._store is None or not self._store.__module__.startswith('beaker.'):
            return  # it may read what its signature does not say
        known = MORE | _parameters(Session) | _parameters(self._store)
        for name in self._given.keys() - known:
            if name in own:
                self.faults.append(unknown(name, known))
            else:
                log.warning('%s: %s', where, unknown(name, known))

    def check(self) -> None:
        """Look for what does not fit together, and try what is left."""
        if self.options.get('timeout') is not None and not self.options['save_accessed_time']:
            self.faults.append('timeout: it needs save_accessed_time = true, since it counts '
                               'from the last access')
        if self.options.get('encrypt_key') and not self.options.get('validate_key'):
            self.faults.append('encrypt_key: it needs a validate_key beside it')
        if self._store in (DBMNamespaceManager, FileNamespaceManager):
            self._look_at_folders()
        if not self.faults:
            self._try()

    def _look_at_folders(self) -> None:
        for name in FOLDERS:
            path = self.options.get(name)
            if path is not None:
                try:
                    own_folder(path)
                except ValueError as error:
                    self.faults.append(f'{name} = {path}: {error}')

    def _try(self) -> None:
        try:
            trial = _Trial({}, id=NOBODY, **self.options)
            if trial.encrypt_key and not trial.crypto_module.has_aes:
                self.faults.append('encrypt_key: nothing is installed that could encrypt; '
                                   'install cryptography')
        except Exception as error:
            text = str(error)
            for name in SECRETS & self.options.keys():
                text = text.replace(str(self.options[name]), '...')
            self.faults.append(f'it cannot be used as it is configured '
                               f'({type(error).__name__}: {text})')


class _Trial(StoredSession):
    """A session that opens the store, and reads nothing."""

    def load(self) -> None:
        self._manager(NOBODY)


def _parameters(cls: type) -> frozenset[str]:
    """The names of a class's constructor arguments."""
    return frozenset(
        name for base in cls.__mro__
        for name in inspect.signature(base.__init__).parameters  # type: ignore[misc]
    ) - {'self', 'request', 'namespace', 'digest_filenames', 'args', 'kw', 'kwargs',
         'params', 'namespace_args'} - IGNORED


def _converted(name: str, value: Any) -> Any:
    """An option's value.  Raises ValueError, or whatever Beaker does."""
    if name == 'carry':
        return carry_names(value)
    if name == 'invalidate_corrupt':
        return asbool(value)
    if name == 'type' and value == 'cookie':
        raise ValueError('a session that is in a cookie has no ID; take a store: file, dbm, '
                         'ext:redis, ext:database, ...')
    if name == 'data_serializer' and value not in ('json', 'pickle'):
        if isinstance(value, str):
            raise ValueError('it takes json or pickle')
        return value
    return coerce_session_params({name: value})[name]


def make_beaker_session(app: WSGIApplication, global_conf: dict[str, Any] | None, /,
                        **local_conf: Any) -> SessionMiddleware:
    """
    Paste Deploy entry point: ``egg:paste_sessioncookie#beaker_session``.

    Raises ConfigError with all faults of the section.
    """
    return SessionMiddleware(app, global_conf, **local_conf)
