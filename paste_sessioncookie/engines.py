"""
Engines: the revocation list that an ini file names
===================================================

The one option whose value is made, and shared by all sections that name it.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial

from .options import PYTHON_OBJECT, python_object, refuse_comment
from .revocation import (
    WORDS, Complaints, CustomRevocations, Revocations, missing_methods, shared)
from .revocation_redis import RedisStore
from .revocation_sqlite import SQLiteStore, check_file
from .revocation_store import Store
from .sources import path_of


def revocation(text: str, here: str) -> str | Store | Revocations:
    """``none`` or ``memory``; the store, or the engine, that anything else names."""
    kind, address = engine_name(text, here)
    if kind == 'sqlite':
        return _sqlite(address)
    if kind == 'redis':
        return shared((kind, address), partial(_prepared_redis, address))
    if kind == 'custom':
        return _custom(address)
    return kind


def engine_name(text: str, here: str) -> tuple[str, str]:
    """The kind of engine, and what is behind it: a path, a URL, a callable.  Nothing is
    made, and nobody is asked.  Raises ValueError."""
    engine, colon, rest = text.partition(':')
    engine = engine.lower()
    if not colon and engine in WORDS:
        return engine, ''
    if colon and engine == 'sqlite':
        return engine, _sqlite_path(rest.strip(), here)
    if colon and engine in ('redis', 'rediss', 'unix'):
        refuse_comment(text)
        return 'redis', f'{engine}:{rest}'
    if PYTHON_OBJECT.fullmatch(text):
        return 'custom', text
    raise ValueError('it takes none, memory, sqlite:PATH, redis://HOST, or module:callable')


def known_engine(text: str, here: str) -> tuple[str, str]:
    """:func:`engine_name`, where what is there already can be used.  Raises ValueError."""
    kind, address = engine_name(text, here)
    if kind == 'sqlite':
        check_file(address)
    elif kind == 'redis':
        RedisStore(address)
    elif kind == 'custom':
        python_object(address)
    return kind, address


def _sqlite_path(name: str, here: str) -> str:
    if name.startswith('//'):
        raise ValueError('it takes sqlite:PATH, without "//"')
    return os.path.realpath(path_of(name, here))


def _sqlite(path: str) -> Store:
    store = shared(('sqlite', path), partial(SQLiteStore, path))
    store.prepare()
    return store


def _prepared_redis(url: str) -> RedisStore:
    store = RedisStore(url)
    store.prepare()
    return store


def _custom(text: str) -> Revocations:
    # imported before shared() locks: a module of that name may be on its way in another
    # thread, and wait for that lock
    make = python_object(text)
    return shared(('custom', text), partial(_made_revocations, text, make))


def _made_revocations(text: str, make: Callable[[], Revocations]) -> Revocations:
    """What a callable returns.  It is called once in a process."""
    try:
        engine = make()
    except Exception as error:
        raise ValueError(f'it raised {type(error).__name__}: {error}') from error
    if missing := missing_methods(engine):
        raise ValueError(f'it returned a {type(engine).__name__}, which has no '
                         + ', '.join(missing))
    return CustomRevocations(engine, Complaints(text))
