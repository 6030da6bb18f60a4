"""
Flask-Login and the site's login
================================

What follows Flask-Login's signals, for :mod:`.flask`.  Always: a login, a login
from the remember-me cookie, a confirmed login and a log-out give the session a
new ID.  With ``publish``, logins and log-outs become the site's; with ``receive``,
the site's login logs the application's user in, when ``current_user`` is first
asked for.

A login that cannot be published, or gets no new ID, fails with the error: nobody
is logged in then.  Names of groups that can be no tokens are left out and logged.

Where the login is the site's, Flask-Login's remember-me cookie is neither set
nor read, and removed where it is found: a log-out next door cannot remove it,
so it would undo that.
"""
from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import flask_login
from flask import Flask, g, request
from flask import session as current_session

from ..errors import ConfigError
from ..login import Identity
from . import is_unsure, only_tokens, profile_of, site_user
from .flask import SiteSession

log = logging.getLogger('paste_sessioncookie')

SITE_USER = '_site_user'  # the session's key for whose login of the site this is


class SiteLogin:
    """
    The receivers of one application's signals.

    Constructor arguments: the application; ``publish``, ``receive`` and
    ``make_user`` as in the configuration.
    """

    def __init__(self, app: Flask, publish: Any, receive: Any, make_user: Any) -> None:
        self._publish = publish
        self._receive = receive
        self._make_user = make_user
        for signal, receiver in (
                (flask_login.user_accessed, self._accessed),
                (flask_login.user_logged_in, self._logged_in),
                (flask_login.user_loaded_from_cookie, self._renew),
                (flask_login.user_login_confirmed, self._renew),
                (flask_login.session_protected, self._protected),
                (flask_login.user_logged_out, self._logged_out)):
            signal.connect(receiver, sender=app)

    # -- what happens in Flask-Login ---------------------------------------

    def _renew(self, app: Flask, **more: object) -> None:
        """Somebody is more than he was before."""
        session = _session()
        with _or_nobody(app, session):
            _forget_forms(app, session)
            session.renew()

    def _logged_in(self, app: Flask, user: Any) -> None:
        session = _session()
        if session.receiving:
            return
        session.pop(SITE_USER, None)
        session.received = False
        if self._publish or self._receive:
            _do_not_remember(session)
        with _or_nobody(app, session):
            _forget_forms(app, session)
            if self._publish:
                self._log_in_everywhere(app, session, user)
            else:
                session.regenerate()

    def _log_in_everywhere(self, app: Flask, session: SiteSession, user: Any) -> None:
        name, tokens = self._name(app, user)
        control, before = session.record.control, session.sid
        control.login(name, tokens)
        session.record.move()
        if session.sid == before:  # he was in already
            session.regenerate()
        session[SITE_USER] = name

    def _name(self, app: Flask, user: Any) -> tuple[str, Iterable[str]]:
        if not callable(self._publish):
            return _user_id(app, user), ()
        named = self._publish(user)
        if isinstance(named, str):
            return named, ()
        name, tokens = named
        return name, only_tokens(tokens)

    def _logged_out(self, app: Flask, user: Any) -> None:
        session = _session()
        control = session.record.control
        if self._is_of_the_site(session):
            clear = session.get('_remember')
            session.received = False
            control.logout()
            if clear is not None:
                session['_remember'] = clear  # for Flask-Login, after the request
        elif user.is_authenticated:
            session.regenerate()

    def _is_of_the_site(self, session: SiteSession) -> bool:
        """Whether a log-out ends the site's login; the view may have cleared the
        session before."""
        control = session.record.control
        return (session.received or bool(self._publish) and control.identity is not None
                or bool(self._publish or self._receive) and is_unsure(control))

    def _protected(self, app: Flask, **more: object) -> None:
        """Flask-Login's ``strong`` protection has ended a login, the site's too."""
        session = _session()
        if SITE_USER in session and '_user_id' not in session:
            session.record.control.logout()

    # -- what happens next door --------------------------------------------

    def _accessed(self, app: Flask, **more: object) -> None:
        session = _session()
        if session.receiving or not (self._publish or self._receive):
            return
        name = app.config.get('REMEMBER_COOKIE_NAME', flask_login.COOKIE_NAME)
        if name in request.cookies:
            session['_remember'] = 'clear'
        if self._receive:
            session.receiving = True
            try:
                self._follow(app, session, site_user(request.environ))
            finally:
                session.receiving = False
            session.received = SITE_USER in session

    def _follow(self, app: Flask, session: SiteSession, identity: Identity | None) -> None:
        """Make the session's login that of the site."""
        received = session.get(SITE_USER)
        if received is not None and (identity is None or received != identity.user):
            session.end()  # its data is that user's
            _forget_login(app, session)
        elif received is not None and self._is_gone(app, session):
            _forget_login(app, session)
        if identity is not None and '_user_id' not in session:
            user = self._find(app, identity)
            if user is not None and flask_login.login_user(user):
                if session.record.control.identity is None:
                    self._renew(app)  # a user from outside: the ID is the old one
                session[SITE_USER] = identity.user

    def _is_gone(self, app: Flask, session: SiteSession) -> bool:
        """Whether Flask-Login does not find a user any more who can be had again."""
        manager = app.login_manager  # type: ignore[attr-defined]
        return ((self._make_user is not None or callable(self._receive))
                and '_user_id' in session
                and manager._user_callback(session['_user_id']) is None)

    def _find(self, app: Flask, identity: Identity) -> Any:
        """The application's user, or None."""
        if app.login_manager._user_callback is None:  # type: ignore[attr-defined]
            raise ConfigError('SITE_SESSION_RECEIVE: Flask-Login\'s LoginManager has no '
                              'user_loader')
        find = (self._receive if callable(self._receive)
                else app.login_manager._user_callback)  # type: ignore[attr-defined]
        user = find(identity.user)
        if user is None and self._make_user is not None:
            user = self._make_user(identity, profile_of(request.environ))
        return user


def _session() -> SiteSession:
    proxy: Any = current_session
    return cast(SiteSession, proxy._get_current_object())


def _user_id(app: Flask, user: Any) -> str:
    manager = app.login_manager  # type: ignore[attr-defined]
    return cast(str, getattr(user, manager.id_attribute)())


def _do_not_remember(session: SiteSession) -> None:
    """Take login_user(remember=True) back."""
    session.pop('_remember_seconds', None)
    if session.get('_remember') == 'set':
        del session['_remember']
        log.warning('login_user(remember=True): where the login is the site\'s, it is not '
                    'remembered here; see persistent, timeout and lifetime of the '
                    'session_cookie section')


def _forget_forms(app: Flask, session: SiteSession) -> None:
    """Flask-WTF's token is from before the login: somebody else may know it."""
    name = app.config.get('WTF_CSRF_FIELD_NAME', 'csrf_token')
    if name in session:
        del session[name]
        g.pop(name, None)


@contextmanager
def _or_nobody(app: Flask, session: SiteSession) -> Iterator[None]:
    """Let nobody be logged in by halves: Flask keeps the session of a failed view."""
    try:
        yield
    except Exception:
        _forget_login(app, session)
        raise


def _forget_login(app: Flask, session: SiteSession) -> None:
    """Nobody is logged in any more, as far as this session knows."""
    for key in ('_user_id', '_fresh', '_id', SITE_USER):
        session.pop(key, None)
    manager = app.login_manager  # type: ignore[attr-defined]
    manager._update_request_context_with_user()
