"""What the runner of the matrix works with: the bounds, and the names it takes."""
import configparser
import re
import subprocess
import sys
from pathlib import Path

import matrix
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

OLDEST = {canonicalize_name(name): Version(version) for name, version in re.findall(
    '^([A-Za-z][A-Za-z0-9_.-]*)==(.+)$', (matrix.HERE / 'oldest.txt').read_text(), re.MULTILINE)}


def requirements():
    """What setup.cfg asks for, but for what only the newest of is tried."""
    parser = configparser.ConfigParser()
    parser.read(matrix.ROOT / 'setup.cfg', encoding='utf-8')
    extras = parser['options.extras_require']
    texts = [parser['options']['install_requires']] + [
        extras[name] for name in extras if name not in matrix.NEWEST_ONLY]
    lines = {line for text in texts for line in text.splitlines()
             if line and not line.startswith('#')}
    return sorted(lines)


@pytest.mark.parametrize('line', requirements())
def test_the_oldest_that_is_claimed_is_tested(line):
    """Each requirement has a lower bound, and that is the version in oldest.txt."""
    requirement = Requirement(line)
    bounds = [each.version for each in requirement.specifier if each.operator == '>=']
    if requirement.name == 'setuptools':
        assert not bounds
    else:
        [bound] = bounds
        assert OLDEST[canonicalize_name(requirement.name)] == Version(bound)


def test_a_python_that_is_not_there(capsys):
    """It is skipped, loudly; and if nothing else was run, that is no success."""
    assert matrix.run_one('3.99-newest', []) == 'NOT RUN: Python 3.99 is not installed here'
    assert matrix.main(['3.99-newest']) == 1
    assert 'NOT RUN' in capsys.readouterr().out


def test_a_python_that_is_there():
    """An interpreter is found that is of the version."""
    version = '.'.join(map(str, sys.version_info[:2]))
    found = subprocess.run([matrix.find_python(version), '--version'], capture_output=True, text=True)
    assert found.stdout.startswith(f'Python {version}.')


def test_a_name_that_is_none(capsys):
    """The answer says what is one."""
    assert matrix.main(['3.11-young']) == 2
    assert 'oldest, newest, alone' in capsys.readouterr().out


def test_every_extra_has_a_conversation():
    """alone.py has a function for each extra."""
    text = Path(matrix.HERE, 'alone.py').read_text(encoding='utf-8')
    for name in ('library', *matrix.extras()):
        assert f"\ndef {name.replace('-', '_')}(folder):" in text
