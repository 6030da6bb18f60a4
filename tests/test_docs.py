"""
The pages say what the code does
================================

First comes a reader and a writer of the cookie, version 1, written from
``docs/specification.rst`` alone; it uses nothing of the package, nor of PyJWT.
"""
import ast
import base64
import builtins
import doctest
import hashlib
import hmac
import inspect
import json
import logging
import pathlib
import re
import secrets
import sys
import textwrap
import types

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from paste.deploy import loadapp, loadfilter
from webtest import TestApp

from paste_sessioncookie import (
    Namespace, SessionCookieHandler, SessionCookieSigner, cookie, environ, errors,
    headers, namespace, profile, requirelogin, revocation, revocation_redis,
    revocation_sqlite, seldom)
from paste_sessioncookie.encoding import Login, Payload
from paste_sessioncookie.jws import LoginKeys
from paste_sessioncookie.sessionid import derive as derive_id

# -- the independent reader begins


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
    mac = hmac.new(derive(key, 'sign'), signed.encode('ascii'), hashlib.sha256)
    return f'{signed}.{mac.hexdigest()}'


def session_id(base_id, namespace, salt):
    name = namespace.encode('latin-1')
    return hashlib.sha256(
        b'paste_sessioncookie session id 1'
        + len(name).to_bytes(4, 'big') + name
        + len(salt).to_bytes(4, 'big') + salt.encode('ascii')
        + base_id.encode('ascii')).hexdigest()[:40]


def write_text(text):
    if re.fullmatch(r'[A-Za-z0-9._~/@+-]*', text):
        return text
    return '*' + base64.urlsafe_b64encode(text.encode('latin-1')).decode().rstrip('=')


def read_text(text):
    """A text's native string."""
    native = text
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


def claims_text(login, payload, cookie_name):
    """The claims of a login, as RFC 8785 writes them."""
    session = hashlib.sha256(
        b'paste_sessioncookie login 1' + payload['base_id'].encode('ascii')).hexdigest()[:40]
    return json.dumps({
        'aud': cookie_name, 'by': login['by'], 'exp': payload['absolute'],
        'groups': login['tokens'], 'iat': login['at'], 'jti': login['id'],
        'sid': session, 'sub': login['user'].encode('latin-1').decode('utf-8'),
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
        parts[5] = ':'.join((login['id'], str(login['at']), write_text(login['by']),
                             write_text(login['user']), '&'.join(map(write_text, login['tokens']))))
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
    f'(?P<tokens>{TEXT}(?:&{TEXT})*)|(?P<jws>[A-Za-z0-9_-]+[.][A-Za-z0-9_-]+[.][A-Za-z0-9_-]*))?',
    f'(?P<values>{VALUES})',
    f'(?:(?P<previous>[0-9a-f]{{32,128}}):(?P<until>{TIME}):(?P<salted>(?:&{TEXT})*))?',
)) + f'(?P<sections>(?:!{TEXT}:(?:[0-9a-f]{{16}})?:{VALUES})*)')


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
    for section in match['sections'].split('!')[1:]:
        name, salt, values = section.split(':')
        if not salt and not values:
            raise Refused('malformed')
        payload['sections'][read_text(name)] = {'salt': salt, 'values': read_values(values)}
    # order, repeats: there is one text for a payload
    salted = payload['previous']['salted'] if payload['previous'] else []
    if (write(payload) != text or len(payload['sections']) > 32
            or len(set(salted)) < len(salted)):
        raise Refused('malformed')
    return payload


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
    if now >= min(payload['idle'], payload['issued'] + timeout):
        raise Refused('expired-idle')
    login = payload['login']
    if login and isinstance(login, str) is not bool(login_keys):
        raise Refused('bad-login')
    if isinstance(login, str):
        login = verify_login(login_keys, login, payload, key['cookie_name'])
    if login and not payload['created'] <= login['at'] <= now + 120:
        raise Refused('bad-login')
    return payload, login


def candidates(header, name):
    """The different values of a name in a Cookie header."""
    found = []
    for pair in header.split(';'):
        pair = pair.strip(' \t')
        if pair.startswith(name + '='):
            found.append(pair[len(name) + 1:].partition(',')[0].strip(' \t'))
    return list(dict.fromkeys(found))


# -- the independent reader ends

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTORS = json.loads((ROOT / 'docs' / 'vectors.json').read_text('ascii'))
SPECIFICATION = (ROOT / 'docs' / 'specification.rst').read_text('utf-8')
OPTIONS_PAGE = (ROOT / 'docs' / 'reference' / 'options.rst').read_text('utf-8')
README = (ROOT / 'README.rst').read_text('utf-8')

ACCEPTED = [pytest.param(each, id=each['note']) for each in VECTORS['accepted']]
REFUSED = [pytest.param(each, id=each['note']) for each in VECTORS['refused']]
HEADERS = [pytest.param(each, id=each['note']) for each in VECTORS['headers']]
KEYS = [pytest.param(each, id=name) for name, each in VECTORS['keys'].items()]


def settings(key):
    return {each: key[each] for each in ('secret', 'cookie_name', 'domain', 'path')}


def as_json(payload):
    """A payload of the package, as vectors.json has payloads."""
    found = payload._asdict()
    if payload.login is not None and payload.login.jws:
        found['login'] = payload.login.jws
        payload = payload._replace(login=None)
    for name in ('login', 'previous'):
        if getattr(payload, name) is not None:
            found[name] = found[name]._asdict()
    if payload.login is not None:
        found['login']['tokens'] = list(found['login']['tokens'])
        del found['login']['jws']
    if found['previous']:
        found['previous']['salted'] = sorted(found['previous']['salted'])
    found['values'] = dict(found['values'])
    found['sections'] = {
        name: {'salt': section.salt, 'values': dict(section.values)}
        for name, section in found['sections'].items()}
    return found


def login_keys(vector):
    """The public keys of signed logins, in PEM."""
    return [VECTORS['login_keys'][name]['public_key']
            for name in vector.get('login_keys', [])]


def control_for(vector, name=''):
    """The control that an application sees when a vector's value comes along."""
    key = VECTORS['keys'][vector['key']]
    seen = []

    def application(environ, start_response):
        seen.append(environ['session.control'])
        start_response('200 OK', [])
        return []

    filtered = Namespace(application, name) if name else application
    handler = SessionCookieHandler(
        filtered, timeout=vector['timeout'] / 60, lifetime=vector['lifetime'] / 60,
        revocations='none', login_public_keys=login_keys(vector) or None,
        clock=lambda: vector['now'], **settings(key))
    handler({'HTTP_COOKIE': f'{key["cookie_name"]}={vector["value"]}',
             'REQUEST_METHOD': 'GET', 'wsgi.url_scheme': 'https'},
            lambda status, response_headers: None)
    return seen[0]


class TestTheIndependentReader:
    """Whoever has the page alone reads and writes the same cookies."""

    def test_it_uses_nothing_of_the_package(self):
        """It uses five modules of the standard library, Ed25519, and itself."""
        source = pathlib.Path(__file__).read_text('utf-8')
        part = source.partition('reader begins\n')[2].partition('# -- the independent')[0]
        names = {ast.Load: set(), ast.Store: set()}
        for node in ast.walk(ast.parse(part)):
            if isinstance(node, ast.Name):
                names[type(node.ctx)].add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names[ast.Store].add(node.name)
            elif isinstance(node, ast.arg):
                names[ast.Store].add(node.arg)
        assert names[ast.Load] - names[ast.Store] - set(dir(builtins)) == {
            'base64', 'hashlib', 'hmac', 'json', 're',
            'InvalidSignature', 'load_pem_private_key', 'load_pem_public_key'}

    @pytest.mark.parametrize('key', KEYS)
    def test_keys(self, key):
        """The key and the key ID of a vector follow from its secret."""
        assert key['key'] == derive(key, 'sign').hex()
        assert key['key_id'] == key_id(key)

    @pytest.mark.parametrize('vector', ACCEPTED)
    def test_accepted(self, vector):
        """A value says its payload, and the payload signed is the value."""
        key = VECTORS['keys'][vector['key']]
        payload, login = unsign([key], vector['value'], vector['now'], vector['timeout'],
                                vector['lifetime'], login_keys(vector))
        assert payload == vector['payload']
        assert sign(key, write(payload)) == vector['value']
        if 'login' in vector:
            assert login == vector['login']
            private_key = VECTORS['login_keys'][vector['login_keys'][-1]]['private_key']
            assert payload['login'] == sign_login(
                private_key, claims_text(login, payload, key['cookie_name']))

    @pytest.mark.parametrize('vector', ACCEPTED)
    def test_session_ids(self, vector):
        """The session IDs follow from base ID, namespace and salt."""
        for name, expected in vector['session_ids'].items():
            section = vector['payload']['sections'].get(name, {'salt': ''})
            assert expected == session_id(
                vector['payload']['base_id'], name, section['salt'])

    @pytest.mark.parametrize('vector', REFUSED)
    def test_refused(self, vector):
        """A value that is not accepted gives the status of the vector."""
        key = VECTORS['keys'][vector['key']]
        with pytest.raises(Refused) as refusal:
            unsign([key], vector['value'], vector['now'], vector['timeout'],
                   vector['lifetime'], login_keys(vector))
        assert refusal.value.args == (vector['status'],)

    @pytest.mark.parametrize('vector', HEADERS)
    def test_headers(self, vector):
        """A Cookie header has the candidates of the vector."""
        assert candidates(vector['header'], vector['name']) == vector['candidates']


class TestVectors:
    """The package reads and writes what the page's vectors say."""

    @pytest.mark.parametrize('key', KEYS)
    def test_keys(self, key):
        """The package derives the key ID of the vector."""
        assert key['key_id'] == SessionCookieSigner(**settings(key)).keys.current.id

    @pytest.mark.parametrize('vector', ACCEPTED)
    def test_accepted(self, vector):
        """The package reads the payload, and signs it to the same value."""
        signer = SessionCookieSigner(
            timeout=vector['timeout'] / 60, lifetime=vector['lifetime'] / 60,
            **settings(VECTORS['keys'][vector['key']]))
        payload = signer.unsign(vector['value'], vector['now'])[0]
        assert as_json(payload) == vector['payload']
        assert signer.sign(payload).decode('ascii') == vector['value']

    @pytest.mark.parametrize('vector', [
        vector for vector in ACCEPTED if 'login' in vector.values[0]])
    def test_signed_login(self, vector):
        """The package reads the login of a vector, and signs it to the same JWS."""
        login, payload = vector['login'], vector['payload']
        user = login['user'].encode('latin-1').decode('utf-8')
        assert control_for(vector).identity == (
            user, tuple(login['tokens']), login['at'], login['by'])
        keys = LoginKeys(
            VECTORS['login_keys'][vector['login_keys'][-1]]['private_key'], [],
            VECTORS['keys'][vector['key']]['cookie_name'])
        made = keys.sign(Login(**{**login, 'tokens': tuple(login['tokens'])}),
                         Payload(payload['base_id'], 1, 1, 1, payload['absolute'], None, {}, None, {}))
        assert made.jws == payload['login']

    @pytest.mark.parametrize('vector', ACCEPTED)
    def test_session_ids(self, vector):
        """An application in a namespace sees the session ID of the vector."""
        for name, expected in vector['session_ids'].items():
            control = control_for(vector, name)
            assert control.status in ('ok', 'renewed')
            assert control.id == expected
            if vector['payload']['previous']:
                previous = vector['payload']['previous']
                salted = (name in previous['salted']
                          or vector['payload']['sections'].get(name, {}).get('salt'))
                assert control.previous_id == (
                    None if salted else derive_id(previous['base_id'], name))

    @pytest.mark.parametrize('vector', REFUSED)
    def test_refused(self, vector):
        """An application sees the status of the vector, and nobody logged in."""
        control = control_for(vector)
        assert (control.status, control.identity) == (vector['status'], None)

    @pytest.mark.parametrize('vector', HEADERS)
    def test_headers(self, vector):
        """The package finds the candidates of the vector."""
        found = headers.CookieFinder(vector['name']).find(vector['header'])
        assert list(found) == vector['candidates']


def literal_after(page, marker):
    """The words of the first indented block after a marker."""
    block = page.partition(marker)[2].partition('::\n\n')[2]
    return re.match('(?:    .*\n)+', block)[0].split()


class TestSpecification:
    """The lists and tables of the specification are those of the code."""

    def test_levels(self):
        """The statuses, and the level that each is logged at."""
        table = SPECIFICATION.partition('.. the levels are checked')[2]
        rows = dict(re.findall(r'^``([a-z-]+)`` +(\(none\)|[A-Z]+) ', table, re.MULTILINE))
        levels = {status: '(none)' if level is None else logging.getLevelName(level)
                  for status, level in cookie.LOG_LEVELS.items()}
        assert rows == {**levels, 'ok': '(none)', 'renewed': '(none)'}
        assert rows.keys() >= {each.status for each in errors.BadCookie.__subclasses__()}

    def test_first_parts(self):
        """The names that applications cannot append."""
        words = literal_after(SPECIFICATION, '.. first parts, checked against')
        assert words == sorted(environ.INFRASTRUCTURE)

    def test_members_of_the_control(self):
        """Each public member of the control has its paragraph, and no other."""
        text = SPECIFICATION.partition('\nThe control\n')[2].partition('\nStatuses\n')[0]
        described = set(re.findall(r'^``(\w+)(?:\(.*\))?``$', text, re.MULTILINE))
        control = control_for(VECTORS['accepted'][0])
        public = {name for name in dir(control) if not name.startswith('_')}
        assert described == public - {'state', 'for_site'}

    def test_keys(self):
        """The keys that it describes are those that the filters set."""
        text = SPECIFICATION.partition('\nKeys\n')[2].partition('\nThe control\n')[0]
        described = ', '.join(re.findall('^(``.+``)$', text, re.MULTILINE))
        assert re.findall('``(.+?)``', described) == [
            environ.SESSION_ID, environ.CONTROL, environ.SCANLIST, *environ.LOGIN_KEYS,
            environ.PROFILE]

    def test_no_other_alphabet(self):
        """The characters that the page says a value has are those of the vectors."""
        line = re.search(r'A value has letters, digits and ``(.+)``', SPECIFICATION)[1]
        values = ''.join(vector['value'] for vector in VECTORS['accepted'])
        assert set(line.split()) == set(re.sub('[A-Za-z0-9]', '', values))


def rows_of_table(page, heading):
    """The rows of the first list-table after a heading: lists of cells."""
    table = page.partition(f'\n{heading}\n')[2].partition('.. list-table::')[2]
    table = re.split(r'\n(?=\S)', table)[0]
    return [re.split(r'\n     - ', row) for row in re.split(r'\n   \* - ', table)[2:]]


DERIVED = {
    # option: its default in words, and whether that is so
    'cookie_name': ('see below', lambda: (
        SessionCookieHandler(None).cookie_name,
        SessionCookieHandler(None, secure=None).cookie_name,
        SessionCookieHandler(None, domain='example.org').cookie_name,
        SessionCookieHandler(None, path='/shop').cookie_name)
        == ('__Host-site_session', *['site_session'] * 3)),
    'lifetime': ('``12h``, or ``timeout`` if that is longer', lambda: (
        SessionCookieSigner().lifetime_seconds,
        SessionCookieSigner(timeout=13 * 60).lifetime_seconds) == (12 * 3600, 13 * 3600)),
    'generator': ('20 bytes of the operating system', lambda: len(
        cookie.OPTIONS['generator'].default()) == 20),
    'namespace': ('the mount point', lambda: namespace.mount_point(
        {'SCRIPT_NAME': '/blog/'}) == '/blog'),
}
TABLES = [pytest.param(heading, table, id=heading) for heading, table in (
    ('session_cookie', cookie.OPTIONS), ('namespace', namespace.OPTIONS),
    ('require_login', requirelogin.OPTIONS), ('profile', profile.OPTIONS))]


class TestOptionsPage:
    """The page on the options is the tables of the code."""

    @pytest.mark.parametrize('heading, table', TABLES)
    def test_same_options(self, heading, table):
        """The table has the options, in their order."""
        names = [row[0].strip('`') for row in rows_of_table(OPTIONS_PAGE, heading)]
        assert names == list(table)

    @pytest.mark.parametrize('heading, table', TABLES)
    def test_each_has_a_section(self, heading, table):
        """Each option of the table is explained under a heading of its own."""
        text = OPTIONS_PAGE.partition(f'\n{heading}\n')[2]
        headings = re.findall(r'^``(\w+)``\n~+$', text, re.MULTILINE)
        names = [row[0].strip('`') for row in rows_of_table(OPTIONS_PAGE, heading)]
        assert headings[:len(names)] == names

    @pytest.mark.parametrize('heading, table', TABLES)
    def test_same_defaults(self, heading, table):
        """The default that the page gives is that of the code."""
        for name, default, *_ in rows_of_table(OPTIONS_PAGE, heading):
            name, default = name.strip('`'), default.strip()
            option = table[name]
            if name in DERIVED:
                words, holds = DERIVED[name]
                assert default == words and holds(), name
            elif default == 'required':
                assert option.required, name
            elif default == 'none':
                assert not option.default and not option.required, name
            else:
                assert option.convert(default.strip('`'), '') == option.default, name

    def test_forbidden_names(self):
        """The CGI names that scanlist refuses."""
        words = literal_after(OPTIONS_PAGE, '.. CGI names, checked against')
        assert words == sorted(environ.CGI_NAMES)

    def test_examples_load(self, tmp_path, monkeypatch):
        """Each example section of the page makes a filter."""
        strong = 'f7c0a3d1b8e5924660d2c4e8a1f3b57990e6d4c2b8a0f1e3'
        monkeypatch.setenv('SESSION_SECRET', strong)
        monkeypatch.setitem(sys.modules, 'mypackage.hardware', types.SimpleNamespace(
            random_bytes=lambda: secrets.token_bytes(20)))
        for name in ('session.secret', 'tomorrow.secret'):
            (tmp_path / name).write_text(f'{name}{strong}\n')
        for name, pair in zip(('login.pem', 'tomorrow.pem'), VECTORS['login_keys'].values()):
            (tmp_path / name).write_text(pair['private_key'])
            (tmp_path / name).chmod(0o600)
            (tmp_path / f'{name}.pub').write_text(pair['public_key'])
        examples = re.findall(r'.. code-block:: ini\n\n((?: {3,}.*\n|\n)+)', OPTIONS_PAGE)
        assert len(examples) > 5
        for example in map(textwrap.dedent, examples):
            if '[' not in example:
                example = OUTER + example
                if not re.search('^secret = ', example, re.MULTILINE):
                    example += 'secret = file:session.secret\n'
            (tmp_path / 'x.ini').write_text(example)
            for name in re.findall(r'\[filter:(\w+)\]', example):
                # the factory runs when the filter gets its application
                assert loadfilter(f'config:{tmp_path / "x.ini"}', name)(print)

    def test_way_around_default(self, tmp_path, caplog):
        """The two lines that set what [DEFAULT] has as well set it, without a warning."""
        (tmp_path / 'session.secret').write_text('f7c0a3d1b8e5924660d2c4e8a1f3b579')
        example = code_blocks(OPTIONS_PAGE.partition('\n[DEFAULT]\n')[2], 'ini')[0]
        (tmp_path / 'session.secret').chmod(0o600)
        (tmp_path / 'x.ini').write_text(example)
        handler = loadfilter(f'config:{tmp_path / "x.ini"}', 'session')(print)
        assert handler.signer.idle_seconds == 2 * 3600
        assert not caplog.records


OUTER = '[filter:x]\nuse = egg:paste_sessioncookie#session_cookie\n'


def code_blocks(page, language):
    blocks = re.findall(rf'.. code-block:: {language}\n\n((?:   .*\n|\n)+)', page)
    return [textwrap.dedent(block).strip('\n') + '\n' for block in blocks]


class TestReadme:
    """What the README shows works."""

    @pytest.fixture
    def site(self, tmp_path, monkeypatch):
        """The README's ini file and application, loaded."""
        [ini], [application] = code_blocks(README, 'ini'), code_blocks(README, 'python')
        (tmp_path / 'site.ini').write_text(ini)
        (tmp_path / 'weblog.py').write_text(application)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, 'weblog', raising=False)
        yield TestApp(loadapp(f'config:{tmp_path / "site.ini"}'), extra_environ={
            'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'})
        sys.modules.pop('weblog', None)

    def test_ini_is_short(self):
        """The ini file has fifteen lines."""
        [ini] = code_blocks(README, 'ini')
        assert len([line for line in ini.splitlines() if line.strip()]) == 15

    def test_login_is_seen_next_door(self, site):
        """Who logs in to one weblog is known in the other, which has an ID of its own."""
        first = site.get('/blog/')
        assert first.text == 'Hello, nobody'
        assert '__Host-site_session=' in first.headers['Set-Cookie']
        site.post('/blog/')
        assert [site.get(f'/{each}/').text for each in ('blog', 'news')] == ['Hello, bob'] * 2

    def test_environ_keys(self):
        """The keys that it lists are there, and it lists the three that matter."""
        text = README.partition('sees in ``environ``:')[2].partition('The login\n')[0]
        lines = re.findall(r'^\* ``([\w.]+)``', text, re.MULTILINE)
        assert [environ.SESSION_ID, environ.CONTROL, 'REMOTE_USER'] == lines

    def test_versions(self):
        """The Python versions that it names are those of setup.cfg."""
        setup = (ROOT / 'setup.cfg').read_text()
        versions = re.findall(r'Python :: (3\.\d+)', setup)
        assert f'Python {versions[0]} to {versions[-1]}' in README

    @pytest.mark.parametrize('command', [
        "python3 -m venv .venv && .venv/bin/pip install -q '.[paster]' "
        '&& .venv/bin/paster serve development.ini',
        "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test,paster]' "
        '&& .venv/bin/pytest -q'])
    def test_commands(self, command):
        """The two commands for a fresh machine are there, each on one line."""
        assert f'   {command}\n' in README


class TestRevocationReference:
    """The reference of the option ``revocation``."""

    page = OPTIONS_PAGE.partition('``revocation``\n~~~')[2].partition('\n~~~')[0]

    def test_own_engine(self):
        """The methods of one's own engine are those of the protocol."""
        listing = self.page.partition('code-block:: python')[2]
        code = '\n'.join(re.findall('^ {7}.*', listing, re.MULTILINE))
        names = {}
        exec(textwrap.dedent(code), names)
        for name in revocation.METHODS:
            stated = inspect.signature(getattr(names['Revocations'], name))
            real = inspect.signature(getattr(revocation.Revocations, name), eval_str=True)
            assert stated == real
        assert len(re.findall('def ', code)) == len(revocation.METHODS)

    def test_numbers(self):
        """The times are those of the code."""
        assert revocation_redis.CONNECT_TIMEOUT == revocation_redis.ANSWER_TIMEOUT == 0.05
        assert 'take 50 milliseconds' in self.page
        assert revocation_redis.RETRY_AFTER == 0.5
        assert 'nobody waits for half a second' in self.page
        assert revocation_sqlite.BUSY_TIMEOUT == 1 and 'one second at most' in self.page
        assert revocation_sqlite.SWEEP_EVERY == 3600 and 'one to two hours' in self.page
        assert seldom.LOG_EVERY == 60 and 'once a minute at most' in ' '.join(self.page.split())
        assert f'``{revocation_redis.PREFIX.decode()}``' in self.page


@pytest.mark.parametrize('page', sorted(
    [ROOT / 'README.rst', ROOT / 'CHANGES.rst', *(ROOT / 'docs').rglob('*.rst')]),
    ids=lambda page: page.name)
def test_doctests(page):
    """The interactive examples of a page, if it has any, run."""
    assert doctest.testfile(str(page), module_relative=False).failed == 0
