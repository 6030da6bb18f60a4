"""How the weblog is tested: two lines, and the client is somebody's."""
import pytest
import weblog

from paste_sessioncookie.frameworks.flask_client import SiteClient


@pytest.fixture
def app(tmp_path):
    app = weblog.make_app({}, str(tmp_path))
    app.test_client_class = SiteClient
    return app


def test_somebody(app):
    client = app.test_client(site_user='bob', site_tokens=('readers',))
    assert client.get('/').text == 'bob of readers'


def test_nobody(app):
    client = app.test_client()
    with client.session_transaction() as session:
        session['color'] = 'blue'
    assert client.get('/').status_code == 401
