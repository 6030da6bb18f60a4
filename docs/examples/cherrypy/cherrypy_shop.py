import os

import cherrypy
from cherrypy.lib import sessions

from paste_sessioncookie.frameworks.cherrypy import SiteSessions, check

cherrypy.tools.sessions = SiteSessions(carry='basket')


class Shop:
    @cherrypy.expose
    @cherrypy.tools.response_headers(headers=[('Content-Type', 'text/plain')])
    def index(self):
        basket = cherrypy.session.get('basket', [])
        who = cherrypy.request.login or cherrypy.session.get('username', 'nobody')
        return f'{who}: {", ".join(basket)}'

    @cherrypy.expose
    @cherrypy.tools.allow(methods=['POST'])
    def add(self, book):
        cherrypy.session['basket'] = cherrypy.session.get('basket', []) + [book]
        return 'added'

    @cherrypy.expose
    @cherrypy.tools.allow(methods=['POST'])
    def enter(self, name):
        cherrypy.session['username'] = name  # after a look at the password; a new ID
        return 'hello'

    @cherrypy.expose
    @cherrypy.tools.allow(methods=['POST'])
    def leave(self):
        sessions.expire()
        return 'bye'


def make_shop(global_conf, storage_path):
    os.makedirs(storage_path, 0o700, exist_ok=True)
    shop = cherrypy.Application(Shop(), script_name=None, config={'/': {
        'tools.sessions.on': True,
        'tools.sessions.storage_class': sessions.FileSession,
        'tools.sessions.storage_path': storage_path,
        'tools.sessions.timeout': 60}})
    check(shop)
    return shop
