"""Flask: it has no users of its own, and takes those of the site."""
from cachelib import FileSystemCache
from flask import Flask, redirect, session, url_for
from page import page

from paste_sessioncookie.frameworks.flask import SiteSessions, site_control


def make_app(global_conf, sessions):
    app = Flask(__name__)
    app.config.update(
        SITE_SESSION_CACHE=FileSystemCache(sessions, threshold=100_000),
        SITE_SESSION_CARRY='basket')
    SiteSessions(app)

    @app.get('/')
    def show():
        identity = site_control.identity
        return page('Flask', identity and identity.user, session.get('basket', []))

    @app.post('/add/')
    def add():
        session['basket'] = [*session.get('basket', []), 'a book']
        return redirect(url_for('show'))

    @app.post('/logout/')
    def logout():
        site_control.logout()
        return redirect(url_for('show'))
    return app
