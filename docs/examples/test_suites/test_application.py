"""One application, with the filter in front that tests use."""
import notes
import pytest
from webtest import TestApp

from paste_sessioncookie.frameworks.testing import PlainCookie


@pytest.fixture
def site():
    return PlainCookie(notes.notes)


def test_nobody(site):
    TestApp(site).get('/mine', status=403)


def test_somebody(site):
    cookie = '='.join(site.cookie('bob', tokens=('staff',)))
    client = TestApp(site, extra_environ={'HTTP_COOKIE': cookie})
    assert client.get('/mine').text == 'Notes of bob'
    client.get('/logout')
    client.get('/mine', status=403)
