"""An application with Flask-Session, and a basket that goes along into a login."""
from cachelib import FileSystemCache
from flask import Flask, session
from markupsafe import escape

from paste_sessioncookie.frameworks.flask import SiteSessions


def make_app(global_conf, sessions):
    app = Flask(__name__)
    app.config.update(
        SESSION_TYPE='cachelib',
        SESSION_CACHELIB=FileSystemCache(sessions, threshold=100_000),
        SITE_SESSION_CARRY='basket')
    SiteSessions(app)  # where flask_session.Session(app) was

    @app.get('/')
    def basket():
        return escape(', '.join(session.get('basket', ['nothing'])))

    @app.post('/<thing>')
    def put(thing):
        session['basket'] = [*session.get('basket', []), thing]
        return basket()
    return app
