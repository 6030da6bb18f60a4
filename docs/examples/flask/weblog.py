"""An application with Flask-Login, whose logins are the site's."""
from cachelib import FileSystemCache
from flask import Flask
from flask_login import LoginManager, UserMixin, current_user, login_required, logout_user
from markupsafe import escape

from paste_sessioncookie.frameworks.flask import SiteSessions, site_control


class User(UserMixin):
    def __init__(self, name):
        self.id = name


def make_app(global_conf, sessions):
    app = Flask(__name__)
    users = {}

    def make_user(identity, profile):
        users[identity.user] = User(identity.user)
        return users[identity.user]

    login_manager = LoginManager(app)
    login_manager.user_loader(users.get)
    app.config.update(
        SITE_SESSION_CACHE=FileSystemCache(sessions, threshold=100_000),
        SITE_SESSION_PUBLISH=True,
        SITE_SESSION_RECEIVE=True,
        SITE_SESSION_MAKE_USER=make_user)
    SiteSessions(app)

    @app.get('/')
    @login_required
    def write():
        return escape(f'{current_user.id} of {", ".join(site_control.identity.tokens)}')

    @app.post('/logout')
    def logout():
        logout_user()
        return 'Goodbye'
    return app
