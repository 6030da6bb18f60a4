"""
Session IDs: the generator, and what is derived for each namespace
==================================================================

The base ID is in the cookie and nowhere else.  What an application sees is
derived from it, one way, so that nobody who holds one application's ID can
compute another's::

    session ID = BLAKE2b, of 20 bytes, in hex, of
        "paste_sessioncookie session id 1"
        length(namespace) namespace  length(salt) salt  base ID

    sid of a signed login = the first 40 hex digits of SHA-256(
        "paste_sessioncookie login 1" base ID )

All parts are bytes (the namespace's native string in latin-1, salt and base
ID as the ASCII hex digits that stand in the cookie); a length is four bytes,
most significant first.  The base ID is the secret part.  No configured secret
is in it, so IDs stay when secrets change.

(BLAKE2b, RFC 7693, because a hash of so few bytes takes a third of what SHA-256
from OpenSSL does, and every first request of a visitor pays for one.)
"""
from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable

from .errors import ConfigError

MIN_RANDOM_BYTES = 16   # 128 bits: OWASP ASVS 5.0, 7.2.3
DEFAULT_RANDOM_BYTES = 20
MAX_RANDOM_BYTES = 64   # more only makes the cookie longer
# 160 bits: the one form that fits Django's, Beaker's, secure-cookie's and
# web.py's rules at once
ID_DIGITS = 40
MOST_NAMESPACES = 64    # that are remembered; a site has a few
_LABEL = b'paste_sessioncookie session id 1'
_LOGIN_LABEL = b'paste_sessioncookie login 1'

# what secrets.token_bytes() asks, after two calls more
_from_the_system = secrets.SystemRandom().randbytes


class SessionID(str):
    """
    A session ID: a plain string of 40 lower-case hex digits, but discreet.

    Its ``repr`` shows a one-way fingerprint, because debug pages dump environ
    (and no constant, because caches key by ``repr``).  It pickles and copies
    as a plain ``str``, so that stores need not know this class.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        digest = hashlib.sha256(b'repr ' + self.encode('utf-8')).hexdigest()
        return f'<session id #{digest[:16]}>'

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)

    def __reduce_ex__(self, protocol: object) -> tuple[type[str], tuple[str]]:
        return self.__reduce__()


def derive(base_id: str, namespace: str, salt: str = '') -> SessionID:
    """The session ID of one namespace."""
    begun = None if salt else _begun.get(namespace)
    if begun is None:
        begun = _begin(namespace, salt)
    digest = begun.copy()
    digest.update(base_id.encode())
    return SessionID(digest.hexdigest())


def _begin(namespace: str, salt: str) -> hashlib.blake2b:
    """The hash of what comes before the base ID."""
    name = namespace.encode('latin-1')
    begun = hashlib.blake2b(b''.join((
        _LABEL, len(name).to_bytes(4, 'big'), name,
        len(salt).to_bytes(4, 'big'), salt.encode('ascii'))), digest_size=ID_DIGITS // 2)
    if not salt:
        if len(_begun) >= MOST_NAMESPACES:
            _begun.clear()
        _begun[namespace] = begun
    return begun


_begun: dict[str, hashlib.blake2b] = {}   # by namespace, for those without a salt


def login_session(base_id: str) -> str:
    """The name that a signed login has for its session (``sid``)."""
    return hashlib.sha256(_LOGIN_LABEL + base_id.encode('ascii')).hexdigest()[:ID_DIGITS]


def random_bytes() -> bytes:
    """The default generator: 20 bytes from the operating system."""
    return _from_the_system(DEFAULT_RANDOM_BYTES)


def new_base_id(generator: Callable[[], bytes] = random_bytes) -> str:
    """A fresh base ID, as hex digits.  Raises ConfigError for a bad generator."""
    if generator is random_bytes:
        return _from_the_system(DEFAULT_RANDOM_BYTES).hex()  # needs no look
    random = generator()
    if not isinstance(random, bytes):
        raise ConfigError(
            f'the generator gave {type(random).__name__}, not bytes')
    if not MIN_RANDOM_BYTES <= len(random) <= MAX_RANDOM_BYTES:
        raise ConfigError(
            f'the generator gave {len(random)} bytes; a base ID takes '
            f'{MIN_RANDOM_BYTES} to {MAX_RANDOM_BYTES}')
    return random.hex()


def new_salt() -> str:
    """What makes a namespace's next ID another one: 16 hex digits."""
    return secrets.token_hex(8)


def new_login_id() -> str:
    """What a revocation names: 32 hex digits."""
    return secrets.token_hex(16)
