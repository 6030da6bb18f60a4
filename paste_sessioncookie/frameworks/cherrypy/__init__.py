"""
CherryPy takes its session ID from the site
===========================================

A tool that takes the place of CherryPy's own::

    cherrypy.tools.sessions = SiteSessions()

``cherrypy.session``, the storage classes, the locks and the sweeps stay
CherryPy's.  The cookie is the site's.

Configuration, as ``tools.sessions.NAME``:

  storage_class, storage_path, timeout, clean_freq, locking, lock_timeout, debug:
      As in CherryPy; timeout and clean_freq in minutes, lock_timeout in
      seconds.  Locking is ``implicit`` (from the first use on), ``early``
      (before the request's body is read) or ``explicit``.

  storage_type, servers:
      Likewise; servers is MemcachedSession's.

  carry:
      The keys that an anonymous visitor's session takes along when he logs in.

  name, path, path_header, domain, secure, httponly, persistent:
      Not used: these were the cookie's.

The house: ``places`` (CherryPy's storages, a record each; what locks and sweeps
need to be right is mended there), ``session`` (``cherrypy.session``, over
``record``), ``tool``, ``conf``.
"""
from __future__ import annotations

from .conf import check
from .tool import SiteSessions

__all__ = ['SiteSessions', 'check']
