"""
Django receives the site's login
================================

Two lines of the project's settings::

    MIDDLEWARE = [
        ...
        'django.contrib.auth.middleware.AuthenticationMiddleware',
        'paste_sessioncookie.frameworks.django.auth.SiteLoginMiddleware',
        ...
    AUTHENTICATION_BACKENDS = [
        'django.contrib.auth.backends.ModelBackend',
        'paste_sessioncookie.frameworks.django.auth.SiteLoginBackend',
    ]

Whoever is logged in at the site is logged in to Django, if Django has a user
of that name who is active, or the hook ``'MAKE_USER'`` makes one.
"""
from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib import auth
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import ImproperlyConfigured
from django.utils.deprecation import MiddlewareMixin
from django.utils.module_loading import import_string

from ...login import Identity
from .. import profile_of, site_user
from .store import SITE_USER, SiteSession

_NEEDED = ('paste_sessioncookie.frameworks.django.SessionMiddleware',
           'django.contrib.auth.middleware.AuthenticationMiddleware')


class SiteLoginBackend(ModelBackend):  # type: ignore[misc]
    """
    The users who come in by the site's login.

    A subclass may have an ``authenticate`` that brings a user's groups up to
    date; it is called when a session begins.
    """

    def authenticate(self, request: Any, site_login: Identity) -> Any:
        """The user, or None.  Raises what the hook raises."""
        users = auth.get_user_model()
        try:
            user = users._default_manager.get_by_natural_key(site_login.user)
        except users.DoesNotExist:
            user = request.session.conf.make_user(
                site_login, profile_of(request.META))
        return user if user is not None and self.user_can_authenticate(user) else None

    async def aauthenticate(self, request: Any, site_login: Identity) -> Any:
        return await sync_to_async(self.authenticate)(request, site_login)


class SiteLoginMiddleware(MiddlewareMixin):  # type: ignore[misc]
    """
    Logs a user in to Django who is logged in at the site.

    Raises ImproperlyConfigured, when the handler is loaded, where something in
    the settings is missing.
    """

    def __init__(self, get_response: Any) -> None:
        super().__init__(get_response)
        paths = [path for path in settings.AUTHENTICATION_BACKENDS
                 if isinstance(auth.load_backend(path), SiteLoginBackend)]
        faults = _order_faults()
        if not paths:
            faults.append(f'AUTHENTICATION_BACKENDS: {__name__}.SiteLoginBackend is missing')
        if faults:
            raise ImproperlyConfigured('\n  - '.join((
                f'{__name__}.SiteLoginMiddleware cannot work:', *faults)))
        self.backend_path = paths[0]

    def process_request(self, request: Any) -> None:
        """Log in, or out, whom the site says.  A login of Django's own stands."""
        if not isinstance(request.session, SiteSession):
            return  # a test of the project's
        request.session.receiving = True
        identity = site_user(request.META)
        received = request.session.get(SITE_USER)
        if received is not None and (identity is None or identity.user != received):
            # of a user from outside the site: a login at the site ends with the
            # visitor's session
            auth.logout(request)
        if identity is not None and not request.user.is_authenticated:
            self._login(request)

    def _login(self, request: Any) -> None:
        identity = site_user(request.META)
        if identity is None:
            return  # his password has changed: Django has just logged him out
        # not auth.authenticate(): to have no user here is no failed login
        user = auth.load_backend(self.backend_path).authenticate(request, identity)
        if user is None:
            return
        if auth.SESSION_KEY in request.session:
            request.session.clear()  # of a user who is no more
        # first, so that whoever hears of the login can see where it is from
        request.session[SITE_USER] = identity.user
        auth.login(request, user, self.backend_path)


def _order_faults() -> list[str]:
    """What is not in front, of what it stands on."""
    kinds = [import_string(path) for path in settings.MIDDLEWARE]
    place = kinds.index(SiteLoginMiddleware) if SiteLoginMiddleware in kinds else len(kinds)
    return [f'MIDDLEWARE: it comes behind {path}' for path in _NEEDED
            if not any(isinstance(kind, type) and issubclass(kind, import_string(path))
                       for kind in kinds[:place])]
