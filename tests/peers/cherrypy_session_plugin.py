"""Our tool in CherryPy's tests; our filter around what is served; a browser's
cookie jar."""
import effect  # noqa: F401 first, as it says
import cherrypy
from cherrypy.test import helper

from paste_sessioncookie.frameworks.cherrypy import SiteSessions
from paste_sessioncookie.frameworks.testing import PlainCookie

get_app, get_page = helper.LocalWSGISupervisor.get_app, helper.CPWebCase.getPage


def filtered(self, app=None):
    return PlainCookie(get_app(self, app))


def browse(self, url, headers=None, *args, **options):
    result = get_page(self, url, headers, *args, **options)
    if not self.cookies:  # nothing new: the browser keeps what it has
        self.cookies = list(headers or ())
    return result


def pytest_configure():
    cherrypy.tools.sessions = SiteSessions()
    helper.LocalWSGISupervisor.get_app = filtered
    helper.CPWebCase.getPage = browse
