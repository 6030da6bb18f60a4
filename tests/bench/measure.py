"""
Measuring: instructions, and wall clock
=======================================

A *case* is a function that prepares ``count`` iterations: it gives what to
call, and a list of so many arguments, which are consumed one by one, so that
freeing them counts.

Instructions are the main measure, because nothing else that runs on the
machine disturbs them.  Each case runs twice under valgrind, in processes of
its own that prepare the same and differ in nothing but the number of
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

WARM_UP = 1100       # iterations: more than any of the library's caches holds
INSTRUCTION_RUN = 150
WALL_ROUNDS = 60
WALL_RUN = 300       # iterations of one case in one round

_COLLECTED = re.compile(r'Collected : (\d+)')


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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        once = pool.map(_collected, ((script, name, 1) for name in names))
        thrice = pool.map(_collected, ((script, name, 3) for name in names))
        return {name: round((more - few) / (2 * INSTRUCTION_RUN))
                for name, few, more in zip(names, once, thrice)}


def run_if_asked(case_of: Callable[[str], Case], warm_up: int = WARM_UP) -> None:
    """Be the process of :func:`instructions`, if this is one."""
    if sys.argv[1:2] != ['--run']:
        return
    name, times = sys.argv[2], int(sys.argv[3])
    gc.disable()
    function, arguments = case_of(name)(warm_up + 3 * INSTRUCTION_RUN)
    gc.freeze()
    _consume(function, arguments, (3 - times) * INSTRUCTION_RUN)
    os._exit(0)   # what is left over is not freed: it would count


def _consume(function: Callable[[Any], object], arguments: list[Any], leave: int = 0) -> None:
    while len(arguments) > leave:
        function(arguments.pop())


def _collected(run: tuple[str, str, int]) -> int:
    script, name, times = run
    command = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null',
               sys.executable, script, '--run', name, str(times)]
    result = subprocess.run(command, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, 'PYTHONHASHSEED': '0'})
    match = _COLLECTED.search(result.stderr)
    if match is None or result.returncode:
        raise RuntimeError(f'{" ".join(command)}:\n{result.stderr}')
    return int(match[1])


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
