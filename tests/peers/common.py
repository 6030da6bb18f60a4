"""What the scripts beside this one share.

Each runs a framework's own tests twice, natively and through our adapter, and
prints what differs.  Natively every test has to pass, or to be skipped for a
reason that the script names.  A difference that is not expected, word for word
and with its reason, is an error; so is an expected one that is not there, and a
run through us in which no adapter was at work.

``NAME.py`` has ``NAME_plugin.py`` beside it, which puts the adapter in place.
"""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
PATIENCE = 1800  # seconds, for one run of tests
MOST_SHOWN = 20_000  # characters of what tests printed

WORDS = {'failure': 'failed', 'error': 'error', 'skipped': 'skipped'}  # in JUnit's XML


class Outcome(NamedTuple):
    """What a run of tests came to."""

    #: 'passed', 'failed', 'error', 'skipped: REASON', ... for each test, by its name
    tests: Mapping[str, str]
    #: for how many requests an adapter asked for the control
    requests: int
    #: what they printed
    output: str

    def count(self) -> str:
        words = [word.partition(':')[0] for word in self.tests.values()]
        return ', '.join(
            f'{words.count(word)} {word}' for word in sorted(set(words))) or 'none'


class Expected(NamedTuple):
    """How a test ends through us, which passes natively, and why."""

    word: str
    reason: str


def expect(reason: str, names: Iterable[str], word: str = 'failed') -> dict[str, Expected]:
    """The same for several tests."""
    return {name: Expected(word, reason) for name in names}


class Place(NamedTuple):
    """Where a framework's tests run: an environment of their own, and a folder."""

    python: Path
    folder: Path

    def run(self, *command: str | Path, **environment: str | Path
            ) -> subprocess.CompletedProcess[str]:
        """A command in the folder, with its output; it may fail."""
        return subprocess.run(
            [str(self.python), *map(str, command)], cwd=self.folder, text=True,
            capture_output=True, timeout=PATIENCE,
            env={**os.environ, **{name: str(value) for name, value in environment.items()}})


def prepare(where: Path, sdist: str, *requirements: str) -> Place:
    """An environment with this checkout and the requirements, and the unpacked
    source of a framework, as in ``'Django==5.2.8'``."""
    venv.create(where / 'venv', with_pip=True)
    python = where / 'venv' / 'bin' / 'python'
    pip = [str(python), '-m', 'pip', '--disable-pip-version-check', '-q']
    subprocess.run([*pip, 'install', str(CHECKOUT), sdist, *requirements], check=True)
    subprocess.run([*pip, 'download', '--no-deps', '--no-binary', ':all:', '-d',
                    str(where / 'sdist'), sdist], check=True)
    archive, = (where / 'sdist').iterdir()
    with tarfile.open(archive) as tar:
        tar.extractall(where / 'source', filter='data')
    folder, = (where / 'source').iterdir()
    return Place(python, folder)


def pytest(place: Place, plugin: str | None, *options: str | Path,
           **environment: str | Path) -> Outcome:
    """What the tests come to that the options name, with a plugin of this folder."""
    report, count = place.folder / 'report.xml', place.folder / 'requests'
    for file in report, count:
        file.unlink(missing_ok=True)
    plugins = plug_in(place.folder, plugin) if plugin else ()
    done = place.run('-m', 'pytest', '-q', '-c', os.devnull, '--rootdir', place.folder,
                     *plugins, f'--junitxml={report}', *options, PEER_REQUESTS=count,
                     **environment)
    if not report.exists():
        raise SystemExit(done.stdout + done.stderr)
    return Outcome(dict(map(_result, ElementTree.parse(report).iter('testcase'))),
                   counted(count), done.stdout)


def plug_in(folder: Path, plugin: str) -> tuple[str, ...]:
    """Put a plugin where the tests are; the options of pytest for it.  Some of the
    scripts have names of packages, so this folder is not in the path."""
    for name in plugin, 'effect':
        shutil.copy(HERE / f'{name}.py', folder)
    return '-p', plugin


def counted(file: Path) -> int:
    """What ``effect.py`` has written there."""
    return int(file.read_text()) if file.exists() else 0


def _result(case: ElementTree.Element) -> tuple[str, str]:
    """The name of a test, and the word for how it ended."""
    words = [WORDS[child.tag] for child in case if child.tag in WORDS] or ['passed']
    reasons = [child.get('message', '') for child in case.iter('skipped')]
    return (f'{case.get("classname")}.{case.get("name")}',
            ': '.join((words[0], *reasons)))


def compare(title: str, native: Outcome, ours: Outcome,
            expected: Mapping[str, Expected], skipped: Collection[str] = ()) -> bool:
    """Print the counts and each difference; whether all is as expected.
    ``skipped``: how the reasons begin for which a test may be skipped natively."""
    print(f'{title}\n  natively:   {native.count()}\n'
          f'  through us: {ours.count()}; {ours.requests} requests')
    faults = [*_native_faults(native, tuple(skipped)), *_differences(native, ours, expected)]
    if not ours.requests:
        faults.append('no adapter was at work through us')
    for fault in faults:
        print(f'  FAULT: {fault}')
    if faults:
        print('through us:', ours.output[-MOST_SHOWN:], sep='\n')
    return not faults


def _native_faults(native: Outcome, skipped: tuple[str, ...]) -> list[str]:
    may = tuple(f'skipped: {reason}' for reason in skipped)
    faults = [f'{name}: natively {word}' for name, word in native.tests.items()
              if word not in ('passed', 'expected failure') and not word.startswith(may)]
    if not native.tests:
        faults.append('there are no tests')
    if native.requests:
        faults.append('an adapter was at work natively')
    return faults


def _differences(native: Outcome, ours: Outcome,
                 expected: Mapping[str, Expected]) -> list[str]:
    """Print the expected ones, and return the others."""
    faults = []
    for name in sorted({*native.tests, *ours.tests, *expected}):
        before, after = native.tests.get(name, 'absent'), ours.tests.get(name, 'absent')
        wanted = expected.get(name, Expected(before, ''))
        if after != wanted.word or before == after and name in expected:
            faults.append(f'{name}: {before} -> {after}, and not {wanted.word}')
        elif name in expected:
            print(f'  {name}: {before} -> {after}: {wanted.reason}')
    return faults


def main(run: Callable[[Path], bool]) -> None:
    """Run in a temporary folder, or in the one that is given, which stays."""
    parser = argparse.ArgumentParser(description=run.__doc__)
    parser.add_argument('--keep', type=Path, metavar='FOLDER', help='work here, and leave it')
    folder = parser.parse_args().keep
    if folder:
        folder.mkdir(parents=True)
        sys.exit(not run(folder.resolve()))
    with tempfile.TemporaryDirectory() as temporary:
        sys.exit(not run(Path(temporary)))
