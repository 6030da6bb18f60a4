"""
One signed cookie, one session ID, one login for many WSGI applications
=======================================================================

An heir of ``paste.auth.cookie``, after Ben Bangert's proposal of 2006: no
session middleware, only cookie middleware.  Each framework keeps its session
and loads it by ``environ['session.id']``.

The house, from the ground; imports only go down::

    errors      whose fault it is
    encoding    the payload, as text and as an object
    sessionid   the generator, and what is derived for each namespace
    keyring     secrets to keys
    cache       what was verified before
    signer      payload to cookie value and back
    headers     Cookie in, Set-Cookie out
    -- pure up to here
    seldom      what is logged once a minute at most
    login       who a user can be, and what a login is
    jws         logins that only one process can make
    revocation  which logins are void although they verify
    revocation_store, revocation_sqlite, revocation_redis
                ... for several processes
    state       what one request knows, and what the browser is told
    admission   whose session a request has
    control     what an application can do with its session
    environ     what an application sees, put in and read back
    options     ini text to values
    profileserver  what an XML-RPC server says of a user
    -- WSGI from here
    cookie      the outer filter: session_cookie
    namespace   the inner filter: namespace
    requirelogin  lets only logged-in users in: require_login
    profile     who the user is, asked when that is read: profile
    frameworks/ adapters, a framework a file
    demo/       the applications of development.ini

Start with ``cookie.SessionCookieHandler.__call__``.
"""
from __future__ import annotations

from .control import SessionControl
from .cookie import SessionCookieHandler
from .environ import SessionCookieEnviron
from .errors import ConfigError, CookieTooLarge, LoginNotAllowed, RevocationUnavailable
from .namespace import Namespace
from .signer import SessionCookieSigner

__all__ = [
    'ConfigError', 'CookieTooLarge', 'LoginNotAllowed', 'Namespace',
    'RevocationUnavailable', 'SessionControl', 'SessionCookieEnviron',
    'SessionCookieHandler', 'SessionCookieSigner',
]
