"""What PasteScript finds: paster session-cookie, and paster create -t session_cookie."""
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from surroundings import missing, pytest_in

BIN = os.path.dirname(sys.executable)


def paster(*arguments, **options):
    """Runs paster as a person does."""
    program = os.path.join(BIN, 'paster')
    if not os.path.exists(program):
        missing("there is no paster: pip install 'paste_sessioncookie[paster]'")
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=300,
                          stdin=subprocess.DEVNULL, **options)


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """A folder that the template has made."""
    folder = tmp_path_factory.mktemp('paster')
    done = paster('create', '--no-interactive', '-t', 'session_cookie', 'my-site', cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / 'my-site'


def test_the_command(tmp_path):
    """paster session-cookie is the same program, and hands on its exit status."""
    (tmp_path / 'site.ini').write_text('[app:main]\npaste.app_factory = weblog:make\n')
    done = paster('session-cookie', 'check', 'site.ini', cwd=tmp_path)
    assert (done.returncode, done.stdout) == (
        0, 'there is no session_cookie (1 application, 0 session_cookie)\n')
    done = paster('session-cookie', 'check', 'nowhere.ini', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('paster session-cookie: there is no file ')


def test_help():
    """paster help lists the command, and says what it does."""
    assert re.search('session-cookie +Make secrets, check', paster('help').stdout)
    assert 'usage: paster session-cookie' in paster('help', 'session-cookie').stdout
    assert re.search('session_cookie: +Two applications',
                     paster('create', '--list-templates').stdout)


def test_the_site_is_whole(site):
    """Its own test passes, check finds nothing, and nothing of the template is left in it."""
    done = pytest_in(site)
    assert '1 passed' in done.stdout, done.stdout
    (site / 'session.secret').unlink()
    done = paster('session-cookie', 'check', 'site.ini', cwd=site)
    assert done.stdout.endswith('1 note (2 applications, 1 session_cookie)\n')
    assert done.returncode == 0
    for path in site.rglob('*.*'):
        if path.is_file() and path.suffix != '.pyc':
            assert not re.search(r'\$\{|\+package\+|_tmpl', f'{path}{path.read_text()}')


def test_the_site_is_served(site):
    """paster serve runs it, where nothing is installed but what paster create has left."""
    ini = site / 'site.ini'
    ini.write_text(ini.read_text().replace('port = 8080', 'port = 0'))
    server = subprocess.Popen([os.path.join(BIN, 'paster'), 'serve', 'site.ini'], cwd=site,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in server.stdout:
            if found := re.search(r'http://127\.0\.0\.1:\d+', line):
                break
        with urllib.request.urlopen(f'{found[0]}/notes/', timeout=60) as page:
            assert b'Your name' in page.read()
            assert page.url.endswith('/accounts/?came_from=/notes/')
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def test_the_template_in_this_process(tmp_path, capsys):
    """The same, as PasteScript calls it."""
    create_distro = pytest.importorskip('paste.script.create_distro')
    command = create_distro.CreateDistroCommand('create')
    assert command.run(['--no-interactive', '-q', '-t', 'session_cookie', '-o', str(tmp_path),
                        'other']) in (None, 0)
    assert (Path(tmp_path) / 'other' / 'other' / 'accounts.py').exists()
    assert command.run(['--list-variables', '-t', 'session_cookie']) in (None, 0)
    commands = pytest.importorskip('paste.script.command').get_commands()
    runner = commands['session-cookie'].load()('session-cookie')
    assert runner.run(['check', str(tmp_path / 'other' / 'site.ini')]) == 0
