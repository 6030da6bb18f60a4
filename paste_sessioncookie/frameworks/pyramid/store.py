"""
The setting ``site_session.store``
==================================

A word or two for a cache of cachelib, or the cache itself.
"""
from __future__ import annotations

import os
import re
from typing import Any

from cachelib import FileSystemCache, RedisCache, SimpleCache

from ...section import Option, scheme
from ..cached import MANY_SESSIONS, Cache, faults_of
from ..files import own_folder
from .settings import LOGIN_OBJECTS, LOGIN_OPTIONS, PREFIX, redis_from_url, resolved

STORE = PREFIX + 'store'


_DOTTED = re.compile(r'[\w.]+(:[\w.]+)?')
_ACCEPTED = ('it takes file:DIRECTORY, redis://HOST:PORT/NUMBER, memory, or the dotted name '
             'of a cache of cachelib or of what makes one')


def _store(text: str, here: str) -> Cache:
    kind, _, rest = text.partition(':')
    if text == 'memory':
        return SimpleCache(threshold=MANY_SESSIONS)
    if kind == 'file':
        return _file_cache(rest)
    if kind in ('redis', 'rediss', 'unix'):
        return RedisCache(redis_from_url(text))
    if not _DOTTED.fullmatch(text):
        raise ValueError(_ACCEPTED)
    try:
        return _cache(resolved(text))
    except ValueError as error:
        raise ValueError(f'{error}; {_ACCEPTED}') from error


def _file_cache(folder: str) -> Cache:
    if not os.path.isabs(folder):
        raise ValueError('it takes an absolute path, as in file:%(here)s/sessions')
    return FileSystemCache(own_folder(folder), threshold=MANY_SESSIONS)


def _cache(found: Any) -> Cache:
    """A cache, or what a factory returns."""
    if callable(found):
        try:
            found = found()
        except Exception as error:  # somebody's code
            raise ValueError(f'it raised {type(error).__name__}: {error}') from error
    if faults := faults_of(found):
        raise ValueError('; '.join(faults))
    return found  # type: ignore[no-any-return]


def _without_password(text: str) -> str | None:
    return scheme(text) if '//' in text else text


OPTIONS = {
    STORE: Option(_store, required='as in file:%(here)s/sessions', show=_without_password),
    **LOGIN_OPTIONS,
}
OBJECTS = {STORE: _cache, **LOGIN_OBJECTS}
