"""
Cookies by hand: signed as the specification says, without our code
===================================================================
"""
from __future__ import annotations

import hashlib
import hmac

HEAD = 'base_id', 'created', 'issued', 'idle', 'absolute', 'login'


class Hand:
    """Whoever holds a cookie's secret.  Constructor arguments: the secret, and the
    cookie's name; its path is ``/``, and it has no domain."""

    def __init__(self, secret: str, name: str) -> None:
        self._key = derive(secret, 'sign', name)
        self.key_id = derive(secret, 'key id', name)[:4].hex()

    def sign(self, payload: str) -> str:
        """A cookie's value, whatever the payload is; bytes as in latin-1."""
        signed = f'1.{self.key_id}.{payload}'
        tag = hmac.new(self._key, signed.encode('latin-1'), hashlib.sha256).hexdigest()
        return f'{signed}.{tag}'

    def change(self, value: str, **parts: object) -> str:
        """The cookie with other parts of HEAD."""
        fields = payload(value).split('!')
        for name, text in parts.items():
            fields[HEAD.index(name)] = str(text)
        return self.sign('!'.join(fields))


def payload(value: str) -> str:
    return value.split('.', 2)[2][:-65]


def part(value: str, name: str) -> str:
    """One part of HEAD."""
    return payload(value).split('!')[HEAD.index(name)]


def derive(secret: str, purpose: str, name: str) -> bytes:
    """HKDF-SHA256, see "Derivation of keys"."""
    parts = 'paste_sessioncookie 1', purpose, name, '', '/'
    info = b''.join(len(each).to_bytes(4, 'big') + each.encode() for each in parts)
    pseudorandom = hmac.digest(bytes(32), secret.encode(), 'sha256')
    return hmac.digest(pseudorandom, info + b'\x01', 'sha256')
