"""
The attacks of tests/attacks, made into Cookie headers
======================================================

``cases()`` gives all of them.  What a case says, and in which form, is in
``tests/attacks/README.rst``.  Everything is signed by ``specified``, which knows the
specification and nothing of the package.
"""
import base64
import functools
import hashlib
import json
import pathlib
import re
import urllib.parse
from dataclasses import dataclass, field

import specified

NAME = '__Host-site_session'
TIMEOUT, LIFETIME = 1800, 43200  # seconds: the options' defaults

#: of a site that changes its secret, and of one whose secret was leaked and removed
ACCEPTED_SECRET = 'the secret of yesterday, which this site still accepts'
LEAKED_SECRET = 'the secret that somebody has found in an old backup'

TESTS = pathlib.Path(__file__).resolve().parent
LOGIN_KEYS = json.loads(
    (TESTS.parent / 'docs' / 'vectors.json').read_text('ascii'))['login_keys']
PUBLIC_KEY = LOGIN_KEYS['door']['public_key']

BASE_IDS = {'good': 'b0' * 20, 'eve': 'e5' * 20, 'nobody': '0a' * 20, 'attack': 'ad' * 20}
LOGIN_IDS = {who: base_id[:32] for who, base_id in BASE_IDS.items()}
LOGINS = {'good': 'bob:staff', 'eve': 'eve:', 'attack': 'admin:staff'}

#: what a site must have for a case: two secrets, keys of logins, a clock that stands
NEEDS = ('accept_secrets', 'login_keys', 'clock')


@dataclass(frozen=True)
class Expected:
    """What has to come of a request.  By default nobody is logged in."""

    status: str
    user: str | None = None
    session: str = 'fresh'     # or whose: 'good', 'eve', 'nobody', 'attack'
    salt: str = ''             # of that session, here
    values: dict[str, str] = field(default_factory=dict)   # in environ, under their keys

    @property
    def is_staff(self):
        """Whether the user is in the group."""
        return self.user not in (None, 'eve')


@dataclass(frozen=True)
class Case:
    """One Cookie header that somebody sends."""

    name: str
    reason: str
    expect: Expected
    header: str = f'{NAME}=<attack>'
    recipe: dict = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    server_may_refuse: str = ''      # why, where a server may
    direct_only: str = ''            # why a server never hands this on as it is

    def cookie_header(self, now, secret, namespace=''):
        """The header, each byte as one character; ``now``: Unix time in seconds."""
        return Texts(int(now), secret, namespace, self.recipe).fill(self.header)

    def cookie_header_bytes(self, now, secret, namespace=''):
        return self.cookie_header(now, secret, namespace).encode('latin-1')

    def session_id(self, namespace=''):
        """The ID that the application sees; None if it is a fresh one."""
        if self.expect.session == 'fresh':
            return None
        base_id = BASE_IDS[self.expect.session]
        if self.expect.session == 'attack':
            base_id = Texts(1, '', namespace, self.recipe)['payload'].split('!')[0]
        return specified.session_id(base_id, namespace, self.expect.salt)


@functools.cache
def cases():
    """All cases, in the order of the files."""
    return [_case(path.stem, **each)
            for path in sorted((TESTS / 'attacks').glob('*.json'))
            for each in json.loads(path.read_text('ascii'))['cases']]


#: what a case may say of how <attack> is made
RECIPE = ('sign', 'signed', 'value', 'payload', 'jws')


def _case(subject, name, reason, expect, needs=(), **more):
    recipe = {part: more.pop(part) for part in RECIPE if part in more}
    return Case(name=f'{subject}: {name}', reason=reason, expect=Expected(**expect),
                needs=frozenset(needs), recipe=recipe, **more)


class Texts:
    """What the words in angle brackets stand for, for one case at one time."""

    def __init__(self, now, secret, namespace, recipe):
        self.now = now
        self.secret = secret
        self.recipe = recipe
        self.words = {'lt': '<', 'namespace': namespace, 'id': BASE_IDS['attack'],
                      'login id': LOGIN_IDS['attack'], 'good id': BASE_IDS['good'],
                      'good sid': specified.login_session(BASE_IDS['good'])}

    def fill(self, template):
        """A template's text."""
        return re.sub('<([^<>]*)>', self._replacement, template)

    def _replacement(self, match):
        source, *filters = match[1].split('|')
        text = source[1:-1] if source.startswith("'") else self[source]
        for each in filters:
            name, _, number = each.partition(' ')
            text = FILTERS[name](text, *map(int, number.split()))
        return text

    def __getitem__(self, word):
        if match := re.fullmatch('now([+-][0-9]+)?', word):
            return str(self.now + int(match[1] or 0))
        if word not in self.words:
            make = {'attack': self._attack, 'payload': self._payload, 'jws': self._jws,
                    'key id': self._key_id, 'tag': self._tag, 'signed': self._signed,
                    'current key id': self._current_key_id,
                    'claims': self._claims}.get(word)
            self.words[word] = make() if make else self._person(word)
        return self.words[word]

    # -- who comes in good faith, or with an account of his own

    def _person(self, who):
        login = f'{LOGIN_IDS[who]}:{self.now - 100}:/accounts:{LOGINS[who]}' if (
            who in LOGINS) else ''
        payload = self.fill(f'{BASE_IDS[who]}!{TIMES}!{login}!!')
        return specified.sign(self._key('current'), payload)

    # -- the attack, from the inside out

    def _payload(self):
        changes = self.recipe.get('payload', {})
        if isinstance(changes, str):
            return self.fill(changes)
        fields = {**FIELDS, **changes}
        sections = fields.pop('sections')
        return self.fill('!'.join([*fields.values(), *sections]))

    def _signed(self):
        return self.fill(self.recipe.get('signed', '1.<key id>.<payload>'))

    def _attack(self):
        return self.fill(self.recipe.get('value', '<signed>.<tag>'))

    def _key_id(self):
        return specified.key_id(self._key(self._sign))

    def _current_key_id(self):
        return specified.key_id(self._key('current'))

    def _tag(self):
        purpose = PURPOSES.get(self._sign, 'sign')
        key = specified.derive(self._key(self._sign), purpose)
        if self._sign == 'the secret itself':
            key = self.secret.encode('utf-8')
        return specified.tag(key, self['signed'])

    @property
    def _sign(self):
        return self.recipe.get('sign', 'current')

    def _key(self, sign):
        return {'secret': self.secret, 'cookie_name': NAME, 'domain': '', 'path': '/',
                **KEYS[sign]}

    # -- a signed login

    def _claims(self):
        claims = {'aud': NAME, 'by': '/accounts', 'exp': self.now + LIFETIME - 100,
                  'groups': ['staff'], 'iat': self.now - 100, 'jti': LOGIN_IDS['attack'],
                  'sid': specified.login_session(self['id']), 'sub': 'admin'}
        texts = {name: json.dumps(value) for name, value in claims.items()}
        texts.update(self.recipe['jws'].get('claims', {}))
        return '{%s}' % ','.join(f'"{name}":{self.fill(text)}'
                                 for name, text in texts.items() if text is not None)

    def _jws(self):
        jws = self.recipe['jws']
        header = jws.get('header', '{"alg":"EdDSA","typ":"JWT"}')
        claims = self.fill(jws.get('text', '<claims>'))
        key = jws.get('key', 'door')
        if key in LOGIN_KEYS:
            return specified.sign_login(LOGIN_KEYS[key]['private_key'], claims, header)
        signed = '.'.join(specified.b64url(each.encode('utf-8')) for each in (header, claims))
        if key == 'none':
            return f'{signed}.'
        mac = specified.mac(JWS_MAC_KEYS[key](self), signed)
        return f'{signed}.{specified.b64url(mac)}'


TIMES = f'<now-100>!<now-100>!<now+{TIMEOUT - 100}>!<now+{LIFETIME - 100}>'

#: the parts of a payload, in their order; a case changes some
FIELDS = {
    'id': '<id>', 'created': '<now-100>', 'issued': '<now-100>',
    'idle': f'<now+{TIMEOUT - 100}>', 'absolute': f'<now+{LIFETIME - 100}>',
    'login': '<login id>:<now-100>:/accounts:admin:staff', 'values': '', 'previous': '',
    'sections': []}

#: what a case may say of the key: what of it is not the site's
KEYS = {
    'current': {}, 'accepted': {'secret': ACCEPTED_SECRET},
    'leaked': {'secret': LEAKED_SECRET}, 'empty secret': {'secret': ''},
    'other name': {'cookie_name': 'site_session'},
    'name in lower case': {'cookie_name': NAME.lower()},
    'other domain': {'domain': 'example.org'}, 'other path': {'path': '/blog'},
    'no path': {'path': ''}, 'name and path shifted': {'cookie_name': f'{NAME}/', 'path': ''},
    'the key of the key ID': {}, 'the key of the revocation list': {},
    'the secret itself': {}}
PURPOSES = {'the key of the key ID': 'key id',
            'the key of the revocation list': 'revocation list'}

#: HMACs under keys that everybody has
JWS_MAC_KEYS = {
    'the text of the public key': lambda texts: PUBLIC_KEY.encode('ascii'),
    'the public key': lambda texts: base64.b64decode(PUBLIC_KEY.split('\n')[1])[-32:],
    'the secret': lambda texts: texts.secret.encode('utf-8')}

FILTERS = {
    'times': lambda text, count: text * count,
    'first': lambda text, count: text[:count],
    'last': lambda text, count: text[-count:],
    'without-first': lambda text, count: text[count:],
    'without-last': lambda text, count: text[:-count],
    'flip': lambda text, place: (
        text[:place] + ('1' if text[place] == '0' else '0') + text[place + 1:]),
    'upper': str.upper,
    'reversed': lambda text: text[::-1],
    'utf-8': lambda text: text.encode('utf-8').decode('latin-1'),
    'base64': lambda text: base64.b64encode(text.encode('latin-1')).decode('ascii'),
    'text64': lambda text: '*' + specified.b64url(text.encode('latin-1')),
    'b64url': lambda text: specified.b64url(text.encode('latin-1')),
    'percent': lambda text: urllib.parse.quote(text, safe='', encoding='latin-1'),
    'sha256': lambda text: hashlib.sha256(text.encode('latin-1')).hexdigest(),
    'body': lambda text: text.rpartition('.')[0],       # of a value: what is signed
    'tag': lambda text: text.rpartition('.')[2]}
