"""
Sources: the secrets and keys that an ini file names, or has in it
==================================================================

The only room that opens ``file:``, ``env:`` and ``generate:``.
"""
from __future__ import annotations

import logging
import os
import re
import secrets
from collections.abc import Callable

from . import filesystem
from .options import refuse_comment
from .signer import HOW_TO_MAKE_A_SECRET, MIN_SECRET

log = logging.getLogger('paste_sessioncookie')

# -- secrets -----------------------------------------------------------------

_PLACEHOLDER = re.compile(
    r'change.?(?:me|this)|(?:your|my|some|the).?(?:own.?)?secret|secret.?(?:key|here)|'
    r'replace.?(?:me|this|with)|placeholder|example|password|passphrase|insert.?here|'
    r'random.?string|super.?secret|not.?so.?secret|itsaseekreet|^<.+>$', re.IGNORECASE)
_SOURCE = re.compile(r'(file|env|generate)\s*:', re.IGNORECASE)
_MIN_DIFFERENT = 8  # bytes; 32 random hex digits have fewer once in 28 million


def secret(text: str, here: str) -> bytes:
    """The secret, or what ``file:``, ``env:`` or ``generate:`` name."""
    return _secret(text, here, ('file', 'env', 'generate'))


def existing_secret(text: str, here: str) -> bytes | None:
    """Likewise, but nothing is made: None for what ``generate:`` would make."""
    kind, colon, name = text.partition(':')
    if kind == 'generate' and colon:
        filename = path_of(name.strip(), here)
        if not os.path.lexists(filename):
            filesystem.check_directory(filename)
            return None
    return secret(text, here)


def secret_list(text: str, here: str) -> tuple[bytes, ...]:
    """Secrets for reading only: one a line, or several separated by white space."""
    return tuple(_secret(each, here, ('file', 'env'))
                 for line in text.splitlines() for each in _split_secrets(line.strip()))


def _split_secrets(line: str) -> list[str]:
    """A line may also be one secret that has white space in it."""
    refuse_comment(line)
    words = line.split()
    alone = [word for word in words if len(word) >= MIN_SECRET or _SOURCE.match(word)]
    if not alone:
        return [line]
    if len(alone) < len(words):
        raise ValueError('a line has secrets and something shorter: write each on a line '
                         'of its own')
    return words


def _secret(text: str, here: str, allowed: tuple[str, ...]) -> bytes:
    """One secret, written out or named.  Raises ValueError for a weak one."""
    source = _SOURCE.match(text)
    if source is None:
        refuse_comment(text)
        if '\n' in text:
            raise ValueError('it takes one line; others go into accept_secrets')
        return _strong(text.encode('utf-8', 'surrogateescape'))
    kind, name = source[1], text[source.end():].strip()
    if text[:len(kind) + 1] != kind + ':' or kind not in allowed:
        raise ValueError('it takes the secret itself, or ' + ', '.join(
            {'file': 'file:PATH', 'env': 'env:NAME', 'generate': 'generate:PATH'}[each]
            for each in allowed))
    if kind == 'env':
        return _strong(_from_environment(name), f'the environment variable {name}: ')
    filename = path_of(name, here)
    if kind == 'generate':
        _generate(filename)
    found = _strong(_from_file(filename, 'To have it made at the first start, write '
                                         'generate: instead of file:'), f'{filename}: ')
    _warn_if_open(filename)
    return found


def _strong(data: bytes, where: str = '') -> bytes:
    """Raises ValueError for a secret that can be guessed."""
    if len(data) < MIN_SECRET:
        raise ValueError(f'{where}it has {len(data)} bytes and takes at least {MIN_SECRET}.  '
                         + HOW_TO_MAKE_A_SECRET)
    if len(set(data)) < _MIN_DIFFERENT or _PLACEHOLDER.search(data.decode('latin-1')):
        raise ValueError(f'{where}this looks like a placeholder.  ' + HOW_TO_MAKE_A_SECRET)
    return data


def _from_environment(name: str) -> bytes:
    if not name:
        raise ValueError('the name of an environment variable is missing')
    value = os.environ.get(name, '').strip()
    if not value:
        raise ValueError(f'the environment variable {name} is not set, or empty')
    return value.encode('utf-8', 'surrogateescape')


def path_of(name: str, here: str) -> str:
    """Relative names are relative to the ini file, not to wherever it is run."""
    if not name:
        raise ValueError('a file name is missing')
    if '\0' in name:
        raise ValueError('a file name has no NUL in it')
    if name.startswith('~/'):
        raise ValueError('"~" is not replaced: write the whole path')
    refuse_comment(name)
    return os.path.join(here, name)


def _from_file(filename: str, hint: str) -> bytes:
    """What is in a file.  Raises ValueError, with the hint if there is none."""
    try:
        if filesystem.is_pipe(filename):
            raise ValueError(f'{filename} is a pipe, which only one process could read, once')
        with open(filename, 'rb') as file:
            data = file.read(64 * 1024)
    except FileNotFoundError:
        if os.path.islink(filename):
            raise ValueError(f'{filename} is a link to a file that is not there') from None
        raise ValueError(f'there is no file {filename}.  {hint}') from None
    except OSError as error:
        raise ValueError(f'{filename} cannot be read: {error.strerror}') from error
    try:
        data.decode('utf-8')
    except UnicodeDecodeError:
        return data  # random bytes may well begin or end with a blank
    return data.strip()


def _warn_if_open(filename: str) -> None:
    if filesystem.is_open_to_all(filename):
        log.warning('%s can be read by everybody on this machine; chmod 600 it', filename)
    filesystem.warn_of_directory(filename)


def _generate(filename: str) -> None:
    """Make the file if it is not there.  Several processes may start at once:
    the first one's stays."""
    if os.path.exists(filename):
        return
    try:
        write_new(filename, new_secret())
    except FileExistsError:
        return
    except OSError as error:
        raise ValueError(f'{filename} cannot be made: {error.strerror}') from error
    log.info('made a new secret: %s', filename)


def new_secret() -> str:
    """A secret's line in a file."""
    return secrets.token_hex(MIN_SECRET) + '\n'


def write_new(filename: str, text: str, mode: int = 0o600) -> None:
    """Make a file, which appears whole or not at all.  Raises FileExistsError for one
    that is there, and other OSErrors."""
    temporary = f'{filename}.{os.getpid()}.{secrets.token_hex(4)}'
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with open(descriptor, 'w', encoding='ascii') as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.link(temporary, filename)
    finally:
        os.unlink(temporary)


# -- login keys ----------------------------------------------------------------

_ONE_KEY = ('it takes file:PATH or env:NAME; a key itself has white space in it, and is kept '
            'in a file or a variable')


def source_names(text: str) -> str | None:
    """For keys, which may have been written out where their file belongs."""
    return text if re.fullmatch(r'(?:(?:file|env):\S*\s*)*', text) else None


def login_private_key(text: str, here: str) -> bytes:
    """The PEM text that ``file:`` or ``env:`` names."""
    from . import jws  # needs the extra; raises ConfigError, a ValueError
    pem = _key(text, here, jws.load_private_key, jws.HOW_TO_MAKE_A_PRIVATE_KEY)
    if text.startswith('file:'):
        _warn_if_open(path_of(text[len('file:'):].strip(), here))
    return pem


def login_public_keys(text: str, here: str) -> tuple[bytes, ...]:
    """The PEM texts, separated by white space."""
    from . import jws
    if not text:
        raise ValueError('it takes at least one key; to let all who have the secret make '
                         'logins, remove the option')
    if source_names(text) is None:
        raise ValueError(_ONE_KEY)
    return tuple(_key(each, here, jws.load_public_key, jws.HOW_TO_MAKE_A_PUBLIC_KEY)
                 for each in text.split())


def _key(text: str, here: str, load: Callable[[bytes], object], hint: str) -> bytes:
    """A PEM text, tried out.  Raises ValueError; no sentence shows a key."""
    kind, colon, name = text.partition(':')
    if kind not in ('file', 'env') or not colon or '\n' in text:
        raise ValueError(_ONE_KEY)
    name = name.strip()
    if kind == 'env':
        where, pem = f'the environment variable {name}', _from_environment(name)
    else:
        where = path_of(name, here)
        pem = _from_file(where, hint)
    try:
        load(pem)
    except ValueError as error:
        raise ValueError(f'{where}: {error}') from None
    return pem
