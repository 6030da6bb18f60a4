"""
State: what one request knows of a visitor's session
====================================================

The payload that came, what was changed since, and, at the end, what the
browser is to be told.  All namespaces' views (``control.SessionControl``)
share the one :class:`SessionState` of their request.

Nothing here reads a header or an environ; a clock, only to revoke a user.
"""
from __future__ import annotations

import copy
import dataclasses
import enum
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from . import encoding, sessionid
from .encoding import (
    MAX_SECTIONS, NO_SECTION, NO_VALUES, Login, Payload, Previous, Section)
from .errors import Conflict, RevocationUnavailable, Unavailable
from .login import MAX_AHEAD, make_login
from .revocation import Revocations
from .signer import CLOCK_SKEW, SessionCookieSigner, too_large

if TYPE_CHECKING:
    from .jws import LoginKeys

log = logging.getLogger('paste_sessioncookie')

REVOKE_AHEAD = CLOCK_SKEW  # seconds: what another server with a fast clock dated
NO_LOGIN_AHEAD = MAX_AHEAD + REVOKE_AHEAD  # seconds: not even such a server dates so

# the browser may hold a good login that does not show: its cookies are left alone
UNSURE = (Conflict.status, Unavailable.status)

# statuses of what was not refused
NEW, OK, RENEWED = 'new', 'ok', 'renewed'


# (namespace or None for the site, key) -> value or None; replaced, never changed in place
Changes: TypeAlias = Mapping[tuple[str | None, str], str | None]
_NO_CHANGES: Changes = {}


class Done(NamedTuple):
    """What was done in a request, by whatever application."""

    minted: frozenset[str] = frozenset()  # namespaces that had a new ID
    kept: bool = False            # somebody keeps something under the ID
    ended: bool = False           # logged out, and no login since
    login_changed: bool = False   # login() or logout() was called


# what is done in nearly all requests; compared by identity
NOTHING_DONE, KEPT = Done(), Done(kept=True)


class Answer(enum.Enum):
    """What the browser is told, if it is not a new cookie."""

    NOTHING = 'nothing'
    DELETE = 'delete'


# a member that is looked up in its class costs as much as a search in a header
NOTHING, DELETE = Answer


class Issue(enum.Enum):
    """When a fresh ID may go out on a request, by what browsers do."""

    FREELY = 'freely'
    LOGIN_ONLY = 'only with a login'
    NEVER = 'never'


FREELY, LOGIN_ONLY, NEVER = Issue


@dataclass(frozen=True)
class Policy:
    """What one session_cookie filter is configured to do, for all requests."""

    signer: SessionCookieSigner
    cookie_name: str
    revocations: Revocations
    clock: Callable[[], float]
    scanlist: list[str]            # the site's keys; compared with lists, never changed
    site_keys: tuple[str, ...]     # ... without the login's: its values
    absent: tuple[tuple[str, None], ...]  # ... and what environ says where none is there
    shared_keys: tuple[str, ...]   # those that namespaces share
    generator: Callable[[], bytes]
    issue_always: bool
    not_before: float              # Unix time
    domain: str                    # the cookie's
    login_keys: LoginKeys | None   # None: logins are plain

    @property
    def realm(self) -> tuple[object, ...]:
        """Two filters with the same share their cookies.  The name of the list is the
        current key's identity: secret, cookie name, domain and path make it."""
        return (self.cookie_name, self.signer.keys.current.list_name,
                self.login_keys and self.login_keys.realm)

    @property
    def may_sign_logins(self) -> bool:
        """Whether this process can make logins."""
        return self.login_keys is None or self.login_keys.may_sign


class SessionState:
    """One visitor's session in one request, which came at ``time`` (Unix time)."""

    __slots__ = ('policy', 'time', 'status', 'accepted', 'payload', 'changes', 'done',
                 'issue', 'outer_user', 'started')

    def __init__(self, policy: Policy, time: float, status: str,
                 accepted: Payload | None = None) -> None:
        self.policy = policy
        self.time = time
        self.status = status
        #: what the cookie said, if it was accepted
        self.accepted = accepted
        #: what holds now; values changed since are in ``changes`` alone
        self.payload = self._fresh() if accepted is None else accepted
        self.changes = _NO_CHANGES
        self.done = NOTHING_DONE
        #: when a fresh ID may go out, if it is one
        self.issue: Issue | None = None
        self.outer_user = False      # a user from outside stands instead
        self.started = False         # start_response has been passed outward

    @property
    def now(self) -> int:
        """When the request came, in whole seconds."""
        return int(self.time)

    @property
    def carried(self) -> bool:
        """Whether the browser sent a cookie of our name, good or bad."""
        return self.status != NEW

    def shows(self, user: str) -> bool:
        """Whether REMOTE_USER is this user because of our login."""
        current = self.payload.login
        return current is not None and current.user == user and not self.outer_user

    # -- changes ----------------------------------------------------------

    def change(self, scope: str | None, key: str, value: str | None) -> None:
        """Keep a value for a namespace (or, with None, for the site), or drop it."""
        self.changes = {**self.changes, (scope, key): value}

    def forget(self, places: Collection[tuple[str | None, str]]) -> None:
        """Take changes back."""
        self.changes = {place: value for place, value in self.changes.items()
                        if place not in places}

    def keep(self) -> None:
        """The ID has to last, because somebody keeps something under it."""
        if self.done is NOTHING_DONE:
            self.done = KEPT
        elif not self.done.kept:
            self.note(kept=True)

    def note(self, **what: Any) -> None:
        """More that was done."""
        self.done = self.done._replace(**what)

    def new_salt(self, namespace: str, keep_values: bool) -> None:
        """Give one namespace another ID.  Raises CookieTooLarge."""
        old = self.payload.sections.get(namespace, NO_SECTION)
        sections = dict(self.payload.sections)
        sections[namespace] = Section(
            sessionid.new_salt(), old.values if keep_values else NO_VALUES)
        payload = self.payload.replace(sections=sections)
        self._check_room(payload)
        self.payload = payload
        self.note(minted=self.done.minted | {namespace})

    def login(self, user: str, tokens: Iterable[str], by: str, again: bool = False) -> None:
        """
        Log a user in, by call or by the parent's idiom, whoever was before.

        Raises TypeError, ValueError, LoginNotAllowed, RevocationUnavailable,
        CookieTooLarge.
        """
        new = make_login(user, tokens, self.now, by)
        if not again and self._is_in(new):
            return
        at = max(self.now, self.policy.revocations.revoked_up_to(new.user) + 1)
        if at > self.now + MAX_AHEAD:
            raise RevocationUnavailable('this user was revoked many times in a row: a login '
                                        'is possible in a minute')
        payload = self._with_login(dataclasses.replace(new, at=at))
        with_previous = payload.replace(previous=self._previous(new))
        if fits(with_previous, self.policy.signer.room):
            payload = with_previous
        else:
            self._check_room(payload)
            log.warning('the cookie has no room to remember the ID from before the '
                        'login: what was kept under it is lost')
        if self.payload.login is not None:
            self._revoke_own()
        self._begin(payload)

    def _is_in(self, new: Login) -> bool:
        """Whether this user is in with these groups, and was not revoked since."""
        current = self.payload.login
        return (current is not None and current.user == new.user
                and set(current.tokens) == set(new.tokens) and not self.is_over())

    def is_over(self) -> bool:
        """Whether the login that is in was ended meanwhile.  Raises RevocationUnavailable."""
        current = self.payload.login
        return current is not None and self.policy.revocations.is_revoked(
            current.id, current.user, current.at)

    def logout(self) -> bool:
        """End the session everywhere; False if copies could not be revoked."""
        try:
            revoked = self._revoke_own()
        except RevocationUnavailable as error:
            revoked = False
            log.error('logged out, but copies of the cookie could not be '
                      'revoked: %s', error)
        self._begin(self._fresh())
        self.note(kept=False, ended=True)
        return revoked

    def revoke_user(self, user: str) -> None:
        """Void every login of a user up to now.  Raises RevocationUnavailable."""
        revocations = self.policy.revocations
        now = int(self.policy.clock())  # a long request may have seen logins come
        # a login just after an earlier call is dated one second after it
        up_to = max(now + REVOKE_AHEAD, min(revocations.revoked_up_to(user) + 1,
                                            now + NO_LOGIN_AHEAD))
        revocations.revoke_user(
            user, up_to, up_to + self.policy.signer.lifetime_seconds, now)

    def _revoke_own(self) -> bool:
        """Revoke the login of this session, if it has one."""
        old = self.payload.login
        if not self.done.login_changed:
            # the payload is a fresh one: whose login came is not known
            if self.status == Unavailable.status:
                raise RevocationUnavailable('the list does not answer')
            if self.status == Conflict.status:
                raise RevocationUnavailable('there were several, and which one is '
                                            'meant cannot be told')
        return old is None or self.policy.revocations.revoke_login(
            old.id, self.payload.absolute, self.now)

    def _begin(self, payload: Payload) -> None:
        """Another base ID: every namespace has another session."""
        self.payload = payload
        self.note(ended=False, login_changed=True)

    def _with_login(self, new: Login) -> Payload:
        """A fresh payload with a login, which is signed where logins are."""
        payload, keys = self._fresh(), self.policy.login_keys
        if keys is not None:
            new = keys.sign(new, payload)
        return payload.replace(login=new)

    def _fresh(self) -> Payload:
        now, policy = int(self.time), self.policy
        return Payload(
            sessionid.new_base_id(policy.generator), now, now,
            now + policy.signer.idle_seconds, now + policy.signer.lifetime_seconds)

    def _previous(self, new: Login) -> Previous | None:
        """The old base ID, kept from nobody to somebody (or for the same user)."""
        old = self.payload
        if old.login is not None:
            return old.previous if old.login.user == new.user else None
        return Previous(
            old.base_id, self.now + self.policy.signer.idle_seconds,
            frozenset(name for name, section in old.sections.items() if section.salt))

    def _check_room(self, payload: Payload) -> None:
        """Raises CookieTooLarge for what does not fit even without any value,
        so that dropping values always helps."""
        skeleton = payload.replace(values=NO_VALUES, sections={
            name: Section(section.salt, NO_VALUES)
            for name, section in payload.sections.items() if section.salt})
        if not fits(skeleton, self.policy.signer.room):
            raise too_large(skeleton, self.policy.signer.room)

    # -- what the browser is told -----------------------------------------

    @property
    def base_is_new(self) -> bool:
        return self.accepted is None or self.payload.base_id != self.accepted.base_id

    @property
    def changed(self) -> bool:
        """Whether there is more to say than the cookie that came says."""
        return self.payload is not self.accepted or bool(self.changes)

    def is_quiet(self) -> bool:
        """Whether this is the everyday case: there is nothing to tell the browser."""
        if self.changes:
            return False
        if self.done is NOTHING_DONE:
            return self.status == OK or (
                self.accepted is None and not self.policy.issue_always)
        return self.done is KEPT and self.status == OK

    def answer(self, public: bool) -> Payload | Answer:
        """
        What to tell the browser: a payload to send, or an Answer.

        ``public``: whether shared caches may keep the response.
        """
        done = self.done
        if self.status in UNSURE and not done.login_changed:
            if self.changes or done.minted:
                log.info('nothing is kept of a request with status %s', self.status)
            return NOTHING
        final = self.final()
        # under `unavailable` the browser's cookie may be good: no other is set
        if done.ended and (self.status == Unavailable.status
                           or not (done.kept or _has_values(final))):
            return DELETE if self.carried else NOTHING
        if self.accepted is not None:
            if final.says_the_same(self.accepted):
                return self._renewed(self.accepted, final, public)
            return final
        return self._fresh_answer(final)

    def _fresh_answer(self, final: Payload) -> Payload | Answer:
        """Whether a fresh ID goes out."""
        if self.policy.issue_always and self.issue is FREELY:
            return final   # the everyday case
        content = final.login is not None or self.done.kept or _has_values(final)
        if not (content or self.policy.issue_always):
            return NOTHING
        if self.issue is FREELY or (
                self.issue is LOGIN_ONLY and final.login is not None):
            return final
        if content:
            log.log(logging.INFO if final.login is None else logging.WARNING,
                    'nothing is kept of a request that came without a cookie and from '
                    'another site, or for a part of a page')
        return NOTHING

    def _renewed(self, accepted: Payload, final: Payload, public: bool) -> Payload | Answer:
        """The accepted payload, if it is to be sent again."""
        if self.status != RENEWED or public:
            return NOTHING
        if self.policy.signer.is_due(accepted, self.now):
            return final
        # signed with another secret: no time in it is extended for that
        return accepted

    def final(self) -> Payload:
        """The payload with the changes, dated now."""
        payload = self.payload
        if self.accepted is None and not self.changes and payload.previous is None:
            return payload  # it was made in this request
        now = self.now
        # a server with a fast clock may have created it a little ahead of us
        issued = now if now > payload.created else payload.created
        final = payload.dated(issued, issued + self.policy.signer.idle_seconds)
        if final.previous is not None and final.previous.until <= now:
            final.previous = None
        if self.changes:
            _make_changes(final, self.changes)
        return final

    # -- passes -----------------------------------------------------------

    def next_pass(self) -> SessionState:
        """The state with which the same environ starts again."""
        other = copy.copy(self)
        other.started = False
        return other

    def restore(self, earlier: SessionState) -> None:
        """Take back what was changed since ``earlier`` was copied from this, as
        when an attempt at an answer failed.  What was revoked stays revoked."""
        self.payload, self.done = earlier.payload, earlier.done
        self.changes = earlier.changes


def _make_changes(payload: Payload, changes: Changes) -> None:
    """Make the changes of values in a payload that nobody has seen yet."""
    # to copy a MappingProxyType takes thousands of instructions, also of nothing
    values = dict(payload.values) if payload.values else {}
    own: dict[str, dict[str, str]] = {}   # of the namespaces that changed any
    for (scope, key), value in changes.items():
        if scope is None:
            where = values
        elif scope in own:
            where = own[scope]
        else:
            where = own[scope] = dict(payload.sections.get(scope, NO_SECTION).values)
        if value is None:
            where.pop(key, None)
        else:
            where[key] = value
    payload.values = values
    if own:
        payload.sections = _with_values(payload.sections, own)


def _with_values(sections: Mapping[str, Section],
                 own: Mapping[str, Mapping[str, str]]) -> Mapping[str, Section]:
    """The sections with these values; those that have nothing left go."""
    result = dict(sections)
    for name, values in own.items():
        salt = sections.get(name, NO_SECTION).salt
        if salt or values:
            result[name] = Section(salt, values)
        else:
            result.pop(name, None)
    return result


def fits(payload: Payload, room: int) -> bool:
    """Whether a payload can be signed."""
    return (payload.section_count() <= MAX_SECTIONS
            and len(encoding.encode(payload)) <= room)


def without_values(payload: Payload, room: int) -> tuple[Payload, list[str]]:
    """
    The payload without its largest values, until it fits, and which went.

    What no application could live without, IDs and the login, stays.
    """
    values = dict(payload.values)
    sections = {name: (section.salt, dict(section.values))
                for name, section in payload.sections.items()}
    everything = [(values, key, f'{key} of the site') for key in values]
    everything += [(own, key, f'{key} of {name!r}')
                   for name, (_, own) in sections.items() for key in own]
    everything.sort(key=_value_size)
    dropped: list[str] = []
    while True:
        payload = payload.replace(values=values, sections={
            name: Section(salt, own) for name, (salt, own) in sections.items()
            if salt or own})
        if not everything or fits(payload, room):
            return payload, dropped
        where, key, label = everything.pop()
        del where[key]
        dropped.append(label)


def _value_size(place: tuple[dict[str, str], str, str]) -> int:
    where, key, _ = place
    return len(encoding.encode_text(where[key]))


def _has_values(payload: Payload) -> bool:
    return bool(payload.values) or any(
        section.values for section in payload.sections.values())
