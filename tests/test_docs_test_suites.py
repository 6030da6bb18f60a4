"""The tests that docs/howto/test-suites.rst shows are run, and can fail."""
import pathlib
import re
import shutil

import pytest
from surroundings import pytest_in

DOCS = pathlib.Path(__file__).resolve().parent.parent / 'docs'
EXAMPLES = DOCS / 'examples' / 'test_suites'
SUITES = [path.name for path in sorted(EXAMPLES.glob('test_*.py'))]


@pytest.fixture
def folder(tmp_path):
    return pathlib.Path(shutil.copytree(EXAMPLES, tmp_path / 'x'))


def test_they_pass(folder):
    """As they stand."""
    found = pytest_in(folder)
    assert found.returncode == 0, found.stdout


def test_they_can_fail(folder):
    """An application that knows nobody is found out by each."""
    path = folder / 'notes.py'
    path.write_text(path.read_text().replace("environ.get('REMOTE_USER')", 'None'))
    found = pytest_in(folder)
    assert found.returncode == 1
    assert set(re.findall('FAILED (.+?)::', found.stdout)) == set(SUITES)


def test_the_page_has_them_all():
    """Each is shown."""
    page = (DOCS / 'howto' / 'test-suites.rst').read_text('utf-8')
    assert all(f'/examples/test_suites/{name}' in page for name in SUITES)
