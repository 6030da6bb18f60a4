"""
The corpus of attacks, against a server
=======================================

Sends the cases of ``attack_corpus`` over a socket, byte by byte, to a server that has
``development.ini``, and compares what the page says.
"""
import hashlib
import html
import http.client
import re
import socket
import time

import specified
from attack_corpus import BASE_IDS, LIFETIME, NAME, TIMEOUT, cases

PAGE = '/blog'      # an application in its own namespace, which shows what it sees
PATIENCE = 30       # seconds, for one answer


def attack(address, secret, chosen=None):
    """
    What is wrong, a sentence each, [] if nothing is; and the names of the cases that
    the server refused before we saw them.

    ``address``: host and port; ``secret``: the text of the site's; ``chosen``: cases,
    all that can be sent to a server if it is left out.
    """
    faults, refused = [], []
    for case in sendable() if chosen is None else chosen:
        answer = ask(address, case.cookie_header_bytes(time.time(), secret, PAGE))
        if answer is None:
            refused.append(case.name)
            if not case.server_may_refuse:
                faults.append(f'{case.name}: refused')
        else:
            faults += [f'{case.name}: {fault}' for fault in wrong(case, secret, *answer)]
    return faults, refused


def sendable():
    """The cases that a server can be sent, with nothing but its secret."""
    return [case for case in cases() if not case.needs and not case.direct_only]


def ask(address, cookie):
    """Status, Set-Cookie headers and page of one request; None if it was refused."""
    with socket.create_connection(address, PATIENCE) as connection:
        connection.sendall(b'GET %s HTTP/1.1\r\nHost: localhost\r\nCookie: %s\r\n'
                           b'Connection: close\r\n\r\n' % (PAGE.encode('ascii'), cookie))
        response = http.client.HTTPResponse(connection)
        try:
            response.begin()
            page = response.read().decode('utf-8', 'replace')
        except (http.client.HTTPException, ConnectionError):
            return None
        if 400 <= response.status < 500:
            return None
        return response.status, response.headers.get_all('Set-Cookie', []), page


def wrong(case, secret, status, set_cookies, page):
    """What is not as the case expects it, a sentence each."""
    if status != 200:
        yield f'answered {status}'
        return
    seen = seen_on(page)
    for what, expected in expected_of(case).items():
        if seen[what] != expected:
            yield f'{what} is {seen[what]!r}, not {expected!r}'
    if len(set_cookies) != (case.expect.status not in ('ok', 'conflict')):
        yield f'{len(set_cookies)} cookies are set'
    for header in set_cookies:
        if not is_harmless(header, secret):
            yield 'the cookie that is set is not a fresh one of nobody'


def seen_on(page):
    """What the application shows of the visitor."""
    aside = page.partition('<aside')[2]
    user = re.search('<strong>(.*?)</strong>', aside, re.DOTALL)
    status, fingerprint = re.findall('<dd><code>(.*?)</code>', aside)[:2]
    return {'user': user and html.unescape(user[1]), 'status': status,
            'session': None if 'made by this request' in aside else fingerprint}


def expected_of(case):
    user, session_id = case.expect.user, case.session_id(PAGE)
    return {'user': user and user.encode('latin-1').decode('utf-8'),
            'status': case.expect.status,
            'session': session_id and hashlib.sha256(
                b'demo page ' + session_id.encode('ascii')).hexdigest()[:8]}


def is_harmless(header, secret):
    """Whether a Set-Cookie has a fresh session without a login, and nothing else."""
    match = re.fullmatch(f'{NAME}=([A-Za-z0-9!&*+./:=@_~-]+); Path=/; HttpOnly; '
                         'SameSite=Lax; Secure', header)
    if match is None:
        return False
    key = {'secret': secret, 'cookie_name': NAME, 'domain': '', 'path': '/'}
    try:
        _, payload = specified.verify([key], match[1], time.time(), TIMEOUT, LIFETIME)
    except specified.Refused:
        return False
    return (payload['base_id'] not in BASE_IDS.values() and not payload['login']
            and not payload['values'] and not payload['sections'])
