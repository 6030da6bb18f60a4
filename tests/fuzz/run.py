"""
Fuzzing: looks for bytes that break a promise
=============================================

::

    pip install '.[test,fuzz]'
    python tests/fuzz/run.py                      # each target for a minute
    python tests/fuzz/run.py --seconds 3600 unsign
    python tests/fuzz/run.py --keep               # ... and keep what was new

It starts from ``corpus/TARGET/``, which ``test_targets.py`` replays with every Python.  What
breaks a promise is left in the working directory, as ``TARGET-crash-...``; with its mending
it goes into the corpus.  ``--keep`` adds the smallest inputs that reach something new.
"""
from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
CORPUS = HERE / 'corpus'
MAX_LENGTH = 5000  # characters: a little more than a browser keeps


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n\n')[0])
    parser.add_argument('targets', nargs='*', default=sorted(
        folder.name for folder in CORPUS.iterdir()))
    parser.add_argument('--seconds', type=int, default=60, help='for each target (60)')
    parser.add_argument('--keep', action='store_true', help='add to the corpus')
    arguments = parser.parse_args()
    broken = [target for target in arguments.targets
              if not look(target, arguments.seconds, arguments.keep)]
    for target in broken:
        print(f'{target}: a promise is broken')
    return 1 if broken else 0


def look(target: str, seconds: int, keep: bool) -> bool:
    """Whether nothing was found that breaks a promise."""
    kept = CORPUS / target
    with tempfile.TemporaryDirectory() as found:
        holds = libfuzzer(target, found, str(kept), f'-max_total_time={seconds}')
        if holds and keep:
            holds = libfuzzer(target, '-merge=1', str(kept), found)
    return holds


def libfuzzer(target: str, *arguments: str) -> bool:
    """One run of libFuzzer, which never returns and so has a process of its own."""
    command = [sys.executable, __file__, '--inside', target, *arguments,
               f'-max_len={MAX_LENGTH}', f'-dict={HERE / "tokens.dict"}', '-timeout=10',
               f'-artifact_prefix={target}-', '-print_final_stats=1']
    return subprocess.run(command).returncode == 0


def inside(target: str, arguments: list[str]) -> None:
    import atheris  # Linux only
    with atheris.instrument_imports(include=['paste_sessioncookie', 'targets', 'model']):
        from targets import TARGETS
    # to merge it starts what it takes for itself, by a shell
    itself = shlex.join([sys.executable, __file__, '--inside', target])
    atheris.Setup([itself, *arguments], TARGETS[target])
    atheris.Fuzz()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inside']:
        inside(sys.argv[2], sys.argv[3:])
    sys.exit(main())
