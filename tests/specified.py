"""
The cookie, as the specification has it
=======================================

A reader and a writer of the cookie, version 1, written from
``docs/specification.rst`` alone; it uses nothing of the package, nor of PyJWT.
"""
import base64
import hashlib
import hmac
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key, load_pem_public_key)


class Refused(Exception):
    """A cookie that is not accepted; the argument is the status."""


def frame(text):
    data = text.encode('utf-8')
    return len(data).to_bytes(4, 'big') + data


def derive(key, purpose):
    """The 32 bytes of a key, by HKDF."""
    info = b''.join(map(frame, (
        'paste_sessioncookie 1', purpose, key['cookie_name'], key['domain'], key['path'])))
    prk = hmac.new(bytes(32), key['secret'].encode('utf-8'), hashlib.sha256).digest()
    return hmac.new(prk, info + b'\x01', hashlib.sha256).digest()


def key_id(key):
    return derive(key, 'key id')[:4].hex()


def sign(key, payload, version='1'):
    """The value for the text of a payload, which may be of any form."""
    signed = '.'.join((version, key_id(key), payload))
    return f'{signed}.{tag(derive(key, "sign"), signed)}'


def tag(key, signed):
    return mac(key, signed).hex()


def mac(key, signed):
    return hmac.new(key, signed.encode('latin-1'), hashlib.sha256).digest()


def session_id(base_id, namespace, salt):
    name = namespace.encode('latin-1')
    return hashlib.blake2b(
        b'paste_sessioncookie session id 1'
        + len(name).to_bytes(4, 'big') + name
        + len(salt).to_bytes(4, 'big') + salt.encode('ascii')
        + base_id.encode('ascii'), digest_size=20).hexdigest()


EXCHANGED = {' ': '^', '"': '?', ',': ')', ';': '(', ':': '#', '=': '$', '&': '|'}
BACK = {there: here for here, there in EXCHANGED.items()}


def write_text(text):
    if re.fullmatch(r'[A-Za-z0-9._~/@+\[\]{} ",;:=&-]*', text):
        return ''.join(EXCHANGED.get(each, each) for each in text)
    return '*' + base64.urlsafe_b64encode(text.encode('latin-1')).decode().rstrip('=')


def read_text(text):
    """A text's native string."""
    native = ''.join(BACK.get(each, each) for each in text)
    if text.startswith('*'):
        try:
            padded = text[1:] + '=' * (-len(text[1:]) % 4)
            native = base64.urlsafe_b64decode(padded).decode('latin-1')
        except ValueError:
            raise Refused('malformed') from None
    if re.search('[\x00-\x1f\x7f]', native) or write_text(native) != text:
        raise Refused('malformed')
    return native


def write_values(values):
    return '&'.join(f'{write_text(key)}={write_text(values[key])}' for key in sorted(values))


def b64url(data):
    return base64.urlsafe_b64encode(data).decode('ascii').rstrip('=')


def from_b64url(text):
    try:
        data = base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
    except ValueError:
        raise Refused('malformed') from None
    if b64url(data) != text:
        raise Refused('malformed')
    return data


def login_session(base_id):
    label = b'paste_sessioncookie login 1'
    return hashlib.sha256(label + base_id.encode('ascii')).hexdigest()[:40]


def claims_text(login, payload, cookie_name):
    """The claims of a login, as RFC 8785 writes them."""
    return json.dumps({
        'aud': cookie_name, 'by': login['by'], 'exp': payload['absolute'],
        'groups': login['tokens'], 'iat': login['at'], 'jti': login['id'],
        'sid': login_session(payload['base_id']),
        'sub': login['user'].encode('latin-1').decode('utf-8'),
    }, ensure_ascii=False, separators=(',', ':'))


def sign_login(private_key, claims, header='{"alg":"EdDSA","typ":"JWT"}'):
    """The JWS of claims, which may be any text."""
    signed = '.'.join(b64url(each.encode('utf-8')) for each in (header, claims))
    key = load_pem_private_key(private_key.encode('ascii'), None)
    return f'{signed}.{b64url(key.sign(signed.encode("ascii")))}'


def is_signed(token, public_key):
    signed, _, signature = token.rpartition('.')
    try:
        load_pem_public_key(public_key.encode('ascii')).verify(
            from_b64url(signature), signed.encode('ascii'))
    except InvalidSignature:
        return False
    return True


def verify_login(public_keys, token, payload, cookie_name):
    """The login that a JWS says; the check 10 of the page."""
    header, claims, _ = map(from_b64url, token.split('.'))
    if header != b'{"alg":"EdDSA","typ":"JWT"}' or not any(
            is_signed(token, each) for each in public_keys):
        raise Refused('bad-login')
    try:
        found = json.loads(claims.decode('utf-8'))
        login = {'id': found['jti'], 'at': found['iat'], 'by': found['by'],
                 'user': found['sub'].encode('utf-8').decode('latin-1'),
                 'tokens': found['groups']}
        same = claims_text(login, payload, cookie_name) == claims.decode('utf-8')
        check_login(login)
    except (AttributeError, LookupError, TypeError, ValueError, Refused):
        raise Refused('bad-login') from None
    if not (same and type(login['at']) is int and re.fullmatch('[0-9a-f]{32}', login['id'])
            and not re.search('[^\x20-\x7e\x80-\xff]', login['by'] + login['user'])):
        raise Refused('bad-login')
    return login


def write(payload):
    """The text of a payload, as vectors.json has payloads."""
    login, previous = payload['login'], payload['previous']
    parts = [payload['base_id'], *(str(payload[each]) for each in TIMES), '',
             write_values(payload['values']), '']
    if isinstance(login, str):
        parts[5] = login
    elif login:
        parts[5] = ':'.join((
            login['id'], str(login['at']), write_text(login['by']), write_text(login['user']),
            '&'.join(map(write_text, login['tokens']))))
    if previous:
        parts[7] = '{}:{}:{}'.format(previous['base_id'], previous['until'], ''.join(
            '&' + write_text(name) for name in sorted(previous['salted'])))
    for name in sorted(payload['sections']):
        section = payload['sections'][name]
        parts.append(':'.join((
            write_text(name), section['salt'], write_values(section['values']))))
    return '!'.join(parts)


TIMES = ('created', 'issued', 'idle', 'absolute')
TEXT = r'[^!:&=]*'
VALUES = f'(?:{TEXT}={TEXT}(?:&{TEXT}={TEXT})*)?'
TIME = '[1-9][0-9]{0,11}'
PAYLOAD = re.compile('!'.join((
    '(?P<base_id>[0-9a-f]{32,128})',
    f'(?P<created>{TIME})', f'(?P<issued>{TIME})', f'(?P<idle>{TIME})',
    f'(?P<absolute>{TIME})',
    f'(?:(?P<login>[0-9a-f]{{32}}):(?P<at>{TIME}):(?P<by>{TEXT}):(?P<user>{TEXT}):'
    f'(?P<tokens>{TEXT}(?:&{TEXT})*)'
    '|(?P<jws>[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*))?',
    f'(?P<values>{VALUES})',
    f'(?:(?P<previous>[0-9a-f]{{32,128}}):(?P<until>{TIME}):(?P<salted>(?:&{TEXT})*))?',
)) + '(?P<sections>(?:![^!\x00-\x1f\x7f]*)*)')
SECTION = re.compile(f'({TEXT}):((?:[0-9a-f]{{16}})?):({VALUES})')


def read_values(text):
    pairs = [pair.split('=') for pair in text.split('&')] if text else []
    return {read_text(key): read_text(value) for key, value in pairs}


def read(text):
    """The payload of a text; the mirror of write()."""
    match = PAYLOAD.fullmatch(text)
    if match is None:
        raise Refused('malformed')
    payload = {'base_id': match['base_id'], **{each: int(match[each]) for each in TIMES},
               'login': None, 'values': read_values(match['values']), 'previous': None,
               'sections': {}}
    if match['login']:
        tokens = match['tokens'].split('&') if match['tokens'] else []
        payload['login'] = {
            'id': match['login'], 'at': int(match['at']), 'by': read_text(match['by']),
            'user': read_text(match['user']), 'tokens': [read_text(each) for each in tokens]}
        check_login(payload['login'])
    if match['jws']:
        for part in match['jws'].split('.'):
            from_b64url(part)
        payload['login'] = match['jws']
    if match['previous']:
        payload['previous'] = {
            'base_id': match['previous'], 'until': int(match['until']),
            'salted': [read_text(each) for each in match['salted'].split('&')[1:]]}
    # order, repeats: there is one text for a payload
    salted = payload['previous']['salted'] if payload['previous'] else []
    if (write(payload) + match['sections'] != text or match['sections'].count('!') > 32
            or len(set(salted)) < len(salted)):
        raise Refused('malformed')
    names = set()
    for section in match['sections'].split('!')[1:]:
        name = section.partition(':')[0]
        if name not in names:
            read_section(section, payload['sections'])
        if ':' in section:
            names.add(name)
    return payload


def read_section(text, sections):
    """One more section, if it is one."""
    match = SECTION.fullmatch(text)
    try:
        name, salt, values = read_text(match[1]), match[2], read_values(match[3])
    except (TypeError, Refused):
        return
    if (salt or values) and write_values(values) == match[3]:
        sections[name] = {'salt': salt, 'values': values}


def check_login(login):
    try:
        login['user'].encode('latin-1').decode('utf-8')
    except UnicodeDecodeError:
        raise Refused('malformed') from None
    tokens = login['tokens']
    if not login['user'] or len(set(tokens)) < len(tokens) or not all(
            re.fullmatch(r'[!-~]+', each) and ',' not in each for each in tokens):
        raise Refused('malformed')


def unsign(keys, value, now, timeout, lifetime, login_keys=()):
    """The payload of a value, and its login; the checks 1 to 8, 10 and 11 of the
    page, in order."""
    key, payload = verify(keys, value, now, timeout, lifetime)
    return payload, verify_login_of(payload, now, login_keys, key['cookie_name'])


def verify(keys, value, now, timeout, lifetime):
    """The key of a value, and its payload; the checks 1 to 8 of the page, in order."""
    if len(keys[0]['cookie_name']) + len(value) > 4096:
        raise Refused('too-large')
    match = re.fullmatch(r'1\.([^.]*)\.(.*)\..{64}', value, re.DOTALL)
    if match is None or not value.isascii():
        raise Refused('malformed')
    key = {key_id(each): each for each in keys}.get(match[1])
    if key is None:
        raise Refused('unknown-key')
    if not hmac.compare_digest(sign(key, match[2]), value):
        raise Refused('bad-signature')
    payload = read(match[2])
    if not payload['created'] <= payload['issued'] <= now + 60:
        raise Refused('malformed')
    if now >= min(payload['absolute'], payload['created'] + lifetime):
        raise Refused('expired-absolute')
    if now >= idle_end(payload, timeout):
        raise Refused('expired-idle')
    return key, payload


def idle_end(payload, timeout):
    return min(payload['idle'], payload['issued'] + timeout)


def verify_login_of(payload, now, login_keys, cookie_name):
    """The login of a payload; the checks 10 and 11 of the page, in order."""
    login = payload['login']
    if login and isinstance(login, str) is not bool(login_keys):
        raise Refused('bad-login')
    if isinstance(login, str):
        login = verify_login(login_keys, login, payload, cookie_name)
    if login and not payload['created'] <= login['at'] <= now + 120:
        raise Refused('bad-login')
    return login


def admit(keys, header, now, timeout, lifetime, login_keys=()):
    """The status of a Cookie header, and the login.  The first key is the current one."""
    name = keys[0]['cookie_name']
    found, good, refusals = candidates(header, name), [], []
    if len(found) > 8:
        return 'conflict', None
    for value in found:
        try:
            good.append(verify(keys, value, now, timeout, lifetime))
        except Refused as refusal:
            refusals.append(refusal.args[0])
    if len(good) != 1:
        return 'conflict' if good else refusals[0] if found else 'new', None
    [(key, payload)] = good
    try:
        login = verify_login_of(payload, now, login_keys, name)
    except Refused as refusal:
        return refusal.args[0], None
    half = payload['issued'] + (idle_end(payload, timeout) - payload['issued']) / 2
    return 'renewed' if now >= half or key is not keys[0] else 'ok', login


def candidates(header, name):
    """The different values of a name in a Cookie header."""
    found = []
    for pair in header.split(';'):
        pair = pair.strip(' \t')
        if pair.startswith(name + '='):
            found.append(pair[len(name) + 1:].partition(',')[0].strip(' \t'))
    return list(dict.fromkeys(found))
