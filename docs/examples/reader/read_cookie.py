"""A reader of the cookie, version 1, in plain Python, from the specification alone."""
import base64
import hashlib
import hmac
import re


class Refused(Exception):
    """The cookie is not accepted; the argument is the status."""


def frame(data):
    return len(data).to_bytes(4, 'big') + data


def keys_of(secret, name, domain='', path='/'):
    """The key ID, and the key for the tag."""
    def derive(purpose):
        parts = ('paste_sessioncookie 1', purpose, name, domain, path)
        info = b''.join(frame(part.encode()) for part in parts)
        prk = hmac.digest(bytes(32), secret.encode(), 'sha256')
        return hmac.digest(prk, info + b'\1', 'sha256')
    return derive('key id')[:4].hex(), derive('sign')


def read(value, keys, now, timeout, lifetime, name):
    """What a cookie says; keys: {key ID: key}, times in seconds."""
    if len(name) + len(value) > 4096:                                       # 1
        raise Refused('too-large')
    match = re.fullmatch(r'(1\.([^.]*)\.(.*))\.(.{64})', value, re.DOTALL)  # 2
    if not match or not value.isascii():
        raise Refused('malformed')
    signed, key_id, text, tag = match.groups()
    if key_id not in keys:                                                  # 3
        raise Refused('unknown-key')
    right = hmac.new(keys[key_id], signed.encode(), 'sha256').hexdigest()   # 4
    if not hmac.compare_digest(right, tag):
        raise Refused('bad-signature')
    found = payload(text)                                                   # 5
    created, issued, idle, absolute = found['times']
    if not created <= issued <= now + 60:                                   # 6
        raise Refused('malformed')
    if now >= min(absolute, created + lifetime):                            # 7
        raise Refused('expired-absolute')
    if now >= min(idle, issued + timeout):                                  # 8
        raise Refused('expired-idle')
    login = found['login']
    if login and (login == 'signed' or not created <= login['at'] <= now + 120):
        raise Refused('bad-login')                                          # 10, 11
    return found


TIME = '[1-9][0-9]{0,11}'
WRITTEN = str.maketrans(' ",;:=&', '^?)(#$|')
READ = str.maketrans('^?)(#$|', ' ",;:=&')
TEXT = r'(?:[][A-Za-z0-9._~/@+{}^|()?#$-]*|[*][A-Za-z0-9_-]{2,})'
VALUES = f'(?:{TEXT}={TEXT}(?:&{TEXT}={TEXT})*)?'
LOGIN = f'([0-9a-f]{{32}}):({TIME}):({TEXT}):({TEXT}):((?:{TEXT}(?:&{TEXT})*)?)'
PAYLOAD = re.compile(
    f'([0-9a-f]{{32,128}})!({TIME})!({TIME})!({TIME})!({TIME})!'
    f'((?:{LOGIN}|[\\w-]+[.][\\w-]+[.][\\w-]*)?)!({VALUES})!'
    f'(?:[0-9a-f]{{32,128}}:{TIME}:((?:&{TEXT})*))?'
    '((?:![^!\x00-\x1f\x7f]*){0,32})',
    re.ASCII)
SECTION = re.compile(f'([0-9a-f]{{16}}|):({VALUES})', re.ASCII)


def payload(text):
    match = PAYLOAD.fullmatch(text)
    if not match:
        raise Refused('malformed')
    (base_id, *times, login, login_id, at, by, user, tokens, values, salted,
     sections) = match.groups()
    ascending([decode(each) for each in (salted or '').split('&')[1:]])
    return {'base_id': base_id, 'times': [int(each) for each in times],
            'values': pairs(values), 'sections': sections,
            'login': plain_login(at, by, user, tokens) if login_id else signed_login(login)}


def encode(native):
    if re.fullmatch('[][A-Za-z0-9._~/@+{} ",;:=&-]*', native):
        return native.translate(WRITTEN)
    return '*' + base64.urlsafe_b64encode(native.encode('latin-1')).decode().rstrip('=')


def decode(text):
    """The native string; there is one text for it."""
    found = text.translate(READ)
    if text.startswith('*'):
        found = from_base64url(text[1:]).decode('latin-1')
        if encode(found) != text:
            raise Refused('malformed')
    if re.search('[\x00-\x1f\x7f]', found):
        raise Refused('malformed')
    return found


def from_base64url(text):
    if len(text) % 4 != 1:
        found = base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))
        if base64.urlsafe_b64encode(found).decode().rstrip('=') == text:
            return found
    raise Refused('malformed')


def ascending(names):
    if names != sorted(set(names)):
        raise Refused('malformed')


def pairs(text):
    found = [tuple(map(decode, pair.split('='))) for pair in text.split('&') if text]
    ascending([key for key, value in found])
    return dict(found)


def plain_login(at, by, user, tokens):
    user, groups = decode(user), [decode(each) for each in tokens.split('&') if tokens]
    try:
        user = user.encode('latin-1').decode()
    except UnicodeDecodeError:
        raise Refused('malformed') from None
    if not user or len(set(groups)) < len(groups) or not all(
            re.fullmatch('[!-+.-~-]+', each) for each in groups):
        raise Refused('malformed')
    return {'user': user, 'groups': groups, 'at': int(at), 'by': decode(by)}


def signed_login(login):
    """None, or 'signed': a reader with no public key takes no such login."""
    for part in login.split('.') if login else ():
        from_base64url(part)
    return 'signed' if login else None


def section(found, namespace):
    """Salt and values of a namespace; empty, if it has no section that is of the form."""
    after = found['sections'].partition(f'!{encode(namespace)}:')[2]
    match = SECTION.fullmatch(after.partition('!')[0])
    try:
        return (match[1], pairs(match[2])) if match else ('', {})
    except Refused:
        return '', {}


def session_id(found, namespace=''):
    """What an application of this namespace sees."""
    salt, _ = section(found, namespace)
    return hashlib.blake2b(
        b'paste_sessioncookie session id 1' + frame(namespace.encode('latin-1'))
        + frame(salt.encode()) + found['base_id'].encode(), digest_size=20).hexdigest()
