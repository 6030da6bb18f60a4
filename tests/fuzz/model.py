"""
A model of the site, from the specification alone
=================================================

What one request sees, and what the browser is told, in a few lines for each rule of
``docs/specification.rst``.  There is no text of a cookie here and no key: a cookie is an
object that the site is known to have signed.  Sessions, salts and logins have numbers.
"""
from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

TIMEOUT = 1800    # seconds
LIFETIME = 43200  # seconds
MOST_CANDIDATES = 8

SITE_KEY, OWN_KEY, EITHER_KEY = 'site.lang', 'weblog.theme', 'REMOTE_SESSION'
KEYS = SITE_KEY, OWN_KEY, EITHER_KEY

REFUSALS = {'malformed', 'unknown-key', 'bad-signature', 'too-large'}
STATUSES = REFUSALS | {
    'new', 'ok', 'renewed', 'expired-idle', 'expired-absolute', 'conflict', 'bad-login',
    'revoked', 'unavailable'}
EMBEDDED = {'audio', 'font', 'image', 'manifest', 'script', 'style', 'track', 'video'}

DELETE = 'delete'

_numbers = itertools.count(1)


class NotAllowed(Exception):
    """LoginNotAllowed."""


class Unavailable(Exception):
    """RevocationUnavailable."""


@dataclass(frozen=True)
class Login:
    number: int
    user: str
    tokens: tuple[str, ...]
    at: int
    by: str


@dataclass(frozen=True)
class Previous:
    base: int
    until: int
    salted: frozenset[str]


@dataclass(frozen=True)
class Session:
    """What a cookie says."""

    base: int
    created: int
    issued: int
    idle: int
    absolute: int
    login: Login | None = None
    spliced: bool = False   # the login was signed for something else
    values: Mapping[tuple[str | None, str], str] = field(default_factory=dict)
    salts: Mapping[str, int] = field(default_factory=dict)
    previous: Previous | None = None

    def name(self, namespace: str) -> tuple[int, str, int]:
        """What the session ID of a namespace stands for."""
        return self.base, namespace, self.salts.get(namespace, 0)

    def says_the_same(self, other: Session) -> bool:
        return (self.base, self.values, self.salts) == (other.base, other.values, other.salts)


@dataclass
class Lists:
    """A revocation list."""

    logins: set[int] = field(default_factory=set)
    users: dict[str, int] = field(default_factory=dict)
    down: bool = False

    def is_revoked(self, login: Login) -> bool:
        self.check()
        return login.number in self.logins or login.at <= self.users.get(login.user, 0)

    def check(self) -> None:
        if self.down:
            raise Unavailable


@dataclass
class Server:
    """A process: where its list is, and what it may do."""

    lists: Lists
    may_sign: bool = True
    issue_always: bool = True


@dataclass(frozen=True)
class Place:
    """An application: its namespace, and whether it may log users in."""

    namespace: str
    login: bool


def candidates(header: str, name: str) -> list[str]:
    """Reading a Cookie header."""
    values = []
    for pair in header.split(';'):
        pair = pair.strip(' \t')
        if pair.startswith(name + '='):
            values.append(pair[len(name) + 1:].partition(',')[0].strip(' \t'))
    return list(dict.fromkeys(values))


def time_status(session: Session, now: int) -> str:
    """Checks 6 to 8."""
    if not session.created <= session.issued <= now + 60:
        return 'malformed'
    if now >= min(session.absolute, session.created + LIFETIME):
        return 'expired-absolute'
    if now >= min(session.idle, session.issued + TIMEOUT):
        return 'expired-idle'
    if now >= session.issued + (session.idle - session.issued) // 2:
        return 'renewed'
    return 'ok'


def login_status(session: Session, now: int, lists: Lists) -> str:
    """Checks 10 to 12, '' if they pass."""
    login = session.login
    if login is None:
        return ''
    if session.spliced or not session.created <= login.at <= now + 120:
        return 'bad-login'
    try:
        return 'revoked' if lists.is_revoked(login) else ''
    except Unavailable:
        return 'unavailable'


def admit(found: Sequence[Session | None], now: int,
          lists: Lists) -> tuple[str, Session | None]:
    """
    The status of a request, and the session that is accepted.

    ``found``: a session for each candidate, None for what no server has signed.  The
    status is '' if it is one of REFUSALS.
    """
    if not found:
        return 'new', None
    if len(found) > MOST_CANDIDATES:
        return 'conflict', None
    statuses = ['' if each is None else time_status(each, now) for each in found]
    good = [number for number, status in enumerate(statuses) if status in ('ok', 'renewed')]
    if len(good) > 1:
        return 'conflict', None
    if not good:
        return statuses[0], None
    session = found[good[0]]
    assert session is not None
    refused = login_status(session, now, lists)
    return (refused, None) if refused else (statuses[good[0]], session)


class Visit:
    """One request, from when it is admitted to when it is answered."""

    def __init__(self, server: Server, place: Place, found: Sequence[Session | None],
                 now: int) -> None:
        self.server = server
        self.place = place
        self.now = now
        self.carried = bool(found)
        self.status, self.accepted = admit(found, now, server.lists)
        self.session = self.accepted or self.fresh()
        self.first = self.session   # as it was when the request came
        self.kept = self.ended = self.login_changed = self.salted = False
        #: as environ has them
        self.values = {key: value for key in KEYS
                       if (value := self.first.values.get((self.scope(key), key))) is not None}
        self.values_before = dict(self.values)
        login = self.first.login
        self.user = self.user_before = login.user if login else ''
        self.tokens = self.tokens_before = login.tokens if login else ()

    def fresh(self) -> Session:
        return Session(next(_numbers), self.now, self.now, self.now + TIMEOUT,
                       self.now + LIFETIME)

    def scope(self, key: str) -> str | None:
        """Whose value it is: a namespace's, or None, the site's."""
        namespace = self.place.namespace
        if key == SITE_KEY or key == EITHER_KEY and not namespace:
            return None
        return namespace

    @property
    def name(self) -> tuple[int, str, int]:
        return self.session.name(self.place.namespace)

    @property
    def new(self) -> bool:
        return (self.salted or self.accepted is None
                or self.session.base != self.accepted.base)

    @property
    def previous_name(self) -> tuple[int, str, int] | None:
        """What ``previous_id`` stands for."""
        previous, namespace = self.session.previous, self.place.namespace
        if (previous is None or previous.until <= self.now
                or namespace in previous.salted or namespace in self.session.salts):
            return None
        return previous.base, namespace, 0

    # -- what an application does ------------------------------------------

    def keep(self) -> None:
        self.kept = True

    def regenerate(self) -> None:
        self._salt()
        self.kept = self.kept or not self.ended

    def invalidate(self) -> None:
        self._salt()
        self.session = replace(self.session, values={
            place: value for place, value in self.session.values.items()
            if place[0] != self.place.namespace})

    def _salt(self) -> None:
        self.salted = True
        self.session = replace(self.session, salts={
            **self.session.salts, self.place.namespace: next(_numbers)})

    def login(self, user: str, tokens: tuple[str, ...], again: bool) -> None:
        if not (self.place.login and self.server.may_sign):
            raise NotAllowed
        self._login(user, tokens, again)

    def _login(self, user: str, tokens: Iterable[str], again: bool = False) -> None:
        lists, old = self.server.lists, self.session.login
        tokens = tuple(dict.fromkeys(tokens))
        if not again and old and (old.user, set(old.tokens)) == (user, set(tokens)):
            if not lists.is_revoked(old):
                return
        lists.check()
        at = max(self.now, lists.users.get(user, 0) + 1)
        if at > self.now + 120:
            raise Unavailable
        if not self.server.may_sign:
            raise NotAllowed
        previous = Previous(self.session.base, self.now + TIMEOUT,
                            frozenset(self.session.salts)) if old is None else (
            self.session.previous if old.user == user else None)
        if old:
            lists.logins.add(old.number)
        self.session = replace(self.fresh(), previous=previous, login=Login(
            next(_numbers), user, tokens, at, self.place.namespace))
        self.login_changed, self.ended = True, False

    def logout(self) -> bool:
        revoked = not (self.status in ('unavailable', 'conflict') and not self.login_changed)
        if revoked and self.session.login:
            revoked = not self.server.lists.down
            if revoked:
                self.server.lists.logins.add(self.session.login.number)
        self.session = self.fresh()
        self.login_changed, self.ended, self.kept = True, True, False
        return revoked

    def revoke(self, user: str, now: int) -> None:
        if not (self.place.login and self.server.may_sign):
            raise NotAllowed
        lists = self.server.lists
        lists.check()
        before = lists.users.get(user, 0)
        lists.users[user] = max(before, now + 60, min(before + 1, now + 180))

    # -- how it is answered ------------------------------------------------

    def idiom(self) -> None:
        """What REMOTE_USER and REMOTE_USER_TOKENS say when the response starts."""
        if self.login_changed or not self.place.login:
            return
        same_groups = self.tokens == self.tokens_before
        if self.user == self.user_before and (same_groups or not self.user):
            return
        if not self.user:
            self.logout()
            return
        login = self.session.login
        try:
            if self.user == self.user_before and login and self.server.lists.is_revoked(login):
                return
            self._login(self.user, () if same_groups else self.tokens)
        except (NotAllowed, Unavailable):
            pass

    def final(self) -> Session:
        values = dict(self.session.values)
        for key in KEYS:
            value = self.values.get(key)
            if value == self.values_before.get(key):
                continue
            if value is None:
                values.pop((self.scope(key), key), None)
            else:
                values[self.scope(key), key] = value
        previous = self.session.previous
        issued = max(self.now, self.session.created)
        return replace(
            self.session, values=values, issued=issued, idle=issued + TIMEOUT,
            previous=previous if previous and previous.until > self.now else None)

    def answer(self, fetch: Mapping[str, str], method: str,
               public: bool) -> Session | str | None:
        """What the browser is told: a session, DELETE, or nothing."""
        final = self.final()
        if self.status in ('conflict', 'unavailable') and not self.login_changed:
            return None
        if self.ended and (self.status == 'unavailable' or not (self.kept or final.values)):
            return DELETE if self.carried else None
        if self.accepted is not None:
            if not final.says_the_same(self.accepted):
                return final
            return final if self.status == 'renewed' and not public else None
        content = bool(final.login or self.kept or final.values)
        if not (content or self.server.issue_always):
            return None
        issue = may_issue(fetch, method, self.carried)
        return final if issue or issue is None and final.login else None


def may_issue(fetch: Mapping[str, str], method: str, carried: bool) -> bool | None:
    """Whether a new cookie may go out; None: only with a login."""
    if fetch.get('dest') in EMBEDDED:
        return False
    if carried or fetch.get('site') in ('same-origin', 'same-site', 'none'):
        return True
    if not fetch:
        return True if method in ('GET', 'HEAD') else None
    top = (method, fetch.get('mode'), fetch.get('dest')) == ('GET', 'navigate', 'document')
    return True if top else None
