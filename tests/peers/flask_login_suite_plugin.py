"""Each application of Flask-Login's tests has the extension, each client the
site's cookie."""
import effect  # noqa: F401 first, as it says

import cachelib
import flask
import flask_login

from paste_sessioncookie.frameworks.flask import SiteSessions
from paste_sessioncookie.frameworks.flask_client import SiteClient

native = flask.Flask.__init__


def init(self, *arguments, **options):
    native(self, *arguments, **options)
    self.config['SITE_SESSION_CACHE'] = cachelib.SimpleCache(threshold=100_000)
    SiteSessions(self)
    self.test_client_class = SiteClient


class LoginClient(SiteClient, flask_login.FlaskLoginClient):
    pass


flask.Flask.__init__ = init
flask_login.FlaskLoginClient = LoginClient
