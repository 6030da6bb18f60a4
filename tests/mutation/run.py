"""
Mutation testing: is each line of the core held by a test?
==========================================================

::

    pip install '.[test,mutation]'
    python tests/mutation/run.py

mutmut changes one thing at a time in the rooms that ``[mutmut]`` in setup.cfg names, in a
copy, and runs the tests that come through there.  A change that no test sees is a survivor.
Each one is in ``survivors.txt``, with the reason why it may live; a new one fails the run,
and so does one that is there no more.  What is new is printed in the form of that file::

    paste_sessioncookie.headers._begins_pair
    -    while start and header[start - 1] in _BLANKS:
    +    while start or header[start - 1] in _BLANKS:
    = why nobody can see the difference

mutmut looks at bodies of functions only: neither at properties nor at tables and patterns
at the top of a file.  For those of ``encoding`` and ``headers`` there is a second
implementation in ``tests/fuzz``.
"""
from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SURVIVORS = HERE / 'survivors.txt'
MUTMUT = [sys.executable, '-m', 'mutmut']

Change = tuple[str, ...]   # the function, the lines that go, the lines that come


def main() -> int:
    explained = read(SURVIVORS.read_text(encoding='utf-8'))
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        # one process for each core; its progress is for a terminal
        subprocess.run([*MUTMUT, 'run', '--max-children', str(os.cpu_count())],
                       cwd=folder, check=True)
        names, other = results(folder)
        found = {changed(show(folder, name), name) for name in names}
    for change in sorted(found - explained):
        print('\nsurvives, and nobody says why:', *change, '= ', sep='\n')
    for change in sorted(explained - found):
        print('\nis explained, but does not survive:', *change, sep='\n')
    for line in other:
        print(line)
    print(f'{len(found)} survive, {len(explained & found)} of them explained')
    return 0 if found == explained and not other else 1


def copy_to(folder: Path) -> None:
    """What git knows of, as it is in the working copy."""
    names = subprocess.run(['git', 'ls-files', '-z'], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout
    for name in names.rstrip('\0').split('\0'):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())


def results(folder: str) -> tuple[list[str], list[str]]:
    """The names of the survivors, and lines on changes of which nothing is known."""
    lines = [line.strip() for line in output(folder, 'results').splitlines() if line.strip()]
    known = [line.partition(': ') for line in lines]
    return ([name for name, _, status in known if status == 'survived'],
            [''.join(line) for line in known if line[2] not in ('survived', 'killed')])


def show(folder: str, name: str) -> str:
    return output(folder, 'show', name)


def output(folder: str, *arguments: str) -> str:
    return subprocess.run([*MUTMUT, *arguments], cwd=folder, check=True,
                          capture_output=True, text=True).stdout


def changed(diff: str, name: str) -> Change:
    """What a survivor is, by its text: its number is another after each edit."""
    module, _, rest = name.rpartition('.')
    # paste_sessioncookie.signer.xǁSessionCookieSignerǁsign__mutmut_1
    function = rest.rpartition('__mutmut_')[0].removeprefix('x').removeprefix('_')
    if 'ǁ' in function:
        function = function.strip('ǁ').replace('ǁ', '.')
    lines = [line for line in diff.splitlines()
             if line[:1] in ('-', '+') and line[:3] not in ('---', '+++')]
    return f'{module}.{function}', *lines


def read(text: str) -> set[Change]:
    """What is explained."""
    changes = set()
    for block in text.split('\n\n'):
        lines = [line for line in block.splitlines() if line and not line.startswith('#')]
        if lines:
            if not any(line.startswith('= ') and len(line) > 10 for line in lines):
                raise SystemExit(f'{SURVIVORS.name}: there is no reason for {lines}')
            changes.add(tuple(line for line in lines if not line.startswith(('= ', '  '))))
    return changes


if __name__ == '__main__':
    sys.exit(main())
