"""
Signing: payload to cookie value and back
=========================================

::

    value = "1" "." key-id "." payload "." tag
    tag   = HMAC-SHA256(key, everything before its dot), 64 hex digits

:meth:`SessionCookieSigner.sign` and :meth:`SessionCookieSigner.unsign` are
mirror images, step by step.  Nothing is decoded before it is verified.

>>> signer = SessionCookieSigner(secret='an example only, not a good secret')
>>> cookie = signer.sign('anything')
>>> signer.auth(cookie)
'anything'
>>> signer.auth(cookie[:-1]) is None
True
"""
from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from hmac import compare_digest

from paste.auth import cookie as parent

from . import encoding, sessionid
from .cache import END, MOST_TEXTS, Cache
from .encoding import Payload
from .errors import (
    BadCookie, BadSignature, ConfigError, CookieTooLarge, ExpiredAbsolute,
    ExpiredIdle, Malformed, TooLarge, UnknownKey)
from .keyring import KeyRing

VERSION = '1'
MIN_MAXLEN = 512       # characters: an ID, a login and a few values
MAX_DURATION = 3660 * 86400  # seconds: ten years, more than any browser keeps
MAX_COOKIE = 4096      # characters of name and value that browsers keep (RFC 6265, 6.1)
MIN_SECRET = 32        # bytes: the size of the key that is made of it
PREFIX = 11            # characters: version, key id and their dots
TAG_DIGITS = 64        # HMAC-SHA256, whole
CLOCK_SKEW = 60        # seconds by which two servers' clocks may differ
_SKEW = float(CLOCK_SKEW)
DEFAULT_TIMEOUT = 30   # minutes: the parent's
DEFAULT_LIFETIME = 12 * 60  # minutes: NIST SP 800-63B-4, AAL2, says 24 h at most


# a cookie's value, its payload, and from when until when (Unix time) its times need no
# look: to compare the time with an int would cost three times as much.  A plain
# tuple: to make and to take apart a named one costs a quarter of a HMAC more
_Verified = tuple[str, Payload, float, float]


class SessionCookieSigner(parent.AuthCookieSigner):  # type: ignore[misc]
    """
    Makes cookies that nobody can change, and reads them.

    Constructor arguments; the first three are the parent's:

        ``secret``

            At least 32 bytes, ``bytes`` or ``str`` (taken as UTF-8).
            Without one a random secret is made, good for one process.

        ``timeout``

            Idle timeout in minutes (30): a cookie that was not sent anew for
            so long is void.

        ``maxlen``

            Characters of name and value together, 4096 at most.

        ``lifetime``

            Absolute, in minutes (12 hours, or ``timeout`` if that is longer):
            a session ends so long after its first visit or its login.

        ``accept_secrets``

            More secrets, for reading only.

        ``cookie_name``, ``domain``, ``path``

            A cookie is valid under these only.

        ``cache_verified``

            Whether to know again what was verified before (True): the times are
            checked on every read all the same.

        ``clock``

            Gives the Unix time where ``now`` is not given.

    Raises ConfigError for what cannot work.
    """

    def __init__(self, secret: str | bytes | None = None,
                 timeout: float | None = None, maxlen: int | None = None, *,
                 lifetime: float | None = None,
                 accept_secrets: Sequence[str | bytes] = (),
                 cookie_name: str = '', domain: str = '', path: str = '/',
                 cache_verified: bool = True,
                 clock: Callable[[], float] = time.time) -> None:
        if secret is None:
            secret = secrets.token_bytes(MIN_SECRET)
        all_secrets = [_secret_bytes(each) for each in (secret, *accept_secrets)]
        super().__init__(all_secrets[0], timeout, maxlen)
        if lifetime is None:
            lifetime = max(DEFAULT_LIFETIME, self.timeout)
        self.idle_seconds = _seconds('timeout', self.timeout)
        self.lifetime_seconds = _seconds('lifetime', lifetime)
        if not MIN_MAXLEN <= self.maxlen <= MAX_COOKIE:
            raise ConfigError(f'maxlen = {maxlen}: it takes {MIN_MAXLEN} to {MAX_COOKIE}')
        self.clock = clock
        self._secrets = all_secrets
        self.cache_verified = cache_verified
        self.bind(cookie_name, domain, path)

    def bind(self, cookie_name: str, domain: str, path: str) -> None:
        """Sign for this name, domain and path alone, from now on."""
        self.cookie_name = cookie_name
        self.keys = KeyRing(self._secrets, cookie_name, domain, path)
        self._prefix = f'{VERSION}.{self.keys.current.id}.'
        self._accepted = {
            f'{VERSION}.{key_id}.': key for key_id, key in self.keys.by_id.items()}
        self._verified = Cache(self._verify, MOST_TEXTS if self.cache_verified else 0)
        #: how many characters a payload may have
        self.room = self.maxlen - len(cookie_name) - len(self._prefix) - 1 - TAG_DIGITS
        # not maxlen: making that smaller must not log anybody out
        self._longest = MAX_COOKIE - len(cookie_name)

    # -- the session's cookie ---------------------------------------------

    def sign(self, content: Payload | str) -> bytes:
        """
        The cookie's value, which needs no escaping and no quotes.

        A ``str``, the parent's content, is signed as the one value of a
        session of its own that starts now.  Raises CookieTooLarge, and
        ValueError for text that is not a value (control characters).
        """
        payload = content if isinstance(content, Payload) else self._wrap(content)
        # 1. payload to text
        text = encoding.encode(payload)
        # 2. length
        if len(text) > self.room or payload.section_count() > encoding.MAX_SECTIONS:
            del text  # it would stand in the traceback
            raise too_large(payload, self.room)
        # 3. version and key id
        signed = self._prefix + text
        # 4. tag
        return f'{signed}.{self.keys.current.tag(signed.encode())}'.encode()

    def unsign(self, value: str, now: float) -> tuple[Payload, bool]:
        """
        What a cookie's value says at Unix time ``now``, and whether it is due
        to be sent again.

        Raises one of the BadCookie family.
        """
        # what was verified before needs no second look, but for the times; this is
        # Cache.find(), without the call
        end = value[-END:]
        known = self._verified.get(end)
        if known is None or known[0] != value:
            known = self._verified.find_out(value, end)
        _, payload, valid_from, fresh_until = known
        if valid_from <= now < fresh_until:
            return payload, False
        self._check_times(payload, now)
        return payload, now >= fresh_until

    def _check_times(self, payload: Payload, now: float) -> None:
        if not payload.created <= payload.issued <= now + CLOCK_SKEW:
            raise Malformed('times that cannot be')
        if now >= self.absolute_end(payload):
            raise ExpiredAbsolute('lifetime')
        if now >= self.idle_end(payload):
            raise ExpiredIdle('timeout')

    def _verify(self, value: str) -> _Verified:
        """sign(), backwards.  Raises one of the BadCookie family."""
        # 2. length, before anything that depends on it
        if len(value) > self._longest:
            raise TooLarge('longer than a browser keeps')
        # 4. tag, and 3. version and key id
        signed, _, tag = value.rpartition('.')
        key = self._accepted.get(signed[:PREFIX])
        if key is None or not value.isascii():
            raise self._refusal(value)
        if not compare_digest(key.tag(signed.encode()), tag):
            raise (BadSignature('the tag is not right') if len(tag) == TAG_DIGITS
                   else self._refusal(value))
        # 1. text to payload
        payload = encoding.decode(signed, PREFIX)
        if key is not self.keys.current or payload.created > payload.issued:
            return value, payload, 0.0, 0.0
        return value, payload, payload.issued - _SKEW, self._fresh_until(payload)

    def _fresh_until(self, payload: Payload) -> float:
        """Until when a payload is good, and not due to be sent again: what idle_end(),
        absolute_end() and is_due() say, without asking them."""
        issued = payload.issued
        # the cookie's own times count: they may be of a shorter ``timeout``, even end
        # before they begin, and half of that would be later
        seconds = payload.idle - issued
        if seconds > self.idle_seconds:
            seconds = self.idle_seconds
        until = issued + (seconds // 2 if seconds > 0 else seconds)
        end = payload.created + self.lifetime_seconds
        if end > payload.absolute:
            end = payload.absolute
        return float(until if until < end else end)

    def _refusal(self, value: str) -> BadCookie:
        """What is wrong with a value that is not signed with a key of ours."""
        parts = value[:-1 - TAG_DIGITS].split('.', 2)
        if (len(parts) != 3 or parts[0] != VERSION or value[-1 - TAG_DIGITS] != '.'
                or not value.isascii()):
            return Malformed('not of the form of version 1')
        if parts[1] not in self.keys.by_id:
            return UnknownKey('signed with a secret that is not configured here')
        return BadSignature('the tag is not right')

    def is_due(self, payload: Payload, now: float) -> bool:
        """Whether half of the idle time has passed."""
        return now >= payload.issued + (self.idle_end(payload) - payload.issued) // 2

    def auth(self, cookie: str | bytes, now: float | None = None) -> Payload | str | None:
        """What was signed, or None if the cookie cannot be accepted."""
        if isinstance(cookie, bytes):
            cookie = cookie.decode('latin-1')
        try:
            payload, _ = self.unsign(cookie, self.clock() if now is None else now)
        except BadCookie:
            return None
        return self._unwrap(payload)

    def idle_end(self, payload: Payload) -> int:
        """When a session that is not used ends: the earlier of its own time
        and the configured one, so that a shorter ``timeout`` counts at once."""
        return min(payload.idle, payload.issued + self.idle_seconds)

    def absolute_end(self, payload: Payload) -> int:
        """When a session ends, whatever happens; likewise."""
        return min(payload.absolute, payload.created + self.lifetime_seconds)

    # -- the parent's content: any string ----------------------------------

    def _wrap(self, content: str) -> Payload:
        now = int(self.clock())
        return Payload(
            base_id=sessionid.new_base_id(), created=now, issued=now,
            idle=now + self.idle_seconds, absolute=now + self.lifetime_seconds,
            values={_CONTENT: content.encode('utf-8').decode('latin-1')})

    def _unwrap(self, payload: Payload) -> Payload | str:
        content = payload.values.get(_CONTENT)
        if content is None:
            return payload
        return content.encode('latin-1').decode('utf-8', 'replace')


_CONTENT = ''  # no environ key has this name


def too_large(payload: Payload, room: int) -> CookieTooLarge:
    """The error that says how much each part of the payload takes."""
    sizes = {'login': len(encoding.encode_login(payload.login)),
             'site': len(encoding.encode_values(payload.values))}
    sizes.update((repr(name), len(encoding.encode_section(name, section)))
                 for name, section in payload.sections.items())
    if len(payload.sections) > encoding.MAX_SECTIONS:
        return CookieTooLarge(f'more than {encoding.MAX_SECTIONS} namespaces '
                              'keep something', sizes, room)
    return CookieTooLarge('the cookie would be too large', sizes, room)


def _secret_bytes(secret: str | bytes) -> bytes:
    data = secret.encode('utf-8') if isinstance(secret, str) else bytes(secret)
    if len(data) < MIN_SECRET:
        raise ConfigError(f'secret: {len(data)} bytes; it takes at least '
                          f'{MIN_SECRET}.  {HOW_TO_MAKE_A_SECRET}')
    return data


HOW_TO_MAKE_A_SECRET = (
    'Make one, in a file, with:  python3 -m paste_sessioncookie secret site.secret')


def _seconds(name: str, minutes: float) -> int:
    seconds = round(minutes * 60)
    if not 0 < seconds <= MAX_DURATION:
        raise ConfigError(f'{name} = {minutes}: it takes a number of minutes, more than '
                          'none and ten years at most')
    return seconds
