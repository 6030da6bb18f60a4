"""
One signed cookie, one session ID, one login for many WSGI applications
=======================================================================

An heir of ``paste.auth.cookie``, after Ben Bangert's proposal of 2006: no
session middleware, only cookie middleware.  Each framework keeps its session
and loads it by ``environ['session.id']``.

The house, from the ground; imports only go down::

    errors      whose fault it is
    sessionid   the generator, and what is derived for each namespace
    encoding    the payload, as text and as an object
    keyring     secrets to keys
    cache       what was verified before
    signer      payload to cookie value and back
    headers     Cookie in, Set-Cookie out
    -- pure up to here
    seldom      what is logged once a minute at most
    filesystem  who else gets at a file
    login       who a user can be, and what a login is
    jws         logins that only one process can make
    revocation  which logins are void although they verify
    revocation_store, revocation_sqlite, revocation_redis
                ... for several processes
    state       what one request knows, and what the browser is told
    admission   whose session a request has
    control     what an application can do with its session
    environ     what an application sees, put in and read back
    section     one section of an ini file: its options, all its faults
    options     an option's text to its value
    sources     ... which file:, env: or generate: may name
    engines     ... which is a revocation list
    addresses   ... which is one
    profileserver  what an XML-RPC server says of a user
    -- WSGI from here
    cookie      the outer filter: session_cookie
    namespace   the inner filter: namespace
    requirelogin  lets only logged-in users in: require_login
    profile     who the user is, asked when that is read: profile
    -- for the people who run a site
    wiring      what an ini file puts around what
    filters     the filters in it, read and not made
    findings    ... all together, and what can be said of them
    rules_sections, rules_order, rules_sharing
                what can be wrong with them
    checkup     ... and what is
    inspection  what a cookie is, and why it is refused
    commands    ... and a few more; the only room that prints
    paster      what PasteScript finds of that, and template/
    -- beside all that
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
