"""
Signed logins: those that only one process can make
===================================================

Where the processes of a site do not trust each other, a login is a compact JWS
(RFC 7515), and its claims are a JWT's (RFC 7519).  The process that logs users
in has an Ed25519 private key, the others have the public half.  Who has the
cookie's secret alone can neither make a login nor put one into another
session::

    {"alg":"EdDSA","typ":"JWT"}
    {"aud":"__Host-site_session","by":"/accounts","exp":1767268800,
     "groups":["staff"],"iat":1767225600,"jti":"5d...","sid":"07...","sub":"bob"}

There is one text for one login, as for all of the payload: the header's is the
one above, the claims' that of RFC 8785.  PyJWT signs and verifies, and sees one
algorithm only.  What the claims mean is judged here: ``iat`` may lie ahead.

This room needs the extra ``login``.  It is imported where keys are configured,
and raises ConfigError without PyJWT or cryptography.
"""
from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from .cache import MOST_TEXTS, Cache
from .encoding import Login, Payload, is_native
from .errors import BadLogin, ConfigError, LoginNotAllowed
from .login import NO_PRIVATE_KEY, checked_tokens, native_user, text_user
from .sessionid import login_session

try:
    import jwt
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey, Ed25519PublicKey)
    from cryptography.hazmat.primitives.serialization import (
        Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key,
        load_pem_public_key)
except ImportError as error:
    raise ConfigError('logins that only one process can make need PyJWT and cryptography: '
                      'pip install "paste_sessioncookie[login]"') from error

ALGORITHM = 'EdDSA'
HEADER = 'eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9'  # {"alg":"EdDSA","typ":"JWT"}

HOW_TO_MAKE_A_PRIVATE_KEY = (
    'Make one with:  python3 -m paste_sessioncookie keypair login.pem')
HOW_TO_MAKE_A_PUBLIC_KEY = (
    'Make one, with its private key:  python3 -m paste_sessioncookie keypair login.pem; or of '
    'a private key that is there:  openssl pkey -in login.pem -pubout -out login.pem.pub')

_LIST = b'paste_sessioncookie revocation list 1'
_JWS = jwt.PyJWS(algorithms=[ALGORITHM])
_LOGIN_ID = re.compile('[0-9a-f]{32}')
_BEGIN = re.compile('-----BEGIN ([^-]*)-----')  # RFC 7468

_AnyKey = TypeVar('_AnyKey', Ed25519PrivateKey, Ed25519PublicKey)


def new_key_pair() -> tuple[str, str]:
    """A new private key and its public half, in PEM (PKCS#8 and SPKI)."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode('ascii'), public.decode('ascii')


class Claims(NamedTuple):
    """What a signed login says."""

    login: Login
    session: str   # sessionid.login_session of the base ID
    expires: int   # Unix time: the session's absolute expiry


class LoginKeys:
    """
    The keys of one site's signed logins.

    Constructor arguments: the private key or None, and public keys, all PEM;
    the cookie's name; and whether to know again what was verified before.  The private
    key's public half counts as well.
    Raises ConfigError; its faults name the options.
    """

    def __init__(self, private_key: str | bytes | None,
                 public_keys: Sequence[str | bytes], cookie_name: str,
                 cache_verified: bool = True) -> None:
        faults: list[str] = []
        self._private = None if private_key is None else _loaded(
            load_private_key, private_key, 'login_private_key', faults)
        if isinstance(public_keys, (str, bytes)):
            public_keys = [public_keys]
        public = [_loaded(load_public_key, each, 'login_public_keys', faults)
                  for each in public_keys]
        if private_key is None and not public:
            faults.append('login_public_keys: it takes at least one key')
        if faults:
            raise ConfigError('session_cookie', faults)
        self._own: bytes | None = None  # the private key's public half
        if self._private is not None:
            public.insert(0, self._private.public_key())
            self._own = self._private.public_key().public_bytes_raw()
        self._public = {key.public_bytes_raw(): key for key in public if key}
        self._cookie_name = cookie_name
        self._verified = Cache(self._verify, MOST_TEXTS if cache_verified else 0)

    @property
    def may_sign(self) -> bool:
        """Whether this process can make logins."""
        return self._private is not None

    @property
    def realm(self) -> tuple[bytes | None, frozenset[bytes]]:
        """Two that are the same take the same logins, and both make them with one
        key, or neither makes any."""
        return self._own, frozenset(self._public)

    @property
    def list_names(self) -> list[str]:
        """The revocation lists of all keys, 64 hex digits each.  No secret is in them:
        who has one, or another filter's, can move a login past no list."""
        return [hashlib.sha256(_LIST + key).hexdigest() for key in self._public]

    def sign(self, login: Login, payload: Payload) -> Login:
        """The login with its JWS, for this session alone.  Raises LoginNotAllowed."""
        if self._private is None:
            raise LoginNotAllowed(NO_PRIVATE_KEY)
        text = encode_claims(
            Claims(login, login_session(payload.base_id), payload.absolute), self._cookie_name)
        return dataclasses.replace(login, jws=_JWS.encode(
            text.encode('utf-8'), self._private, algorithm=ALGORITHM, sort_headers=True))

    def verified(self, login: Login, payload: Payload) -> tuple[Login, Payload]:
        """The login as its JWS has it, and the payload with it: those of the last time, if
        this very payload was verified before, and with these keys.  Raises BadLogin."""
        known = payload.verified
        if known is None or known[0] is not self:
            login = self.verify(login, payload)
            known = payload.verified = self, login, payload.replace(login=login)
        _, login, payload = known
        return login, payload

    def verify(self, login: Login, payload: Payload) -> Login:
        """sign(), backwards: the login as its JWS has it.  Raises BadLogin."""
        if not login.jws:
            raise BadLogin('not signed')
        _, claims = self._verified.find(login.jws)
        # the session is looked at each time: the rest is in the text
        if (claims.session != login_session(payload.base_id)
                or claims.expires != payload.absolute):
            raise BadLogin('of another session')
        return claims.login

    def _verify(self, token: str) -> tuple[str, Claims]:
        # before any library looks at it: no other algorithm, no key, no extension
        if not token.startswith(HEADER + '.'):
            raise BadLogin('another header')
        for key in self._public.values():
            try:
                data = _JWS.decode(token, key, algorithms=[ALGORITHM])
            except jwt.PyJWTError:
                continue
            claims = decode_claims(data, self._cookie_name)
            return token, claims._replace(login=dataclasses.replace(claims.login, jws=token))
        raise BadLogin('signed with no key that is configured here')


def encode_claims(claims: Claims, cookie_name: str) -> str:
    """The claims' text: names in this order, and as short as JSON can be."""
    login = claims.login
    return json.dumps({
        'aud': cookie_name, 'by': login.by, 'exp': claims.expires,
        'groups': login.tokens, 'iat': login.at, 'jti': login.id,
        'sid': claims.session, 'sub': text_user(login.user),
    }, ensure_ascii=False, separators=(',', ':'))


def decode_claims(data: bytes, cookie_name: str) -> Claims:
    """The claims of a text.  Raises BadLogin for any but encode_claims()'s texts."""
    try:
        text = data.decode('utf-8')
        found = json.loads(text)
        claims = Claims(_login(found), found['sid'], _whole(found['exp']))
        if encode_claims(claims, cookie_name) == text:
            return claims
    except (LookupError, RecursionError, TypeError, ValueError):
        pass  # a claim is missing, or is not of its type
    raise BadLogin('not the claims of this site, in the form that is written')


def _login(found: Any) -> Login:
    by = found['by']
    if not (isinstance(by, str) and is_native(by) and _LOGIN_ID.fullmatch(found['jti'])):
        raise ValueError('not of the form')
    return Login(found['jti'], _whole(found['iat']), by,
                 native_user(found['sub']), checked_tokens(found['groups']))


def _whole(number: object) -> int:
    # neither true nor 1.0, which are equal to numbers
    if type(number) is not int:
        raise TypeError('not a whole number')
    return number


# -- keys ----------------------------------------------------------------------

def load_private_key(pem: str | bytes) -> Ed25519PrivateKey:
    """The key of a PEM text (PKCS#8).  Raises ValueError; no sentence shows a key."""
    labels = _labels(pem)
    if labels == ['PUBLIC KEY']:
        raise ValueError('this is a public key, and goes into login_public_keys; it takes '
                         'the private one')
    if 'ENCRYPTED PRIVATE KEY' in labels:
        raise ValueError('this key is encrypted, and nobody is there to type the password '
                         'when a server starts; it takes one that is not')
    if labels != ['PRIVATE KEY']:
        raise ValueError('it takes one Ed25519 private key in PEM (PKCS#8).  '
                         + HOW_TO_MAKE_A_PRIVATE_KEY)
    try:
        key = load_pem_private_key(_bytes(pem), password=None)
    except (UnsupportedAlgorithm, ValueError):
        raise ValueError('this key cannot be read; it takes Ed25519') from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong_kind(key)
    return key


def load_public_key(pem: str | bytes) -> Ed25519PublicKey:
    """The key of a PEM text (SPKI).  Raises ValueError; no sentence shows a key."""
    labels = _labels(pem)
    if any('PRIVATE' in label for label in labels):
        raise ValueError(
            'this is a private key: every process that can read it can log anybody in.  '
            'It belongs to the one process that logs users in; all others take the public '
            'half only.  ' + HOW_TO_MAKE_A_PUBLIC_KEY)
    if labels != ['PUBLIC KEY']:
        raise ValueError('it takes one Ed25519 public key in PEM (SPKI) for each file or '
                         'variable.  ' + HOW_TO_MAKE_A_PUBLIC_KEY)
    try:
        key = load_pem_public_key(_bytes(pem))
    except (UnsupportedAlgorithm, ValueError):
        raise ValueError('this key cannot be read; it takes Ed25519') from None
    if not isinstance(key, Ed25519PublicKey):
        raise _wrong_kind(key)
    return key


def _loaded(load: Callable[[str | bytes], _AnyKey], pem: str | bytes, name: str,
            faults: list[str]) -> _AnyKey | None:
    """The key, or another fault of the argument ``name``."""
    try:
        return load(pem)
    except ValueError as error:
        faults.append(f'{name}: {error}')
        return None


def _wrong_kind(key: object) -> ValueError:
    return ValueError(f'this is of the type {type(key).__name__.strip("_")}; it takes Ed25519')


def _labels(pem: str | bytes) -> list[str]:
    """The labels of the blocks in a PEM text."""
    return _BEGIN.findall(_bytes(pem).decode('latin-1'))


def _bytes(pem: str | bytes) -> bytes:
    if not isinstance(pem, (str, bytes)):
        raise ValueError(f'it takes the text of a PEM file, not {type(pem).__name__}')
    return pem.encode('utf-8', 'replace') if isinstance(pem, str) else pem
