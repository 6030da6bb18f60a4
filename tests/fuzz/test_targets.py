"""What fuzzing found, and what it starts from, holds with every Python.

``run.py`` looks for more.
"""
from pathlib import Path

import pytest
from targets import TARGETS

CORPUS = Path(__file__).parent / 'corpus'
FILES = sorted(CORPUS.glob('*/*'))


@pytest.mark.parametrize('target', TARGETS)
def test_corpus(target):
    """No promise is broken by any bytes that were kept."""
    files = [path for path in FILES if path.parent.name == target]
    assert files
    for path in files:
        data = path.read_bytes()
        TARGETS[target](data)


def test_size():
    """What is kept is small, and each file is for a target."""
    assert {path.parent.name for path in FILES} == set(TARGETS)
    assert sum(path.stat().st_size for path in FILES) < 500_000
