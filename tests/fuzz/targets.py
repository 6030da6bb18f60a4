"""
Targets: functions of any bytes that raise when a promise is broken
===================================================================

``run.py`` looks for such bytes; ``test_targets.py`` tries those that were kept.  What is
expected is written a second time here, from the specification and as simply as possible.
"""
from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from byhand import Hand
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat)
from model import MOST_CANDIDATES, candidates

from paste_sessioncookie import SessionCookieSigner, encoding, headers, jws
from paste_sessioncookie.errors import BadCookie, BadLogin, Malformed

NAME = 'site_session'
NOW = 1_800_000_000  # Unix time
SECRETS = 'the secret that signs, 32 bytes long', 'the secret before, 32 bytes long'
BASE_ID = 'ab' * 20
LIFE = NOW, NOW, NOW + 1800, NOW + 43200

finder = headers.CookieFinder(NAME)
signer = SessionCookieSigner(SECRETS[0], accept_secrets=SECRETS[1:], cookie_name=NAME)
signers = [signer, SessionCookieSigner(SECRETS[1], cookie_name=NAME)]


def scanner(data: bytes) -> None:
    """A Cookie header: the candidates are those of the specification."""
    header = data.decode('latin-1')
    assert list(finder.find(header)) == candidates(header, NAME)[:MOST_CANDIDATES + 1]


# -- the payload -----------------------------------------------------------------

CHARS = r'[A-Za-z0-9\-._~/@+\[\]{}^|()?#$]'
READ = bytes.maketrans(b'^?)(#$|', b' ",;:=&')
TEXT = rf'(?:{CHARS}*|\*[A-Za-z0-9_\-]{{2,}})'
FULL_TEXT = rf'(?:{CHARS}+|\*[A-Za-z0-9_\-]{{2,}})'
TIME = '[1-9][0-9]{0,11}'
ID = '[0-9a-f]{32,128}'
VALUES = f'(?:{TEXT}={TEXT}(?:&{TEXT}={TEXT})*)?'
LOGIN = f'[0-9a-f]{{32}}:{TIME}:{TEXT}:{FULL_TEXT}:(?:{FULL_TEXT}(?:&{FULL_TEXT})*)?'
JWS = r'[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*'
PREVIOUS = f'(?:{ID}:{TIME}:(?:&{TEXT})*)?'
SECTION = re.compile(f'({TEXT}):((?:[0-9a-f]{{16}})?):({VALUES})')
PAYLOAD = re.compile(
    f'{ID}!{TIME}!{TIME}!{TIME}!{TIME}!({LOGIN}|{JWS}|)!({VALUES})!({PREVIOUS})')


class NotCanonical(Exception):
    """Another text would have been written."""


def canonical(text: str) -> str | None:
    """
    What a text of version 1 says, in its one form: sections that are none are left out, and
    the first of a name counts.  None if it says nothing, by the ABNF and those rules.
    """
    start, sections = '!'.join(text.split('!')[:8]), text.split('!')[8:]
    match = PAYLOAD.fullmatch(start)
    if not match or len(sections) > 32 or re.search('[^ -~]', ''.join(sections)):
        return None
    login, values, previous = match.groups()
    try:
        check_login(login)
        check_values(values)
        check_ascending(previous.split('&')[1:])
    except NotCanonical:
        return None
    first: dict[str, str] = {}
    for section in sections:
        if ':' in section:
            first.setdefault(section.split(':')[0], section)
    good = filter(is_section, first.values())
    return '!'.join([start, *sorted(good, key=section_name)])


def is_section(text: str) -> bool:
    match = SECTION.fullmatch(text)
    if not match or not match[2] and not match[3]:
        return False
    try:
        data(match[1])
        check_values(match[3])
    except NotCanonical:
        return False
    return True


def section_name(text: str) -> bytes:
    return data(text.split(':')[0])


def check_login(text: str) -> None:
    if ':' in text:
        _, _, by, user, tokens = text.split(':')
        data(by)
        utf_8(data(user))
        groups = [data(token) for token in tokens.split('&')] if tokens else []
        if len(set(groups)) < len(groups) or not all(
                re.fullmatch(rb'[!-+\--~]+', group) for group in groups):
            raise NotCanonical
    else:
        for part in text.split('.'):
            from_base64(part)


def utf_8(some: bytes) -> str:
    try:
        return some.decode('utf-8')
    except UnicodeDecodeError:
        raise NotCanonical from None


def check_values(text: str) -> None:
    pairs = [pair.split('=') for pair in text.split('&')] if text else []
    check_ascending([key for key, _ in pairs])
    for _, value in pairs:
        data(value)


def check_ascending(texts: list[str]) -> None:
    found = [data(text) for text in texts]
    if found != sorted(set(found)):
        raise NotCanonical


def data(text: str) -> bytes:
    """The bytes that a text of the payload stands for."""
    if not text.startswith('*'):
        return text.encode('ascii').translate(READ)
    result = from_base64(text[1:])
    if re.search(rb'[\x00-\x1f\x7f]', result) or re.fullmatch(
            rb'[A-Za-z0-9\-._~/@+\[\]{} ",;:=&]*', result):
        raise NotCanonical
    return result


def from_base64(text: str) -> bytes:
    if len(text) % 4 == 1:
        raise NotCanonical
    result = urlsafe_b64decode(text + '==')
    if urlsafe_b64encode(result).rstrip(b'=').decode('ascii') != text:
        raise NotCanonical
    return result


def payload(data: bytes) -> None:
    """The text of a payload: it is decoded if it is one, and encodes to itself as long as
    nobody asks for its sections; then, to its one form."""
    text = data.decode('latin-1')
    try:
        decoded = encoding.decode(text)
    except Malformed:
        assert canonical(text) is None
        return
    assert encoding.encode(decoded) == text
    assert len(decoded.sections) <= 32
    assert encoding.encode(decoded) == canonical(text)


# -- signing ---------------------------------------------------------------------

HANDS = [Hand(secret, NAME) for secret in SECRETS]
GOOD = HANDS[0].sign(f'{BASE_ID}!{"!".join(map(str, LIFE))}!!!')


def unsign(data: bytes) -> None:
    """
    A cookie's value.  The first byte says what the others are: a value, the payload of one
    that is signed with the one secret or with the other, or what replaces a part of a good
    value.
    """
    how, text = data[:1], data[1:].decode('latin-1')
    if how in (b'0', b'1'):
        check_signed(text, int(how))
    elif how == b'2' and text:
        start = ord(text[0])
        changed = GOOD[:start] + text[1:] + GOOD[start + len(text) - 1:]
        assert changed == GOOD or refusal(changed) is not None
    else:
        # nobody guesses a tag: of all values only this one is known to be good
        assert text == GOOD or refusal(text) is not None


def check_signed(text: str, which: int) -> None:
    value = HANDS[which].sign(text)
    status = refusal(value)
    if len(NAME) + len(value) > 4096:
        assert status == 'too-large'
    elif canonical(text) is None:
        assert status == 'malformed'
    else:
        assert status == time_status(text)
    if status is None:
        said, due = signer.unsign(value, NOW)
        assert signers[which].sign(said) == value.encode('ascii')
        assert which == 0 or due


def refusal(value: str) -> str | None:
    """The status of what is refused; always the same."""
    statuses: list[str | None] = []
    for _ in range(2):
        try:
            signer.unsign(value, NOW)
            statuses.append(None)
        except BadCookie as error:
            statuses.append(error.status)
    assert statuses[0] == statuses[1]
    return statuses[0]


def time_status(text: str) -> str | None:
    created, issued, idle, absolute = map(int, text.split('!')[1:5])
    if not created <= issued <= NOW + 60:
        return 'malformed'
    if NOW >= min(absolute, created + signer.lifetime_seconds):
        return 'expired-absolute'
    if NOW >= min(idle, issued + signer.idle_seconds):
        return 'expired-idle'
    return None


# -- signed logins ---------------------------------------------------------------

LOGIN_KEY = Ed25519PrivateKey.from_private_bytes(b'the key of nothing but the tests')
login_keys = jws.LoginKeys(LOGIN_KEY.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), [], NAME)
HEADER = b'eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9'
SID = hashlib.sha256(b'paste_sessioncookie login 1' + BASE_ID.encode()).hexdigest()[:40]


def base64(some: bytes) -> bytes:
    return urlsafe_b64encode(some).rstrip(b'=')


def login(data: bytes) -> None:
    """A signed login.  The first byte says what the others are: its claims, signed; its
    header, likewise; or all of it."""
    how, data = data[:1], data[1:]
    if how == b'0':
        token, good = sign_login(HEADER + b'.' + base64(data)), is_claims(data)
    elif how == b'1':
        token = sign_login(base64(data) + b'.' + base64(CLAIMS.encode()))
        good = data == b'{"alg":"EdDSA","typ":"JWT"}'
    else:
        token, good = data, False
    text = f'{BASE_ID}!{"!".join(map(str, LIFE))}!{token.decode("latin-1")}!!'
    try:
        said = encoding.decode(text)
        found = said.login and said.login.jws and login_keys.verify(said.login, said)
    except (Malformed, BadLogin):
        found = None
    assert bool(found) is good
    if found:
        again = jws.Claims(found, SID, LIFE[-1])
        assert base64(jws.encode_claims(again, NAME).encode()) == token.split(b'.')[1]


def sign_login(signed: bytes) -> bytes:
    return signed + b'.' + base64(LOGIN_KEY.sign(signed))


CLAIMS = (f'{{"aud":"{NAME}","by":"/accounts","exp":{LIFE[-1]},"groups":["staff"],'
          f'"iat":{NOW},"jti":"{"cd" * 16}","sid":"{SID}","sub":"bob"}}')


def is_claims(text: bytes) -> bool:
    """Whether these are the claims of a login of this site and session, in their one form."""
    try:
        found = json.loads(text.decode('utf-8'))
        written = json.dumps(found, ensure_ascii=False, separators=(',', ':'), sort_keys=True)
        return (written.encode('utf-8') == text
                and set(found) == set(FORMS)
                and all(form(found[name]) for name, form in FORMS.items())
                and (found['aud'], found['exp'], found['sid']) == (NAME, LIFE[-1], SID))
    except (RecursionError, TypeError, ValueError):
        return False


def is_time(value: Any) -> bool:
    return type(value) is int


def is_text(value: Any) -> bool:
    return isinstance(value, str) and not re.search('[\x00-\x1f\x7f]', value)


def is_user(value: Any) -> bool:
    return is_text(value) and value != ''


def is_namespace(value: Any) -> bool:
    return is_text(value) and all(ord(character) < 256 for character in value)


def are_groups(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, str) and re.fullmatch(r'[!-+\--~]+', each) for each in value
    ) and len(set(value)) == len(value)


def is_login_id(value: Any) -> bool:
    return isinstance(value, str) and bool(re.fullmatch('[0-9a-f]{32}', value))


FORMS = {'aud': is_text, 'by': is_namespace, 'exp': is_time, 'groups': are_groups,
         'iat': is_time, 'jti': is_login_id, 'sid': is_text, 'sub': is_user}

TARGETS = {target.__name__: target for target in (scanner, payload, unsign, login)}
