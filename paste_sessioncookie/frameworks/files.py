"""
Sessions in files: what goes wrong with them, without their IDs
===============================================================
"""
from __future__ import annotations

import contextlib
import logging
import os
import pickle
from collections.abc import Iterator

from ..filesystem import is_writable_by_all

log = logging.getLogger('paste_sessioncookie')

#: what pickle.load may raise for bytes that are no pickle, or an older program's
UNREADABLE = (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError,
              KeyError, TypeError, ValueError)


@contextlib.contextmanager
def unnamed(folder: str) -> Iterator[None]:
    """Errors name the folder, not the file: its name has the ID."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, folder) from None


def own_folder(path: str) -> str:
    """
    A folder of the application's own, made if it is not there.

    Raises ValueError for one in which everybody may write: what is unpickled
    from there runs with the application's rights.
    """
    try:
        os.makedirs(path, 0o700, exist_ok=True)
        writable_by_all = is_writable_by_all(path)
    except OSError as error:
        raise ValueError(f'{path} cannot be made: {error.strerror}') from error
    if writable_by_all:
        raise ValueError('everybody on this machine can write there, and the files in it are '
                         'unpickled; it takes a folder of the application\'s own')
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise ValueError(f'{path} cannot be written')
    return path


def warn_of_unreadable(error: Exception) -> None:
    log.warning('a session cannot be read and begins anew: %s', type(error).__name__)
