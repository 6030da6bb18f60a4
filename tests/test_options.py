"""section, options, sources, engines: ini text in; values, or errors that name every fault and no secret."""
import base64
import contextlib
import hashlib
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
import traceback

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import paste_sessioncookie
from paste_sessioncookie import (
    ConfigError, SessionCookieHandler, cookie, engines, namespace, options, sources)
from paste_sessioncookie.section import IniSection, Option, nothing

TESTS = os.path.dirname(os.path.abspath(__file__))
MAKE_ONE = 'paste_sessioncookie secret'
FOREVER = 3660 * 86400  # seconds


def table_test(convert, good, bad, message):
    """Tests of one converter: texts with their values, and texts that it refuses."""
    @pytest.mark.parametrize('text, value', good, ids=repr)
    def test_good(text, value):
        """The text is accepted and means this value."""
        converted = convert(text, '')
        assert converted == value
        assert type(converted) is type(value)

    @pytest.mark.parametrize('text', bad, ids=repr)
    def test_bad(text):
        """The text is refused, with a sentence that says what is accepted."""
        with pytest.raises(ValueError) as caught:
            convert(text, '')
        assert message in str(caught.value)

    return test_good, test_bad


test_duration_good, test_duration_bad = table_test(
    options.duration,
    [('1s', 1), ('90s', 90), ('1', 60), ('30', 1800), ('30m', 1800), ('12h', 43200),
     ('14d', 1209600), ('30 m', 1800), ('007', 420), ('3660d', FOREVER),
     (f'{FOREVER}s', FOREVER), (str(FOREVER // 60), FOREVER)],
    ['', '0', '0s', '0d', '-1', '+1', '1.5', '1,5', '1.5h', '30M', 'm', 'h30', '1h30m',
     '30min', '2w', '1e3', '\u0663', '30 ; minutes', '30 # minutes', 'soon', '3661d',
     f'{FOREVER + 1}s', '9999999999', '30\n40', ' 30'],
    'it takes a time as in 90s, 30m, 12h or 14d, or a number of minutes')

test_boolean_good, test_boolean_bad = table_test(
    options.boolean,
    [(text, value) for value, words in [
        (True, 'true yes on y t 1 True TRUE'), (False, 'false no off n f 0 False')]
     for text in words.split()],
    ['', '2', 'maybe', 'auto', 'none', 'true false', 'true # yes'],
    'it takes true or false')

test_secure_good, test_secure_bad = table_test(
    options.secure,
    [('true', True), ('On', True), ('false', False), ('0', False), ('auto', None),
     ('AUTO', None)],
    ['', 'maybe', 'automatic', 'auto ; by scheme', 'none'],
    'it takes true, false or auto')

test_choice_good, test_choice_bad = table_test(
    options.choice('Lax', 'Strict', 'None'),
    [('Lax', 'Lax'), ('lax', 'Lax'), ('STRICT', 'Strict'), ('none', 'None')],
    ['', 'Loose', 'Lax Strict', 'Lax;', 'La'],
    'it takes one of: Lax, Strict, None')

test_length_good, test_length_bad = table_test(
    options.length,
    [('512', 512), ('0512', 512), ('3000', 3000), ('4096', 4096)],
    ['', '511', '4097', '0', '-600', '600.0', '4k', '1000000', '1 000',
     '\u0661\u0660\u0660\u0660'],
    'it takes a number from 512 to 4096')

test_cookie_name_good, test_cookie_name_bad = table_test(
    options.cookie_name,
    [(text, text) for text in (
        'site_session', '__Host-site_session', '__Secure-x', 'a.b', 'x', 'A1-_.', 'n' * 100)],
    ['', 'n' * 101, 'a b', 'a;b', 'a,b', 'a=b', 'a"b', 'a/b', 'a[b]', 'a\tb', 'a\nb', 'a\n',
     'caf\xe9', 'name ; of the site', '\x00', '\x7f'],
    'it takes letters, digits and')

test_path_good, test_path_bad = table_test(
    options.path,
    [(text, text) for text in (
        '/', '/shop', '/shop/', '/a/b-c_d.e~f', '/a%20b', '/' + 'x' * 199, '/=@:+')],
    ['', 'shop', './shop', '/a b', '/a;b', '/a,b', '/a\tb', '/a\nb', '/a\n', '/caf\xe9',
     '/shop ; the shop', '/shop # the shop', '/' + 'x' * 200, '/\x7f', '/a; Domain=x.org'],
    'it takes a path that begins with "/"')

test_domain_good, test_domain_bad = table_test(
    options.domain,
    [('.example.org', 'example.org'), ('Example.ORG', 'example.org')]
    + [(text, text) for text in (
        '', 'example.org', 'localhost', 'a-b.example', 'xn--bcher-kva.example', '1.example',
        'a' * 63 + '.org', '.'.join(['abcdefg'] * 31 + ['abcde']))],
    ['.', '..', '..example.org', 'example..org', 'example.org.', '-a.org', 'a-.org',
     'http://example.org', 'example.org:80', 'example.org/', 'a b', 'a_b.org', 'b\xfccher.org',
     '127.0.0.1', '.127.0.0.1', '::1', '[::1]', '*.example.org', 'a;b', 'a.org, b.org',
     'example.org\n', 'a' * 64 + '.org', '.'.join(['abcdefg'] * 32), 'example.org # ours'],
    'it takes a host name, as in example.org')

test_names_good, test_names_bad = table_test(
    options.names,
    [('', ()), ('REMOTE_USER', ('REMOTE_USER',)),
     ('REMOTE_USER REMOTE_SESSION', ('REMOTE_USER', 'REMOTE_SESSION')),
     ('b\n  a\tb', ('b', 'a')), ('REMOTE_USER_TOKENS AUTH_TYPE',
                                 ('REMOTE_USER_TOKENS', 'AUTH_TYPE')),
     ('shop.currency x-y.z _x', ('shop.currency', 'x-y.z', '_x'))],
    ['HTTP_COOKIE', 'HTTP_HOST REMOTE_USER', 'wsgi.input', 'session.id', 'session.anything',
     'SCRIPT_NAME', 'PATH_INFO', 'REMOTE_ADDR', 'REMOTE_HOST', 'SERVER_NAME', 'CONTENT_TYPE',
     'REQUEST_METHOD', 'QUERY_STRING', 'GATEWAY_INTERFACE', 'HTTPS', 'SSL_CLIENT_S_DN'],
    'the server says what this is')

_, test_names_syntax = table_test(
    options.names, [], ['a,b', 'REMOTE_USER, REMOTE_SESSION', '1a', 'a;', '#', 'a # b', 'a=b'],
    'a key is letters, digits')

test_moment_good, test_moment_bad = table_test(
    options.moment,
    [(text, 1769860800.0) for text in (
        '2026-01-31T12:00:00Z', '2026-01-31T12:00:00z', '2026-01-31T12:00:00',
        '2026-01-31 12:00:00', '2026-01-31T12:00', '2026-01-31T12:00:00+00:00',
        '2026-01-31T13:00:00+01:00', '2026-01-31T06:30:00-05:30')]
    + [('2026-01-31', 1769817600.0), ('1970-01-01', 0.0), ('', 0)],
    ['yesterday', '31.01.2026', '12:00', '1769860800', '2026-02-30', '2026-01-31T25:00',
     '2026-01-31 ; the leak', '2026-01-31T12:00:00Z Z'],
    'it takes an ISO 8601 time, as in 2026-01-31T12:00:00Z')

test_native_name_good, test_native_name_bad = table_test(
    options.native_name,
    [('shop', 'shop'), ('/blog', '/blog'), ('the shop', 'the shop'), ('n' * 100, 'n' * 100),
     ('caf\xe9', 'caf\xc3\xa9'), ('\u0141ukasz', '\xc5\x81ukasz'), ('\u6f22', '\xe6\xbc\xa2')],
    ['', 'n' * 101, 'a\nb', 'a\tb', '\x00', '\x7f', '\x85', '\ud800'],
    'it takes a name of 1 to 100')

test_revocation_good, test_revocation_bad = table_test(
    engines.revocation,
    [('none', 'none'), ('memory', 'memory'), ('Memory', 'memory'), ('NONE', 'none')],
    ['', 'all', 'files', 'memory # one process', 'true', 'sqllite:/var/lib/revoked.db',
     'shop.lists:', 'shop/lists:make', 'http://lists.example.org/x'],
    'it takes none, memory, sqlite:PATH, redis://HOST, or module:callable')

_, test_revocation_no_address = table_test(
    engines.revocation, [],
    ['redis:', 'redis:localhost', 'redis:/localhost', 'redis://localhost:port', 'unix:',
     'redis://localhost:99999', 'redis://localhost/zero', 'REDIS://localhost:x',
     'redis://localhost?db=x', 'redis://localhost?socket_timeout=soon',
     'redis://localhost?no_such_parameter=1', 'redis://:pass#word@localhost',
     'redis://user:123?word@localhost', 'redis://user:123/word@localhost',
     'unix:///run/redis.sock?ssl_ca_certs=x', 'redis://localhost?connection_class=x',
     'unix://run/redis.sock', 'unix://site:word@run/redis.sock'],
    'it takes redis://USER:PASSWORD@HOST:PORT/DB')

_, test_revocation_no_file_name = table_test(
    engines.revocation, [], ['sqlite:', 'sqlite: ', 'SQLite:'], 'a file name is missing')

_, test_revocation_file_as_an_address = table_test(
    engines.revocation, [], ['sqlite:///var/lib/revoked.db', 'sqlite://revoked.db'],
    'it takes sqlite:PATH, without "//"')


def test_moment_is_utc(monkeypatch):
    """A time without a zone is UTC, wherever the server stands."""
    monkeypatch.setenv('TZ', 'XXX-9')
    time.tzset()
    try:
        assert options.moment('2026-01-31T12:00:00', '') == 1769860800
        assert options.moment('2026-01-31', '') == 1769817600
    finally:
        monkeypatch.undo()
        time.tzset()


_, test_login_private_key_form = table_test(
    sources.login_private_key, [],
    ['', 'login.pem', 'generate:login.pem', 'FILE:login.pem', 'file', 'file :login.pem',
     'file:login.pem\nfile:login.pem', '-----BEGIN PRIVATE KEY-----'],
    'it takes file:PATH or env:NAME')

_, test_login_public_keys_form = table_test(
    sources.login_public_keys, [],
    ['login.pem.pub', 'generate:x', 'file:login.pem.pub ; ours', 'file: login.pem.pub',
     'file:login.pem.pub # ours', '-----BEGIN PUBLIC KEY-----'],
    'it takes file:PATH or env:NAME')


@pytest.mark.parametrize('convert, text', [
    (sources.login_private_key, 'file:'), (sources.login_public_keys, 'file:'),
    (sources.login_private_key, 'env:'), (sources.login_public_keys, 'env:')])
def test_login_keys_without_a_name(convert, text):
    """The name of the file or of the variable must be there."""
    with pytest.raises(ValueError, match='name .*is missing'):
        convert(text, '')


LOGIN_KEYS = json.loads(Path(TESTS, '..', 'docs', 'vectors.json').read_text())['login_keys']['door']


def test_login_keys_of_the_environment(monkeypatch, tmp_path):
    """PEM is taken from variables and files, several public keys from both."""
    monkeypatch.setenv('LOGIN_KEY', LOGIN_KEYS['private_key'])
    monkeypatch.setenv('LOGIN_KEY_PUB', LOGIN_KEYS['public_key'])
    (tmp_path / 'login.pem.pub').write_text(LOGIN_KEYS['public_key'])
    private, public = (LOGIN_KEYS[f'{each}_key'].strip().encode() for each in ('private', 'public'))
    assert sources.login_private_key('env:LOGIN_KEY', '') == private
    assert sources.login_public_keys(
        'env:LOGIN_KEY_PUB\nfile:login.pem.pub', str(tmp_path)) == (public, public)
    with pytest.raises(ValueError, match='the environment variable LOGIN_KEY: this is a private'):
        sources.login_public_keys('env:LOGIN_KEY', '')


@pytest.mark.parametrize('mode, warned', [(0o600, False), (0o640, False), (0o644, True)])
def test_a_private_key_that_everybody_can_read(tmp_path, caplog, mode, warned):
    """A private key is for one process; a public one is for everybody."""
    for name in ('private', 'public'):
        (tmp_path / name).write_text(LOGIN_KEYS[f'{name}_key'])
        (tmp_path / name).chmod(mode)
    sources.login_public_keys('file:public', str(tmp_path))
    assert not caplog.records
    sources.login_private_key('file:private', str(tmp_path))
    assert [each.getMessage().endswith('private can be read by everybody on this machine; '
                                       'chmod 600 it') for each in caplog.records] == [True] * warned


@pytest.mark.parametrize('text, shown', [
    ('file:a env:B\nfile:c', 'file:a env:B\nfile:c'), ('', ''), ('file:a b', None), ('a', None),
    ('-----BEGIN PRIVATE KEY-----', None), ('generate:a', None)])
def test_source_names(text, shown):
    """What may be a key itself is not shown."""
    assert sources.source_names(text) == shown


@pytest.mark.parametrize('name', ['login_private_key', 'login_public_keys'])
def test_login_keys_without_the_extra(monkeypatch, name):
    """Without the extra the fault of the option says what to install."""
    monkeypatch.delattr(paste_sessioncookie, 'jws', raising=False)
    monkeypatch.delitem(sys.modules, 'paste_sessioncookie.jws', raising=False)
    monkeypatch.setitem(sys.modules, 'jwt', None)
    with pytest.raises(ConfigError) as caught:
        cookie.make_session_cookie(None, {}, secret=SECRET, **{name: 'file:x.pem'})
    [fault] = caught.value.faults
    assert fault.startswith(name) and 'pip install "paste_sessioncookie[login]"' in fault


def test_names_all_faults():
    """Each faulty name has a sentence of its own; the good one has none."""
    with pytest.raises(ValueError) as caught:
        options.names('HTTP_HOST REMOTE_USER paste.auth.cookie a,b', '')
    assert str(caught.value) == (
        'HTTP_HOST: the server says what this is; a cookie must not; '
        'paste.auth.cookie: this is the list itself; '
        'a,b: a key is letters, digits, "_", "-" and "."')


# -- generators ------------------------------------------------------------

@pytest.mark.parametrize('text, size', [
    ('configapps:random_24_bytes', 24), ('configapps:Inside.generator', 16)])
def test_generator(text, size):
    """A generator that works is taken."""
    assert len(options.generator(text, '')()) == size


@pytest.mark.parametrize('text, message', [
    ('', 'it takes module:callable'), ('os', 'it takes module:callable'),
    ('os:', 'it takes module:callable'), (':urandom', 'it takes module:callable'),
    ('os.urandom', 'it takes module:callable'),
    ('no_such_module:x', r'it cannot be imported \(ModuleNotFoundError: No module'),
    ('configapps:nothing', r'it cannot be imported \(AttributeError: module'),
    ('configapps:Inside.nothing', r'it cannot be imported \(AttributeError: type object'),
    ('a b:x', 'it takes module:callable'), ('..:x', 'it takes module:callable'),
    ('configapps:not_callable', 'this cannot be called'),
    ('configapps:random_15_bytes', 'gave 15 bytes; a base ID takes 16 to 64'),
    ('configapps:random_text', 'gave str, not bytes'),
    ('configapps:same_bytes', 'it gave the same bytes twice'),
    ('configapps:broken', 'it raised OSError: no entropy today'),
    ('os:urandom', 'it raised TypeError: '),
])
def test_bad_generator(text, message):
    """A generator is tried out at load: what is wrong with it is said."""
    with pytest.raises(ValueError, match=message) as caught:
        options.generator(text, '')
    assert not isinstance(caught.value, ConfigError)


def test_module_that_cannot_be_imported(tmp_path, monkeypatch):
    """A module that raises anything while it is imported is a fault like others."""
    (tmp_path / 'a_broken_module.py').write_text('raise RuntimeError("no such luck")')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=r'\(RuntimeError: no such luck\)'):
        options.python_object('a_broken_module:anything')


# -- secrets ---------------------------------------------------------------

def random_hex(text):
    return hashlib.sha256(text.encode()).hexdigest()


SECRET = random_hex('a secret')


def test_literal():
    """What names no source is the secret itself."""
    assert sources.secret(SECRET, '') == SECRET.encode()
    assert sources.secret('Z:' + SECRET, '') == b'Z:' + SECRET.encode()
    umlauts = ''.join(map(chr, range(0xc0, 0xe0)))
    assert sources.secret(umlauts, '') == umlauts.encode('utf-8')


def test_literal_of_32_bytes():
    """32 bytes are enough, 31 are not; bytes count, not characters."""
    assert sources.secret(SECRET[:32], '') == SECRET[:32].encode()
    assert sources.secret('\xe4\xf6\xfc\xdf\xc4\xd6\xdc\u20ac' * 2, '')
    with pytest.raises(ValueError, match='it has 31 bytes and takes at least 32') as caught:
        sources.secret(SECRET[:31], '')
    assert MAKE_ONE in str(caught.value)


PHRASE = 'forty jumping quails vex no lazy brown wolf'
OTHER_PHRASE = "seven old bicycles lean on Quentin's fence"


def test_literal_with_blanks():
    """A phrase is a secret, as it was in the parent."""
    assert sources.secret(PHRASE, '') == PHRASE.encode()


@pytest.mark.parametrize('comment', [' ; old', ' # old', ' ;old', '\t#old', ' ;', ' #'])
def test_comment_behind_a_literal(comment):
    """What looks like a comment would be part of the secret."""
    with pytest.raises(ValueError, match='no comments behind a value') as caught:
        sources.secret(SECRET + comment, '')
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize('text', [
    'change-me' + SECRET, 'ChangeMe' * 4, 'CHANGE_THIS' * 3, 'your-secret-' * 3,
    'my_own_secret-with-32-characters', 'the secret'.replace(' ', '-') * 4, 'secret-key' * 4,
    'put-the-secret-here-before-you-start', 'replace-with-random-text-of-32-bytes',
    'a-placeholder-of-more-than-32-bytes', 'just-an-example-of-32-bytes-or-more',
    'correct-password-battery-staple-1', 'insert-here-some-32-random-bytes',
    'some-random-string-that-is-quite-long', 'supersecretsupersecretsupersecret',
    'notsosecretnotsosecretnotsosecret', 'itsaseekreet' * 3,
    '<32-random-bytes-or-more-go-in-here>', '<RANDOM>' * 4,
    'x' * 64, '0123456' * 9, 'abababab' * 8, '0' * 32])
def test_placeholder(text):
    """What stands in examples is refused, with the command that makes a real one."""
    with pytest.raises(ValueError, match='this looks like a placeholder') as caught:
        sources.secret(text, '')
    assert MAKE_ONE in str(caught.value)
    assert text not in str(caught.value)


random_bytes = st.integers(min_value=0).map(
    lambda seed: hashlib.sha512(str(seed).encode()).digest())


@given(random_bytes, st.integers(32, 64))
def test_random_secrets_are_no_placeholders(data, size):
    """What secrets.token_hex and secrets.token_urlsafe make is always accepted."""
    for text in (data[:size].hex(), data[:16].hex(),
                 base64.urlsafe_b64encode(data[:size]).rstrip(b'=').decode(),
                 base64.b64encode(data[:size]).decode()):
        assert sources.secret(text, '') == text.encode()


@pytest.mark.parametrize('data', [
    hashlib.sha256(b'119').digest(), hashlib.sha256(b'129').digest()], ids=['any', '< and >'])
def test_random_bytes_are_no_placeholder(tmp_path, data):
    """A file of random bytes is as good, whatever the bytes are."""
    (tmp_path / 'secret').write_bytes(data)
    assert sources.secret('file:secret', str(tmp_path)) == data


@pytest.mark.parametrize('data', [
    hashlib.sha256(b'39').digest(), hashlib.sha256(b'22').digest()], ids=['first', 'last'])
def test_random_bytes_at_the_ends(tmp_path, data):
    """32 bytes of a file of random bytes stay 32, also when white space is among them."""
    (tmp_path / 'secret').write_bytes(data)
    assert sources.secret('file:secret', str(tmp_path)) == data


def test_random_text_with_brackets():
    """A random text of letters and signs is no placeholder for having < and > in it."""
    text = 'kT<v9!Rz@3mQ>x&7Lp$Wd2^Hs8*Yf5+Bn6'
    assert sources.secret(text, '') == text.encode()


# -- file:

@pytest.mark.parametrize('written', [
    SECRET, SECRET + '\n', SECRET + '\r\n', f'\n {SECRET} \n'],
    ids=['bare', 'line', 'CRLF', 'blanks'])
def test_file(tmp_path, written):
    """White space around the secret in a file is no part of it."""
    (tmp_path / 'a.secret').write_text(written)
    for text in (f'file:{tmp_path}/a.secret', f'file: {tmp_path}/a.secret',
                 'file:a.secret', 'file:./a.secret'):
        assert sources.secret(text, str(tmp_path)) == SECRET.encode()


def test_file_is_relative_to_the_ini_file(tmp_path, monkeypatch):
    """Not to the directory in which the server happens to be started."""
    (tmp_path / 'elsewhere').mkdir()
    (tmp_path / 'a.secret').write_text(SECRET)
    (tmp_path / 'elsewhere' / 'a.secret').write_text(random_hex('another one'))
    monkeypatch.chdir(tmp_path / 'elsewhere')
    for conf in ({'here': str(tmp_path)}, {'__file__': str(tmp_path / 'site.ini')}):
        section = IniSection('session_cookie', cookie.OPTIONS, conf, {'secret': 'file:a.secret'})
        assert section.finish()['secret'] == SECRET.encode()


def test_file_is_missing(tmp_path):
    """The sentence names the file that was looked for, and what to write."""
    with pytest.raises(ValueError, match='there is no file .*generate: instead') as caught:
        sources.secret('file:a.secret', str(tmp_path))
    assert str(tmp_path / 'a.secret') in str(caught.value)


@pytest.mark.parametrize('written, message', [
    ('', '0 bytes'), ('\n\n', '0 bytes'), ('short', '5 bytes'),
    ('change-me-' * 4, 'placeholder')])
@pytest.mark.parametrize('source', ['file', 'generate'])
def test_file_is_no_secret(tmp_path, written, message, source):
    """A file with something else in it is named, and left as it is."""
    (tmp_path / 'a.secret').write_text(written)
    with pytest.raises(ValueError, match=message) as caught:
        sources.secret(f'{source}:a.secret', str(tmp_path))
    assert MAKE_ONE in str(caught.value)
    assert 'change-me' not in str(caught.value)
    assert (tmp_path / 'a.secret').read_text() == written
    assert str(tmp_path / 'a.secret') in str(caught.value)


def test_file_cannot_be_read(tmp_path):
    """A directory, or what is under a file, cannot be read, and the sentence says why."""
    (tmp_path / 'a.secret').write_text(SECRET)
    with pytest.raises(ValueError, match='cannot be read: Is a directory') as caught:
        sources.secret('file:.', str(tmp_path))
    assert str(tmp_path) in str(caught.value)
    with pytest.raises(ValueError, match='a.secret/b cannot be read: Not a directory'):
        sources.secret('file:a.secret/b', str(tmp_path))


@contextlib.contextmanager
def nobody():
    """No rights but those of everybody: root may open what he likes."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def public_directory():
    """A directory that everybody may enter; pytest's own are not."""
    directory = tempfile.mkdtemp()
    os.chmod(directory, 0o755)
    yield directory
    os.chmod(directory, 0o700)
    shutil.rmtree(directory)


@pytest.mark.parametrize('source', ['file', 'generate'])
def test_file_of_somebody_else(public_directory, source):
    """A secret file that the server may not read is named, and not replaced."""
    filename = os.path.join(public_directory, 'a.secret')
    with open(filename, 'w') as file:
        file.write(SECRET)
    os.chmod(filename, 0)
    with nobody(), pytest.raises(ValueError) as caught:
        sources.secret(f'{source}:a.secret', public_directory)
    assert str(caught.value) == f'{filename} cannot be read: Permission denied'
    with nobody() if os.geteuid() else contextlib.nullcontext():
        os.chmod(filename, 0o600)
    with open(filename) as file:
        assert file.read() == SECRET


@pytest.mark.parametrize('source', ['file', 'generate'])
@pytest.mark.parametrize('comment', [' ; ours', ' # ours', '\t;ours'])
def test_comment_behind_a_file_name(tmp_path, source, comment):
    """What looks like a comment would be part of the name."""
    with pytest.raises(ValueError, match='no comments behind a value'):
        sources.secret(f'{source}:a.secret{comment}', str(tmp_path))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('text', ['file:', 'file: ', 'generate:', 'generate:\t'])
def test_file_without_a_name(text):
    """A source without a name says so."""
    with pytest.raises(ValueError, match='a file name is missing'):
        sources.secret(text, '')


@pytest.mark.parametrize('text', [
    'File:a.secret', 'FILE:a.secret', 'file :a.secret', 'Env:A', 'ENV:A', 'env :A',
    'Generate:a.secret'])
def test_source_misspelt(text):
    """A misspelt source is no literal secret; the sentence lists the sources."""
    with pytest.raises(ValueError, match='file:PATH, env:NAME, generate:PATH'):
        sources.secret(text, '')


# -- env:

@pytest.mark.parametrize('value', [SECRET, SECRET + '\n', f' {SECRET} '],
                         ids=['bare', 'line', 'blanks'])
def test_env(monkeypatch, value):
    """The environment's secret, without white space around it."""
    monkeypatch.setenv('A_SECRET', value)
    assert sources.secret('env:A_SECRET', '') == SECRET.encode()
    assert sources.secret('env: A_SECRET', '') == SECRET.encode()


def test_env_of_bytes(monkeypatch):
    """Bytes that are no UTF-8 come as they are."""
    data = bytes(range(0xa1, 0xc1))
    monkeypatch.setitem(os.environ, 'A_SECRET', os.fsdecode(data))
    assert sources.secret('env:A_SECRET', '') == data


@pytest.mark.parametrize('value, message', [
    (None, 'the environment variable A_SECRET is not set'),
    ('', 'A_SECRET is not set, or empty'), (' ', 'A_SECRET is not set, or empty'),
    ('short', '5 bytes'),
    ('your-own-secret-goes-in-here-please', 'placeholder')])
def test_env_is_no_secret(monkeypatch, value, message):
    """The variable is named; what is in it is not shown."""
    monkeypatch.delenv('A_SECRET', raising=False)
    if value is not None:
        monkeypatch.setenv('A_SECRET', value)
    with pytest.raises(ValueError, match=message) as caught:
        sources.secret('env:A_SECRET', '')
    assert 'goes-in-here' not in str(caught.value)
    assert 'A_SECRET' in str(caught.value)


# -- generate:

def test_generate(tmp_path, caplog):
    """The file is made once, for one's own eyes, and logged without the secret."""
    caplog.set_level(logging.INFO, 'paste_sessioncookie')
    old_mask = os.umask(0)
    try:
        made = sources.secret('generate:a.secret', str(tmp_path))
    finally:
        os.umask(old_mask)
    file = tmp_path / 'a.secret'
    assert os.listdir(tmp_path) == ['a.secret']
    assert file.stat().st_mode & 0o7777 == 0o600
    assert file.stat().st_nlink == 1
    assert file.read_bytes() == made + b'\n'
    assert len(bytes.fromhex(made.decode())) == 32
    assert [record.getMessage() for record in caplog.records] == [
        f'made a new secret: {file}']
    assert sources.secret('generate:a.secret', str(tmp_path)) == made
    assert sources.secret('file:a.secret', str(tmp_path)) == made
    assert len(caplog.records) == 1


def test_generate_makes_another_one_each_time(tmp_path):
    """Two files have two secrets."""
    assert sources.secret('generate:a', str(tmp_path)) != sources.secret(
        'generate:b', str(tmp_path))


def test_generate_with_a_strict_umask(tmp_path):
    """A umask that forbids others everything changes nothing."""
    old_mask = os.umask(0o077)
    try:
        sources.secret('generate:a.secret', str(tmp_path))
    finally:
        os.umask(old_mask)
    assert (tmp_path / 'a.secret').stat().st_mode & 0o7777 == 0o600


def test_generate_leaves_a_file_alone(tmp_path, caplog):
    """A file that is there is read, whoever made it, and nothing is logged."""
    caplog.set_level(logging.DEBUG, 'paste_sessioncookie')
    file = tmp_path / 'a.secret'
    file.write_text(SECRET)
    file.chmod(0o640)
    before = file.stat()
    assert sources.secret('generate:a.secret', str(tmp_path)) == SECRET.encode()
    assert file.stat() == before
    assert file.read_text() == SECRET
    assert os.listdir(tmp_path) == ['a.secret']
    assert caplog.records == []


def test_generate_in_no_directory(tmp_path):
    """A directory is not made: the name may be misspelt."""
    with pytest.raises(ValueError) as caught:
        sources.secret('generate:nowhere/a.secret', str(tmp_path))
    assert str(caught.value) == (
        f'{tmp_path}/nowhere/a.secret cannot be made: No such file or directory')
    assert os.listdir(tmp_path) == []


def test_generate_in_a_directory_of_somebody_else(public_directory):
    """Where the server may not write, the sentence says so, and nothing is left behind."""
    os.chmod(public_directory, 0o555)
    with nobody(), pytest.raises(ValueError) as caught:
        sources.secret('generate:a.secret', public_directory)
    assert str(caught.value) == (
        f'{public_directory}/a.secret cannot be made: Permission denied')
    assert os.listdir(public_directory) == []


def test_generate_at_the_end_of_a_broken_link(tmp_path):
    """A symbolic link to nothing: the sentence names the file, and not what is
    written already."""
    (tmp_path / 'a.secret').symlink_to(tmp_path / 'nothing')
    with pytest.raises(ValueError) as caught:
        sources.secret('generate:a.secret', str(tmp_path))
    assert str(tmp_path / 'a.secret') in str(caught.value)
    assert 'write generate: instead' not in str(caught.value)
    assert os.listdir(tmp_path) == ['a.secret']


RACE = '''
import logging, sys, threading, time
from paste_sessioncookie import sources

directory, rounds, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
logged = []
handler = logging.Handler()
handler.emit = logged.append
logger = logging.getLogger('paste_sessioncookie')
logger.addHandler(handler)
logger.setLevel(logging.INFO)

def start_up():
    for number in range(rounds):
        while time.time() < start + number / 100:
            pass
        lines.append(f"{number} {sources.secret(f'generate:{number}.secret', directory)}")

lines = []
print('ready', flush=True)
start = float(sys.stdin.readline())
together = [threading.Thread(target=start_up) for _ in range(threads)]
for thread in together: thread.start()
for thread in together: thread.join()
for line in lines: print(line)
print('made', len(logged))
'''


def test_generate_by_many_at_once(tmp_path):
    """Processes and threads that all start together have one secret; one has made it."""
    processes, threads, rounds = 6, 2, 30
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(subprocess.Popen(
            [sys.executable, '-c', RACE, str(tmp_path), str(rounds), str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            for _ in range(processes)]
        for process in running:
            assert process.stdout.readline() == 'ready\n'
        start = time.time() + 0.1
        for process in running:
            process.stdin.write(f'{start}\n')
            process.stdin.flush()
        outputs = [process.communicate(timeout=20)[0].splitlines() for process in running]
    assert [process.returncode for process in running] == [0] * processes
    seen = {tuple(line.split()) for output in outputs for line in output[:-1]}
    assert len(seen) == rounds
    assert {len(output) for output in outputs} == {rounds * threads + 1}
    assert sum(int(output[-1].split()[1]) for output in outputs) == rounds
    assert sorted(os.listdir(tmp_path)) == sorted(f'{each}.secret' for each in range(rounds))


# -- accept_secrets

def test_secret_list(tmp_path, monkeypatch):
    """Several, of any kind, separated by white space; none is as good."""
    (tmp_path / 'a.secret').write_text(random_hex('of a file'))
    monkeypatch.setenv('A_SECRET', random_hex('of the environment'))
    text = f'{SECRET}\n  file:a.secret\tenv:A_SECRET'
    assert sources.secret_list(text, str(tmp_path)) == tuple(
        random_hex(each).encode() for each in ('a secret', 'of a file', 'of the environment'))
    assert sources.secret_list('', '') == ()


def test_secret_list_of_phrases():
    """A line may also be one secret with blanks in it."""
    assert sources.secret_list(f'{PHRASE}\n  {OTHER_PHRASE}', '') == (
        PHRASE.encode(), OTHER_PHRASE.encode())
    assert sources.secret_list(f'{PHRASE}\n{SECRET} {SECRET[::-1]}', '') == (
        PHRASE.encode(), SECRET.encode(), SECRET[::-1].encode())


def test_secret_list_that_is_ambiguous():
    """A good secret and a short one in a line are not taken for one phrase: neither
    would be accepted, and nobody would know why."""
    with pytest.raises(ValueError):
        sources.secret_list(f'{SECRET} of-yesterday', '')


@pytest.mark.parametrize('text, message', [
    (f'{SECRET}\nshort', '5 bytes and takes at least 32'),
    (f'{SECRET} your-own-secret-goes-in-here-please', 'placeholder'),
    (f'{SECRET} file:nothing.secret', 'there is no file'),
    (f'{SECRET} env:NO_SUCH_SECRET', 'the environment variable NO_SUCH_SECRET is not set'),
    ('generate:a.secret', 'it takes the secret itself, or file:PATH, env:NAME$'),
    (f'FILE:a {SECRET}', 'it takes the secret itself, or file:PATH, env:NAME$'),
    (f'{SECRET} ; of yesterday', 'no comments behind a value'),
], ids=['short', 'placeholder', 'file', 'env', 'generate', 'source', 'comment'])
def test_bad_secret_list(tmp_path, text, message):
    """Each has to be as good as the one that signs; none is made."""
    with pytest.raises(ValueError, match=message):
        sources.secret_list(text, str(tmp_path))
    assert os.listdir(tmp_path) == []


# -- sections --------------------------------------------------------------

TABLE = {
    'size': Option(options.length, 4096),
    'time': Option(options.duration, required='write time = 30'),
    'word': Option(sources.secret, show=nothing, inherited=True),
}


def test_section():
    """Options are converted, and those that are not there have their defaults."""
    section = IniSection('thing', TABLE, {'here': '/x'}, {'time': '90s', 'word': SECRET})
    assert section.finish() == {'size': 4096, 'time': 90, 'word': SECRET.encode()}
    assert section.faults == []


def test_section_with_all_faults_at_once():
    """All faults are in one error, and in its ``faults``; no secret is."""
    section = IniSection('thing', TABLE, {'here': '/x', '__file__': '/x/site.ini'},
                         {'size': '9', 'word': 'not-much', 'tine': '3', 'else': '4'})
    section.fault('something about two options', 'size', 'time')
    with pytest.raises(ConfigError) as caught:
        section.finish()
    assert str(caught.value).splitlines() == [
        'paste_sessioncookie#thing (loaded from /x/site.ini): 6 faults in its section',
        '  - tine: there is no such option; did you mean time?',
        '  - else: there is no such option; there are: size, time, word',
        '  - size = 9: it takes a number from 512 to 4096, which is what browsers keep',
        '  - time: missing; write time = 30',
        '  - word: it has 8 bytes and takes at least 32.  Make one, in a file, with:  '
        'python3 -m paste_sessioncookie secret site.secret',
        '  - something about two options']
    assert len(caught.value.faults) == 6
    assert section.failed == {'tine', 'else', 'size', 'time', 'word'}


def test_section_with_one_fault_and_no_file():
    """A factory that is called from Python has no file to name."""
    with pytest.raises(ConfigError) as caught:
        IniSection('thing', TABLE, None, {'time': '0'}).finish()
    assert str(caught.value).startswith(
        'paste_sessioncookie#thing: a fault in its section\n  - time = 0: it takes a time')


@pytest.mark.parametrize('value, expected', [
    (90, 5400), ('  90s\n', 90), (b'90s', 90), (('90s',), 90), (['90', 'm'], 5400)], ids=repr)
def test_values_from_python(value, expected):
    """What an ini file would say may come as a number, as bytes or as a list."""
    assert IniSection('thing', TABLE, {}, {'time': value}).finish()['time'] == expected


def test_none_is_not_there():
    """None is as if the option were missing."""
    section = IniSection(
        'thing', TABLE, {'word': SECRET}, {'time': 1, 'size': None, 'word': None})
    assert section.finish() == {'size': 4096, 'time': 60, 'word': SECRET.encode()}


@pytest.mark.parametrize('secret', [SECRET.encode(), bytes(range(0xc0, 0xe0))],
                         ids=['digits', 'bytes over 127'])
def test_secret_of_bytes_from_python(secret):
    """A secret of bytes is the same secret for the factory as for the class."""
    made = cookie.make_session_cookie(None, {}, secret=secret)
    assert made.signer.keys.current.id == SessionCookieHandler(
        None, secret=secret).signer.keys.current.id


def test_inherited_option(caplog):
    """An option of [DEFAULT] that counts is used, with a warning and without its value."""
    section = IniSection('thing', TABLE, {
        '__file__': '/x/site.ini', 'word': SECRET, 'time': '7'}, {'time': '5'})
    assert section.finish()['word'] == SECRET.encode()
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().startswith(
        'paste_sessioncookie#thing (loaded from /x/site.ini): word is taken from [DEFAULT]')
    assert SECRET not in caplog.text


def test_section_before_default(caplog):
    """The section's own value counts, where PasteDeploy hands it on."""
    own = random_hex('its own')
    section = IniSection('thing', TABLE, {'word': SECRET}, {'time': '5', 'word': own})
    assert section.finish()['word'] == own.encode()
    assert caplog.records == []


def test_hidden_options(caplog):
    """One warning names all options that [DEFAULT] hides, and what to write for one."""
    section = IniSection('thing', TABLE, {'size': 600, 'time': '7', 'here': '/x'}, {})
    with pytest.raises(ConfigError, match='time: missing'):
        section.finish()
    [record] = caplog.records
    assert ('[DEFAULT] has size, time, so PasteDeploy hides what the section says of them, and '
            'nothing of it is used.') in record.getMessage()
    assert '"set size = VALUE" and "get size = size"' in record.getMessage()


def test_faulty_secret_of_default(caplog):
    """A secret of [DEFAULT] is judged as any other, and not shown."""
    with pytest.raises(ConfigError, match='word: it has 9 bytes') as caught:
        IniSection('thing', TABLE, {'word': 'too-short'}, {'time': 1}).finish()
    assert 'too-short' not in str(caught.value) + caplog.text


# everything that a message could be about, in letters that no message has
GREEK = '\u03b1\u03b2\u03b3\u03b4\u03b5\u03b6\u03b7\u03b8'
secret_texts = st.text(GREEK + ' \n\t:;#%<>=,"\'', min_size=1, max_size=60)


@given(secret_texts, secret_texts, secret_texts, st.sampled_from(['timeout', 'maxlen', 'x']))
@example(GREEK * 3, GREEK[:3], 'redis', 'timeout')
def test_no_message_shows_a_secret(one, two, three, faulty):
    """Whatever is wrong with secrets and with the rest, no letter of one is shown."""
    records = []
    handler = logging.Handler()
    handler.emit = records.append
    logger = logging.getLogger('paste_sessioncookie')
    logger.addHandler(handler)
    try:
        with pytest.raises(ConfigError) as caught:
            cookie.make_session_cookie(
                None, {'__file__': 'site.ini', 'secret': one, 'accept_secrets': two},
                login_private_key=three, accept_secrets=two, secrets=three,
                **{faulty: 'wrong'})
    finally:
        logger.removeHandler(handler)
    said = [str(caught.value), repr(caught.value)] + [each.getMessage() for each in records]
    assert not set(GREEK) & set(''.join(said))
    assert caught.value.__cause__ is None


@given(st.text(GREEK, min_size=1, max_size=15))
def test_no_message_shows_a_secret_from_elsewhere(text):
    """Nor what is in a file or in the environment."""
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, 'a.secret'), 'w', encoding='utf-8') as file:
            file.write(text)
        os.environ['A_SECRET'] = text
        try:
            with pytest.raises(ConfigError) as caught:
                cookie.make_session_cookie(
                    None, {'here': directory}, secret='file:a.secret',
                    accept_secrets='env:A_SECRET')
        finally:
            del os.environ['A_SECRET']
    assert not set(GREEK) & set(str(caught.value))
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize('url', [
    'redis://:b0rrowed-w0rds@localhost:port/0', 'rediss://site:b0rrowed-w0rds@cache/x',
    'REDIS://site:b0rrowed-w0rds@cache?db=x', 'unix://site:b0rrowed-w0rds@/run/x?y=z',
    'redis://site:b0rrowed/w0rds@cache', 'redis://site:123#b0rrowed-w0rds@cache',
    'redis://b0rrowed-w0rds:x', 'redis:b0rrowed-w0rds', 'redis://site:b0rrowed-w0rds',
    'http://site:b0rrowed-w0rds@lists/x', 'unix://site:b0rrowed-w0rds@run/redis.sock'])
def test_no_message_shows_the_password_of_a_store(url):
    """The address of a store has a password in it, which is a secret."""
    with pytest.raises(ConfigError, match='revocation.*: it takes') as caught:
        cookie.make_session_cookie(None, {}, secret=SECRET, revocation=url)
    with pytest.raises(ValueError) as directly:
        engines.revocation(url, '')
    for error in (caught.value, directly.value):
        assert 'b0rrowed' not in ''.join(traceback.format_exception(error))


# -- factories -------------------------------------------------------------

def test_pairs_are_judged_when_their_parts_are_good():
    """A fault of one attribute does not bring faults of pairs with it."""
    with pytest.raises(ConfigError) as caught:
        cookie.make_session_cookie(
            None, {}, secret=SECRET, secure='perhaps', samesite='None',
            cookie_name='__Host-x', path='/x')
    assert len(caught.value.faults) == 1


def test_namespace_factory():
    """The other filter's options arrive, too."""
    made = namespace.make_namespace('app', {}, namespace='shop', login='yes')
    assert (made.application, made.namespace, made.login) == ('app', 'shop', True)
    made = namespace.make_namespace('app', None)
    assert (made.namespace, made.login) == ('', False)


@given(st.text(max_size=30))
def test_any_text_is_a_value_or_a_fault(text):
    """No converter raises anything but a ConfigError, whatever stands in the file."""
    assume('generate' not in text.lower() and 'sqlite' not in text.lower())
    given_options = dict.fromkeys(cookie.OPTIONS, text)
    with pytest.raises(ConfigError) as caught:
        cookie.make_session_cookie(None, {'here': TESTS}, **given_options)
    assert any(fault.startswith('login_private_key: ') for fault in caught.value.faults)
