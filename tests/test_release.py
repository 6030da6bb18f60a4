"""release.py and the pages around it: what is said of a release, and where."""
import re
import subprocess
import sys
from pathlib import Path

import pytest
import release

SECURITY = (release.ROOT / 'SECURITY.rst').read_text(encoding='utf-8')
CONTRIBUTING = (release.ROOT / 'CONTRIBUTING.rst').read_text(encoding='utf-8')


@pytest.fixture
def tree(tmp_path):
    """Makes a tree of a version, and of a heading in the changes."""
    def make(version, heading, more=''):
        (tmp_path / 'setup.cfg').write_text(f'[metadata]\nversion = {version}\n{more}')
        (tmp_path / 'CHANGES.rst').write_text(
            f'Changes\n=======\n\n{heading}\n{"-" * len(heading)}\n\nNew.\n\n'
            '0.9 (2006-01-07)\n----------------\n\nOld.\n')
        return tmp_path
    return make


def test_this_tree():
    """The version and the changes agree."""
    assert list(release.disagreements(release.ROOT)) == []


@pytest.mark.parametrize('version, heading', [
    ('1.0.0', '1.0.0 (2026-11-23)'), ('1.0.0.dev0', '1.0.0 (unreleased)')])
def test_agree(tree, version, heading):
    """A final version has a date, one in the making has none."""
    assert list(release.disagreements(tree(version, heading))) == []


@pytest.mark.parametrize('version, heading, said', [
    ('1.0.1', '1.0.0 (2026-11-23)', 'the topmost heading of CHANGES.rst 1.0.0'),
    ('1.0.0', '1.0.0 (unreleased)', 'CHANGES.rst says (unreleased), and the version is 1.0.0'),
    ('1.0.0.dev0', '1.0.0 (2026-11-23)', 'CHANGES.rst says (2026-11-23)'),
    ('1.0.0', '1.0.0 (23 November)', 'neither "unreleased" nor a date')])
def test_disagree(tree, version, heading, said):
    """What is wrong is said, with what stands where."""
    [fault] = release.disagreements(tree(version, heading))
    assert said in fault


@pytest.mark.parametrize('tag, version, urls, said', [
    ('v1.0.0', '1.0.0', '', 'where the project lives'),
    ('v1.0.1', '1.0.0', 'https://x', 'the tag is v1.0.1'),
    ('v1.0.0rc1', '1.0.0rc1', 'https://x', '1.0.0rc1 is not final')])
def test_not_releasable(tree, tag, version, urls, said):
    """A tag is the version's, which is final, and the project says where it lives."""
    more = f'project_urls =\n    Source = {urls}\n' if urls else ''
    [fault] = release.not_releasable(tree(version, 'x (y)', more), tag)
    assert said in fault


def test_releasable(tree):
    """Nothing is said of a version that is ready."""
    made = tree('1.0.0', 'x (y)', 'project_urls =\n    Source = https://x\n')
    assert list(release.not_releasable(made, 'v1.0.0')) == []


def test_changes_of_one_release(tree):
    """The notes take what stands under the topmost heading, and no more."""
    assert release.changelog(tree('1.0.0', '1.0.0 (2026-11-23)')) == (
        '1.0.0', '2026-11-23', 'New.')


def test_version_in_one_place():
    """No page and no module names the version: all ask the installed package."""
    version = re.escape(release.changelog(release.ROOT)[0])
    pages = {*release.ROOT.glob('*.rst')} - {release.ROOT / 'CHANGES.rst'}
    for path in (*pages, *(release.ROOT / 'docs').rglob('*.rst'), release.ROOT / 'docs' / 'conf.py',
                 *(release.ROOT / release.PACKAGE).rglob('*.py')):
        assert not re.search(rf'(?<![\d.]){version}(?![\d.])', path.read_text('utf-8')), path


def test_notes_have_what_pip_prints(tree, tmp_path):
    """The hash in the notes is the line that SECURITY.rst tells to compare."""
    file = tmp_path / 'paste_sessioncookie-1.0.0-py3-none-any.whl'
    file.write_bytes(b'a wheel')
    printed = subprocess.run([sys.executable, '-m', 'pip', 'hash', file], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    notes = release.notes(tree('1.0.0', '1.0.0 (2026-11-23)'), [file], 'build==1 setuptools==2')
    assert printed.splitlines()[1] in notes.splitlines()
    assert 'build==1 setuptools==2' in notes


def test_stranger_can_rebuild():
    """SECURITY.rst has the one command that the trial runs; the versions stand before it."""
    [command] = release.rebuild_commands(SECURITY)
    assert '-m build --wheel --no-isolation' in command
    assert SECURITY.index('pip install VERSIONS') < SECURITY.index(command)


@pytest.mark.parametrize('promised, done', [
    ('Report a vulnerability', 'private vulnerability reporting'),
    ('The tag is signed', 'git tag -s vX.Y.Z'),
    ('PyPI shows the SHA-256', "the release's notes"),
    ('the release\'s own job, which PyPI trusts', 'trusted publisher'),
    ('an attestation of that for each file', 'with attestations'),
    ('can be made again, to the byte', 'python tests/release.py vX.Y.Z')])
def test_promises(promised, done):
    """What SECURITY.rst says of a release is done in the steps of CONTRIBUTING.rst."""
    steps = CONTRIBUTING.partition('\nA release\n')[2]
    assert promised in ' '.join(SECURITY.split())
    assert done in ' '.join(steps.split())


def test_steps_of_ci():
    """CONTRIBUTING.rst has each step of .ci/run, in its order, and no other."""
    text = Path(release.ROOT, '.ci', 'run').read_text(encoding='utf-8')
    lanes = re.findall(r'^lane_\w+=\((.+)\)$', text, re.MULTILINE)
    steps = [step for lane in lanes for step in lane.split()]
    table = CONTRIBUTING.partition('.. steps\n')[2].partition('\n\n\n')[0]
    assert re.findall(r'^ *\* - ``(\w+)``', table, re.MULTILINE) == steps
    assert all(re.search(rf'^{step}\(\) {{', text, re.MULTILINE) for step in steps)
