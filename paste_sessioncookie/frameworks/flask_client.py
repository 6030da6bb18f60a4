"""
Flask's test client, with the site's cookie
===========================================

It puts the filter for tests around ``app.wsgi_app``::

    from paste_sessioncookie.frameworks.flask_client import SiteClient

    app.test_client_class = SiteClient
    client = app.test_client(site_user='bob', site_tokens=('staff',))

is a browser in which bob has logged in next door.  See :mod:`.testing`.
"""
from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from flask import Flask
from flask.sessions import SessionMixin
from flask.testing import FlaskClient

from .testing import PlainCookie

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class SiteClient(FlaskClient):
    """
    A test client with the site's cookie.

    ``site_user`` is somebody who has logged in next door, ``site_tokens`` are
    his groups; further arguments are FlaskClient's.
    """

    def __init__(self, application: Flask, *args: Any, site_user: str = '',
                 site_tokens: Iterable[str] = (), **kwargs: Any) -> None:
        if not isinstance(application.wsgi_app, PlainCookie):
            application.wsgi_app = PlainCookie(  # type: ignore[method-assign]
                application.wsgi_app)
        self.site: PlainCookie = application.wsgi_app
        super().__init__(application, *args, **kwargs)
        if site_user:
            host = (application.config['SERVER_NAME'] or 'localhost').partition(':')[0]
            self.set_cookie(*self.site.cookie(site_user, site_tokens), domain=host)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Flask's own, inside of the site's filter."""
        app: Flask = self.application
        context = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(context.request.environ)
        start_response, headers = _enter(self.site, context.request.environ)
        with context:
            opened = cast(SessionMixin, app.session_interface.open_session(
                app, context.request))
        yield opened
        with context:
            app.session_interface.save_session(app, opened, app.response_class())
        start_response('200 OK', [])
        self._update_cookies_from_response(
            context.request.host.partition(':')[0], context.request.path,
            [value for name, value in headers if name == 'Set-Cookie'])


def _enter(site: PlainCookie, environ: WSGIEnvironment
           ) -> tuple[StartResponse, list[tuple[str, str]]]:
    """Pass an environ through a filter to nobody: the ``start_response`` that
    an application would have had, and the headers that come out of it."""
    inside: list[StartResponse] = []
    outside: list[tuple[str, str]] = []

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        inside.append(start_response)
        return []

    def remember(status: str, headers: list[tuple[str, str]],
                 exc_info: object = None) -> Callable[[bytes], object]:
        outside.extend(headers)
        return io.BytesIO().write

    here = copy.copy(site)
    here.application = application
    here(environ, remember)
    return inside[0], outside
