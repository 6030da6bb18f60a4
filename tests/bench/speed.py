"""
Speed: what the filters cost per request, and what others cost
==============================================================

::

    python tests/bench/speed.py [--instructions] [case ...]
    python tests/bench/speed.py --check
    python tests/bench/speed.py --record [case ...]

The overhead over the bare application, and its ratio to FLOOR's of the same
workload and the same run (:mod:`workloads`).  Without an option the wall clock
is read, which is noisy; with one, valgrind counts instructions.  ``case`` is a
part of a case's name.

``--check`` measures FLOOR and ours and fails when a ratio is more than a tenth
over the recorded one.  Instructions differ between versions of Python: another
version than the recorded one is not compared.  ``--record`` measures all, some
minutes long, or FLOOR, ours and these cases, and writes what ``--check`` and the
manual read.

The peers need starlette, itsdangerous, flask, django, pyramid, beaker and repoze.who.

"""
from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import measure
import workloads

RECORDED = Path(__file__).with_name('recorded.json')
TABLES = Path(__file__).parents[2] / 'docs' / 'speed-figures.inc'
TOLERANCE = 1.10

BARE = 'bare application'
NO_NAMESPACE = 'W1, verified before'
OURS = {BARE: workloads.bare, **workloads.FLOOR, **workloads.LEAST, **workloads.OURS}
PYTHON = '.'.join(platform.python_version_tuple()[:2])


def overhead(name: str, results: Mapping[str, float]) -> float:
    """What a case takes more than the application alone; a namespace filter,
    than the outer filter alone."""
    return results[name] - results[NO_NAMESPACE if '+ namespace' in name else BARE]


def ratio(name: str, results: Mapping[str, float]) -> float:
    """A case's overhead in units of FLOOR's on the same workload."""
    floors = [f'FLOOR {each}' for each in workloads.WORKLOADS if each in name]
    return overhead(name, results) / overhead(floors[0] if floors else 'FLOOR W1', results)


def table(results: Mapping[str, float]) -> Iterator[list[str]]:
    for name in results:
        if name != BARE:
            yield [name, measure.figure(overhead(name, results)),
                   f'{ratio(name, results):.2f}']


def check() -> str:
    """What is slower than recorded, a line each."""
    recorded = json.loads(RECORDED.read_text('utf-8'))
    if TABLES.read_text('utf-8') != tables(recorded):
        return f'{TABLES.name} is not what {RECORDED.name} says: python {__file__} --record'
    if PYTHON != recorded['python']:
        print(f'recorded with Python {recorded["python"]}: nothing to compare with {PYTHON}')
        return ''
    results = measure.instructions(__file__, OURS)
    measure.print_table(['case', 'instructions', '/ FLOOR'], table(results))
    slower = {name: ratio(name, results) for name in workloads.OURS
              if ratio(name, results) > recorded['cases'][name][1] * TOLERANCE}
    return '\n'.join(f'{name}: {now:.2f}, recorded {recorded["cases"][name][1]}'
                     for name, now in slower.items())


def record(names: Iterable[str]) -> None:
    """Cases that are not measured keep what is recorded of them."""
    results = measure.instructions(__file__, names)
    before = json.loads(RECORDED.read_text('utf-8'))
    now = {name: [overhead(name, results), round(ratio(name, results), 2)]
           for name in results if name != BARE}
    if before['python'] == PYTHON:
        now = {**before['cases'], **now}
    recorded = {'python': PYTHON, 'cases': {
        name: now[name] for name in all_cases() if name in now}}
    RECORDED.write_text(json.dumps(recorded, indent=1) + '\n', 'utf-8')
    TABLES.write_text(tables(recorded), 'utf-8')


def tables(recorded: dict[str, Any]) -> str:
    """What is recorded, for the manual: ours, then the peers."""
    cases = recorded['cases']
    lines = [f'.. Written by tests/bench/speed.py --record, with Python {recorded["python"]}.',
             *list_table('Ours', ['Case', 'Instructions', '/ FLOOR'], (
                 [name, f'{cases[name][0]:,}', f'{cases[name][1]:.2f}']
                 for name in cases if name in OURS))]
    names = dict.fromkeys(name.rpartition(' W')[0] for name in cases
                          if name not in OURS and ' W' in name)
    lines += list_table('Peers, / FLOOR', ['Peer', *workloads.WORKLOADS], (
        [name, *[f'{cases[case][1]:.2f}' if case in cases else ''
                 for case in (f'{name} {each}' for each in workloads.WORKLOADS)]]
        for name in names))
    return '\n'.join(lines) + '\n'


def list_table(title: str, heads: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    yield from ('', f'.. list-table:: {title}', '   :header-rows: 1', '')
    for row in (heads, *rows):
        yield f'   * - {row[0]}'
        yield from (f'     - {each}'.rstrip() for each in row[1:])


def all_cases() -> dict[str, workloads.MakeCase]:
    import peers
    return {**OURS, 'no-op middleware': workloads.no_op, **peers.PEERS}


def case_of(name: str) -> measure.Case:
    return (OURS.get(name) or all_cases()[name])()


def chosen(parts: Iterable[str]) -> list[str]:
    """The names of the cases asked for, and of what they are compared with."""
    parts = list(parts)
    return [name for name in all_cases()
            if name in OURS or not parts or any(part in name for part in parts)]


def main() -> None:
    measure.run_if_asked(case_of)
    if '--check' in sys.argv:
        sys.exit(check() or 0)
    names = chosen(each for each in sys.argv[1:] if not each.startswith('--'))
    if '--record' in sys.argv:
        record(names)
        return
    results: Mapping[str, float]
    if '--instructions' in sys.argv:
        results = measure.instructions(__file__, names)
    else:
        results = measure.wall({name: case_of(name) for name in names})
    measure.print_table(['case', 'overhead', '/ FLOOR'], table(results))


if __name__ == '__main__':
    main()
