"""
The tests with every Python, and with the oldest and the newest dependencies
============================================================================

::

    python tests/matrix.py                          all there is
    python tests/matrix.py 3.10-oldest 3.13-newest  some of it
    python tests/matrix.py 3.13-newest -- tests/frameworks -k login

Each name makes a new environment, and removes it:

``3.X-oldest``, ``3.X-newest``
    The suite, with the versions of ``tests/oldest.txt`` or with those that pip
    takes today.  What stands behind ``--`` goes to pytest.

``3.X-alone``
    ``tests/alone.py`` where nothing else is installed: the library, without
    setuptools and PasteScript, and then each extra by itself.

A Python that is not installed here is skipped, and said to be.  The exit status
is 1 if something failed, or if nothing was run.
"""
from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PYTHONS = ('3.10', '3.11', '3.12', '3.13')
KINDS = ('oldest', 'newest', 'alone')
# browsers, machines and servers test what is not Python's
SUITE = ['-q', '-p', 'no:cacheprovider', '--ignore-glob=tests/*browser*',
         '--ignore=tests/machines', '--ignore=tests/servers']
# extras of which the newest are tried, by the steps that need them
NEWEST_ONLY = ('docs', 'servers', 'fuzz', 'mutation')
NOT_ADAPTERS = ('test', *NEWEST_ONLY)


class NotInstalled(Exception):
    """This machine has no such Python."""


def find_python(version: str) -> str:
    """The path of an interpreter, of the search path or of pyenv's."""
    pyenv = Path(os.environ.get('PYENV_ROOT', Path.home() / '.pyenv')) / 'versions'
    kept = sorted(pyenv.glob(f'{version}.*/bin/python'))
    for candidate in (sys.executable, f'python{version}', *map(str, reversed(kept))):
        try:
            answer = subprocess.run([candidate, '--version'], capture_output=True, text=True)
        except OSError:
            continue
        if re.match(rf'Python {re.escape(version)}\.', answer.stdout):
            return candidate
    raise NotInstalled(version)


def extras() -> list[str]:
    """What can be installed with the library, as setup.cfg has it."""
    parser = configparser.RawConfigParser()
    parser.read(ROOT / 'setup.cfg', encoding='utf-8')
    return [name for name in parser.options('options.extras_require')
            if name not in NOT_ADAPTERS]


class Environment:
    """A new virtual environment in a folder."""

    def __init__(self, python: str, folder: Path) -> None:
        self.python = str(folder / 'bin' / 'python')
        run([python, '-m', 'venv', str(folder)])

    def pip(self, *arguments: str) -> None:
        run([self.python, '-m', 'pip', '--disable-pip-version-check', *arguments])


def run(command: list[str], quiet: bool = True) -> None:
    """Raises CalledProcessError; what a quiet command printed is printed then."""
    result = subprocess.run(command, cwd=ROOT, text=True,
                            stdout=subprocess.PIPE if quiet else None,
                            stderr=subprocess.STDOUT if quiet else None)
    if result.returncode and quiet:
        print(result.stdout)
    result.check_returncode()


def suite(python: str, folder: Path, kind: str, arguments: list[str]) -> None:
    environment = Environment(python, folder / kind)
    constraints = ['-c', str(HERE / 'oldest.txt')] if kind == 'oldest' else []
    environment.pip('install', '-q', *constraints, '-e', '.[test,paster]')
    environment.pip('check')
    run([environment.python, '-m', 'pytest', *SUITE, *arguments], quiet=False)


def alone(python: str, folder: Path) -> None:
    Environment(python, folder / 'builder').pip(
        'wheel', '-q', '--no-deps', '-w', str(folder), '.')
    [wheel] = folder.glob('*.whl')
    for name in ('library', *extras()):
        environment = Environment(python, folder / name)
        extra = '' if name == 'library' else f'[{name}]'
        environment.pip('install', '-q', f'{wheel}{extra}')
        if name == 'library':
            environment.pip('uninstall', '-q', '-y', 'setuptools')
        run([environment.python, '-W', 'error', '-W', "ignore:'cgi' is deprecated",
             '-W', 'ignore:pkg_resources is deprecated',
             '-W', 'ignore:Deprecated call to `pkg_resources',
             str(HERE / 'alone.py'), name], quiet=False)


def run_one(name: str, arguments: list[str]) -> str:
    """The outcome of a name, in a word or more."""
    version, _, kind = name.partition('-')
    try:
        python = find_python(version)
    except NotInstalled:
        return f'NOT RUN: Python {version} is not installed here'
    print(f'\n== {name}', flush=True)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            if kind == 'alone':
                alone(python, Path(folder))
            else:
                suite(python, Path(folder), kind, arguments)
        except subprocess.CalledProcessError as error:
            return f'FAILED: {error}'
    return f'passed in {time.monotonic() - start:.0f} s'


def main(words: list[str]) -> int:
    behind = words.index('--') if '--' in words else len(words)
    names = words[:behind] or [f'{version}-{kind}' for version in PYTHONS for kind in KINDS]
    for name in names:
        if name.partition('-')[2] not in KINDS:
            print(f'{name}: it takes a version and one of {", ".join(KINDS)}, as in '
                  '3.13-newest')
            return 2
    outcomes = {name: run_one(name, words[behind + 1:]) for name in names}
    print()
    for name, outcome in outcomes.items():
        print(f'{name:12} {outcome}')
    passed = [outcome for outcome in outcomes.values() if outcome.startswith('passed')]
    failed = [outcome for outcome in outcomes.values() if outcome.startswith('FAILED')]
    return 0 if passed and not failed else 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
