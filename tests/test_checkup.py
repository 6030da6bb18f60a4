"""
``check``: what it finds in ini files, and that it finds no more

The shapes of files of real sites are in configs/ini-shapes.  What is expected of a
file stands at its head::

    # ways: NUMBER                     so many applications, each way counted
    # finds: LEVEL [SECTION] TEXT      a finding, whose problem and remedy contain this

There are no other errors and warnings.  Notes may be named, or not.
"""
import os
import re
import shutil
from pathlib import Path

import pytest
from test_ini import CONFIGS, ini_files, texts

from paste_sessioncookie.checkup import findings
from paste_sessioncookie.wiring import read

SHAPES = os.path.join(CONFIGS, 'ini-shapes')
# of an engine of somebody else's it is only known that it can be imported
NOT_FOUND = {'revocation_callable_arguments.ini', 'revocation_callable_half.ini',
             'revocation_callable_nothing.ini', 'revocation_callable_raises.ini',
             'revocation_redis_away.ini'}


def head_lines(filename, name):
    """What stands behind ``# name:`` in a file."""
    with open(filename, encoding='ascii') as file:
        return re.findall(f'^# {name}: (.+)$', file.read(), re.MULTILINE)


def said(finding):
    return f'{finding.level} [{finding.place.section}] {finding.problem}: {finding.remedy}'


def is_said(expected, finding):
    """Whether a line of a head is about a finding."""
    level, section, text = re.fullmatch(r'(\w+) (\[.+?\]) (.+)', expected).groups()
    return said(finding).startswith(f'{level} {section} ') and text in said(finding)


@pytest.fixture(scope='module')
def configs(tmp_path_factory):
    """A copy of configs/, outside of any repository, with the modes that it is to have."""
    copy = shutil.copytree(CONFIGS, tmp_path_factory.mktemp('checkup') / 'configs')
    for file in (*copy.glob('*/*.secret'), *copy.glob('*/*.pem'), *copy.glob('*/*.ini')):
        file.chmod(0o644 if file.stem == 'readable' else 0o600)
    return copy


@pytest.mark.parametrize('name', ini_files('ini-shapes'))
def test_shapes(name, configs):
    """Of the file of a real site, all that is wrong is found, and nothing else."""
    wiring = read(str(configs / 'ini-shapes' / name), {'http_port': '8080'})
    found = findings([wiring])
    expected = head_lines(os.path.join(SHAPES, name), 'finds')
    assert head_lines(os.path.join(SHAPES, name), 'ways') == [str(len(wiring.ways))]
    for line in expected:
        assert any(is_said(line, each) for each in found), (line, list(map(said, found)))
    for each in found:
        assert each.level == 'note' or any(is_said(line, each) for line in expected), said(each)


def test_shapes_are_left_alone(configs):
    """Nothing is made, and nothing is written, by a look at it."""
    before = sorted(configs.rglob('*'))
    for folder in ('ini-shapes', 'good'):
        for name in ini_files(folder):
            findings([read(str(configs / folder / name), {'http_port': '8080'})])
    assert sorted(configs.rglob('*')) == before


def found_in(filename, monkeypatch):
    """What is found in a file, with the environment that it asks for."""
    for text in texts(filename, 'environ'):
        monkeypatch.setenv(*text.split('=', 1))
    return findings([read(filename, {})])


@pytest.mark.parametrize('name', ini_files('bad'))
def test_what_is_refused_at_load_is_found(name, configs, monkeypatch):
    """Whatever keeps a server from starting is an error; what it warns of, a finding."""
    filename = str(configs / 'bad' / name)
    found = found_in(filename, monkeypatch)
    for each in found:
        assert each.place.file and each.place.section and each.consequence and each.remedy
    if name in NOT_FOUND:
        return
    errors = '\n'.join(f'{each.problem}: {each.remedy}' for each in found
                       if each.level == 'error')
    for text in texts(filename, 'expect'):
        if 'loaded from' not in text and 'fault' not in text and 'unable to open' not in text:
            assert text in errors
    if texts(filename, 'expect'):
        assert errors
    elif texts(filename, 'warns'):
        assert any(each.level != 'note' for each in found)
    for text in texts(filename, 'hides'):
        assert text not in str(found)


@pytest.mark.parametrize('name', ini_files('good'))
def test_good_files_have_no_errors(name, configs, monkeypatch):
    """What a server takes without a word has no error."""
    filename = str(configs / 'good' / name)
    found = found_in(filename, monkeypatch)
    assert [each for each in found if each.level == 'error'] == []
    assert not any(secret in str(found) for secret in re.findall(
        '[0-9a-f]{32,}', Path(filename).read_text('ascii')))
