"""
The reader that the specification shows
=======================================

A program of somebody else's, for logins that are not signed.
"""
import ast
import pathlib
import runpy
import sys

import pytest
from test_docs import ACCEPTED, REFUSED, SECTIONS, VECTORS

PATH = (pathlib.Path(__file__).resolve().parent.parent
        / 'docs' / 'examples' / 'reader' / 'read_cookie.py')
READER = runpy.run_path(str(PATH))


def read(vector):
    key = VECTORS['keys'][vector['key']]
    place = [key[each] for each in ('cookie_name', 'domain', 'path')]
    return READER['read'](
        vector['value'], dict([READER['keys_of'](key['secret'], *place)]), vector['now'],
        vector['timeout'], vector['lifetime'], key['cookie_name'])


def of(vectors, signed):
    return [each for each in vectors if ('login_keys' in each.values[0]) is signed]


@pytest.mark.parametrize('vector', of(ACCEPTED, False))
def test_accepted(vector):
    """It reads the payload, and derives the session IDs."""
    found, said = read(vector), vector['payload']
    assert (found['base_id'], found['values']) == (said['base_id'], said['values'])
    assert found['times'] == [said[each] for each in ('created', 'issued', 'idle', 'absolute')]
    for name, each in said['sections'].items():
        assert READER['section'](found, name) == (each['salt'], each['values'])
    assert READER['section'](found, '/nowhere') == ('', {})
    login = said['login'] and {
        'user': said['login']['user'].encode('latin-1').decode('utf-8'),
        'groups': said['login']['tokens'], 'at': said['login']['at'], 'by': said['login']['by']}
    assert found['login'] == login
    for name, session_id in vector['session_ids'].items():
        assert READER['session_id'](found, name) == session_id


@pytest.mark.parametrize('vector', of(ACCEPTED, True))
def test_signed_logins(vector):
    """It has no public key, so it takes none."""
    with pytest.raises(READER['Refused'], match='^bad-login$'):
        read(vector)


@pytest.mark.parametrize('vector', SECTIONS)
def test_sections(vector):
    """A section that is not of the form is not there, and all others are."""
    found = read(vector)
    for name in {'/a', '/b', '/z', *vector['sections']}:
        each = vector['sections'].get(name, {'salt': '', 'values': {}})
        assert READER['section'](found, name) == (each['salt'], each['values'])


@pytest.mark.parametrize('vector', of(REFUSED, False))
def test_refused(vector):
    """It gives the status of the vector."""
    with pytest.raises(READER['Refused']) as refusal:
        read(vector)
    assert refusal.value.args == (vector['status'],)


def test_it_needs_nothing():
    """It imports the standard library alone."""
    for node in ast.walk(ast.parse(PATH.read_text())):
        if isinstance(node, ast.Import):
            assert {each.name for each in node.names} <= sys.stdlib_module_names
        assert not isinstance(node, ast.ImportFrom)
