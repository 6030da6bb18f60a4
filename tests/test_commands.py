"""The commands: exit statuses, what they say, and what they never say."""
import io
import os
import pty
import re
import runpy
import secrets
import select
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Visitor, login, put
from paste.deploy import loadapp

import paste_sessioncookie
from paste_sessioncookie import SessionCookieHandler, commands, engines, inspection, sources
from paste_sessioncookie.commands import main
from paste_sessioncookie.cookie import LOG_LEVELS
from paste_sessioncookie.jws import load_private_key, load_public_key

NAME = '__Host-site_session'
HELP = Path(__file__).parent.parent / 'docs' / 'reference' / 'commands.rst'
PROGRAM = [sys.executable, '-m', 'paste_sessioncookie']

WORD = 'c0ffee' * 6  # stands for a secret

SITE = '''\
[pipeline:main]
pipeline = session door app

[filter:session]
use = egg:paste_sessioncookie#session_cookie
secret = file:site.secret
{options}

[filter:door]
use = egg:paste_sessioncookie#namespace
namespace = door
login = true

[app:app]
use = call:configapps:make_app
'''


@pytest.fixture
def make_ini(tmp_path):
    """Writes the ini file of a site, with a good secret, and more options."""
    def make(options='', name='site.ini', text=SITE):
        secret = tmp_path / 'site.secret'
        if not secret.exists():
            secret.write_text(secrets.token_hex(32))
            secret.chmod(0o600)
        (tmp_path / name).write_text(text.format(options=options))
        return str(tmp_path / name)
    return make


@pytest.fixture
def ask(capsys, monkeypatch):
    """Runs a command in this process: exit status, and what it printed."""
    def ask(*arguments, stdin=''):
        monkeypatch.setattr(sys, 'stdin', io.StringIO(stdin))
        try:
            status = main(arguments)
        except SystemExit as leaving:
            status = leaving.code
        return (status, *capsys.readouterr())
    return ask


def run(*arguments, stdin='', **environ):
    """Runs a command as a person does, in a process of its own."""
    done = subprocess.run([*PROGRAM, *arguments], input=stdin, capture_output=True, text=True,
                          timeout=120, env={**os.environ, **environ})
    return done.returncode, done.stdout, done.stderr


def secret_of(ini):
    return Path(ini).with_name('site.secret').read_text()


def cookie_of(ini, act=None, made=0.0, **options):
    """A Cookie header of somebody who was at the site ``made`` seconds ago."""
    def application(environ, start_response):
        if act:
            act(environ)
        start_response('200 OK', [])
        return []

    def clock():
        return time.time() - made

    application.__name__ = 'application'
    visitor = Visitor(SessionCookieHandler(
        _with_type(application), secret=secret_of(ini), clock=clock, **options))
    visitor.get()
    return visitor.cookie


def _with_type(application):
    """wsgiref's validator wants a Content-Type."""
    def typed(environ, start_response):
        return application(environ, lambda status, headers, exc_info=None: start_response(
            status, [('Content-Type', 'text/plain'), *headers]))
    return typed


# -- secret and keypair -------------------------------------------------------------

def test_secret(tmp_path, ask):
    """A new secret is in a file of its owner's; what is printed names it, and is no secret."""
    path = tmp_path / 'new.secret'
    assert run('secret', f'{path}.too')[0] == 0
    status, out, err = ask('secret', str(path))
    assert (status, err) == (0, '')
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(sources.secret('file:new.secret', str(tmp_path))) == 64
    assert path.read_text().strip() not in out
    assert f'secret = file:{path}' in out


def test_secret_that_is_there(tmp_path, ask):
    """A file that is there is left alone."""
    path = tmp_path / 'old.secret'
    path.write_text('old')
    status, out, err = ask('secret', str(path))
    assert (status, out) == (2, '')
    assert f'{path} is there, and is left alone.  Take another name' in err
    assert path.read_text() == 'old'


def test_secret_in_no_folder(tmp_path, ask):
    """Where no file can be made, that is said."""
    status, _, err = ask('secret', str(tmp_path / 'nowhere' / 'a.secret'))
    assert status == 2
    assert 'cannot be made: No such file or directory' in err


def test_keypair(tmp_path, ask):
    """Both keys are good, belong together, and only one is for everybody."""
    path = tmp_path / 'login.pem'
    status, out, _ = ask('keypair', str(path))
    assert status == 0
    private = load_private_key(path.read_bytes())
    public = load_public_key((tmp_path / 'login.pem.pub').read_bytes())
    assert private.public_key().public_bytes_raw() == public.public_bytes_raw()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / 'login.pem.pub').stat().st_mode) & 0o133 == 0
    assert f'login_private_key = file:{path}\n' in out
    assert f'login_public_keys = file:{path}.pub\n' in out
    assert path.read_text().splitlines()[1] not in out


@pytest.mark.parametrize('there', ['login.pem', 'login.pem.pub'])
def test_keypair_that_is_there(tmp_path, ask, there):
    """If one of the two files is there, none is made."""
    (tmp_path / there).write_text('old')
    status, _, err = ask('keypair', str(tmp_path / 'login.pem'))
    assert status == 2
    assert f'{there} is there' in err
    assert [each.name for each in tmp_path.iterdir()] == [there]


def test_keypair_without_the_extra(tmp_path, ask, monkeypatch):
    """Without the extra it says what to install."""
    monkeypatch.delattr(paste_sessioncookie, 'jws', raising=False)
    monkeypatch.delitem(sys.modules, 'paste_sessioncookie.jws', raising=False)
    monkeypatch.setitem(sys.modules, 'jwt', None)
    status, _, err = ask('keypair', str(tmp_path / 'login.pem'))
    assert status == 2
    assert 'pip install "paste_sessioncookie[login]"' in err


# -- check ----------------------------------------------------------------------------

def test_check_of_a_good_file(make_ini):
    """Nothing is wrong: 0, and one line."""
    assert run('check', make_ini('revocation = sqlite:revoked.db')) == (
        0, 'fine (1 application, 1 session_cookie)\n', '')


def test_check_with_findings(make_ini):
    """Errors and warnings: 1; with file, section, option, what, then and remedy."""
    ini = make_ini('timeout = soon\ndomain = example.org')
    status, out, err = run('check', ini)
    assert (status, err) == (1, '')
    assert f'error {os.path.relpath(ini)} [filter:session] timeout\n' in out
    assert '  what    timeout = soon\n  then    the server does not start\n  remedy  it takes' in out
    assert out.endswith('1 error (1 application, 1 session_cookie)\n')


@pytest.mark.parametrize('options, arguments, expected', [
    ('', [], 0), ('secure = false', [], 1), ('secure = false', ['--errors'], 0),
    ('samesite = Loose', ['--errors'], 1), ('secret = generate:new', [], 0)])
def test_exit_status_of_check(make_ini, ask, options, arguments, expected):
    """Errors count, warnings unless one does not want that, notes never."""
    text = SITE.replace('secret = file:site.secret\n', '') if 'secret' in options else SITE
    assert ask('check', *arguments, make_ini(options, text=text))[0] == expected


@pytest.mark.parametrize('text, message', [
    (None, 'there is no file '),
    (f'secret = {WORD}', 'site.ini: line 1 stands before the first [section]\n'),
    (f'[app:main]\nx = 1\n{WORD}', 'or a comment in line 3\n'),
    (f'[app:main]\nuse = egg:x\nx = 1%{WORD}', '[app:main] x: what "%(NAME)s" stands for'),
    (f'[app:main]\nuse = egg:x\nx = %(y)s{WORD}\ny = %(x)s', '[app:main] x: what "%(NAME)s"'),
    ('\ufeff[app:main]', 'it begins with a byte order mark; save it as UTF-8 without one'),
    (b'[app:main]\n# caf\xe9', 'it is not UTF-8; save it as that'),
    ('[pipeline:main]\npipeline =', '[pipeline:main]: its pipeline is empty'),
    ('[app:main]\nuse = egg:x\nget x = port', '[app:main]: there is no port in [DEFAULT] to get'),
    ('[app:main]\nuse = call:weblog', 'call:weblog: it takes call:MODULE:FUNCTION'),
    ('[app:main]\nuse = egg:Paste#nothing', 'egg:Paste#nothing: the egg has no application nothing'),
    ('[filter:x]\nuse = egg:Paste#gzip', 'it has no application: no section [app:NAME]'),
    ('[pipeline:main]\npipeline = a b', "No section 'b'"),
    ('[app:main]\nx = %(port)s\nuse = egg:x', '"--set port=VALUE" gives one'),
    ('[app:main]\nx = 1', '[app:main] has no "use"'),
    ('[app:main]\nuse = http://x', 'http://x: it takes egg:, config:, call:, or a section'),
    ('[app:main]\nuse = config:nowhere.ini', 'there is no file '),
    ('[app:main]\nrequire = no-such-egg\nuse = egg:x', 'it requires no-such-egg'),
    ('[pipeline:main]\npipeline = main', 'its sections name each other in a circle'),
    ('[composite:main]\nuse = egg:Paste#urlmap\n/ = main', 'its sections name each other'),
])
def test_check_of_what_cannot_be_read(tmp_path, ask, text, message):
    """2, and one line that says what to do."""
    ini = tmp_path / 'site.ini'
    if text is not None:
        ini.write_bytes(text if isinstance(text, bytes) else text.encode('utf-8'))
    status, out, err = ask('check', str(ini))
    assert (status, out) == (2, '')
    assert message in err
    assert err.count('\n') == 1 and 'Traceback' not in err
    assert WORD not in err


def test_check_of_a_folder(tmp_path, ask):
    """Something that cannot be read as a file is named."""
    status, _, err = ask('check', str(tmp_path))
    assert status == 2
    assert f'{tmp_path} cannot be read: Is a directory' in err


def test_variables(make_ini, ask):
    """A file takes variables from the command line, as its server does."""
    ini = make_ini('lifetime = %(hours)sh')
    assert ask('check', ini)[0] == 2
    assert ask('check', '--set', 'hours=12', ini)[0] == 0
    assert 'lifetime = neverh' in ask('check', '--set', 'hours=never', ini)[1]


def test_another_application(make_ini, ask):
    """FILE#NAME is about one application of the file."""
    ini = make_ini('', text=SITE + '\n[pipeline:other]\npipeline = door app\n')
    assert ask('check', ini)[0] == 0
    assert 'namespace has no session_cookie outside of it' in ask('check', f'{ini}#other')[1]


def test_check_without_a_filter(tmp_path, ask):
    """A file without any of our filters is fine, and that is said."""
    (tmp_path / 'site.ini').write_text('[app:main]\npaste.app_factory = weblog:make\n')
    assert ask('check', str(tmp_path / 'site.ini')) == (
        0, 'there is no session_cookie (1 application, 0 session_cookie)\n', '')


def test_several_files(make_ini, ask):
    """Several files are one site: what differs between them is found."""
    one = make_ini('revocation = sqlite:one.db\nlifetime = 2d')
    same = make_ini('revocation = sqlite:one.db\nlifetime = 2d', 'same.ini')
    assert ask('check', one, same)[0] == 0
    other = make_ini('revocation = sqlite:other.db\ntimeout = 9', 'other.ini')
    status, out, _ = ask('check', one, other)
    assert status == 1
    assert 'its revocation list is not that of [filter:session]' in out
    assert 'lifetime is not that of' in out and 'timeout is not that of' in out


@pytest.mark.parametrize('one, other, text', [
    ('revocation = sqlite:x.db\nlifetime = 2d', 'revocation = sqlite:x.db',
     'other.ini [filter:session] lifetime\n  what    the revocation list is that of'),
    ('', '', 'warning other.ini [filter:session] revocation'),
    ('cookie_name = x\npath = /shop', 'cookie_name = x', 'error other.ini [filter:session] path'),
    ('domain = example.org', 'domain = shop.example.org', 'and another domain'),
    ('accept_secrets = env:OLD', '', 'warning other.ini [filter:session] revocation'),
    ('', 'login_public_keys = file:login.pem.pub', 'error site.ini [filter:session] login_public'),
    ('login_public_keys = file:login.pem.pub', '', 'it has no login keys, and another filter'),
    ('cookie_name = one', 'cookie_name = other', 'fine (2 applications'),
])
def test_two_filters_of_one_cookie(make_ini, ask, monkeypatch, tmp_path, one, other, text):
    """Where two filters have one cookie, what sets them apart is found."""
    monkeypatch.setenv('OLD', secrets.token_hex(32))
    monkeypatch.chdir(tmp_path)
    ask('keypair', 'login.pem')
    files = make_ini(one), make_ini(other, 'other.ini')
    out = ask('check', *files)[1]
    assert text in out


def test_a_reader_that_has_seen_enough(make_ini):
    """A pipe that closes is no traceback."""
    command = f'{" ".join(PROGRAM)} check {make_ini("secure = false")} | true'
    done = subprocess.run(['bash', '-c', command], capture_output=True, text=True, timeout=120)
    assert 'Traceback' not in done.stderr and 'Exception' not in done.stderr


# files that are parts of others, and those that show faults
NO_SITES = {'errors', 'findings', 'proxies', 'servers'}


def test_examples_are_good(ask, tmp_path):
    """The project's own sites have no errors and no warnings, once they have their secrets."""
    root = Path(__file__).parent.parent
    shutil.copytree(root / 'docs' / 'examples', tmp_path / 'x')
    examples = [ini for ini in (tmp_path / 'x').rglob('*.ini')
                if ini.parent.name not in NO_SITES and '\n[pipeline:' in f'\n{ini.read_text()}']
    assert len(examples) > 10
    for ini in (root / 'development.ini', *examples):
        if tmp_path in ini.parents:
            for name in ('session.secret', 'tomorrow.secret'):
                ini.with_name(name).write_text(secrets.token_hex(32))
                ini.with_name(name).chmod(0o600)
        status, out, err = ask('check', str(ini))
        assert (status, err) == (0, ''), (ini, out)
    assert 'applications are in no namespace: app:front, app:profiles' in ask(
        'check', str(root / 'development.ini'))[1]


@pytest.mark.parametrize('server, expected', [
    ('use = egg:PasteScript#flup_scgi_fork', '[server:main] forks'),
    ('use = egg:gunicorn#main\nworkers = 4', '[server:main] has workers = 4'),
    ('use = egg:x\nprocesses = 2', '[server:main] has processes = 2'),
    ('use = egg:gunicorn#main\nworkers = 1', 'fine'),
    ('use = egg:gunicorn#main\nworkers = %(cores)s', 'fine'),
    ('use = egg:waitress#main\nthreads = 4', 'fine')])
def test_processes(make_ini, ask, server, expected):
    """A list in memory is for one process."""
    ini = make_ini(text=f'{SITE}\n[server:main]\n{server}\n')
    assert expected in ask('check', ini)[1]
    ini = make_ini('revocation = sqlite:x.db', text=f'{SITE}\n[server:main]\n{server}\n')
    assert ask('check', ini)[0] == 0


WRITTEN = SITE.replace('file:site.secret\n{options}', '{options}')


@pytest.mark.parametrize('folder', ['.git', '.hg'])
def test_a_secret_under_version_control(make_ini, ask, tmp_path, folder):
    """A secret that is written out is found in a repository, and where all can read it."""
    word = secrets.token_hex(32)
    ini = make_ini(word, text=WRITTEN)
    for mode in (0o600, 0o640):
        os.chmod(ini, mode)
        assert ask('check', ini)[0] == 0
    os.chmod(ini, 0o644)
    status, out, _ = ask('check', ini)
    assert status == 1
    assert f'{ini} can be read by everybody' in out and f'chmod 600 {ini}' in out
    (tmp_path / folder).mkdir()
    status, out, _ = ask('check', ini)
    assert status == 1
    assert f'the secret is written out, and {tmp_path} is a repository' in out
    assert word not in out


def test_an_adapter_without_a_filter(make_ini, ask):
    """A framework's session without a cookie is not one."""
    text = '[pipeline:main]\npipeline = beaker app\n[filter:beaker]\n' \
           'use = egg:paste_sessioncookie#beaker_session\ntype = memory\n' \
           '[app:app]\nuse = egg:weblog\n'
    status, out, _ = ask('check', make_ini(text=text))
    assert status == 1
    assert 'beaker_session has no session_cookie outside of it' in out
    assert 'a session there lasts for one request' in out


@pytest.mark.parametrize('prefix, warned', [('/shop', False), ('', True)])
def test_a_prefix_is_a_mount_point(make_ini, ask, prefix, warned):
    """What egg:PasteDeploy#prefix says counts as the mount point."""
    text = f'{SITE}\n[filter:proxy]\nuse = egg:PasteDeploy#prefix\nprefix = {prefix}\n'
    text = text.replace('namespace = door\n', '').replace('= session', '= proxy session')
    out = ask('check', make_ini(text=text))[1]
    assert ('has the mount point, /, for its namespace' in out) == warned


@pytest.mark.parametrize('mode, warned', [
    (0o777, True), (0o703, True), (0o1777, False), (0o770, False)])
def test_a_directory_that_everybody_can_write(make_ini, ask, tmp_path, caplog, mode, warned):
    """There, anybody can put another file in the place of one; the server says so, too."""
    folder = tmp_path / 'open'
    folder.mkdir()
    folder.chmod(mode)
    text = SITE.replace('file:site.secret', 'generate:open/new.secret')
    ini = make_ini('revocation = sqlite:open/x.db', text=text)
    sentence = f'everybody on this machine can write into {folder}\n'
    for _ in ('before', 'after the start'):
        status, out, _ = ask('check', ini)
        assert (status, out.count(sentence)) == ((1, 2) if warned else (0, 0))
        assert (f'remedy  chmod o-w {folder}\n' in out) == warned
        loadapp(f'config:{ini}')
    said = [each.getMessage() for each in caplog.records if each.levelname == 'WARNING']
    for name in ('new.secret', 'x.db'):
        sentence = (f'everybody on this machine can put another file in the place of '
                    f'{folder}/{name}; chmod o-w {folder}')
        assert (sentence in said) == warned


def test_a_list_that_everybody_can_write(make_ini, ask, tmp_path):
    """Who can write it can take a revocation back."""
    ini = make_ini('revocation = sqlite:x.db')
    (tmp_path / 'x.db').touch(0o600)
    assert ask('check', ini)[0] == 0
    (tmp_path / 'x.db').chmod(0o602)
    status, out, _ = ask('check', ini)
    assert (status, f'{tmp_path}/x.db can be written by everybody' in out) == (1, True)


@pytest.mark.parametrize('option', ['secret = file:', 'secret = generate:', 'revocation = sqlite:'])
def test_a_pipe_is_not_read(make_ini, ask, tmp_path, option):
    """What would wait for ever is refused."""
    os.mkfifo(tmp_path / 'fifo')
    text = SITE.replace('secret = file:site.secret\n', '') if 'secret' in option else SITE
    assert 'is a pipe' in ask('check', make_ini(f'{option}fifo', text=text))[1]


@pytest.mark.parametrize('name, problem', [
    ('a\0b', 'a file name has no NUL in it'),
    ('~/site.secret', '"~" is not replaced: write the whole path')])
def test_odd_names_of_files(make_ini, ask, name, problem):
    """They are faults of the option like others."""
    status, out, _ = ask('check', make_ini(text=SITE.replace('site.secret', name)))
    assert (status, f'remedy  {problem}\n' in out) == (1, True)


def test_a_file_with_blanks_in_its_name(make_ini, ask, tmp_path):
    """A path is what the server takes it for."""
    (tmp_path / 'the site').mkdir()
    ini = make_ini(text=SITE.replace('file:', 'generate:the site/'))
    assert f'there is no file {tmp_path}/the site/site.secret yet' in ask('check', ini)[1]
    ask('secret', str(tmp_path / 'the site' / 'site.secret'))
    (tmp_path / 'the site' / 'site.secret').chmod(0o644)
    assert 'the site/site.secret can be read by everybody' in ask('check', ini)[1]


@pytest.mark.parametrize('value', ['file:.', '"file:site.secret"', 'file:site.secret ; old'])
def test_one_finding_for_one_fault(make_ini, ask, value):
    """What is no secret need not be hidden."""
    assert '\n1 error (1' in ask('check', make_ini(text=SITE.replace('file:site.secret', value)))[1]


@pytest.mark.parametrize('path, warned', [
    ('/store', True), ('/sho', True), ('/shop/kiosk', False), ('/', False), ('/shop', False)])
def test_a_path_without_applications(make_ini, ask, path, warned):
    """Browsers send a cookie below its path alone."""
    text = SITE.replace('pipeline:main', 'pipeline:inner') + '[composite:main]\n' \
        'use = egg:Paste#urlmap\n/shop = inner\n'
    status, out, _ = ask('check', make_ini(f'path = {path}', text=text))
    assert (status, f'path = {path}, and app stands at /shop' in out) == (
        (1, True) if warned else (0, False))


def test_capitals(make_ini, ask):
    """An option in other letters is known by its name."""
    assert 'did you mean timeout?' in ask('check', make_ini('TimeOut = 5'))[1]


@pytest.mark.parametrize('content, message', [
    (b'', ''), (b'SQLite format 3\0' + bytes(100), 'a database of another application'),
    (b'something else', 'file is not a database'), (None, 'cannot be made: No such file')])
def test_a_list_that_is_there(make_ini, ask, tmp_path, content, message):
    """The file of a list is looked at, and not touched."""
    if content is not None:
        (tmp_path / 'lists').mkdir()
        (tmp_path / 'lists' / 'x.db').write_bytes(content)
    status, out, _ = ask('check', make_ini('revocation = sqlite:lists/x.db'))
    assert (status, message in out) == (1 if message else 0, True)
    assert len(list(tmp_path.rglob('x.db*'))) == (content is not None)


def test_a_list_in_use(make_ini, ask, tmp_path):
    """The file of a running server is good."""
    store = engines.revocation('sqlite:x.db', str(tmp_path))
    assert ask('check', make_ini('revocation = sqlite:x.db'))[0] == 0
    store.put(b'name', 1, 2, 0)
    assert ask('check', make_ini('revocation = sqlite:x.db'))[0] == 0
    store.close()


def test_check_makes_nothing(make_ini, ask, tmp_path):
    """No secret, no list, no connection: a check as root must not make a server's files."""
    text = SITE.replace('file:site.secret', 'generate:made/site.secret')
    status, out, _ = ask('check', make_ini('revocation = sqlite:x.db', text=text))
    assert (status, 'site.secret cannot be made' in out) == (1, True)
    ini = make_ini('revocation = sqlite:x.db', text=text.replace('made/', 'made.'))
    before = sorted(tmp_path.iterdir())
    assert ask('check', ini)[0] == 0
    assert sorted(tmp_path.iterdir()) == before
    ini = make_ini('revocation = redis://no-such-host.invalid/')
    assert ask('check', ini) == (0, 'fine (1 application, 1 session_cookie)\n', '')


# -- inspect ---------------------------------------------------------------------------

def test_inspect(make_ini):
    """A good cookie: 0, its ages, its parts, and nothing that is a secret."""
    ini = make_ini()
    cookie = cookie_of(ini, login('bob', ['staff']), made=3700, timeout=120)
    status, out, err = run('inspect', ini, stdin=cookie_of(ini))
    assert (status, err) == (0, '')
    assert out.startswith('status              ok: accepted\n')
    status, out, err = run('inspect', ini, stdin=cookie)
    assert status == 1
    assert 'expired-idle: refused: it was not used for longer than timeout' in out
    assert re.search(r'created +1 h 1 min ago \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\n', out)
    assert re.search(r'login +1 h 1 min ago .*, in 1 group, plain\n', out)
    assert 'signed with         secret, the current one\n' in out
    assert not re.findall('[0-9a-f]{16,}', out)
    assert 'bob' not in out and 'staff' not in out


def forms(cookie):
    """What people paste."""
    name, _, value = cookie.partition('=')
    return [
        cookie, value, f'"{value}"', f"'{cookie}'", f'Cookie: {cookie}', f'cookie:{cookie}\n',
        f'Cookie: theme=dark; {cookie}; lang=de', f"-H 'Cookie: {cookie}' \\\n",
        f'Set-Cookie: {cookie}; Path=/; HttpOnly; SameSite=Lax; Secure',
        f"--cookie '{cookie}'", f'{cookie}; {cookie}',
        # developers' tools: a table's row, and an item; a request; curl, and what it says
        f'{name}\t{value}\texample.org\t/\tSession\t140\t✓\t✓\tLax', f'{name}:"{value}"',
        f'GET / HTTP/1.1\r\nHost: x\r\nCookie: theme=dark; {cookie}\r\nAccept: */*\r\n',
        f"curl 'https://x/' -H 'accept: */*' -b 'theme=dark; {cookie}'",
        f"curl 'https://x/' \\\n  -H 'cookie: {cookie}' \\\n  --compressed",
        f'> Cookie: {cookie}\n', f'< set-cookie: {cookie}; Path=/; Secure\n',
        f'# Netscape HTTP Cookie File\n\n#HttpOnly_x\tFALSE\t/\tTRUE\t0\t{name}\t{value}\n',
        f'{name}="{value}"', f'“{cookie}”', f'\ufeff{cookie}', f"{{'{name}': '{value}'}}"]


@pytest.mark.parametrize('number', range(23))
def test_what_people_paste(make_ini, ask, number):
    """A value, a pair or a header, quoted or not, is the same cookie."""
    ini = make_ini()
    status, out, _ = ask('inspect', ini, stdin=forms(cookie_of(ini))[number])
    assert status == 0
    assert 'status              ok: accepted\n' in out


@pytest.mark.parametrize('options, made_with, status, texts', [
    ('', {'timeout': 10}, 'expired-idle', ['signed with']),
    ('', {'lifetime': 10}, 'expired-absolute', ['last end', 'ago']),
    ('cookie_name = shop', {}, 'unknown-key', [
        'made for            cookie_name = __Host-site_session, domain = (none), path = /; this '
        'section has cookie_name = shop']),
    ('domain = example.org', {}, 'unknown-key', ['domain = (none)', 'domain = example.org']),
    ('domain = shop.example.org', {'domain': 'example.org'}, 'unknown-key', [
        'made for            cookie_name = site_session, domain = example.org, path = /']),
    ('path = /shop', {'cookie_name': 'site_session'}, 'unknown-key', ['path = /; this']),
    ('', {'secret': secrets.token_hex(32)}, 'unknown-key', ['no secret of this file']),
])
def test_why_it_is_refused(make_ini, ask, options, made_with, status, texts):
    """The cause is named: times, name, domain, path, secret."""
    ini = make_ini(options)
    application = Visitor(SessionCookieHandler(
        _with_type(_no_body), **{'secret': secret_of(ini), **made_with,
                                 'clock': _half_an_hour_ago}))
    application.get()
    found, out, _ = ask('inspect', ini, stdin=application.value)
    assert found == 1
    assert out.startswith(f'status              {status}: refused')
    for text in texts:
        assert text in out


def _no_body(environ, start_response):
    start_response('200 OK', [])
    return []


def _half_an_hour_ago():
    return time.time() - 1700


def test_another_name(make_ini, ask):
    """A cookie of ours under another name is found in a header."""
    ini = make_ini('cookie_name = shop')
    status, out, _ = ask('inspect', ini, stdin=f'Cookie: a=b; {cookie_of(ini)}')
    assert status == 1
    assert 'new: there is no cookie of this name' in out
    assert 'there are           a, __Host-site_session\n' in out
    assert 'made for            cookie_name = __Host-site_session' in out


@pytest.mark.parametrize('spoil, status', [
    (lambda cookie: cookie[:-1] + ('0' if cookie[-1] != '0' else '1'), 'bad-signature'),
    (lambda cookie: cookie[:-10], 'malformed'),
    (lambda cookie: f'{NAME}=garbage', 'malformed'),
    (lambda cookie: 'garbage', 'malformed'),
    (lambda cookie: cookie + 'x' * 4096, 'too-large'),
])
def test_what_was_changed(make_ini, ask, spoil, status):
    """What nobody has signed as it is has no more to say."""
    ini = make_ini()
    found, out, _ = ask('inspect', ini, stdin=spoil(cookie_of(ini)))
    assert found == 1
    assert out.startswith(f'status              {status}: ')
    assert 'no secret of this file has signed it as it is' in out


def test_percent_encoded(make_ini, ask):
    """Something that encodes cookies is found out."""
    ini = make_ini()
    found, out, _ = ask('inspect', ini, stdin=cookie_of(ini).replace('!', '%21'))
    assert found == 1
    assert 'the value is percent-encoded here' in out and 'the current one' in out


@pytest.mark.parametrize('text, status', [('=x', 'new'), ('1.%21', 'malformed')])
def test_what_is_no_cookie(make_ini, ask, text, status):
    """Nothing that can be pasted is too odd."""
    found, out, err = ask('inspect', make_ini(), stdin=text)
    assert (found, err) == (1, '')
    assert out.startswith(f'status              {status}: ')


@pytest.mark.parametrize('text, names', [
    ('bG9naW49Ym9i==', 'others, without a value'), ('\x1b[2J=1; a=b', 'a'),
    ('sessionid=hidden; b=; c="="', 'sessionid, c')], ids=range(3))
def test_names_of_others(make_ini, ask, text, names):
    """A value that looks like a name is not shown, nor what a terminal would obey."""
    out = ask('inspect', make_ini(), stdin=text)[1]
    assert f'there are           {names}\n' in out
    assert 'bG9' not in out and '\x1b' not in out and 'hidden' not in out


def test_more_than_a_cookie(make_ini, ask):
    """Of what is too long the rest is not left out in silence."""
    ini = make_ini()
    status, out, err = ask('inspect', ini, stdin=f'{"a=b; " * 20000}{cookie_of(ini)}')
    assert (status, out) == (2, '')
    assert 'longer than all headers that a server takes' in err


def test_what_is_no_text(make_ini, monkeypatch, capsys):
    """Bytes that the locale has no characters for are no traceback."""
    monkeypatch.setattr(sys, 'stdin', io.TextIOWrapper(io.BytesIO(b'\xe9'), 'ascii'))
    assert main(['inspect', make_ini()]) == 2
    assert capsys.readouterr().err.endswith('what is on standard input is no text\n')
    status, out, err = run('inspect', make_ini(), stdin='\xe9', PYTHONIOENCODING='ascii')
    assert (status, out) == (2, '')
    assert err.endswith('what is on standard input is no text\n')


def test_where_the_locale_has_few_characters(make_ini):
    """What cannot be shown is escaped."""
    ini = make_ini(text=SITE.replace('door', 'tür'))
    cookie = cookie_of(ini, login('zoë'))
    status, out, err = run('inspect', '--values', ini, stdin=cookie, PYTHONIOENCODING='ascii')
    assert (status, err) == (0, '')
    assert "user = 'zo\\xeb'" in out


def test_two_cookies(make_ini, ask):
    """Two good ones are a conflict, and both are shown."""
    ini = make_ini()
    found, out, _ = ask('inspect', ini, stdin=f'{cookie_of(ini)}; {cookie_of(ini)}')
    assert found == 1
    assert out.startswith('status              conflict: ')
    assert 'number 1 of 2' in out and 'number 2 of 2' in out


def test_values(make_ini, ask):
    """Values and user only where they are asked for."""
    ini = make_ini()

    def act(environ):
        login('bob', ['staff'])(environ)
        put('weblog.theme', 'a dark one')(environ)
        environ['REMOTE_SESSION'] = 'kept here'

    cookie = cookie_of(ini, act)
    _, out, _ = ask('inspect', ini, stdin=cookie)
    assert 'dark' not in out and 'bob' not in out and 'kept' not in out
    assert re.search(r'values of the site +\d+ characters\n', out)
    assert re.search(r"values of '' +\d+ characters\n", out)
    _, out, _ = ask('inspect', '--values', ini, stdin=cookie)
    assert "weblog.theme = 'a dark one'\n" in out and "REMOTE_SESSION = 'kept here'" in out
    assert "user = 'bob', groups = staff\n" in out


def test_which_secret(make_ini, ask, monkeypatch):
    """Yesterday's secret is told from today's, and another section's from both."""
    old = secrets.token_hex(32)
    monkeypatch.setenv('OLD', old)
    ini = make_ini('accept_secrets = env:OLD')
    visitor = Visitor(SessionCookieHandler(_with_type(_no_body), secret=old))
    visitor.get()
    status, out, _ = ask('inspect', ini, stdin=visitor.cookie)
    assert status == 0
    assert 'renewed: accepted, and due to be sent again' in out
    assert 'signed with         number 1 of accept_secrets\n' in out


TWO = SITE.replace('pipeline:main', 'pipeline:one') + '''
[composite:main]
use = egg:Paste#urlmap
/ = one
/shop = two

[pipeline:two]
pipeline = shop door app

[filter:shop]
use = egg:paste_sessioncookie#session_cookie
secret = env:SHOP
cookie_name = shop
'''


def test_several_sections(make_ini, ask, monkeypatch):
    """The section whose cookie it is answers; a value alone is tried at each."""
    monkeypatch.setenv('SHOP', secrets.token_hex(32))
    ini = make_ini(text=TWO)
    visitor = Visitor(SessionCookieHandler(
        _with_type(_no_body), secret=os.environ['SHOP'], cookie_name='shop'))
    visitor.get()
    for text in (visitor.cookie, visitor.value):
        status, out, _ = ask('inspect', ini, stdin=text)
        assert status == 0
        assert f'judged by           [filter:shop] in {ini}, cookie shop\n' in out
    found = ask('inspect', ini, stdin=f'{NAME}={visitor.value}')[1]
    assert f'signed with         secret, the current one, of [filter:shop] in {ini}\n' in found


@pytest.mark.parametrize('option, text', [
    ('revocation = none', 'none is configured'),
    ('revocation = memory', 'only the process of the server knows'),
    ('revocation = sqlite:new.db', 'the list is not there yet (sqlite)'),
])
def test_lists_that_cannot_be_asked(make_ini, ask, tmp_path, option, text):
    """What is not known about a login is said, and no list is made to find out."""
    ini = make_ini(option)
    status, out, _ = ask('inspect', ini, stdin=cookie_of(ini, login()))
    assert status == 0
    assert f'revocation          {text}' in out
    assert not (tmp_path / 'new.db').exists()


def test_signed_login(make_ini, ask, tmp_path):
    """A login that the filter has not verified is not believed."""
    ask('keypair', str(tmp_path / 'login.pem'))
    ini = make_ini('login_public_keys = file:login.pem.pub')
    key = (tmp_path / 'login.pem').read_bytes()
    for made, status, text in [(0, 0, 'in 0 groups, signed with a login key'),
                               (4000, 1, 'login               signed with a login key\n')]:
        cookie = cookie_of(ini, login(), made, login_private_key=key)
        found, out, _ = ask('inspect', '--values', ini, stdin=cookie)
        assert found == status
        assert text in out


def test_nothing_pasted(make_ini, ask):
    """Without a cookie it says what it wants."""
    status, out, err = ask('inspect', make_ini(), stdin=' \n')
    assert (status, out) == (2, '')
    assert 'there is no cookie on standard input' in err


@pytest.mark.parametrize('options, text', [
    ('timeout = soon', '- timeout = soon: it takes a time'),
    ('secret = generate:new', 'the server makes it at its first start')])
def test_inspect_with_a_bad_file(make_ini, ask, options, text):
    """A file that no server starts with has no cookies."""
    site = SITE.replace('secret = file:site.secret\n', '') if 'secret' in options else SITE
    status, _, err = ask('inspect', make_ini(options, text=site), stdin='x')
    assert status == 2
    assert text in err


def test_inspect_without_a_filter(tmp_path, ask):
    """A file without a session_cookie has none, either."""
    (tmp_path / 'site.ini').write_text('[app:main]\npaste.app_factory = weblog:make\n')
    status, _, err = ask('inspect', str(tmp_path / 'site.ini'), stdin='x')
    assert status == 2
    assert 'no application is behind a session_cookie' in err


def test_inspect_with_a_list_that_cannot_be_made(make_ini, ask):
    """An engine of somebody else's that does not come up is named."""
    status, _, err = ask('inspect', make_ini('revocation = configapps:broken'), stdin='x')
    assert status == 2
    assert 'it raised OSError: no entropy today' in err


@pytest.mark.parametrize('seconds, text', [
    (0, '0 s ago'), (-59, '59 s ago'), (60, 'in 1 min'), (-3700, '1 h 1 min ago'),
    (90000, 'in 1 d 1 h'), (-86400, '1 d ago')])
def test_age(seconds, text):
    """Two parts of a time are enough."""
    assert inspection.age(seconds) == text


# -- revoke ----------------------------------------------------------------------------

def test_revoke(make_ini, ask, redis_server):
    """A login ends at once, on every server that has the list; another is possible."""
    ini = make_ini(f'revocation = {redis_server.url}'.replace('%', '%%'))
    visitor = Visitor(loadapp(f'config:{ini}'))
    cookie = cookie_of(ini, login('bob'))
    others = cookie_of(ini, login('alice'))
    assert 'not on the list (redis)' in ask('inspect', ini, stdin=cookie)[1]
    status, out, err = run('revoke', ini, 'bob')
    assert (status, err) == (0, '')
    assert out == 'revoked: every login of bob up to now, on the list of [filter:session] (redis)\n'
    status, out, _ = ask('inspect', ini, stdin=cookie)
    assert (status, 'on the list (redis)' in out) == (1, True)
    assert ask('inspect', ini, stdin=others)[0] == 0
    visitor.cookie = cookie
    visitor.get()
    assert visitor.cookie != cookie


def test_revoke_with_sqlite(make_ini, ask, tmp_path):
    """The file has to be there: one that root makes, the server cannot write."""
    ini = make_ini('revocation = sqlite:revoked.db')
    status, _, err = ask('revoke', ini, 'bob')
    assert status == 2
    assert f'there is no file {tmp_path}/revoked.db yet.  The server makes it' in err
    assert not (tmp_path / 'revoked.db').exists()
    store = engines.revocation('sqlite:revoked.db', str(tmp_path))
    assert ask('revoke', ini, 'bob')[0] == 0
    assert 'on the list (sqlite)' in ask(
        'inspect', ini, stdin=cookie_of(ini, login('bob')))[1]
    store.close()


@pytest.mark.parametrize('word', ['memory', 'none'])
def test_revoke_refuses(make_ini, ask, word):
    """A list in the memory of a server is out of reach."""
    status, out, err = ask('revoke', make_ini(f'revocation = {word}'), 'bob')
    assert (status, out) == (2, '')
    assert f'has revocation = {word}' in err and 'revocation = sqlite:' in err


def test_revoke_while_redis_is_away(make_ini, ask, make_redis):
    """What was not revoked is not said to be: 1."""
    server = make_redis()
    ini = make_ini(f'revocation = {server.hasty}')
    cookie = cookie_of(ini, login('bob'))
    server.kill()
    status, out, err = ask('revoke', ini, 'bob')
    assert (status, out) == (1, '')
    assert 'nothing is revoked on the list of [filter:session]' in err
    assert 'the list does not answer (redis)' in ask('inspect', ini, stdin=cookie)[1]


def test_revoke_where_one_list_is_away(make_ini, ask, make_redis, monkeypatch, tmp_path):
    """Of several lists, one that does not answer keeps no other from its work."""
    monkeypatch.setenv('SHOP', secrets.token_hex(32))
    server = make_redis()
    ini = make_ini(f'revocation = {server.hasty}',
                   text=TWO + 'revocation = sqlite:revoked.db\n')
    store = engines.revocation('sqlite:revoked.db', str(tmp_path))
    server.kill()
    status, out, err = ask('revoke', ini, 'bob')
    assert status == 1
    assert 'nothing is revoked on the list of [filter:session]' in err
    assert 'on the list of [filter:shop] (sqlite)' in out
    store.close()


def test_revoke_nobody(make_ini, ask):
    """A user that cannot be is refused."""
    status, _, err = ask('revoke', make_ini(), 'a\nb')
    assert status == 2
    assert 'no control characters' in err


def test_revoke_with_a_broken_engine(make_ini, ask):
    """An engine that does not come up is named."""
    status, _, err = ask('revoke', make_ini('revocation = configapps:broken'), 'bob')
    assert status == 2
    assert 'no entropy today' in err


# -- all of them ----------------------------------------------------------------------

def in_a_terminal(*arguments, typed=b'', **environ):
    """What a command shows to somebody at a terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update({'TERM': 'xterm', **environ})
        os.execv(sys.executable, [*PROGRAM, *arguments])
    shown = b''
    while select.select([terminal], [], [], 120)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            part = b''
        if not part:
            break
        shown += part
        if typed and b'press Enter' in shown:
            os.write(terminal, typed)
            typed = b''
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.parametrize('environ, coloured', [
    ({}, True), ({'NO_COLOR': '1'}, False), ({'TERM': 'dumb'}, False), ({'NO_COLOR': ''}, True)])
def test_colours(make_ini, environ, coloured):
    """Colours are for terminals, and for who wants them."""
    status, shown = in_a_terminal('check', make_ini('secure = false'), **environ)
    assert status == 1
    assert ('\x1b[33mwarning\x1b[0m' in shown) == coloured
    assert ('\x1b' in shown) == coloured


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_in_this_process(make_ini, monkeypatch):
    """The same, seen from inside."""
    ini, shown, said = make_ini(), Terminal(), io.StringIO()
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.delenv('NO_COLOR', raising=False)
    monkeypatch.setattr(sys, 'stdin', Terminal(f'{cookie_of(ini)}\nmore'))
    monkeypatch.setattr(sys, 'stdout', shown)
    monkeypatch.setattr(sys, 'stderr', said)
    assert main(['inspect', ini]) == 0
    assert '\x1b[32mok: accepted\x1b[0m' in shown.getvalue()
    assert said.getvalue() == 'Paste the cookie, and press Enter:\n'


def test_a_line_that_a_terminal_cuts_off(make_ini, monkeypatch, capsys):
    """A terminal gives no more than 4095 characters of a line; that is said, not judged."""
    monkeypatch.setattr(sys, 'stdin', Terminal('x' * 4095))
    assert main(['inspect', make_ini()]) == 2
    assert 'a terminal cuts lines off' in capsys.readouterr().err


def test_paste_into_a_terminal(make_ini):
    """At a terminal it says that it waits; a line is enough, however long."""
    ini = make_ini()
    status, shown = in_a_terminal('inspect', ini, typed=cookie_of(ini).encode() + b'\n')
    assert status == 0
    assert 'Paste the cookie, and press Enter:' in shown
    assert 'accepted' in shown


@pytest.mark.parametrize('arguments', [
    [], ['chek', 'x'], ['check'], ['secret'], ['inspect', 'a', 'b'], ['revoke', 'x'],
    ['check', '--err', 'x'], ['check', '--set', 'port', 'x'], ['check', '--set', '=1', 'x']])
def test_usage(ask, arguments):
    """What cannot be understood: 2, and how it is used."""
    status, out, err = ask(*arguments)
    assert (status, out) == (2, '')
    assert 'usage: python -m paste_sessioncookie' in err


def test_interrupted(ask, monkeypatch, make_ini):
    """Who presses Ctrl-C sees no traceback."""
    def interrupted(*arguments):
        raise KeyboardInterrupt
    monkeypatch.setattr(commands.checkup, 'findings', interrupted)
    assert ask('check', make_ini()) == (2, '', '\n')


def test_broken_pipe(monkeypatch, make_ini):
    """Nor who closes the pipe."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, 'w') as stream:
        monkeypatch.setattr(sys, 'stdout', stream)
        assert main(['check', make_ini()]) == 2


def test_no_command_takes_a_cookie_or_a_secret():
    """Everybody on a machine sees arguments."""
    parser = commands.make_parser('x')
    [subparsers] = [each for each in parser._actions if each.dest == '==SUPPRESS==' and each.choices]
    taken = {name: [action.dest for action in each._actions if action.dest != 'help']
             for name, each in subparsers.choices.items()}
    assert taken == {
        'secret': ['path'], 'keypair': ['path'], 'check': ['ini', 'variables', 'errors'],
        'inspect': ['ini', 'variables', 'values'], 'revoke': ['ini', 'variables', 'user']}


def test_version(ask):
    """The version is that of the package."""
    assert re.fullmatch(r'\d+\.\d+.*\n', ask('--version')[1])


def test_the_module_is_a_program(monkeypatch, capsys):
    """python -m paste_sessioncookie is the commands."""
    monkeypatch.setattr(sys, 'argv', ['x', '--version'])
    with pytest.raises(SystemExit) as leaving:
        runpy.run_module('paste_sessioncookie', run_name='__main__')
    assert leaving.value.code == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize('name', ['', 'secret', 'keypair', 'check', 'inspect', 'revoke'])
def test_the_reference_has_the_help(ask, name):
    """The page shows what --help says, but for where lines are broken."""
    status, out, _ = ask(*name.split(), '--help')
    assert status == 0
    assert ' '.join(out.split()) in ' '.join(HELP.read_text().split())


def test_every_status_is_explained():
    """inspect has a sentence for each status, and so has the page."""
    page = HELP.with_name('statuses.rst')
    assert set(inspection.MEANINGS) == {*LOG_LEVELS, 'ok', 'renewed'}
    for status in inspection.MEANINGS:
        assert f'``{status}``' in page.read_text()


def test_variables_of_another_file(make_ini, ask, tmp_path):
    """What is set for one file holds for those that it names, and a factory may be
    written on a line of its own."""
    (tmp_path / 'all.ini').write_text('[app:main]\nuse = config:site.ini\n')
    text = SITE.replace('use = egg:paste_sessioncookie#session_cookie',
                        'paste.filter_app_factory =\n    paste_sessioncookie.cookie:make_session_cookie')
    make_ini('lifetime = %(hours)sh', text=text)
    status, out, err = ask('check', '--set', 'hours=never', str(tmp_path / 'all.ini'))
    assert (status, err) == (1, '')
    assert 'lifetime = neverh' in out


def test_the_domain_of_a_set_cookie(make_ini, ask):
    """A Set-Cookie line says for which domain it was made."""
    visitor = Visitor(SessionCookieHandler(
        _with_type(_no_body), secret=secret_of(make_ini()), domain='example.org'))
    visitor.get()
    out = ask('inspect', make_ini('cookie_name = site_session'),
              stdin=f'Set-Cookie: {visitor.set_cookies[0]}')[1]
    assert 'made for            cookie_name = site_session, domain = example.org, path = /' in out
