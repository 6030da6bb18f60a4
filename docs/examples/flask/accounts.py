"""An application without Flask-Login: it logs in by the site's control."""
from cachelib import FileSystemCache
from flask import Flask, abort, request, session
from markupsafe import escape
from werkzeug.security import check_password_hash, generate_password_hash

from paste_sessioncookie.frameworks.flask import SiteSessions, site_control

PASSWORDS = {'bob': generate_password_hash('an example')}


def make_app(global_conf, sessions):
    app = Flask(__name__)
    app.config['SITE_SESSION_CACHE'] = FileSystemCache(sessions, threshold=100_000)
    SiteSessions(app)

    @app.get('/')
    def who():
        session['visits'] = session.get('visits', 0) + 1
        identity = site_control.identity
        name = 'nobody' if identity is None else identity.user
        return f'{escape(name)}, visit {session["visits"]}'

    @app.post('/login')  # a form for it takes a token, as Flask-WTF's
    def login():
        user = request.form['user']
        if not check_password_hash(PASSWORDS.get(user, ''), request.form['password']):
            abort(403)
        site_control.login(user, tokens=('readers',))
        return f'Hello, {escape(user)}'

    @app.post('/logout')
    def logout():
        site_control.logout()
        return 'Goodbye'
    return app
