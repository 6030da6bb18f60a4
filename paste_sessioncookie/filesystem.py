"""
The file system: can a file be made, and who else on this machine gets at it
============================================================================

Of files that hold secrets, keys or the list of logins that were ended.  A path
that is asked about is there; OSError is raised where it is not.
"""
from __future__ import annotations

import logging
import os
import stat

log = logging.getLogger('paste_sessioncookie')


def is_pipe(path: str) -> bool:
    """Whether to open it would wait for somebody else."""
    return stat.S_ISFIFO(os.stat(path).st_mode)


def is_open_to_all(path: str) -> bool:
    """Whether everybody can do anything with it, so that it is no secret."""
    return bool(os.stat(path).st_mode & stat.S_IRWXO)


def is_writable_by_all(path: str) -> bool:
    return bool(os.stat(path).st_mode & stat.S_IWOTH)


def check_directory(filename: str) -> None:
    """Raises ValueError where no file could be made."""
    try:
        os.stat(os.path.join(os.path.dirname(filename) or os.curdir, ''))
    except OSError as error:
        raise ValueError(f'{filename} cannot be made: {error.strerror}') from error


def open_directory(filename: str) -> str:
    """The directory of a file, if everybody can put another one in its place; else ''."""
    directory = os.path.dirname(filename) or os.curdir
    mode = os.stat(directory).st_mode
    return directory if mode & stat.S_IWOTH and not mode & stat.S_ISVTX else ''


def warn_of_directory(filename: str) -> None:
    if directory := open_directory(filename):
        log.warning('everybody on this machine can put another file in the place of %s; '
                    'chmod o-w %s', filename, directory)
