"""
Django takes its session ID from the site
=========================================

Django keeps its session engine.  In the project's settings, one line is
another::

    MIDDLEWARE = [
        ...
        'paste_sessioncookie.frameworks.django.SessionMiddleware',
        # instead of 'django.contrib.sessions.middleware.SessionMiddleware'

Configuration, in the setting ``SITE_SESSION``, a dictionary:

    ``'PUBLISH'``

        Whether Django's logins and log-outs are the site's (False).

    ``'TOKENS'``

        What gives the tokens of a login that is published: a callable of the
        user, or its dotted path, such as
        ``'paste_sessioncookie.frameworks.django.group_names'`` (none).

    ``'MAKE_USER'``

        What makes a user whom the site knows and Django does not: a callable
        of the site's identity and profile, or its dotted path (none).

    ``'CARRY'``

        The keys that an anonymous visitor's session takes along when he logs in
        (none).

To receive the site's login, see ``auth``.  The rooms of this package::

    conf        the setting SITE_SESSION
    store       an engine's session, under the site's ID
    middleware  SessionMiddleware, and publishing
    auth        receiving: a middleware and a backend
"""
from __future__ import annotations

from .conf import group_names
from .middleware import SessionMiddleware

__all__ = ['SessionMiddleware', 'group_names']
