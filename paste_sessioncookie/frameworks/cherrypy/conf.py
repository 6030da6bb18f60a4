"""
The configuration of tools.sessions
===================================
"""
from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Collection, Mapping
from typing import Any

import cherrypy
from cherrypy.lib import cptools, sessions

from ...errors import ConfigError
from ...section import unknown
from .. import carry_names, warn_of_cookie_options

PREFIX = 'tools.sessions.'
COOKIE_OPTIONS = frozenset((
    'name', 'path', 'path_header', 'domain', 'secure', 'httponly', 'persistent'))
LOCKING = ('implicit', 'early', 'explicit')
KNOWN = frozenset((
    'carry', 'clean_freq', 'debug', 'lock_timeout', 'locking', 'on', 'priority', 'servers',
    'storage_class', 'storage_path', 'storage_type', 'timeout', *COOKIE_OPTIONS))


def check(application: cherrypy.Application) -> None:
    """
    Look at ``tools.sessions`` in the configuration of an application.

    Raises ConfigError with all faults.  What is configured in the classes of
    the application is looked at when a request comes.
    """
    faults = [fault for path, section in application.config.items()
              if isinstance(section, dict)
              for fault in _faults_at(_options(application, path))]
    if faults:
        raise ConfigError('tools.sessions', tuple(dict.fromkeys(faults)))


def _options(application: cherrypy.Application, path: str) -> dict[str, Any]:
    """Those that hold at a path, with the application's ``tools.session_auth``."""
    merged = dict(cherrypy.config)
    for section in sorted(application.config):
        if path == section or path.startswith(section.rstrip('/') + '/'):
            merged.update(application.config[section])
    return merged


#: configurations that were looked at
_good: set[str] = set()


def look_at(given: Mapping[str, Any], key: str) -> None:
    """Raises ConfigError for what is configured; CherryPy asks at each request."""
    what = repr((sorted(given.items()), key))
    if what in _good:
        return
    found = faults(given, key)
    if found:
        raise ConfigError('tools.sessions', found)
    warn_of_cookie_options('tools.sessions', given.keys() & COOKIE_OPTIONS)
    _good.add(what)


def _faults_at(merged: Mapping[str, Any]) -> list[str]:
    return faults({name.removeprefix(PREFIX): value for name, value in merged.items()
                   if name.startswith(PREFIX)}, login_key(merged))


def faults(conf: Mapping[str, Any], key: str) -> list[str]:
    """What is wrong with the options, a sentence each; ``key``: the login's."""
    found = [
        _fault('timeout', conf, _is_number, 'a number of minutes, more than none'),
        _fault('clean_freq', conf, _is_frequency, 'a number of minutes, or None for never'),
        _fault('lock_timeout', conf, _is_wait,
               'a number of seconds, a timedelta, or None for no limit'),
        _fault('locking', conf, LOCKING.__contains__, ', '.join(LOCKING)),
        _fault('storage_type', conf, _is_type, ', '.join(_TYPES)),
        _fault('storage_class', conf, _is_storage,
               'a subclass of cherrypy.lib.sessions.Session')]
    found = [fault for fault in found if fault]
    if not found and storage_class(conf) in _TYPES.values():
        # a storage class of one's own may take more
        found += [unknown(name, KNOWN) for name in conf if name not in KNOWN]
    if not found and issubclass(storage_class(conf), sessions.FileSession):
        path = conf.get('storage_path')
        if not (path and os.path.isdir(path) and os.access(path, os.W_OK)):
            found.append(f'storage_path = {path!r}: it takes a folder that is there and '
                         'can be written')
    try:
        carry(conf.get('carry', ()), key)
    except ValueError as error:
        found.append(f'carry: {error}')
    return found


def _fault(name: str, conf: Mapping[str, Any], is_good: Callable[[Any], bool],
           takes: str) -> str:
    value = conf.get(name)
    if name not in conf or is_good(value):
        return ''
    return f'{name} = {value!r}: it takes {takes}'


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and value > 0


def _is_frequency(value: Any) -> bool:
    return value in (None, 0) or _is_number(value)


def _is_wait(value: Any) -> bool:
    return value is None or isinstance(value, datetime.timedelta) or _is_number(value)


def _is_type(value: Any) -> bool:
    return value is None or value in _TYPES


def _is_storage(value: Any) -> bool:
    return value is None or isinstance(value, type) and issubclass(value, sessions.Session)


_TYPES = {'ram': sessions.RamSession, 'file': sessions.FileSession,
          'memcached': sessions.MemcachedSession}


def storage_class(conf: Mapping[str, Any]) -> type:
    named = conf.get('storage_type')
    chosen: type = _TYPES[named] if named else conf.get('storage_class') or sessions.RamSession
    return chosen


def carry(names: str | Collection[str], key: str) -> tuple[str, ...]:
    """The keys to carry.  Raises ValueError."""
    return carry_names(names, key.__eq__)


def login_key(config: Mapping[str, Any]) -> str:
    """Where ``tools.session_auth``, or code like it, keeps who is logged in."""
    key: str = config.get('tools.session_auth.session_key', cptools.SessionAuth.session_key)
    return key
