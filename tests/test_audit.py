"""audit.py: what pip-audit finds, and what it cannot, is said."""
import json

import audit

GOOD = {'name': 'webob', 'version': '1.8.9', 'vulns': []}
BAD = {'name': 'paste', 'version': '1.0', 'vulns': [
    {'id': 'PYSEC-1', 'aliases': ['CVE-1'], 'fix_versions': ['1.1'], 'description': ''}]}
SKIPPED = {'name': 'tool', 'skip_reason': 'Dependency not found on PyPI'}
OURS = {'name': 'paste-sessioncookie', 'skip_reason': 'Dependency not found on PyPI'}


def verdict(*packages, required=False):
    return audit.verdict(json.dumps({'dependencies': packages, 'fixes': []}), '', required)


def test_nothing_is_known():
    """All were looked up: that is said, and nothing else."""
    assert verdict(GOOD, OURS, required=True) == ('1 packages were looked up', 0)


def test_a_known_vulnerability():
    """It is named, with the version that has it no more, and the step fails."""
    text, status = verdict(GOOD, BAD)
    assert 'paste 1.0: PYSEC-1, fixed in 1.1' in text and status == 1


def test_an_accepted_one(monkeypatch):
    """One that is none here is said with its reason, whichever of its names was written."""
    monkeypatch.setitem(audit.ACCEPTED, 'CVE-1', 'only its server has it')
    text, status = verdict(BAD)
    assert 'accepted: CVE-1: only its server has it' in text and status == 0


def test_what_could_not_be_looked_up():
    """It is said loudly, and fails where it is required."""
    text, status = verdict(GOOD, SKIPPED)
    assert 'NOT AUDITED: nothing is known of 1 packages' in text and SKIPPED['skip_reason'] in text and status == 0
    assert verdict(GOOD, SKIPPED, required=True)[1] == 1


def test_no_answer():
    """Where the index is away, so it is."""
    text, status = audit.verdict('', 'ERROR: ConnectionError', False)
    assert 'NOT AUDITED: nothing is known of any package' in text and 'ConnectionError' in text
    assert status == 0
    assert audit.verdict('', '', True)[1] == 1
