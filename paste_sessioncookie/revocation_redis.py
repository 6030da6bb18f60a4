"""
Revocations in Redis: for several machines
==========================================

``revocation = redis://[[USER]:PASSWORD@]HOST[:PORT][/DB]``, ``rediss://`` for
TLS, ``unix:///PATH`` for a socket; what may stand behind a ``?`` is redis-py's.
A Redis of version 5 or later, or what speaks like one; not a cluster.

A look-up is one MGET, a revocation one EVAL.  Redis drops entries at their
expiry, by itself; it must not drop them for space (``noeviction``).
"""
from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from .revocation import Complaints
from .revocation_store import Store

if TYPE_CHECKING:
    import redis

log = logging.getLogger('paste_sessioncookie')

# A Redis in the same data centre answers in less than one millisecond; who
# waits is a visitor.  The address may say otherwise: ?socket_timeout=0.2
CONNECT_TIMEOUT = 0.05  # seconds
ANSWER_TIMEOUT = 0.05   # seconds

# After an outage was seen nobody waits for this time; then one request tries,
# and the others are still refused at once, for TRIAL at most (a name server has
# its own time-outs).
RETRY_AFTER = 0.5       # seconds
TRIAL = 10.0            # seconds

# Entries outlive what they revoke by this, as servers' clocks differ
GRACE = 3600            # seconds

PREFIX = b'paste_sessioncookie:'  # of all keys in Redis, for ACLs

# Keeps the later of both times, and expires no sooner than before.  The time
# left is reckoned by Redis's clock and by ours, and the longer one counts.
_PUT = """
local function larger(a, b) if a > b then return a else return b end end
local up_to, ends, left = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
left = larger(larger(left, 1), ends - tonumber(redis.call('TIME')[1]))
left = larger(left, redis.call('TTL', KEYS[1]))
up_to = larger(up_to, tonumber(redis.call('GET', KEYS[1]) or 0))
redis.call('SET', KEYS[1], string.format('%d', up_to), 'EX', string.format('%d', left))
"""

_DATABASE = re.compile('(/[0-9]{0,9})?')
_PATH = {'redis': _DATABASE, 'rediss': _DATABASE, 'unix': re.compile('/.+')}

_FORM = ('it takes redis://USER:PASSWORD@HOST:PORT/DB (USER, PASSWORD, PORT and DB may be '
         'left out), rediss:// for TLS, or unix:///PATH; in a password, "@", "/", "?", "#" '
         'and "%" are written %40, %2F, %3F, %23 and %25; behind a "?" it takes what '
         'redis-py does')


class RedisStore(Store):
    """
    Names in Redis.  Constructor argument: the address.

    Raises ValueError for an address that cannot be one, or without redis-py;
    no error shows any of the address.
    """

    def __init__(self, url: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = _client(url)
        self._complaints = Complaints(
            _shown(self._client, urlsplit(url).scheme), monotonic)
        self._monotonic = monotonic
        self._retry_at = 0.0     # by the monotonic clock; 0: no outage
        self._outage = ''        # what was wrong then
        self._inspected = False  # whether the server's configuration was

    def prepare(self) -> None:
        """While the ini file is loaded: warn where Redis is away, or may forget.
        No connection stays open: the process may fork."""
        from redis.exceptions import RedisError
        try:
            self._client.ping()
            self._inspect()
        except RedisError as error:
            log.warning('the revocation list %s does not answer yet: %s.  Until it does, '
                        'no login counts', self._complaints.list_shown, _reason(error))
        self.close()

    def put(self, name: bytes, up_to: int, until: int, now: int) -> None:
        ends = until + GRACE
        self._ask('EVAL', _PUT, 1, PREFIX + name.hex().encode(), up_to, ends, ends - now)

    def latest(self, names: Sequence[bytes]) -> int:
        found = self._ask('MGET', *[PREFIX + name.hex().encode() for name in names])
        if not isinstance(found, list) or len(found) != len(names):
            raise self._complaints.unavailable('this is no answer to what was asked')
        if not all(each is None or _is_number(each) for each in found):
            raise self._complaints.unavailable(
                'something that is no number is under a key of ours')
        return max(int(each or 0) for each in found)

    def close(self) -> None:
        """Close what is open; it is opened again when it is needed."""
        self._client.connection_pool.disconnect()

    def _ask(self, *command: Any) -> Any:
        """Redis's answer, with one more try: a connection that was idle may be dead.
        Raises RevocationUnavailable."""
        from redis.exceptions import AuthenticationError, ConnectionError, TimeoutError
        self._wait_for_nobody()
        reason = ''
        for _ in range(2):
            try:
                return self._once(command)
            except Exception as error:  # whatever a foreign answer does to the reader
                reason = _reason(error)
                if not isinstance(error, (ConnectionError, TimeoutError, OSError)
                                  ) or isinstance(error, AuthenticationError):
                    self._retry_at = 0.0  # it is there, and says no
                    break
        else:
            self._outage = reason
            self._retry_at = self._monotonic() + RETRY_AFTER
        # out here, the error and its text are in no traceback
        raise self._complaints.unavailable(reason)

    def _once(self, command: Sequence[Any]) -> Any:
        """Redis's answer.  Raises what redis-py raises."""
        answer = self._client.execute_command(*command)
        self._retry_at = 0.0
        if not self._inspected:
            self._inspect()
        return answer

    def _wait_for_nobody(self) -> None:
        """Raise RevocationUnavailable in an outage, but for who tries again."""
        retry_at = self._retry_at
        if retry_at:
            now = self._monotonic()
            if now < retry_at:
                raise self._complaints.unavailable(f'{self._outage}, a moment ago')
            self._retry_at = now + TRIAL

    def _inspect(self) -> None:
        """Warn, once, of a server that may drop entries for space."""
        from redis.exceptions import RedisError
        self._inspected = True
        try:
            memory = self._client.info('memory')
        except RedisError:
            return  # many may not ask
        policy = memory.get('maxmemory_policy', 'noeviction')
        if memory.get('maxmemory') and policy != 'noeviction':
            log.warning(
                'the revocation list %s: Redis has maxmemory-policy %s, so it may drop '
                'entries for space, and logins that were logged out would count again.  '
                'Use a Redis with noeviction (volatile-* policies drop what has an '
                'expiry, as all entries here have)', self._complaints.list_shown, policy)


def _client(url: str) -> redis.Redis:
    """A client that has not connected yet."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError:
        raise ValueError('redis-py is not installed: '
                         "pip install 'paste_sessioncookie[redis]'") from None
    try:
        parts = urlsplit(url)
        # what redis-py would take, and understand otherwise
        if (parts.fragment or '@' in parts.path + parts.query
                or not _PATH[parts.scheme].fullmatch(parts.path)
                or parts.scheme == 'unix' and parts.hostname):
            raise ValueError('not of the form')
        # Redis 5 does not know protocol 3, which newer clients begin with
        pool = redis.ConnectionPool.from_url(
            url, socket_connect_timeout=CONNECT_TIMEOUT, socket_timeout=ANSWER_TIMEOUT,
            retry=Retry(NoBackoff(), 0), protocol=2)
        pool.make_connection()  # finds unknown parameters
    except Exception:
        # its text may have a part of the password in it
        raise ValueError(_FORM) from None
    return redis.Redis(connection_pool=pool)


def _is_number(found: object) -> bool:
    return isinstance(found, bytes) and re.fullmatch(b'[0-9]{1,15}', found) is not None


def _shown(client: redis.Redis, scheme: str) -> str:
    """The address without user, password and parameters."""
    where = client.connection_pool.connection_kwargs
    if 'path' in where:
        return f"unix://{where['path']}"
    return '{}://{}:{}/{}'.format(
        scheme, where.get('host', 'localhost'), where.get('port', 6379), where.get('db') or 0)


def _reason(error: Exception) -> str:
    """What kind of error it is.  Not its text: servers repeat the arguments of
    commands that they do not know, and AUTH has the password."""
    cause = error.__context__
    detail = cause.strerror if isinstance(cause, OSError) else None
    if detail is None and (code := re.match('[A-Z]{2,}(?= )', str(error))):
        detail = code[0]
    return type(error).__name__ + (f' ({detail})' if detail else '')
