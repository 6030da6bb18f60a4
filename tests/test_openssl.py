"""
Session IDs and signed logins, by command lines: neither this package nor PyJWT.

The commands are those of docs/specification.rst.
"""
import os
import pathlib
import re
import shutil
import subprocess
import textwrap

import pytest

from conftest import NAME, START, Visitor, login
from surroundings import missing
from paste_sessioncookie import SessionCookieSigner, encoding
from paste_sessioncookie.encoding import Login
from paste_sessioncookie.sessionid import derive

if shutil.which('openssl') is None:
    missing('there is no openssl: apt install openssl')

ROOT = pathlib.Path(__file__).resolve().parent.parent
[DERIVE, VERIFY, SIGN] = [textwrap.dedent(block) for block in re.findall(
    r'.. code-block:: sh\n\n((?:   .*\n)+)', (ROOT / 'docs' / 'specification.rst').read_text())]


def shell(script, cwd, **variables):
    """What a script prints.  Raises CalledProcessError if a command fails."""
    return subprocess.run(
        ['sh', '-eu', '-c', script], cwd=cwd, env={**os.environ, **variables}, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60).stdout


@pytest.fixture
def keys(tmp_path):
    """A directory with a pair of keys that OpenSSL made."""
    shell('openssl genpkey -algorithm ed25519 -out login.pem\n'
          'openssl pkey -in login.pem -pubout -out login.pem.pub', tmp_path)
    return tmp_path


def test_derive(tmp_path):
    """b2sum derives the same session ID."""
    base_id = '8d' * 20
    assert shell(DERIVE, tmp_path, base_id=base_id).split()[0] == derive(base_id, '')


@pytest.fixture
def door(make_site, probe, keys):
    return make_site(probe, login_private_key=(keys / 'login.pem').read_bytes())


@pytest.fixture
def shop(make_site, probe, keys):
    return make_site(probe, login_public_keys=[(keys / 'login.pem.pub').read_text()])


def payload_of(visitor):
    return encoding.decode(visitor.value.split('.', 2)[2].rpartition('.')[0])


def test_our_login_verified_by_openssl(door, probe, keys):
    """A login that this package signed is good to OpenSSL; an altered one is not."""
    probe.act = login('Łukasz', ['staff'])
    visitor = Visitor(door)
    visitor.get()
    jws = payload_of(visitor).login.jws
    assert 'Signature Verified Successfully' in shell(VERIFY, keys, jws=jws)
    header, claims, signature = jws.split('.')
    altered = f'{header}.{claims[:-1]}{"A" if claims[-1] != "A" else "B"}.{signature}'
    with pytest.raises(subprocess.CalledProcessError) as failed:
        shell(VERIFY, keys, jws=altered)
    assert 'Signature Verification Failure' in failed.value.stdout


def test_a_login_by_openssl_is_ours(shop, probe, keys, secret):
    """A login that OpenSSL signed, by the page alone, logs the user in."""
    visitor = Visitor(shop)
    visitor.get()
    payload = payload_of(visitor)
    jws = shell(f'{SIGN}printf %s "$jws"', keys, base_id=payload.base_id,
                created=str(payload.created), absolute=str(payload.absolute))
    signer = SessionCookieSigner(secret, cookie_name=NAME)
    value = signer.sign(payload.replace(login=Login('', 0, '', '', (), jws)))
    visitor.cookie = f'{NAME}={value.decode("ascii")}'
    visitor.get()
    assert probe.control.status == 'ok'
    assert probe.control.identity == ('bob', ('staff',), START, '')
