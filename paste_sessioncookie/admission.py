"""
Admission: whose session a request has
======================================

A request brings any number of cookies under our name, good and bad.  One that
is good in full is admitted; whatever else it is, the visitor has a fresh
session, and a status that says why.
"""
from __future__ import annotations

from collections.abc import Sequence

from .encoding import Payload
from .errors import (
    BadCookie, BadLogin, Conflict, RevocationUnavailable, Revoked, Unavailable)
from .headers import MAX_CANDIDATES
from .login import MAX_AHEAD
from .signer import SessionCookieSigner
from .state import NEW, OK, RENEWED, Policy, SessionState


def admit(policy: Policy, candidates: Sequence[str], now: float) -> SessionState:
    """
    Whose session it is.

    ``candidates``: the different values of our cookie that came along.  Never
    raises for what a visitor sent.
    """
    if not candidates:
        return SessionState(policy, now, NEW)
    try:
        payload, due = (
            policy.signer.unsign(candidates[0], now) if len(candidates) == 1
            else _choose(policy.signer, candidates, now))
        if payload.login is not None or policy.not_before:
            payload = _unless_revoked(policy, payload, now)
    except BadCookie as refusal:
        return SessionState(policy, now, refusal.status)
    return SessionState(policy, now, RENEWED if due else OK, payload)


def _choose(signer: SessionCookieSigner, candidates: Sequence[str],
            now: float) -> tuple[Payload, bool]:
    """The one of several candidates that is accepted.  Raises one of the
    BadCookie family: the first one's fault, if none is."""
    if len(candidates) > MAX_CANDIDATES:
        raise Conflict('more than a browser could mean')
    accepted, refusals = [], []
    for value in candidates:
        try:
            accepted.append(signer.unsign(value, now))
        except BadCookie as refusal:
            refusals.append(type(refusal))
    if len(accepted) > 1:
        raise Conflict('more than one is good')
    if not accepted:
        raise refusals[0]()
    return accepted[0]


def _unless_revoked(policy: Policy, payload: Payload, now: float) -> Payload:
    """
    The payload, and its login as it was signed.

    Raises one of the BadCookie family if the login cannot be accepted, or the
    session was revoked.
    """
    created, current = payload.created, payload.login
    if created < policy.not_before:
        raise Revoked('made before not_before')
    if current is None:
        return payload
    # without keys a signed login is not read: its time is 0, and so refused below
    if policy.login_keys is not None:
        current, payload = policy.login_keys.verified(current, payload)
    at = current.at
    if not created <= at <= now + MAX_AHEAD:
        raise BadLogin('a time that cannot be')
    try:
        revoked = policy.revocations.is_revoked(current.id, current.user, at)
    except RevocationUnavailable as error:
        raise Unavailable(str(error)) from error
    if revoked:
        raise Revoked('logged out')
    return payload
