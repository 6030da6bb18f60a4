"""werkzeug's client, which Flask's is made of."""
import notes
from werkzeug.test import Client

from paste_sessioncookie.frameworks.testing import PlainCookie


def test_somebody():
    site = PlainCookie(notes.notes)
    client = Client(site)
    name, value = site.cookie('bob')
    client.set_cookie(name, value)
    assert client.get('/mine').text == 'Notes of bob'
    assert Client(site).get('/mine').status_code == 403
