"""
Measuring: instructions, and wall clock
=======================================

A *case* is a function that prepares ``count`` iterations: it gives what to
call, and a list of so many arguments, which are consumed one by one, so that
freeing them counts.

Instructions are the main measure, because nothing else that runs on the
machine disturbs them.  Under valgrind one process forks two others for each
case, which prepare the same and differ in nothing but the number of
iterations.  System calls do not count, and valgrind has no SHA extensions: on
processors that do, hashing is cheaper than it looks here.

The wall clock is the median of many short rounds, all cases in random order
in each, without the garbage collector.
"""
from __future__ import annotations

import gc
import os
import random
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Case = Callable[[int], tuple[Callable[[Any], object], list[Any]]]

WARM_UP = 200        # iterations: CPython specializes what runs often
INSTRUCTION_RUN = 100
WALL_ROUNDS = 60
WALL_RUN = 300       # iterations of one case in one round

_COLLECTED = re.compile(r'==(\d+)== Collected : (\d+)')
_RAN = re.compile(r'^ran (\d+) (\d) (.*)$', re.MULTILINE)


def wall(cases: Mapping[str, Case], rounds: int = WALL_ROUNDS) -> dict[str, float]:
    """Seconds for one iteration of each case."""
    times: dict[str, list[float]] = {name: [] for name in cases}
    for case in cases.values():
        _consume(*case(WARM_UP))
    gc.collect()
    gc.freeze()   # what is there stays: only what a round leaves is looked at
    gc.disable()
    for _ in range(rounds):
        for name in random.sample(list(cases), len(cases)):
            function, arguments = cases[name](WALL_RUN)
            start = time.perf_counter()
            _consume(function, arguments)
            times[name].append((time.perf_counter() - start) / WALL_RUN)
            gc.collect()
    gc.enable()
    return {name: statistics.median(each) for name, each in times.items()}


def instructions(script: str, names: Iterable[str]) -> dict[str, int]:
    """Instructions for one iteration of each case of a script that calls
    :func:`run_if_asked`."""
    names = list(names)
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        counts: dict[tuple[str, int], int] = {}
        for some in pool.map(_collected, [(script, names[n::cores]) for n in range(cores)]):
            counts.update(some)
    return {name: round((counts[name, 3] - counts[name, 1]) / (2 * INSTRUCTION_RUN))
            for name in names}


def _collected(run: tuple[str, list[str]]) -> dict[tuple[str, int], int]:
    """How many instructions the processes of some cases took, by case and by
    how many runs of iterations."""
    script, names = run
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
               sys.executable, script, '--run', *names]
    result = subprocess.run(command, capture_output=True, text=True,
                            env={**os.environ, 'PYTHONHASHSEED': '0'})
    if result.returncode:
        raise RuntimeError(f'{" ".join(command)}:\n{result.stderr}')
    by_process = dict(_COLLECTED.findall(result.stderr))
    return {(name, int(times)): int(by_process[process])
            for process, times, name in _RAN.findall(result.stdout)}


def run_if_asked(case_of: Callable[[str], Case], warm_up: int = WARM_UP) -> None:
    """Be the process of :func:`instructions`, if this is one."""
    if sys.argv[1:2] != ['--run']:
        return
    gc.disable()
    for name in sys.argv[2:]:
        case = case_of(name)   # what it imports is imported once
        for times in (1, 3):
            process = os.fork()
            if not process:
                function, arguments = case(warm_up + 3 * INSTRUCTION_RUN)
                _consume(function, arguments, (3 - times) * INSTRUCTION_RUN)
                os._exit(0)   # what is left over is not freed: it would count
            if os.waitpid(process, 0)[1]:
                sys.exit(f'{name} failed')
            print('ran', process, times, name, flush=True)
    sys.exit()


def _consume(function: Callable[[Any], object], arguments: list[Any], leave: int = 0) -> None:
    while len(arguments) > leave:
        function(arguments.pop())


def figure(result: float) -> str:
    """Seconds as microseconds, instructions as they are."""
    return str(result) if isinstance(result, int) else f'{result * 1e6:.2f} us'


def print_table(heads: list[str], rows: Iterable[Iterable[str]]) -> None:
    """The first column to the left, the others to the right."""
    table = [heads, *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*table)]
    for first, *others in table:
        print(first.ljust(widths[0]), *(
            each.rjust(width + 1) for each, width in zip(others, widths[1:])))
