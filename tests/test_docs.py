"""
The pages say what the code does
================================

The reader that is written from ``docs/specification.rst`` alone is in ``specified.py``.
"""
import ast
import builtins
import doctest
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
from paste.deploy import loadapp, loadfilter
from webtest import TestApp

import specified
from specified import (
    TIMES, Refused, candidates, claims_text, derive, key_id, session_id, sign, sign_login,
    unsign, write)
from paste_sessioncookie import (
    Namespace, SessionCookieHandler, SessionCookieSigner, cookie, environ, errors,
    headers, namespace, profile, requirelogin, revocation, revocation_redis,
    revocation_sqlite, seldom)
from paste_sessioncookie.encoding import Login, Payload
from paste_sessioncookie.jws import LoginKeys
from paste_sessioncookie.sessionid import derive as derive_id

ROOT = pathlib.Path(__file__).resolve().parent.parent
VECTORS = json.loads((ROOT / 'docs' / 'vectors.json').read_text('ascii'))
SPECIFICATION = (ROOT / 'docs' / 'specification.rst').read_text('utf-8')
OPTIONS_PAGE = (ROOT / 'docs' / 'reference' / 'options.rst').read_text('utf-8')
README = (ROOT / 'README.rst').read_text('utf-8')

ACCEPTED = [pytest.param(each, id=each['note']) for each in VECTORS['accepted']]
REFUSED = [pytest.param(each, id=each['note']) for each in VECTORS['refused']]
SECTIONS = [pytest.param(each, id=each['note']) for each in VECTORS['sections']]
HEADERS = [pytest.param(each, id=each['note']) for each in VECTORS['headers']]
KEYS = [pytest.param(each, id=name) for name, each in VECTORS['keys'].items()]


def settings(key):
    return {each: key[each] for each in ('secret', 'cookie_name', 'domain', 'path')}


def as_json(payload):
    """A payload of the package, as vectors.json has payloads."""
    login, previous = payload.login, payload.previous
    found = {name: getattr(payload, name) for name in ('base_id', *TIMES)}
    if login is not None:
        login = login.jws or {
            'id': login.id, 'at': login.at, 'by': login.by, 'user': login.user,
            'tokens': list(login.tokens)}
    if previous is not None:
        previous = {**previous._asdict(), 'salted': sorted(previous.salted)}
    return {**found, 'login': login, 'values': dict(payload.values), 'previous': previous,
            'sections': as_json_sections(payload)}


def as_json_sections(payload):
    return {name: {'salt': section.salt, 'values': dict(section.values)}
            for name, section in payload.sections.items()}


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
        source = pathlib.Path(specified.__file__).read_text('utf-8')
        names = {ast.Load: set(), ast.Store: set()}
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Name):
                names[type(node.ctx)].add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names[ast.Store].add(node.name)
            elif isinstance(node, ast.arg):
                names[ast.Store].add(node.arg)
            elif isinstance(node, ast.ExceptHandler):
                names[ast.Store].add(node.name)
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

    @pytest.mark.parametrize('vector', SECTIONS)
    def test_sections(self, vector):
        """Of sections that no writer writes, those of the vector are there."""
        key = VECTORS['keys'][vector['key']]
        payload, _ = unsign([key], vector['value'], vector['now'], vector['timeout'],
                            vector['lifetime'])
        assert payload['sections'] == vector['sections']

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

    @pytest.mark.parametrize('vector', SECTIONS)
    def test_sections(self, vector):
        """Of sections that no writer writes, those of the vector are there, whether all
        are looked at or one."""
        signer = SessionCookieSigner(
            timeout=vector['timeout'] / 60, lifetime=vector['lifetime'] / 60,
            **settings(VECTORS['keys'][vector['key']]))
        payload = signer.unsign(vector['value'], vector['now'])[0]
        for name in ('/a', '/b', '/z'):
            section = vector['sections'].get(name, {'salt': '', 'values': {}})
            assert payload.part(name) == (
                derive_id(payload.base_id, name, section['salt']), section['salt'],
                section['values'])
        assert as_json_sections(payload) == vector['sections']

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
        assert described == public - {'state', 'collect', 'withdraw'}

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


@pytest.mark.parametrize('page', sorted(ROOT.glob('*.rst')), ids=lambda page: page.name)
def test_paths(page):
    """What a page at the top says is in docs or tests is there."""
    found = re.findall(r'(?<![\w/])((?:docs|tests)/[\w./-]*\w)', page.read_text('utf-8'))
    # NAME is for the reader to put in, and _build for Sphinx
    paths = [path for path in found if not re.search('[A-Z]{4}|_build', path)]
    assert [path for path in paths if not (ROOT / path).exists()] == []


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
