"""
Addresses: where a browser is sent, and which server is asked
=============================================================
"""
from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from .options import is_address

_URL = re.compile(r"[A-Za-z0-9._~:/?@!$&'()*+,;=%\[\]-]{1,1000}")  # RFC 3986, no fragment
_URL_HOST = re.compile(r'[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*')
_LOCAL = re.compile(r'/(?!/)[!-\[\]-~]*')                            # no blank, no "\"
_DOTS = re.compile(r'/(?:\.|%2e){1,2}(?:[/?#]|$)', re.IGNORECASE)   # RFC 3986, 5.2.4


def login_url(text: str, here: str) -> str:
    """A path of this host, or an https URL."""
    if _is_url(text, 'https') and '@' not in urlsplit(text).netloc:
        return text
    if _URL.fullmatch(text) and is_local(text):
        if 'came_from' not in parse_qs(urlsplit(text).query, keep_blank_values=True):
            return text
        raise ValueError('it takes a path without came_from, which the filter adds')
    raise ValueError('it takes a path of this host, as in /accounts/login, without "." and '
                     '".." parts, or an https URL, as in https://login.example.org/; what '
                     'is not ASCII percent-encoded')


def is_local(text: str) -> bool:
    """
    Whether a browser that is sent there stays at this host: a path, perhaps with
    query and fragment, of visible ASCII.

    "//host" and "/\\host" are other hosts, and what else has a backslash, or parts
    "." and "..", may look like one to somebody on the way.
    """
    return (_LOCAL.fullmatch(text) is not None
            and not _DOTS.search(re.split('[?#]', text)[0]))


def server_url(text: str, here: str) -> str:
    """The http or https URL of a server, perhaps with user and password."""
    if not _is_url(text, 'http', 'https'):
        raise ValueError('it takes an http or https URL, as in http://127.0.0.1:8000/RPC2; '
                         'what is special in a password percent-encoded')
    return text


def _is_url(text: str, *schemes: str) -> bool:
    """Whether it is a URL with one of the schemes, a host, and perhaps a port."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or '', parts.port
    except ValueError:
        return False
    return bool(_URL.fullmatch(text) and parts.scheme in schemes and port != 0 and (
        _URL_HOST.fullmatch(host) or is_address(host)))
