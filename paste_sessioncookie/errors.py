"""
Errors, by whose fault they are
===============================

* the deployer's: :class:`ConfigError`, raised while the ini file is loaded;
* the visitor's: :class:`BadCookie` and its family.  They never leave the
  filter; each carries the ``status`` that ``session.control`` then shows;
* the application's: :class:`CookieTooLarge`, :class:`LoginNotAllowed`;
* nobody's: :class:`RevocationUnavailable`, a revocation list that does not
  answer.

No message holds a secret, a signature, a session ID or a value.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence

from paste.auth import cookie as parent


class ConfigError(ValueError):
    """The configuration cannot work.  ``faults`` is a tuple, a sentence each."""

    def __init__(self, heading: str, faults: Sequence[str] = ()) -> None:
        self.faults = tuple(faults)
        super().__init__('\n  - '.join((heading, *self.faults)))


class BadCookie(Exception):
    """A cookie that is not accepted; ``status`` says why, in one word."""

    status = 'malformed'


class Malformed(BadCookie):
    """Not of the form of version 1, or of a form that no server writes."""


class TooLarge(BadCookie):
    """Longer than any cookie that a browser keeps."""

    status = 'too-large'


class UnknownKey(BadCookie):
    """Signed with a secret that is not configured here."""

    status = 'unknown-key'


class BadSignature(BadCookie):
    """The signature is not that of a secret configured here."""

    status = 'bad-signature'


class Conflict(BadCookie):
    """Several cookies of our name, and more than one of them is good: a browser
    keeps one, so somebody has planted another."""

    status = 'conflict'


class ExpiredIdle(BadCookie):
    """Not used for longer than ``timeout``."""

    status = 'expired-idle'


class ExpiredAbsolute(BadCookie):
    """Older than ``lifetime``."""

    status = 'expired-absolute'


class Revoked(BadCookie):
    """The session or its login was revoked."""

    status = 'revoked'


class BadLogin(BadCookie):
    """The login in the cookie cannot be accepted, whoever signed the cookie."""

    status = 'bad-login'


class Unavailable(BadCookie):
    """Whether the login was revoked cannot be found out now."""

    status = 'unavailable'


class CookieTooLarge(parent.CookieTooLarge):  # type: ignore[misc]
    """
    What the applications keep does not fit into one cookie.

    ``sizes`` maps each part (``'site'``, ``'login'``, each namespace, quoted)
    to its characters in the cookie, ``limit`` is what all of them together
    may take.  The parent's ``content`` and ``cookie`` are None: neither
    belongs into a traceback.
    """

    def __init__(self, reason: str, sizes: Mapping[str, int], limit: int) -> None:
        self.sizes = dict(sizes)
        self.limit = limit
        self.content = self.cookie = None
        parts = ', '.join(f'{name} {size}' for name, size in self.sizes.items())
        # not the parent's constructor: its sentence names a fixed limit
        RuntimeError.__init__(
            self, f'{reason} (limit {limit} characters; used: {parts})')


class LoginNotAllowed(RuntimeError):
    """This namespace, or this process, may not log users in for the whole site."""


class RevocationUnavailable(RuntimeError):
    """The revocation list cannot be read or written now."""
