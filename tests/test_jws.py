"""
jws.py: logins that only one process can make.

The door holds the private key, the shop the public one; both, and the
attacker, hold the cookie's secret.
"""
import base64
import hashlib
import hmac
import importlib
import json
import logging
import re
import subprocess
import sys
import threading

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

import paste_sessioncookie
from conftest import NAME, START, Clock, Probe, Visitor, login, logout, put, setting, validator
from paste_sessioncookie import (
    ConfigError, CookieTooLarge, LoginNotAllowed, Namespace, SessionCookieHandler,
    SessionCookieSigner, encoding, engines)
from paste_sessioncookie.encoding import Login, Payload
from paste_sessioncookie.errors import BadLogin
from paste_sessioncookie.jws import HEADER, LoginKeys
from paste_sessioncookie.revocation import MemoryRevocations
from paste_sessioncookie.sessionid import login_session

LIFETIME = 12 * 3600  # seconds
SECRET = 'shared by all who are in these tests, and by nobody else'


def private_pem(key, protection=None):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        protection or serialization.NoEncryption()).decode('ascii')


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo).decode('ascii')


KEY, OTHER_KEY = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PRIVATE, PUBLIC = private_pem(KEY), public_pem(KEY)
OTHER_PRIVATE, OTHER_PUBLIC = private_pem(OTHER_KEY), public_pem(OTHER_KEY)
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED448 = ed448.Ed448PrivateKey.generate()


@pytest.fixture
def make_site(make_site):
    """Sites of the same secret, which share one revocation list."""
    revocations = MemoryRevocations()

    def make(app, **options):
        return make_site(app, **{'secret': SECRET, 'revocations': revocations, **options})
    return make


@pytest.fixture
def door(make_site, probe):
    """The site of the process that logs users in."""
    return make_site(probe, login_private_key=PRIVATE)


@pytest.fixture
def shop(make_site, probe):
    """The site of a process that takes logins."""
    return make_site(probe, login_public_keys=[PUBLIC])


@pytest.fixture
def bob(door, probe):
    """A visitor who has logged in at the door."""
    probe.act = login('bob', ['staff'])
    visitor = Visitor(door)
    visitor.get()
    probe.act = None
    return visitor


def at(visitor, site):
    """The same browser, at another process."""
    visitor.app = validator(site)
    return visitor


def said(value):
    """What a cookie's value says, to anybody who has the secret."""
    return encoding.decode(value.split('.', 2)[2].rpartition('.')[0])


def forge(payload, jws=None, **changes):
    """The cookie of a payload, with any text for its login."""
    if jws is not None:
        changes['login'] = Login('', 0, '', '', (), jws)
    value = SessionCookieSigner(SECRET, cookie_name=NAME).sign(payload.replace(**changes))
    return f'{NAME}={value.decode("ascii")}'


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode('ascii')


def claims_of(token):
    part = token.split('.')[1]
    return json.loads(base64.urlsafe_b64decode(part + '=' * (-len(part) % 4)))


def text_of(claims):
    return json.dumps(claims, ensure_ascii=False, separators=(',', ':'))


def compact(claims, key=KEY, header='{"alg":"EdDSA","typ":"JWT"}'):
    """A JWS of any two texts, with a good signature."""
    signed = f'{b64url(header.encode())}.{b64url(claims.encode("utf-8", "surrogatepass"))}'
    return f'{signed}.{b64url(key.sign(signed.encode()))}'


def refused(visitor, probe, cookie, status='bad-login'):
    """Assert that this cookie is refused, and that the whole session goes with it."""
    visitor.cookie = cookie
    old = cookie.split('!')[0]
    response = visitor.get()
    assert response.status == '200 OK'
    assert (probe.control.status, probe.control.identity) == (status, None)
    assert 'REMOTE_USER' not in probe.environ and probe.control.new
    assert old not in (visitor.cookie or '')


# -- what works ------------------------------------------------------------------

def test_a_signed_login_is_seen_next_door(bob, shop, probe):
    """Who logs in at the door is known in a process that has the public key."""
    at(bob, shop).get()
    assert probe.control.status == 'ok'
    assert probe.control.identity == ('bob', ('staff',), START, '')
    assert probe.environ['REMOTE_USER'] == 'bob'
    assert probe.environ['REMOTE_USER_TOKENS'] == 'staff'
    assert probe.environ['AUTH_TYPE'] == 'cookie'


def test_the_door_takes_its_own(bob, probe):
    """The private key's public half counts, too."""
    bob.get()
    assert probe.control.identity.user == 'bob'


def test_the_claims(bob):
    """The login is a JWT with the usual names, and says nothing of the base ID."""
    payload = said(bob.value)
    token = payload.login.jws
    assert jwt.get_unverified_header(token) == {'alg': 'EdDSA', 'typ': 'JWT'}
    claims = claims_of(token)
    assert len(claims.pop('jti')) == 32
    assert claims == {
        'aud': NAME, 'by': '', 'exp': payload.absolute, 'groups': ['staff'], 'iat': START,
        'sid': login_session(payload.base_id), 'sub': 'bob'}
    assert payload.absolute == START + LIFETIME
    assert payload.base_id not in text_of(claims)


@pytest.mark.parametrize('user', ['Łukasz', 'a"b\\c/', '李\u2028<&>', '\U0001f422'])
def test_any_user(door, shop, probe, user):
    """Any text that is a user is one in a signed login, and in its namespace's name."""
    probe.act = login(user, ['"', '\\', '<&>'])
    space = Namespace(door.application, '/\xc5\xbc"\\', login=True)
    door.application = space
    visitor = Visitor(door)
    visitor.get()
    probe.act = None
    at(visitor, shop).get()
    assert probe.control.identity == (user, ('"', '\\', '<&>'), START, '/\xc5\xbc"\\')


def test_a_login_is_signed_once(bob, shop, make_site, probe, clock):
    """Renewals, values and new secrets, by whatever process, leave the JWS as it is."""
    token = said(bob.value).login.jws
    at(bob, shop)
    clock.move(16 * 60)
    bob.get()
    assert probe.control.status == 'renewed' and len(bob.set_cookies) == 1
    probe.act = put('shop.basket', '3')
    bob.get()
    assert len(bob.set_cookies) == 1 and said(bob.value).login.jws == token
    other = 'tomorrow, all of us have this secret instead of that'
    probe.act = None
    at(bob, make_site(probe, secret=other, accept_secrets=[SECRET], login_public_keys=PUBLIC))
    bob.get()
    assert len(bob.set_cookies) == 1 and f'!{token}!' in bob.cookie
    bob.get()
    assert (probe.control.status, probe.control.identity.user) == ('ok', 'bob')


def test_login_keys_change(bob, make_site, probe):
    """A new private key is rolled out like a secret: accepted first, then used."""
    both = make_site(probe, login_public_keys=[OTHER_PUBLIC, PUBLIC])
    new_door = make_site(probe, login_private_key=OTHER_PRIVATE.encode(),
                         login_public_keys=[PUBLIC])
    for site in both, new_door:
        at(bob, site).get()
        assert probe.control.identity.user == 'bob'
    probe.act = login('eve')
    bob.get()
    probe.act = None
    at(bob, both).get()
    assert probe.control.identity.user == 'eve'
    last = make_site(probe, login_public_keys=[PUBLIC])
    refused(at(bob, last), probe, bob.cookie)


def test_the_same_login_changes_nothing(bob, probe):
    """A login of the user who is in, at the door, is not signed again."""
    probe.act = login('bob', ['staff'])
    bob.get()
    assert not bob.set_cookies
    probe.act = login('bob', ['staff'], again=True)
    before = said(bob.value)
    bob.get()
    after = said(bob.value)
    assert before.login.jws != after.login.jws and before.base_id != after.base_id


def test_login_after_revoke(bob, shop, probe, clock):
    """A login just after revoke() is dated ahead, and is taken everywhere."""
    def act(environ):
        environ['session.control'].revoke('bob')
        environ['session.control'].login('bob', again=True)
    probe.act = act
    bob.get()
    probe.act = None
    at(bob, shop).get()
    assert probe.control.identity.at == START + 61
    clock.move(-60)
    refused(bob, probe, bob.cookie)


def test_revoke(bob, shop, door, probe):
    """All of a user's signed logins are void in all processes that share the list."""
    probe.act = lambda environ: environ['session.control'].revoke('bob')
    Visitor(door).get()
    probe.act = None
    copy = bob.cookie
    for site in shop, door:
        refused(at(bob, site), probe, copy, 'revoked')


@pytest.fixture(params=['memory', 'sqlite', 'redis'])
def shared(request, tmp_path):
    """The list as an ini file names it."""
    option = {'memory': 'memory', 'sqlite': f'sqlite:{tmp_path}/revoked.db'}.get(
        request.param) or request.getfixturevalue('redis_server').url
    found = engines.revocation(option, '')
    yield found
    if found != 'memory':
        found.close()


def log_bob_out(make_site, probe, act=logout, **common):
    """The payload that bob had before he logged out, and the sites' options.  Each
    call has login keys of its own, as the list in memory is the process's."""
    key = Ed25519PrivateKey.generate()
    door = make_site(probe, login_private_key=private_pem(key), **common)
    probe.act = login('bob')
    bob = Visitor(door)
    bob.get()
    copy = said(bob.value)
    probe.act = act
    bob.get()
    probe.act = None
    return copy, {**common, 'login_public_keys': [public_pem(key)]}


END = {'logout': logout, 'replaced': login('eve'),
       'revoked': lambda environ: environ['session.control'].revoke('bob')}


@pytest.mark.parametrize('end', END)
def test_a_new_secret_brings_no_login_back(make_site, probe, shared, end):
    """Where the secret was replaced at once, who has the new one cannot put a login that
    was ended under the old one into a cookie again."""
    copy, common = log_bob_out(make_site, probe, END[end], revocations=shared)
    new = 'another that all who are in these tests share, and nobody else'
    value = SessionCookieSigner(new, cookie_name=NAME).sign(copy).decode('ascii')
    shop = make_site(probe, **common, secret=new)
    refused(Visitor(shop), probe, f'{NAME}={value}', 'revoked')


def test_another_path_brings_no_login_back(make_site, probe, shared):
    """Nor at a filter whose cookie has other attributes."""
    copy, common = log_bob_out(
        make_site, probe, revocations=shared, cookie_name='site_session', path='/')
    value = SessionCookieSigner(SECRET, cookie_name='site_session', path='/shop').sign(copy)
    shop = make_site(probe, **{**common, 'path': '/shop'})
    refused(Visitor(shop), probe, f'site_session={value.decode("ascii")}', 'revoked')


def test_login_keys_change_and_bring_no_login_back(make_site, probe, shared):
    """While login keys change, a log-out counts in every process that takes the login,
    whichever of the keys it has, and after it."""
    keys = [Ed25519PrivateKey.generate() for _ in range(2)]
    private, public = map(private_pem, keys), [public_pem(key) for key in keys]
    old, new = (make_site(probe, login_private_key=each, login_public_keys=public,
                          revocations=shared) for each in private)
    both, first, last = (make_site(probe, login_public_keys=each, revocations=shared)
                         for each in (public, public[:1], public[1:]))
    for door, place, takes in [(old, both, (first, both)), (old, new, (first, new)),
                               (new, both, (old, last)), (new, last, (both, old))]:
        probe.act = login('bob')
        bob = Visitor(door)
        bob.get()
        copy, probe.act = bob.cookie, logout
        at(bob, place).get()
        assert probe.result is True
        probe.act = None
        for site in takes:
            refused(at(bob, site), probe, copy, 'revoked')


def test_memory_of_two_keys_warns_of_processes(make_site, probe, caplog):
    """The list in memory is one process's, with two keys as well."""
    site = make_site(probe, login_public_keys=[PUBLIC, OTHER_PUBLIC], revocations='memory')
    Visitor(site).get(**{'wsgi.multiprocess': True})
    assert 'revocation = memory, and the server runs several processes' in caplog.text


# -- processes without the private key ---------------------------------------------

@pytest.mark.parametrize('call', [lambda c: c.login('eve'), lambda c: c.revoke('bob'),
                                  lambda c: c.login('bob', ['staff'])])
def test_not_allowed(bob, shop, probe, call):
    """Without the private key nobody is logged in or revoked, and the option is named."""
    def act(environ):
        control = environ['session.control']
        assert control.may_login is False
        with pytest.raises(LoginNotAllowed, match='no login_private_key'):
            call(control)
        assert control.identity.user == 'bob'
    probe.act = act
    at(bob, shop).get()
    assert not bob.set_cookies


def test_may_login(door, shop, probe):
    """may_login tells where login() is allowed, in a namespace as well."""
    for site, allowed in ((door, True), (shop, False)):
        Visitor(site).get()
        assert probe.control.may_login is allowed
        for option in (True, False):
            site.application = Namespace(probe, 'x', login=option)
            Visitor(site).get()
            assert probe.control.may_login is (allowed and option)


def test_the_idiom_without_the_private_key(bob, shop, probe, caplog):
    """Setting REMOTE_USER logs nobody in there; an error says why."""
    probe.act = setting(REMOTE_USER='eve')
    at(bob, shop).get()
    [record] = caplog.records
    assert record.levelno == logging.ERROR and 'no login_private_key' in record.getMessage()
    assert 'eve' not in caplog.text and not bob.set_cookies
    probe.act = setting(REMOTE_USER_TOKENS='root')
    bob.get()
    probe.act = None
    bob.get()
    assert probe.control.identity == ('bob', ('staff',), START, '')


def test_the_idiom_in_a_namespace_of_its_own(bob, shop, probe, caplog):
    """Where REMOTE_USER is the application's own business, it stays that."""
    shop.application = Namespace(probe, 'x')
    probe.act = setting(REMOTE_USER='eve')
    at(bob, shop).get()
    assert not caplog.records and not bob.set_cookies


@pytest.mark.parametrize('act', [logout, setting(REMOTE_USER='')])
def test_logout_anywhere(bob, door, shop, probe, act):
    """Logging out needs no private key, and copies of the cookie are void."""
    copy = bob.cookie
    probe.act = act
    at(bob, shop).get()
    assert bob.cookie is None
    probe.act = None
    for site in shop, door:
        refused(at(bob, site), probe, copy, 'revoked')


# -- attacks by one who has the secret ----------------------------------------------

def test_a_plain_login(bob, shop, door, probe):
    """A login under the secret alone is nobody's, as is the session with it."""
    plain = Login('5d' * 16, START, '', 'bob', ('staff',))
    for site in shop, door:
        refused(at(bob, site), probe, forge(said(bob.value), login=plain))


def test_a_signed_login_where_logins_are_plain(bob, make_site, probe):
    """A filter without login keys takes no login that it cannot verify."""
    refused(at(bob, make_site(probe)), probe, bob.cookie)


def hs256(header, claims, secret):
    signed = f'{b64url(header.encode())}.{claims}'
    return f'{signed}.{b64url(hmac.digest(secret, signed.encode(), "sha256"))}'


def hs_header(name):
    return '{"alg":"%s","typ":"JWT"}' % name


RAW = KEY.public_key().public_bytes_raw()
EVIL = {'crv': 'Ed25519', 'kty': 'OKP', 'x': b64url(OTHER_KEY.public_key().public_bytes_raw())}

# header, claims and signature of a good login -> another login
FORGERIES = {
    'altered groups': lambda h, c, s: f'{h}.{altered(c, groups=["root"])}.{s}',
    'altered user': lambda h, c, s: f'{h}.{altered(c, sub="eve")}.{s}',
    'another key': lambda h, c, s: compact(text_of(claims_of(f'.{c}.')), OTHER_KEY),
    'no signature': lambda h, c, s: f'{h}.{c}.',
    'a short signature': lambda h, c, s: f'{h}.{c}.{s[:40]}',
    'a long signature': lambda h, c, s: f'{h}.{c}.{s}{s[:2]}AA',
    'zeros': lambda h, c, s: f'{h}.{c}.{b64url(bytes(64))}',
    'alg none': lambda h, c, s: f'{b64url(hs_header("none").encode())}.{c}.',
    'alg None, and the signature': lambda h, c, s: f'{b64url(hs_header("None").encode())}.{c}.{s}',
    'HS256 with the PEM': lambda h, c, s: hs256(hs_header('HS256'), c, PUBLIC.encode()),
    'HS256 with the PEM, stripped': lambda h, c, s: hs256(
        hs_header('HS256'), c, PUBLIC.strip().encode()),
    'HS256 with the raw key': lambda h, c, s: hs256(hs_header('HS256'), c, RAW),
    'HS256 under our header': lambda h, c, s: hs256(hs_header('EdDSA'), c, PUBLIC.encode()),
    'HS256 with the secret': lambda h, c, s: hs256(hs_header('HS256'), c, SECRET.encode()),
    'a key in the header': lambda h, c, s: compact(text_of(claims_of(f'.{c}.')), OTHER_KEY, text_of(
        {'alg': 'EdDSA', 'jwk': EVIL, 'typ': 'JWT'})),
    'a key elsewhere': lambda h, c, s: compact(text_of(claims_of(f'.{c}.')), OTHER_KEY, text_of(
        {'alg': 'EdDSA', 'jku': 'https://evil.example/keys', 'typ': 'JWT'})),
    'a key by name': lambda h, c, s: compact(text_of(claims_of(f'.{c}.')), OTHER_KEY, text_of(
        {'alg': 'EdDSA', 'kid': '../../dev/null', 'typ': 'JWT'})),
    'no claims': lambda h, c, s: f'{h}.e30.{s}',
    'the parts of another order': lambda h, c, s: f'{c}.{h}.{s}',
}


def altered(part, **changes):
    return b64url(text_of({**claims_of(f'.{part}.'), **changes}).encode())


@pytest.mark.parametrize('name', FORGERIES)
def test_forgeries(bob, shop, door, probe, name):
    """No login is accepted but those that the private key has signed."""
    payload = said(bob.value)
    token = FORGERIES[name](*payload.login.jws.split('.'))
    assert token != payload.login.jws
    for site in shop, door:
        refused(at(bob, site), probe, forge(payload, token))


# headers that the holder of the private key does not write, well signed
HEADERS = [
    '{"typ":"JWT","alg":"EdDSA"}', '{"alg":"EdDSA"}', '{"alg":"EdDSA","typ":"jwt"}',
    '{"alg":"EdDSA","kid":"1","typ":"JWT"}', '{"alg":"EdDSA","typ":"JWT" }', '{}', '[]', 'x',
    '{"alg":"EdDSA","b64":false,"crit":["b64"],"typ":"JWT"}',
    '{"alg":"EdDSA","crit":["exp"],"typ":"JWT"}', '{"alg":"Ed25519","typ":"JWT"}',
    '{"alg":"EdDSA","alg":"none","typ":"JWT"}', '{"alg":"none","alg":"EdDSA","typ":"JWT"}',
    '{"alg":"EdDSA","jwk":%s,"typ":"JWT"}' % text_of(EVIL), '{"alg":["EdDSA"],"typ":"JWT"}',
    '{"alg":"EdDSA","typ":"JWT","x5c":[]}', '{"alg":"EdDSA","typ":"JWT","zip":"DEF"}']


@pytest.mark.parametrize('header', HEADERS)
def test_another_header(bob, shop, probe, header):
    """There is one header; no other is taken, although its signature is good."""
    payload = said(bob.value)
    token = compact(text_of(claims_of(payload.login.jws)), header=header)
    refused(at(bob, shop), probe, forge(payload, token))


def test_a_payload_that_is_not_encoded(bob, shop, probe):
    """RFC 7797, b64 = false: the claims as they are do not get through."""
    payload = said(bob.value)
    header = b64url(b'{"alg":"EdDSA","b64":false,"crit":["b64"],"typ":"JWT"}')
    signature = b64url(KEY.sign(f'{header}.bob'.encode()))
    refused(at(bob, shop), probe, forge(payload, f'{header}.bob.{signature}'), 'malformed')


WRONG = [None, True, 1, 1.5, '', 'x', [], ['x'], {}, -1, 10**400]


@pytest.mark.parametrize('name', ['aud', 'by', 'exp', 'groups', 'iat', 'jti', 'sid', 'sub'])
def test_each_claim(bob, shop, probe, name):
    """Each claim must be there, be of its type, and be right, although well signed."""
    payload = said(bob.value)
    good = claims_of(payload.login.jws)
    visitor = at(bob, shop)
    refused(visitor, probe, forge(payload, compact(text_of(
        {key: good[key] for key in good if key != name}))))
    free = {'by': ['', 'x'], 'sub': ['x'], 'groups': [[], ['x']]}.get(name, [])
    for wrong in [each for each in WRONG if each not in free] + [
            [good[name]], *([float(good[name])] if name in ('exp', 'iat') else [])]:
        claims = text_of({**good, name: wrong})
        refused(visitor, probe, forge(payload, compact(claims)))
    refused(visitor, probe, forge(payload, compact(
        text_of(good)[:-1] + f',"{name}":{text_of(good[name])}}}')))
    visitor.cookie = forge(payload, compact(text_of(good)))
    visitor.get()
    assert probe.control.identity.user == 'bob'


@pytest.mark.parametrize('change', [
    lambda text: text + ' ', lambda text: '\ufeff' + text, lambda text: text.replace(':', ': '),
    lambda text: text.replace(',', ',\n'), lambda text: text.replace('bob', 'b\\u006fb'),
    lambda text: text.replace('bob', 'b\ud800b'), lambda text: text.replace('bob', 'b\\ud800b'),
    lambda text: text.replace('"bob"', 'NaN'), lambda text: text[:-1],
    lambda text: text[:-1] + ',"admin":true}', lambda text: text[:-1] + ',"nbf":1}',
    lambda text: f'[{text}]', lambda text: '[' * 1300, lambda text: '{"sub":' * 300,
    lambda text: text.replace('["staff"]', '["staff","staff"]'),
    lambda text: text.replace('["staff"]', '{"staff":1}'),
    lambda text: text.replace('bob', 'b\\u0000b'), lambda text: text.replace('bob', 'b\\nb'),
    lambda text: text.replace('"by":""', '"by":"\\n"'),
    lambda text: text.replace('"by":""', '"by":"\u0142"'),
    lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(',', ':')),
])
def test_other_texts(bob, shop, probe, change):
    """Claims have one text; no other is taken, although its signature is good."""
    payload = said(bob.value)
    claims = text_of(claims_of(payload.login.jws))
    refused(at(bob, shop), probe, forge(payload, compact(change(claims))))


def test_base64_is_strict(bob, shop, probe):
    """Bits that stand for nothing, padding and the other alphabet are malformed."""
    payload = said(bob.value)
    header, claims, signature = payload.login.jws.split('.')
    loose = signature[:-1] + chr(ord(signature[-1]) + 1)
    assert base64.urlsafe_b64decode(loose + '==') == base64.urlsafe_b64decode(signature + '==')
    visitor = at(bob, shop)
    for token in (f'{header}.{claims}.{loose}', f'{payload.login.jws}==', f'{header}.{claims}',
                  f'{header}.{claims}.{signature}.', f'.{claims}.{signature}', '..',
                  f'{header}..{signature}', f'{header}.{claims}.{signature[:-2]}~A',
                  f'{header}.{claims}a.{signature}' if len(claims) % 4 == 0
                  else f'{header}.{claims}.{signature[:-1]}'):
        refused(visitor, probe, forge(payload, token), 'malformed')


def test_into_another_session(bob, shop, door, probe):
    """A login of one session is none in another, be it the attacker's own."""
    token = said(bob.value).login.jws
    probe.act = login('eve')
    eve = Visitor(door)
    eve.get()
    probe.act = None
    refused(at(eve, shop), probe, forge(said(eve.value), token))
    anonymous = Visitor(shop)
    anonymous.get()
    refused(anonymous, probe, forge(said(anonymous.value), token,
                                    absolute=said(eve.value).absolute))


def test_into_another_site(bob, make_site, probe):
    """A login of one cookie is none in another, although keys and secret are the same."""
    payload = said(bob.value)
    signer = SessionCookieSigner(SECRET, cookie_name='__Host-other')
    visitor = Visitor(make_site(probe, cookie_name='__Host-other',
                                login_public_keys=[PUBLIC]))
    refused(visitor, probe, f'__Host-other={signer.sign(payload).decode()}')


@pytest.mark.parametrize('changes', [
    {'absolute': START + LIFETIME + 1}, {'absolute': START + 10**9},
    {'absolute': START + LIFETIME - 1}, {'created': START + 1, 'issued': START + 1},
    {'base_id': 'ab' * 20}, {'base_id': 'ab' * 16}], ids=repr)
def test_a_session_that_is_made_another(bob, shop, probe, changes):
    """Neither the ID, nor the beginning, nor the end of a login's session can be changed."""
    refused(at(bob, shop), probe, forge(said(bob.value), **changes))


def test_no_login_outlives_its_session(bob, shop, probe, clock):
    """Whatever times the attacker writes, the login ends with the lifetime it began with."""
    payload = said(bob.value)
    at(bob, shop)
    clock.move(LIFETIME - 1)
    late = int(clock())
    bob.cookie = forge(payload, issued=late, idle=late + 1800)
    bob.get()
    assert probe.control.identity.user == 'bob'
    clock.move(1)
    refused(bob, probe, forge(payload, issued=late, idle=late + 1800), 'expired-absolute')
    for changes in ({'absolute': late + LIFETIME}, {'created': late, 'absolute': late + LIFETIME}):
        refused(bob, probe, forge(
            payload, **{'created': START + 1, 'issued': late, 'idle': late + 1800, **changes}))


def test_a_shorter_lifetime_counts(bob, make_site, probe, clock):
    """The options of the running configuration limit a signed login as any other."""
    at(bob, make_site(probe, lifetime=10, login_public_keys=[PUBLIC])).get()
    assert probe.control.identity.user == 'bob'
    clock.move(600)
    refused(bob, probe, bob.cookie, 'expired-absolute')


def test_not_before(bob, make_site, probe):
    """A session from before not_before is void, whatever its login is."""
    site = make_site(probe, not_before=START + 1, login_public_keys=[PUBLIC])
    refused(at(bob, site), probe, bob.cookie, 'revoked')
    Visitor(site).get()
    assert probe.control.status == 'new'


def test_an_anonymous_session_needs_no_key(shop, door, probe):
    """Who is nobody has a session in every process."""
    visitor = Visitor(shop)
    visitor.get()
    for site in shop, door:
        at(visitor, site).get()
        assert (probe.control.status, probe.control.identity) == ('ok', None)


def test_a_login_that_was_replaced(bob, door, shop, probe):
    """The login from before another one is void in all processes that share the list."""
    copy = bob.cookie
    probe.act = login('eve')
    bob.get()
    probe.act = None
    for site in shop, door:
        refused(at(bob, site), probe, copy, 'revoked')


def mutated_site():
    probe = Probe()
    site = SessionCookieHandler(probe, secret=SECRET, clock=Clock(), revocations='none',
                                login_private_key=PRIVATE)
    probe.act = login('bob', ['staff'])
    visitor = Visitor(site)
    visitor.get()
    probe.act = None
    return visitor, probe, said(visitor.value)


MUTATED = mutated_site()
LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
mutations = st.lists(st.tuples(
    st.integers(0, 2), st.integers(0, 10**4), st.integers(0, 3),
    st.text(LETTERS, max_size=4) | st.characters(max_codepoint=0x7e, min_codepoint=0x21,
                                                 blacklist_characters='!,;').map(str)),
    min_size=1, max_size=4)


@settings(max_examples=300)
@given(mutations)
def test_mutated(changes):
    """Whatever is done to the parts of a good JWS, nobody is logged in, and nothing fails."""
    visitor, probe, payload = MUTATED
    parts = payload.login.jws.split('.')
    for part, where, drop, text in changes:
        old = parts[part]
        where %= len(old) + 1
        parts[part] = old[:where] + text + old[where + drop:]
    token = '.'.join(parts)
    if token not in ('', payload.login.jws):
        visitor.cookie = forge(payload, token)
        assert visitor.get().status == '200 OK'
        assert probe.control.status in ('bad-login', 'malformed')
        assert probe.control.identity is None and 'REMOTE_USER' not in probe.environ


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**13) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                max_size=3), max_leaves=6)


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(sorted(claims_of(MUTATED[2].login.jws))), json_values,
                       min_size=1, max_size=3))
def test_any_claims(changes):
    """A well signed login of other claims is refused, or says what they say."""
    visitor, probe, payload = MUTATED
    claims = {**claims_of(payload.login.jws), **changes}
    visitor.cookie = forge(payload, compact(text_of(claims)))
    assert visitor.get().status == '200 OK'
    if probe.control.status in ('ok', 'renewed'):
        identity = probe.control.identity
        assert text_of({**claims_of(payload.login.jws), **{
            'sub': identity.user, 'groups': identity.tokens, 'iat': identity.at,
            'by': identity.by}, 'jti': claims['jti']}) == text_of(claims)
    else:
        assert (probe.control.status, probe.control.identity) == ('bad-login', None)


# -- what was verified before ----------------------------------------------------

SESSION = Payload('ab' * 20, START, START, START + 5, START + 9, None, {}, None, {})


def test_what_was_verified_is_remembered():
    """A login is verified once; whose session it is, is looked at each time."""
    keys = LoginKeys(PRIVATE, [], NAME)
    made = keys.sign(Login('5d' * 16, START, '', 'bob', ()), SESSION)
    for _ in range(3):
        assert keys.verify(made, SESSION) == made
        for changes in {'base_id': 'cd' * 20}, {'absolute': START + 10}:
            with pytest.raises(BadLogin):
                keys.verify(made, SESSION.replace(**changes))
    assert [token for token, _ in keys._verified.values()] == [made.jws]


def test_nothing_is_remembered():
    """That can be turned off, with what else is remembered of visitors."""
    keys = LoginKeys(PRIVATE, [], NAME, cache_verified=False)
    made = keys.sign(Login('5d' * 16, START, '', 'bob', ()), SESSION)
    assert keys.verify(made, SESSION) == made and not keys._verified
    site = SessionCookieHandler(None, secret='s' * 32, login_private_key=PRIVATE, cache_verified=False)
    assert site.policy.login_keys._verified._most_texts == 0


def test_failures_are_not_remembered():
    """A login that was refused takes no room, and is looked at again."""
    keys = LoginKeys(PRIVATE, [], NAME)
    bad = Login('', 0, '', '', (), f'{HEADER}.e30.{b64url(bytes(64))}')
    for _ in range(3):
        with pytest.raises(BadLogin):
            keys.verify(bad, SESSION)
    assert not keys._verified


def test_a_remembered_login_expires(bob, shop, probe, clock):
    """A login that was verified before is refused when its time is over, or not come."""
    payload = said(bob.value)
    at(bob, shop).get()
    clock.move(-121)
    refused(bob, probe, forge(payload, created=START - 121, issued=START - 121))
    clock.move(121 + LIFETIME)
    refused(bob, probe, forge(payload, issued=START + LIFETIME, idle=START + LIFETIME + 9),
            'expired-absolute')


def test_what_was_verified_is_found_with_its_cookie(bob, shop, probe, monkeypatch):
    """The next request with a cookie has what the first one found out, its ID as well."""
    looked_at = []
    monkeypatch.setattr(LoginKeys, 'verify', lambda *those, verify=LoginKeys.verify: (
        looked_at.append(those) or verify(*those)))
    found = [(at(bob, shop).get() and probe.control.identity.user, probe.environ['session.id'],
              probe.control.state.payload) for _ in range(3)]
    assert found[0][:2] == found[1][:2] == found[2][:2] and len(looked_at) == 1
    assert found[0][2] is found[1][2] is found[2][2]


def test_what_is_found_with_its_cookie_expires(bob, shop, probe, clock):
    """The time of a login that was verified with this very cookie is looked at each time."""
    payload = said(bob.value)
    begun = START - 121  # the login lies so far ahead of its session
    bob.cookie = cookie = forge(payload, created=begun, issued=begun, idle=START + 9)
    at(bob, shop).get()
    assert probe.control.identity.user == 'bob'
    clock.move(-121)
    refused(bob, probe, cookie)


@pytest.mark.parametrize('order', [[0, 1, 0, 1], [1, 0, 1, 0]])
def test_filters_with_one_signer_and_their_own_login_keys(bob, probe, clock, order):
    """What one filter's keys have verified, another filter's keys have not."""
    signer = SessionCookieSigner(SECRET, cookie_name=NAME)
    sites = [SessionCookieHandler(probe, NAME, signer=signer, clock=clock, login_public_keys=[key])
             for key in (PUBLIC, OTHER_PUBLIC)]
    cookie = bob.cookie
    for number in order:
        bob.cookie = cookie
        at(bob, sites[number]).get()
        assert probe.control.status == ('ok', 'bad-login')[number]


def test_a_changed_payload_is_verified_anew():
    """What was found out of a payload is not true of one that was made of it."""
    keys = LoginKeys(PRIVATE, [], NAME)
    made = keys.sign(Login('5d' * 16, START, '', 'bob', ()), SESSION)
    payload = SESSION.replace(login=made)
    assert keys.verified(made, payload) == (made, payload)
    for changes in {'base_id': 'cd' * 20}, {'absolute': START + 10}:
        with pytest.raises(BadLogin):
            keys.verified(made, payload.replace(**changes))


def test_the_session_has_another_label():
    """The claim sid is no session ID of any namespace."""
    digest = hashlib.sha256(b'paste_sessioncookie login 1' + b'ab' * 20).hexdigest()
    assert login_session('ab' * 20) == digest[:40]


# -- discretion ----------------------------------------------------------------

def test_no_token_is_shown(bob, shop, probe, caplog, make_site):
    """A signed login is a bearer credential: no log line, no repr has a part of it."""
    caplog.set_level(logging.DEBUG)
    payload = said(bob.value)
    token = payload.login.jws
    refused(at(bob, shop), probe, forge(payload, token[:-4] + 'AAAA'))
    refused(at(bob, make_site(probe)), probe, forge(payload))
    at(bob, shop).cookie = forge(payload)
    bob.get()
    shown = [caplog.text, repr(payload), repr(payload.login), repr(probe.control),
             repr(probe.control.state.payload.login), repr(probe.control.identity)]
    for part in token.split('.')[1:] + [PRIVATE[40:70]]:
        assert part[:12] not in ''.join(shown)
    assert 'bad-login' in caplog.text


def test_too_large(make_site, probe):
    """What a signed login takes is counted, and nothing of it is shown."""
    def act(environ):
        with pytest.raises(CookieTooLarge) as raised:
            environ['session.control'].login('bob', [f'group-{n}' for n in range(40)])
        assert raised.value.sizes['login'] > 500
        assert 'eyJ' not in str(raised.value)
        for entry in raised.traceback[1:]:
            assert not re.search('eyJ|[0-9a-f]{32}', repr(entry.frame.raw.f_locals))
        environ['session.control'].login('bob')
    probe.act = act
    visitor = Visitor(make_site(probe, login_private_key=PRIVATE, maxlen=850))
    visitor.get(), visitor.get()
    assert probe.control.identity.user == 'bob'


# -- one filter inside another ---------------------------------------------------

def test_one_inside_another_joins_it(door, make_site, probe):
    """Two filters with the same login keys, in any order, are one."""
    inner = make_site(probe, login_public_keys=[OTHER_PUBLIC, PUBLIC])
    outer = make_site(inner, login_public_keys=[PUBLIC, OTHER_PUBLIC, PUBLIC])
    Visitor(outer).get()
    assert probe.control.status == 'new'


@pytest.mark.parametrize('inside', [
    {}, {'login_public_keys': [OTHER_PUBLIC]}, {'login_private_key': PRIVATE},
    {'login_public_keys': [PUBLIC, OTHER_PUBLIC]}], ids=['plain', 'other', 'private', 'more'])
def test_one_inside_another_with_other_keys(make_site, probe, inside):
    """Two filters whose login keys differ are an error that says so."""
    inner = make_site(probe, **inside)
    with pytest.raises(ConfigError, match='login keys') as raised:
        Visitor(make_site(inner, login_public_keys=[PUBLIC])).get()
    assert str(raised.value).count(repr(NAME)) == 2


def test_one_inside_another_that_signs_with_another_key(make_site, probe):
    """Two filters that take the same logins, and make different ones, are no pair."""
    inner = make_site(probe, login_private_key=PRIVATE, login_public_keys=[OTHER_PUBLIC])
    with pytest.raises(ConfigError, match='login keys'):
        Visitor(make_site(inner, login_private_key=OTHER_PRIVATE,
                          login_public_keys=[PUBLIC])).get()


# -- keys --------------------------------------------------------------------------

ENCRYPTED = private_pem(KEY, serialization.BestAvailableEncryption(b'password'))
PKCS1 = RSA.private_bytes(serialization.Encoding.PEM,
                          serialization.PrivateFormat.TraditionalOpenSSL,
                          serialization.NoEncryption()).decode('ascii')
OPENSSH = KEY.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
                            serialization.NoEncryption()).decode('ascii')
DAMAGED = PRIVATE.replace('MC4', 'MC5')


@pytest.mark.parametrize('pem, message', [
    (private_pem(RSA), 'RSAPrivateKey; it takes Ed25519'),
    (private_pem(EC), 'PrivateKey; it takes Ed25519'),
    (private_pem(ED448), 'Ed448PrivateKey; it takes Ed25519'),
    (private_pem(x25519.X25519PrivateKey.generate()), 'X25519PrivateKey; it takes Ed25519'),
    (PUBLIC, 'goes into login_public_keys'), (ENCRYPTED, 'encrypted'),
    (PKCS1, 'keypair login.pem'), (OPENSSH, 'keypair login.pem'), (PRIVATE + PUBLIC, 'it takes one'),
    (DAMAGED, 'cannot be read'), (PRIVATE[:60] + PRIVATE[-28:], 'cannot be read'),
    ('', 'keypair login.pem'), (b'\xff\xfe', 'keypair login.pem'), ('\ud800', 'keypair login.pem'),
    (7, 'not int'), ([PRIVATE], 'not list')], ids=lambda value: '')
def test_no_private_key(pem, message):
    """What is no Ed25519 private key is refused, and nothing of it is shown."""
    with pytest.raises(ConfigError, match=f'login_private_key: .*{message}') as raised:
        SessionCookieHandler(None, login_private_key=pem)
    assert_hidden(pem, raised.value)


@pytest.mark.parametrize('pem, message', [
    (PRIVATE, 'this is a private key: every process that can read it'),
    (ENCRYPTED, 'this is a private key'), (PKCS1, 'this is a private key'),
    (OPENSSH, 'this is a private key'), (PUBLIC + PRIVATE, 'this is a private key'),
    (public_pem(RSA), 'RSAPublicKey; it takes Ed25519'),
    (public_pem(EC), 'PublicKey; it takes Ed25519'),
    (public_pem(ED448), 'Ed448PublicKey; it takes Ed25519'),
    (PUBLIC + OTHER_PUBLIC, 'it takes one Ed25519 public key'),
    (PUBLIC.replace('PUBLIC KEY', 'CERTIFICATE'), 'openssl pkey'),
    (PUBLIC[:50] + PUBLIC[-26:], 'cannot be read'), ('', 'openssl pkey'),
    (None, 'not NoneType')], ids=lambda value: '')
def test_no_public_key(pem, message):
    """What is no Ed25519 public key is refused, a private one loudly."""
    with pytest.raises(ConfigError, match=f'login_public_keys: .*{message}') as raised:
        SessionCookieHandler(None, login_public_keys=[PUBLIC, pem])
    assert_hidden(pem, raised.value)


@pytest.mark.parametrize('empty', [[], (), '', b''])
def test_an_empty_list_is_no_list(empty):
    """No keys at all are refused: nobody wants plain logins by mistake."""
    with pytest.raises(ConfigError, match='login_public_keys: it takes at least one key'):
        SessionCookieHandler(None, login_public_keys=empty)
    SessionCookieHandler(None, login_public_keys=empty, login_private_key=PRIVATE)


def assert_hidden(pem, error):
    assert error.__cause__ is None
    for line in str(pem).splitlines():
        assert line.startswith('-----') or len(line) < 9 or line[3:] not in str(error)


def test_all_faults_at_once():
    """Faults of both arguments are reported with those of the others."""
    with pytest.raises(ConfigError) as raised:
        SessionCookieHandler(None, login_private_key=PUBLIC, login_public_keys=[PRIVATE, ''],
                             issue='never')
    assert [fault.partition(':')[0].partition(' ')[0] for fault in raised.value.faults] == [
        'issue', 'login_private_key', 'login_public_keys', 'login_public_keys']


# -- the extra ---------------------------------------------------------------------

def test_without_the_extra(monkeypatch):
    """Without PyJWT or cryptography the error says what to install."""
    for missing in ('jwt', 'cryptography.hazmat.primitives.serialization'):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            patch.delitem(sys.modules, 'paste_sessioncookie.jws')
            patch.delattr(paste_sessioncookie, 'jws')
            with pytest.raises(ConfigError, match=r'pip install "paste_sessioncookie\[login\]"'):
                SessionCookieHandler(None, login_public_keys=[PUBLIC])
    importlib.import_module('paste_sessioncookie.jws')


def test_without_the_options():
    """Where the options are not used, nothing that they need is imported."""
    code = ('import sys; from paste_sessioncookie import cookie, namespace, login\n'
            f'site = cookie.make_session_cookie(print, {{}}, secret={SECRET!r})\n'
            'namespace.make_namespace(site, {})\n'
            'assert not {"jwt", "cryptography", "paste_sessioncookie.jws"} & set(sys.modules)')
    subprocess.run([sys.executable, '-c', code], check=True, timeout=60)


def test_threads():
    """Many threads may verify at once."""
    keys, seen = LoginKeys(PRIVATE, [], NAME), []
    made = [keys.sign(Login('5d' * 16, START, '', f'u{n}', ()), SESSION) for n in range(20)]

    def work():
        seen.extend(keys.verify(each, SESSION) for each in made * 3)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(seen) == 240 and all(each in made for each in seen)
