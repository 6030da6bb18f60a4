"""
Keys: from the configured secrets to keys by purpose
====================================================

A *secret* is what the deployer configures, a *key* is derived from it, once,
while the ini file is loaded (HKDF with SHA-256, RFC 5869, no salt)::

    info    = frame("paste_sessioncookie 1") frame(purpose)
              frame(cookie name) frame(domain) frame(path)
    frame   = four bytes of length, most significant first, and the UTF-8 text
    key     = HKDF-SHA256(secret, info), 32 bytes
    key id  = HKDF-SHA256(secret, info with purpose "key id"), 4 bytes, in hex

Name, domain and path are in it, so a cookie of one site, or of one part of a
site, means nothing under another name, domain or path.
"""
from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

_FORMAT = 'paste_sessioncookie 1'
_DIGEST = 'sha256'


class Key:
    """One secret's key for signing cookies of one name, domain and path."""

    __slots__ = ('id', 'list_name', '_inner', '_outer')

    def __init__(self, secret: bytes, name: str, domain: str, path: str) -> None:
        self.id = derive_key(secret, 'key id', name, domain, path)[:4].hex()
        # names the revocation list that belongs to the key
        self.list_name = derive_key(
            secret, 'revocation list', name, domain, path).hex()
        # HMAC (RFC 2104), keyed once and copied for every cookie: two thirds
        # of what a copied hmac.HMAC costs
        block = derive_key(secret, 'sign', name, domain, path).ljust(64, b'\0')
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5c for byte in block))

    def tag(self, data: bytes) -> str:
        """HMAC-SHA256 of the data, as 64 hex digits."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(data)
        outer.update(inner.digest())
        return outer.hexdigest()


class KeyRing:
    """The key that signs, and all that verify, by their key id."""

    __slots__ = ('current', 'by_id')

    def __init__(self, secrets: Sequence[bytes], name: str, domain: str,
                 path: str) -> None:
        """``secrets``: the one that signs comes first."""
        keys = [Key(secret, name, domain, path) for secret in secrets]
        self.current = keys[0]
        self.by_id = {key.id: key for key in reversed(keys)}

    @property
    def list_names(self) -> list[str]:
        """The revocation lists of all keys, where logins are plain."""
        return [key.list_name for key in self.by_id.values()]


def derive_key(secret: bytes, purpose: str, name: str, domain: str,
               path: str) -> bytes:
    """The 32 byte key of one purpose."""
    info = b''.join(map(_frame, (_FORMAT, purpose, name, domain, path)))
    return hkdf(secret, info)


def hkdf(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 (RFC 5869) without salt, one block: 32 bytes."""
    pseudorandom_key = hmac.digest(bytes(32), secret, _DIGEST)
    return hmac.digest(pseudorandom_key, info + b'\x01', _DIGEST)


def _frame(text: str) -> bytes:
    data = text.encode('utf-8')
    return len(data).to_bytes(4, 'big') + data
