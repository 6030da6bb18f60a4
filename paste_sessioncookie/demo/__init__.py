"""
The demonstration: the applications of ``development.ini``
==========================================================

::

    paster serve development.ini

Each file is one application, and ends with its Paste Deploy entry point::

    front       the front page
    accounts    log in and log out, for the whole site
    staff       for one group of users; the filter in front sees to that
    weblog      drafts and a theme; mounted twice, as /blog and /news
    wiki        pages, its own users
    profiles    who somebody is, by XML-RPC

Shared by them: ``web`` (request, response, forms), ``pages`` (what they look
like), ``store`` (SQLite).  What they know of the visitor they know from
environ, as any application would.

Nothing in the library imports this package.
"""
