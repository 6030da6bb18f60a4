"""The whole site, as the ini file has it."""
import pathlib

import pytest
from paste.deploy import loadapp
from webtest import TestApp

# the cookie is for https
HTTPS = {'wsgi.url_scheme': 'https', 'HTTP_HOST': 'localhost:443', 'SERVER_PORT': '443'}


@pytest.fixture
def site():
    here = pathlib.Path(__file__).parent
    return loadapp(f'config:{here / "site.ini"}')


def test_nobody(site):
    client = TestApp(site, extra_environ=HTTPS)
    assert client.get('/notes/').text == 'For everybody'
    client.get('/private/', status=401)


def test_somebody(site):
    client = TestApp(site, extra_environ={**HTTPS, 'REMOTE_USER': 'bob'})
    assert client.get('/private/').text == 'For everybody'
    assert client.get('/notes/mine').text == 'Notes of bob'
