"""
Logins: who a user can be, and what a login is
==============================================

Out of the box a login is part of the payload, under the shared secret: every
application that can sign a cookie can also make a login.  They are one trust
domain.  Where they are not, logins are signed (``jws``).

A user is text, and in environ what PEP 3333 makes of text: its UTF-8 bytes
read as latin-1.
"""
from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .encoding import Login, is_native, is_token
from .sessionid import new_login_id
from .signer import CLOCK_SKEW

# revoke() voids what is dated ahead by another server's clock, and the next login is
# dated after that: so far ahead, in seconds, a good login lies at most
MAX_AHEAD = 2 * CLOCK_SKEW

NO_PRIVATE_KEY = (
    'this process has login_public_keys and no login_private_key: only the process that has '
    'the private key may log users in and revoke logins')


class Identity(NamedTuple):
    """The user who is logged in for the whole site, as applications see him."""

    user: str                # text
    tokens: tuple[str, ...]  # groups
    at: int                  # Unix time of the login, in seconds
    by: str                  # the namespace that logged him in


def make_login(user: str, tokens: Iterable[str], at: int, by: str) -> Login:
    """A new login.  Raises TypeError or ValueError for what is no user or token."""
    return Login(new_login_id(), at, by, native_user(user), checked_tokens(tokens))


def identity(login: Login) -> Identity:
    return Identity(text_user(login.user), login.tokens, login.at, login.by)


def native_user(user: str) -> str:
    """A user's text as environ has it."""
    if not isinstance(user, str):
        raise TypeError(f'a user is a str, not {type(user).__name__}')
    native = user.encode('utf-8').decode('latin-1')
    if not native or not is_native(native):
        raise ValueError('a user is text that is not empty and has no control characters')
    return native


def text_user(native: str) -> str:
    """A user's text, from what environ has.  Raises ValueError if it is not
    UTF-8 read as latin-1."""
    return native.encode('latin-1').decode('utf-8')


def checked_tokens(tokens: Iterable[str]) -> tuple[str, ...]:
    """The tokens without repeats.  Raises TypeError or ValueError."""
    if isinstance(tokens, str):
        raise TypeError("tokens are several strings, as in tokens=('staff',)")
    unique = tuple(dict.fromkeys(tokens))
    for token in unique:
        if not isinstance(token, str):
            raise TypeError(f'a token is a str, not {type(token).__name__}')
        if not is_token(token):
            raise ValueError('a token is printable ASCII without comma and space')
    return unique


def split_tokens(text: str) -> tuple[str, ...]:
    """The tokens of a REMOTE_USER_TOKENS."""
    return tuple(token.strip() for token in text.split(',') if token.strip())
