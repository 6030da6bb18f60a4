"""
A release: makes its files, and checks what is promised of them
===============================================================

::

    pip install -U build check-manifest packaging pip-audit setuptools trove-classifiers twine
    python tests/release.py            a trial, of the last commit
    python tests/release.py v1.0.0     of this tag: leaves dist/, prints the notes

Each change has to pass the trial.  Both take a fresh clone, and look whether

* the version of ``setup.cfg`` and the topmost heading of ``CHANGES.rst`` agree;
* the sdist has all that git has (check-manifest), and the wheel has the whole package
  and nothing else;
* the package index knows the classifiers, and will show the description (``twine check
  --strict``);
* a stranger makes the same wheel, to the byte, by the commands of ``SECURITY.rst``;
* the wheel, alone in a new environment, serves the site of ``tests/alone.py``;
* the demonstration answers to whoever types the README's command in the unpacked sdist.

With a tag also whether it is signed and the version's own, whether the version is final and
dated, whether the project says where it lives, and whether a vulnerability is known of
anything that it can be installed with (``tests/audit.py --required``).  CONTRIBUTING.rst has
the steps around it.
"""
from __future__ import annotations

import argparse
import configparser
import contextlib
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from importlib.metadata import version as installed_version
from pathlib import Path

from matrix import Environment, extras
from packaging.version import Version

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGE = 'paste_sessioncookie'
TOOLS = ('build', 'setuptools')   # that a wheel is made of by
START = 120   # seconds for the README's command to install, and to serve


class Fault(Exception):
    """What keeps a release from being one."""


# -- what the tree says of itself ---------------------------------------------

def stated_version(tree: Path) -> str:
    """The one of setup.cfg, which is where everything has it from."""
    return metadata(tree)['version']


def metadata(tree: Path) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read(tree / 'setup.cfg', encoding='utf-8')
    return parser['metadata']


def changelog(tree: Path) -> tuple[str, str, str]:
    """The version, the date and the text of the topmost heading of CHANGES.rst."""
    text = (tree / 'CHANGES.rst').read_text(encoding='utf-8')
    headings = list(re.finditer(r'^(\S+) \((.+)\)\n-+$', text, re.MULTILINE))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return headings[0][1], headings[0][2], text[headings[0].end():ends[0]].strip()


def disagreements(tree: Path) -> Iterator[str]:
    """Between setup.cfg and CHANGES.rst: ``1.0.0.dev0`` is ``unreleased``, ``1.0.0`` has
    a date."""
    version, (headed, date, _) = Version(stated_version(tree)), changelog(tree)
    if headed != version.base_version:
        yield f'setup.cfg says {version}, the topmost heading of CHANGES.rst {headed}'
    if not re.fullmatch(r'unreleased|\d{4}-\d\d-\d\d', date):
        yield f'({date}) in CHANGES.rst is neither "unreleased" nor a date, as 2006-01-07'
    if version.is_devrelease != (date == 'unreleased'):
        yield f'CHANGES.rst says ({date}), and the version is {version}'


def not_releasable(tree: Path, tag: str) -> Iterator[str]:
    version = stated_version(tree)
    if tag != f'v{version}':
        yield f'the tag is {tag}, and the version of setup.cfg {version}'
    if Version(version).is_prerelease:
        yield f'{version} is not final'
    if 'Source = https://' not in metadata(tree).get('project_urls', ''):
        yield 'setup.cfg says nowhere where the project lives: project_urls, Source'


def check_classifiers(tree: Path) -> None:
    """The index refuses a file with one that it does not know."""
    from trove_classifiers import classifiers
    unknown = set(metadata(tree)['classifiers'].split('\n')) - classifiers - {''}
    if unknown:
        raise Fault(f'no classifier: {", ".join(sorted(unknown))}')


# -- steps: each has the tree, a clone ----------------------------------------

def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command has printed.  A Fault with that, if it fails."""
    path = f'{Path(sys.executable).parent}{os.pathsep}{os.environ["PATH"]}'
    result = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT,
                            env={**os.environ, 'PATH': path, **environment})
    if result.returncode:
        raise Fault(f'{" ".join(map(str, command))}\n{result.stdout}')
    return result.stdout


def clone(commit: str, folder: Path) -> Path:
    run('git', 'clone', '-q', ROOT, folder, cwd=ROOT)
    run('git', 'checkout', '-q', '--detach', commit, cwd=folder)
    return folder


def build(tree: Path) -> list[Path]:
    """The wheel and the sdist; the wheel is made from the sdist."""
    run(sys.executable, '-m', 'build', '--no-isolation', cwd=tree,
        SOURCE_DATE_EPOCH=run('git', 'log', '-1', '--format=%ct', cwd=tree).strip())
    return sorted((tree / 'dist').iterdir())


def check_contents(tree: Path, wheel: Path) -> None:
    """The wheel has what git has of the package.  Of the sdist check-manifest says it."""
    run(sys.executable, '-m', 'check_manifest', '--no-build-isolation', cwd=tree)
    known = set(run('git', 'ls-files', PACKAGE, cwd=tree).splitlines())
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if '.dist-info/' not in name}
    if known != packed:
        raise Fault(f'in the wheel or in git alone: {", ".join(sorted(known ^ packed))}')


def rebuild_commands(page: str) -> list[str]:
    """What SECURITY.rst tells whoever makes the wheel again, after the versions are there."""
    return re.findall(r'^ +(SOURCE_DATE_EPOCH=.+)$', page, re.MULTILINE)


def check_rebuilt(commit: str, wheel: Path, folder: Path) -> None:
    """Made again in another place, from git and not from the sdist, it is the same."""
    tree = clone(commit, folder)
    [command] = rebuild_commands((tree / 'SECURITY.rst').read_text(encoding='utf-8'))
    run('bash', '-c', command, cwd=tree)
    if digest(tree / 'dist' / wheel.name) != digest(wheel):
        raise Fault(f'{command}\nmakes another wheel than the one that would be released')


def check_wheel(tree: Path, wheel: Path, folder: Path) -> None:
    """Where nothing else is: it has the version, and serves."""
    environment = Environment(sys.executable, folder)
    environment.pip('install', '-q', str(wheel))
    environment.pip('check')
    environment.pip('uninstall', '-q', '-y', 'setuptools')
    shown = run(environment.python, '-m', PACKAGE, '--version', cwd=folder)
    if shown.strip() != stated_version(tree):
        raise Fault(f'the installed version is {shown.strip()}')
    run(environment.python, '-W', 'error', tree / 'tests' / 'alone.py', 'library', cwd=folder)


def serving_command(readme: str) -> str:
    [command] = re.findall('^ +(python3 -m venv .* serve .*)$', readme, re.MULTILINE)
    return str(command)


def check_demonstration(sdist: Path, folder: Path) -> None:
    """What the README says first, typed in the unpacked sdist; but for the port."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter='data')
    [tree] = folder.iterdir()
    command = serving_command((tree / 'README.rst').read_text(encoding='utf-8'))
    port = str(free_port())
    ini = tree / 'development.ini'
    ini.write_text(ini.read_text(encoding='utf-8').replace('8080', port), encoding='utf-8')
    with open(folder / 'output', 'w+', encoding='utf-8') as output:
        server = subprocess.Popen(
            ['bash', '-c', command], cwd=tree, stdout=output, stderr=output,
            start_new_session=True)
        try:
            wait_for(f'http://127.0.0.1:{port}/', server, Path(output.name))
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(('127.0.0.1', 0))
        return int(found.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes], output: Path) -> None:
    """Until the demonstration answers, with its cookie."""
    end = time.monotonic() + START
    while True:
        try:
            with urllib.request.urlopen(address) as answer:
                cookie = answer.headers['Set-Cookie'] or ''
        except OSError:
            if time.monotonic() > end or server.poll() is not None:
                raise Fault(f'nothing at {address}\n{output.read_text()}') from None
            time.sleep(0.2)
            continue
        if not cookie.startswith('__Host-site_session='):
            raise Fault(f'{address} sends no cookie')
        return


def audit(tree: Path, wheel: Path, folder: Path) -> str:
    """All that the library can be installed with, where each package can be looked up."""
    environment = Environment(sys.executable, folder)
    environment.pip('install', '-q', f'{wheel}[{",".join(extras())}]')
    [packages] = folder.glob('lib/python*/site-packages')
    return run(sys.executable, tree / 'tests' / 'audit.py', packages, '--required', cwd=tree)


# -- the whole ----------------------------------------------------------------

def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def made_with() -> str:
    return ' '.join(f'{name}=={installed_version(name)}' for name in TOOLS)


def notes(tree: Path, files: list[Path], versions: str) -> str:
    """What stands beside the tag: the changes, and what SECURITY.rst says stands there."""
    hashes = '\n\n'.join(f'{path.name}:\n--hash=sha256:{digest(path)}' for path in files)
    return f'{changelog(tree)[2]}\n\nMade with {versions}.\n\n{hashes}\n'


def release(tag: str | None, folder: Path) -> str:
    """The notes.  Raises Fault."""
    commit = tag or 'HEAD'
    if tag:
        if (ROOT / 'dist').exists():
            raise Fault('dist is there already; what is in it would be uploaded, too')
        run('git', 'verify-tag', tag, cwd=ROOT)
    tree = clone(commit, folder / 'tree')
    faults = [*disagreements(tree), *(not_releasable(tree, tag) if tag else ())]
    if faults:
        raise Fault('\n'.join(faults))
    files = build(tree)
    [wheel], [sdist] = ([path for path in files if path.name.endswith(ending)]
                        for ending in ('.whl', '.tar.gz'))
    check_classifiers(tree)
    run(sys.executable, '-m', 'twine', 'check', '--strict', *files, cwd=tree)
    check_rebuilt(commit, wheel, folder / 'again')
    check_wheel(tree, wheel, folder / 'alone')
    check_demonstration(sdist, folder / 'sdist')
    check_contents(tree, wheel)
    if tag:
        print(audit(tree, wheel, folder / 'extras'))
        shutil.copytree(tree / 'dist', ROOT / 'dist')
    return notes(tree, files, made_with())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().partition('\n')[0])
    parser.add_argument('tag', nargs='?', help='of the release; without, it is a trial')
    tag = parser.parse_args().tag
    with tempfile.TemporaryDirectory() as folder:
        try:
            print(release(tag, Path(folder)))
        except (Fault, subprocess.CalledProcessError) as fault:
            print(f'no release: {fault}')
            return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
