"""
Ini files, loaded as a server loads them: configs/good and configs/bad.

What is expected of a file stands in comment lines at its head, in order.  Of
loading it::

    # environ: NAME=value     an environment variable that is set meanwhile
    # expect: TEXT            it cannot be loaded, and the message contains this
    # warns: TEXT             a warning contains this; without one, there is none
    # hides: TEXT             no message, traceback or log line contains this

and of requests to it, by one visitor over https::

    # host: NAME              the host of the following requests
    # scheme: http            their scheme
    # get: /path?query        a request
    # status: NUMBER          the status of its response; without one, it is no error
    # location: TEXT          its Location
    # cookie: NAME; ...       its Set-Cookie: the name, and all attributes but Max-Age
    # cookie: none
    # max-age: SECONDS        its Max-Age
    # max-age: none
    # times: IDLE ABSOLUTE    seconds that the cookie lives
    # base-id: DIGITS         the length of the base ID in it
    # body: TEXT              something that the application saw
"""
import logging
import os
import re
import shutil
import traceback

import pytest
from paste.deploy import loadapp
from webtest import TestApp

from paste_sessioncookie import (
    ConfigError, LoginNotAllowed, cookie, namespace, profile, profileserver, requirelogin)

CONFIGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'configs')
OF_LOADING = ('environ', 'expect', 'warns', 'hides')
OF_REQUESTS = ('host', 'scheme', 'get', 'status', 'location', 'cookie', 'max-age', 'times',
               'base-id', 'body')


def ini_files(folder):
    return sorted(name for name in os.listdir(os.path.join(CONFIGS, folder))
                  if name.endswith('.ini'))


def head(filename):
    """The (name, text) pairs at the head of an ini file."""
    found = []
    with open(filename, encoding='ascii') as file:
        for line in file:
            match = re.fullmatch(r'# ([a-z-]+): (.+)\n', line)
            if match is None:
                break
            assert match[1] in OF_LOADING + OF_REQUESTS, line
            found.append((match[1], match[2]))
    return found


def texts(filename, name):
    return [text for each, text in head(filename) if each == name]


@pytest.fixture(scope='module')
def configs(tmp_path_factory):
    """A copy of configs/: secrets are made beside the ini files, and files have the
    modes that a checkout does not keep."""
    copy = shutil.copytree(CONFIGS, tmp_path_factory.mktemp('ini') / 'configs')
    for file in (*copy.glob('*/*.secret'), *copy.glob('*/*.pem')):
        file.chmod(0o644 if file.stem == 'readable' else 0o600)
    return copy


@pytest.fixture
def load(configs, caplog, monkeypatch):
    """Loads one of the files; what its head says of the environment is set."""
    def load(folder, name):
        filename = str(configs / folder / name)
        for text in texts(filename, 'environ'):
            monkeypatch.setenv(*text.split('=', 1))
        caplog.set_level(logging.DEBUG, 'paste_sessioncookie')
        return filename, loadapp(f'config:{filename}')
    return load


@pytest.mark.parametrize('name', ini_files('bad'))
def test_bad(name, load, caplog):
    """A faulty file is refused while it is loaded, with all faults, option by option,
    and the file's name; a questionable one is warned of; and no secret is shown."""
    original = os.path.join(CONFIGS, 'bad', name)
    expected = texts(original, 'expect')
    assert expected or texts(original, 'warns')
    if expected:
        with pytest.raises(ConfigError) as caught:
            load('bad', name)
        message = str(caught.value)
        for text in expected:
            assert text in message
        assert f'{os.sep}{name})' in message.splitlines()[0]
        assert len(caught.value.faults) == message.count('\n  - ')
        said = [message, repr(caught.value), *traceback.format_exception(
            None, caught.value, caught.value.__traceback__)]
    else:
        filename, app = load('bad', name)
        check_requests(app, head(filename))
        said = []
    check_warnings(original, caplog)
    for text in texts(original, 'hides') + secrets_in(original):
        assert text not in '\n'.join((*said, caplog.text))


@pytest.mark.parametrize('name', ini_files('good'))
def test_good(name, load, caplog):
    """A good file is loaded without a word, and its cookie is as its head says."""
    filename, app = load('good', name)
    assert texts(filename, 'get') and texts(filename, 'cookie')
    check_requests(app, head(filename))
    check_warnings(filename, caplog)
    for text in texts(filename, 'hides') + secrets_in(filename):
        assert text not in caplog.text


def secrets_in(filename):
    """What is long, and of hex digits: all secrets in these files that are good."""
    with open(filename, encoding='ascii') as file:
        return re.findall('[0-9a-f]{32,}', file.read())


def check_warnings(filename, caplog):
    """All the warnings that its head names, and no others."""
    warnings = [record.getMessage() for record in caplog.records
                if record.levelno >= logging.WARNING]
    expected = texts(filename, 'warns')
    for text in expected:
        assert any(text in warning for warning in warnings), warnings
    for warning in warnings:
        assert any(text in warning for text in expected), warning


def check_requests(app, lines):
    visitor = TestApp(app)
    environ = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost'}
    response = None
    for (name, text), following in zip(lines, [*lines[1:], ('', '')]):
        if name == 'host':
            environ['HTTP_HOST'] = text
        elif name == 'scheme':
            environ['wsgi.url_scheme'] = text
        elif name == 'get':
            response = visitor.get(
                text, extra_environ=environ,
                status=int(following[1]) if following[0] == 'status' else None)
        elif name in CHECKS:
            CHECKS[name](response, text)


def set_cookies(response):
    """Of each Set-Cookie: the value; the Max-Age; the name and the other attributes."""
    for header in response.headers.getall('Set-Cookie'):
        name, value, rest = re.fullmatch('([^=]*)=([^;]*)(.*)', header).groups()
        attributes = dict.fromkeys((name + rest).split('; '))
        max_age = [each for each in attributes if each.startswith('Max-Age=')]
        for each in max_age:
            del attributes[each]
        yield value, max_age, set(attributes)


def check_cookie(response, text):
    found = [attributes for _, _, attributes in set_cookies(response)]
    if text == 'none':
        assert found == []
    else:
        assert found == [set(text.split('; '))]


def check_max_age(response, text):
    [(_, max_age, _)] = set_cookies(response)
    if text == 'none':
        assert max_age == []
    else:
        # a second may have passed meanwhile
        assert max_age in ([f'Max-Age={int(text) - late}'] for late in (0, 1, 2))


def payload(response):
    [(value, _, _)] = set_cookies(response)
    return value.split('.', 2)[2].split('!')


def check_times(response, text):
    _, created, issued, idle, absolute = payload(response)[:5]
    assert text == f'{int(idle) - int(issued)} {int(absolute) - int(created)}'


def check_base_id(response, text):
    assert len(payload(response)[0]) == int(text)


def check_location(response, text):
    assert response.headers['Location'] == text


def check_body(response, text):
    assert text in response.text


CHECKS = {'location': check_location, 'cookie': check_cookie, 'max-age': check_max_age, 'times': check_times,
          'base-id': check_base_id, 'body': check_body}
EVERY_OPTION = {*cookie.OPTIONS, *namespace.OPTIONS, *profile.OPTIONS, *requirelogin.OPTIONS}


def options_with(folder, directives):
    """The options that the files' sections set, file by file, of one kind of files."""
    for name in ini_files(folder):
        filename = os.path.join(CONFIGS, folder, name)
        if any(texts(filename, each) for each in directives):
            with open(filename, encoding='ascii') as file:
                yield filename, set(re.findall('^([a-z_]+) *=', file.read(), re.MULTILINE))


@pytest.mark.parametrize('option', sorted(EVERY_OPTION))
def test_every_option_has_a_bad_file(option):
    """For each option of all filters there is a file that is refused because of it."""
    assert any(option in options and any(
        re.match(rf'{option}( =|:)', text) for text in texts(filename, 'expect'))
        for filename, options in options_with('bad', ['expect']))


def test_every_option_in_one_file():
    """The file that sets every option does."""
    filename = os.path.join(CONFIGS, 'good', 'every_option.ini')
    [options] = [options for each, options in options_with('good', ['get'])
                 if each == filename]
    assert EVERY_OPTION <= options


def test_every_option_arrives(load):
    """What the file that sets every option says is what the filter does."""
    _, handler = load('good', 'every_option.ini')
    policy = handler.policy
    assert handler.cookie_name == 'shop_session'
    assert handler.scanlist == ('REMOTE_USER', 'shop.currency')
    assert (handler.secure, handler.samesite, handler.persistent) == (None, 'Strict', True)
    assert (handler.signer.maxlen, len(handler.signer.keys.by_id)) == (3000, 3)
    assert not handler.signer.cache_verified
    assert not policy.issue_always
    assert len(policy.generator()) == 24
    assert policy.not_before == 1767225600
    assert policy.revocations.revoke_login('0' * 32, 2, 1) is False
    assert policy.login_keys.may_sign and len(policy.login_keys.realm[1]) == 2
    own = handler.application
    assert (own.namespace, own.login) == ('shop', True)
    people = own.application
    assert people.profiles._server.__dict__ == profileserver.ProfileServer(
        'https://site:p%40ss@profiles.example.org/users', 'users.get', 5).__dict__ | {
            '_tls': people.profiles._server._tls}
    assert people.profiles._keep == 3600
    staff = people.application
    assert (staff.login_url, staff.tokens) == ('/shop', {'staff', 'editors'})


def test_generated_secret_is_beside_the_ini_file(load, configs):
    """A secret that is made at the first start is there, for one's own eyes only."""
    load('good', 'example.ini')
    made = configs / 'good' / 'session.secret'
    assert made.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch('[0-9a-f]{64}\n', made.read_text())


def test_the_login_of_another_process(load):
    """One file has the private key, the other the public one: one logs in, both know."""
    (_, door), (_, shop) = (load('good', f'login_{each}.ini')
                            for each in ('private_key', 'public_keys'))
    https = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost'}
    visitor = TestApp(door, extra_environ=https)
    visitor.get('/?login=bob')
    other = TestApp(shop, extra_environ=https, cookiejar=visitor.cookiejar)
    assert (other.get('/').json['status'], other.get('/').json['user']) == ('ok', 'bob')
    with pytest.raises(LoginNotAllowed):
        other.get('/?login=eve')
    assert visitor.get('/').json['user'] == 'bob'


def test_each_reference_makes_a_filter_with_the_same_secret(load):
    """Two applications behind two references to a section share one session."""
    _, app = load('good', 'two_references.ini')
    visitor = TestApp(app, extra_environ={'wsgi.url_scheme': 'https'})
    first = visitor.get('/blog').json
    second = visitor.get('/wiki').json
    assert (first['status'], second['status']) == ('new', 'ok')
    assert first['id'] == second['id']
