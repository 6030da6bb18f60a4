"""
Peers: other signed cookies, doing the same
===========================================

Each is a scheme (:mod:`workloads`), with the functions that its own middleware
calls: so it is charged for reading and writing its cookie, and not for what
else it does.  The parent, ``paste.auth.auth_tkt`` and Beaker are middleware
and nothing else, and run as they are.

Those that have no place for an ID carry it as a value.  AuthTkt has one text
besides user and groups: ID and value, joined.
"""
from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import measure
from paste.auth import auth_tkt
from paste.auth import cookie as parent
from workloads import (
    BASE, ID, KILOBYTE, NAME, NOW, SECRET, USER, Application, Environ, MakeCase, Scheme,
    Session, StartResponse, application, cases_of, fresh_environ, requests, spoil,
    writing_application)

Cases = dict[str, MakeCase]

DAYS_14 = 14 * 86400  # seconds: the default of most


def itsdangerous() -> Scheme:
    """The bare signer, around JSON in base64."""
    from http.cookies import SimpleCookie

    from itsdangerous import BadSignature, URLSafeTimedSerializer
    serializer = URLSafeTimedSerializer(SECRET)

    def read(environ: Environ) -> Session | None:
        found = SimpleCookie(environ['HTTP_COOKIE']).get(NAME)
        try:
            return found and serializer.loads(found.value, max_age=DAYS_14)
        except BadSignature:
            return None

    return Scheme(read, serializer.dumps)


def starlette() -> Scheme:
    """What SessionMiddleware does; since 0.50 or so it signs only what was changed."""
    from itsdangerous import BadSignature, TimestampSigner
    from starlette.requests import cookie_parser
    signer = TimestampSigner(SECRET)

    def read(environ: Environ) -> Session | None:
        data = cookie_parser(environ['HTTP_COOKIE']).get(NAME)
        try:
            return data and json.loads(base64.b64decode(
                signer.unsign(data.encode('utf-8'), max_age=DAYS_14)))
        except BadSignature:
            return None

    def write(session: Session) -> str:
        data = base64.b64encode(json.dumps(session).encode('utf-8'))
        return signer.sign(data).decode('utf-8')

    return Scheme(read, write)


def flask() -> Scheme:
    """SecureCookieSessionInterface, which makes its serializer for each request."""
    from flask import Flask
    from flask.sessions import SecureCookieSessionInterface
    from itsdangerous import BadSignature
    from werkzeug.http import parse_cookie
    app = Flask('bench')
    app.secret_key = SECRET
    serializer = SecureCookieSessionInterface().get_signing_serializer

    def read(environ: Environ) -> Session | None:
        value = parse_cookie(environ).get(NAME)
        try:
            return value and serializer(app).loads(value, max_age=31 * 86400)
        except BadSignature:
            return None

    def write(session: Session) -> str:
        return serializer(app).dumps(session)

    return Scheme(read, write)


def django() -> Scheme:
    """What the signed_cookies session engine does."""
    from django.conf import settings
    from django.core import signing
    from django.http.cookie import parse_cookie
    if not settings.configured:
        settings.configure(SECRET_KEY=SECRET)
    salt = 'django.contrib.sessions.backends.signed_cookies'

    def read(environ: Environ) -> Session | None:
        value = parse_cookie(environ['HTTP_COOKIE']).get(NAME)
        try:
            return value and signing.loads(value, salt=salt, max_age=DAYS_14)
        except signing.BadSignature:
            return None

    def write(session: Session) -> str:
        return signing.dumps(session, salt=salt, compress=True)

    return Scheme(read, write)


def pyramid() -> Scheme:
    """SignedCookieSessionFactory.  ``reissue_time=None``: by default it would
    also sign each response."""
    from pyramid.request import Request
    from pyramid.session import JSONSerializer, SignedCookieSessionFactory
    from webob.cookies import SignedSerializer
    factory = SignedCookieSessionFactory(SECRET, NAME, reissue_time=None)
    # SignedCookieSessionFactory's own defaults
    serializer = SignedSerializer(SECRET, 'pyramid.session.', 'sha512',
                                  serializer=JSONSerializer())

    def read(environ: Environ) -> Mapping[str, str] | None:
        return factory(Request(environ)) or None

    def write(session: Session) -> str:
        return serializer.dumps((NOW + 3600, NOW, session)).decode('ascii')

    return Scheme(read, write)


def pyramid_auth_tkt() -> Scheme:
    """AuthTktCookieHelper with SHA-512, its default in the policies."""
    from pyramid.authentication import AuthTicket, AuthTktCookieHelper
    from pyramid.request import Request
    helper = AuthTktCookieHelper(SECRET, NAME, hashalg='sha512')

    def read(environ: Environ) -> Session | None:
        return _from_ticket(helper.identify(Request(environ)))

    def write(session: Session) -> str:
        return AuthTicket(SECRET, session['user'], '0.0.0.0', user_data=_user_data(session),
                          hashalg='sha512').cookie_value()

    return Scheme(read, write)


def repoze_who() -> Scheme:
    """The plugin auth_tkt."""
    from repoze.who._auth_tkt import AuthTicket
    from repoze.who.plugins.auth_tkt import AuthTktCookiePlugin
    plugin = AuthTktCookiePlugin(SECRET, NAME)

    def read(environ: Environ) -> Session | None:
        identity = plugin.identify(environ)
        if identity is None:
            return None
        user = identity['repoze.who.plugins.auth_tkt.userid']
        session_id, _, value = environ['REMOTE_USER_DATA'].partition('|')
        return {'user': user, 'id': session_id, 'value': value}

    def write(session: Session) -> str:
        return AuthTicket(SECRET, session['user'], '0.0.0.0', user_data=_user_data(session),
                          cookie_name=NAME).cookie_value()

    return Scheme(read, write)


def _user_data(session: Session) -> str:
    value = base64.b64encode(session['value'].encode('latin-1')).decode('ascii')
    return f'{session["id"]}|{value}'


def _from_ticket(identity: Mapping[str, str] | None) -> Session | None:
    if identity is None:
        return None
    session_id, _, value = identity['userdata'].partition('|')
    return {'user': identity['userid'], 'id': session_id,
            'value': base64.b64decode(value).decode('latin-1')}


# -- middleware as it is -------------------------------------------------------

class PatchedSigner(parent.AuthCookieSigner):  # type: ignore[misc]
    """Just enough for Python 3: ``base64.decodestring`` is gone, and content
    is text outside and bytes inside."""

    def auth(self, cookie: str) -> str | None:
        decoded = base64.decodebytes(
            cookie.replace('_', '/').replace('~', '=').encode('ascii'))
        signature = decoded[:parent._signature_size]
        expires = decoded[parent._signature_size:parent._header_size]
        content = decoded[parent._header_size:]
        if signature == hmac.new(self.secret, content, parent.sha1).digest():
            if int(expires) > int(parent.make_time(time.time())):
                return content.decode('utf-8')
        return None


def patched_parent() -> Cases:
    """The parent keeps an ID as a value.  It signs with each response."""
    signer = PatchedSigner(SECRET.encode('ascii'))

    def content(value: str = '') -> str:
        return signer.sign(
            f'REMOTE_USER={USER};REMOTE_SESSION={parent.encode(ID + value)}').decode('ascii')

    def case(inside: Application, value: str) -> Callable[[], measure.Case]:
        return lambda: requests(parent.AuthCookieHandler(inside, NAME, signer=signer), [value])

    return {
        'paste.auth.cookie W0': case(application, ''),
        'paste.auth.cookie W1': case(application, content()),
        'paste.auth.cookie W2': case(writing_application, content()),
        'paste.auth.cookie W3': case(application, spoil(content())),
        'paste.auth.cookie W5': case(application, content(KILOBYTE)),
    }


def patched_auth_tkt() -> Cases:
    """Its reader takes bytes, and its request gives text."""
    original = auth_tkt.parse_ticket

    def parse_ticket(secret: str, ticket: str, *others: Any) -> Any:
        when, user, tokens, data = original(secret, ticket.encode('latin-1'), *others)
        return when, user, [token.decode() for token in tokens], data.decode('latin-1')

    def case(inside: Application, spoilt: bool = False, absent: bool = False,
             value: str = '') -> Callable[[], measure.Case]:
        def make() -> measure.Case:
            auth_tkt.parse_ticket = parse_ticket
            cookie = auth_tkt.AuthTicket(
                SECRET, USER, BASE['REMOTE_ADDR'],
                user_data=_user_data({'id': ID, 'value': value})).cookie_value()
            cookie = '' if absent else cookie.decode('ascii')
            cookie = spoil(cookie) if spoilt else cookie
            return requests(auth_tkt.AuthTKTMiddleware(
                inside, SECRET, NAME, current_domain_cookie=False, wildcard_cookie=False),
                [cookie])
        return make

    def log_in_again(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        environ['paste.auth_tkt.set_user'](USER, user_data=ID + '|list=compact')
        return application(environ, start_response)

    return {
        'paste.auth.auth_tkt W0': case(application, absent=True),
        'paste.auth.auth_tkt W1': case(application),
        'paste.auth.auth_tkt W2': case(log_in_again),
        'paste.auth.auth_tkt W3': case(application, spoilt=True),
        'paste.auth.auth_tkt W5': case(application, value=KILOBYTE),
    }


def beaker(kind: str, **options: Any) -> Cases:
    """``memory``: a session on the server, and a cookie with its signed ID;
    ``cookie``: the session in the cookie."""
    options = {'type': kind, 'key': NAME, 'httponly': True, **options}

    def keeping(value: str) -> Application:
        def keep(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            environ['beaker.session'].update(user=USER, id=ID, value=value)
            environ['beaker.session'].save()
            return application(environ, start_response)
        return keep

    def restoring(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        session = environ['beaker.session']
        environ['REMOTE_USER'] = session.get('user')
        environ['session.id'] = session.id
        return application(environ, start_response)

    def case(inside: Application, spoilt: bool = False, absent: bool = False,
             value: str = '') -> Callable[[], measure.Case]:
        def make() -> measure.Case:
            from beaker.middleware import SessionMiddleware
            cookies: list[str] = []

            def keep(status: str, headers: list[tuple[str, str]],
                     exc_info: Any = None) -> None:
                cookies.append(dict(headers)['Set-cookie'])

            SessionMiddleware(keeping(value), **options)(fresh_environ(''), keep)
            cookie = cookies[0].partition(';')[0].partition('=')[2]
            cookie = '' if absent else spoil(cookie) if spoilt else cookie
            return requests(SessionMiddleware(inside, **options), [cookie])
        return make

    name = f'beaker, {kind}'
    return {
        f'{name} W0': case(application, absent=True),
        f'{name} W1': case(restoring),
        f'{name} W2': case(keeping('list=compact')),
        f'{name} W3': case(restoring, spoilt=True),
        f'{name} W4': case(keeping(''), absent=True),
        f'{name} W5': case(restoring, value=KILOBYTE),
    }


PEERS: Cases = {
    **patched_parent(), **patched_auth_tkt(),
    **beaker('memory', secret=SECRET),
    **beaker('cookie', validate_key=SECRET, data_serializer='json'),
    **cases_of('starlette', starlette), **cases_of('itsdangerous', itsdangerous),
    **cases_of('flask', flask), **cases_of('django', django),
    **cases_of('pyramid', pyramid), **cases_of('pyramid auth_tkt', pyramid_auth_tkt),
    **cases_of('repoze.who auth_tkt', repoze_who),
}
