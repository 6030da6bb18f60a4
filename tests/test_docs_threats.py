"""The page on threats: each row has an answer, and what it names is there."""
import ast
import configparser
import csv
import functools
import pathlib
import re

import pytest

from conftest import Visitor
from paste_sessioncookie import cookie
from paste_sessioncookie.signer import DEFAULT_LIFETIME

TESTS = pathlib.Path(__file__).parent
ROOT = TESTS.parent
PAGE = (ROOT / 'docs' / 'explanation' / 'threats.rst').read_text(encoding='utf-8')
FILES = sorted((ROOT / 'docs' / 'explanation' / 'threats').glob('*.csv'))
WORDS = ('Met', 'Partly', 'Deviation', 'Not ours')

# the documents' own rows: how many each section has
ASVS = {'asvs-v3': {'3.1': 1, '3.2': 3, '3.3': 5, '3.4': 8, '3.5': 8, '3.6': 1, '3.7': 5},
        'asvs-v7': {'7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5, '7.5': 3, '7.6': 2},
        'asvs-v9': {'9.1': 3, '9.2': 4}}
# each MUST, SHOULD and SHALL of a section has a letter, unless it is alone
LETTERED = {'rfc6265bis': {'4.1.1': 7, '4.1.2.1': 1, '4.1.3': 1, '4.2.1': 2, '4.2.2': 1, '6.1': 2,
                           '7.3': 1, '8.3': 3, '8.4': 1, '8.5': 1, '8.6': 2, '8.8': 1},
            'nist-63b': {'5.1': 18, '5.1.1': 7, '5.1.2': 1, '5.2': 5, '5.3': 2}}


def rows(file):
    with file.open(newline='', encoding='utf-8') as text:
        return list(csv.DictReader(text, strict=True))


EACH = [pytest.param(row, id=f'{file.stem} {row["Row"]}') for file in FILES for row in rows(file)]


@functools.cache
def defined(path):
    """The names of a file's tests, those of classes behind the class."""
    found = set()
    for node in ast.parse((TESTS / path).read_text(encoding='utf-8')).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f'{node.name}::' if isinstance(node, ast.ClassDef) else ''
        found |= {prefix + each.name for each in inside if isinstance(each, ast.FunctionDef)}
    return found


@pytest.mark.parametrize('row', EACH)
def test_answers(row):
    """What is met names a test, and what is not, or not ours, a reason."""
    word, colon, reason = row['Answer'].partition(':')
    assert word.rstrip('.') in WORDS and row['It asks that']
    if word.startswith(('Met', 'Partly')):
        assert row['Shown by']
    if not word.startswith('Met'):
        assert colon and len(reason.split()) >= 4


@pytest.mark.parametrize('row', EACH)
def test_tests_are_there(row):
    """Each test that is named is one."""
    for test in row['Shown by'].split():
        path, _, name = test.partition('::')
        assert name.rpartition('::')[2].startswith('test_') and name in defined(path), test


def test_every_row_is_there():
    """No row of the documents is left out, and none is invented."""
    expected = {name: [f'{section}.{n + 1}' for section, count in sections.items()
                       for n in range(count)] for name, sections in ASVS.items()}
    expected |= {name: [section if count == 1 else f'{section} {chr(ord("a") + n)}'
                        for section, count in sections.items() for n in range(count)]
                 for name, sections in LETTERED.items()}
    assert {file.stem: [row['Row'] for row in rows(file)] for file in FILES} == expected


def test_every_table_is_on_the_page():
    """The page has each file, once."""
    assert sorted(re.findall(':file: threats/(.*)', PAGE)) == [file.name for file in FILES]


def test_security_page():
    """It names the versions of Python that setup.cfg has, and pages that are there."""
    page = (ROOT / 'SECURITY.rst').read_text(encoding='utf-8')
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    minors = [int(minor) for minor in re.findall(
        r'Python :: 3\.(\d+)', setup['metadata']['classifiers'])]
    assert f'Python 3.{min(minors)} to 3.{max(minors)} are tested' in ' '.join(page.split())
    files = re.findall('``([a-z/]+[.](?:rst|cfg))``', page)
    assert files and all((ROOT / file).is_file() for file in files)


def test_the_limits_of_time():
    """The defaults keep to what the page says that NIST asks."""
    minutes, hours = cookie.OPTIONS['timeout'].default // 60, DEFAULT_LIFETIME // 60
    assert f'``timeout`` is {minutes} minutes, and ``lifetime`` {hours} hours' in PAGE
    assert minutes <= 60 and hours <= 12


def test_an_empty_cookie_is_small(make_site, probe):
    """Without a login and values it has the size that the table says."""
    visitor = Visitor(make_site(probe))
    visitor.get()
    [row] = [row for file in FILES for row in rows(file) if 'characters' in row['Answer']
             and 'empty' in row['Answer']]
    assert len(visitor.cookie) < int(re.findall(r'(\d+) characters', row['Answer'])[0])
