"""
Profile servers: what an XML-RPC server says of a user
======================================================

The call goes out by ``http.client``, and is read by ``xmlrpc.client``'s own
``Unmarshaller``.  What stands between the two is here: the answer has to be
there at a deadline, however slowly it drips; it is short; it declares no
document type, and so no entities; and it is a profile.

What may be wrong with a server is one of two: :class:`ServerAway`, it does not
answer, whoever is asked for; :class:`BadAnswer`, what it answers of this user is
no profile.  No message holds a user, a profile or a password.
"""
from __future__ import annotations

import base64
import datetime
import functools
import http.client
import io
import socket
import ssl
import time
import xmlrpc.client  # nosec B411 # unmarshal() refuses document types
from types import NoneType
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult, unquote, urlsplit
from xml.parsers import expat

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_ANSWER = 64 * 1024  # bytes; an address book's entry with a small picture
MAX_DEPTH = 8           # structs and arrays in one another
DEFAULT_PATH = '/RPC2'  # as in xmlrpc.client
_SCALARS = (str, int, float, bytes, datetime.datetime, NoneType)  # bool is an int
_PORTS = {'http': 80, 'https': 443}


class ServerAway(Exception):
    """It cannot be reached, or does not speak HTTP, or not in time."""


class BadAnswer(Exception):
    """A refusal, a fault, or something that is no profile."""


class ProfileServer:
    """
    One XML-RPC server.

    Constructor arguments: an http or https URL, perhaps with user and password;
    the method to call; ``wait``, how many seconds to wait for an answer.
    """

    def __init__(self, url: str, method: str, wait: float) -> None:
        parts = urlsplit(url)
        #: host and port, without user and password
        self.place = parts.netloc.rpartition('@')[2]
        self._host = parts.hostname or ''
        # given in any case: http.client would take the end of an IPv6 address for it
        self._port = parts.port or _PORTS[parts.scheme]
        self._target = (parts.path or DEFAULT_PATH) + (parts.query and f'?{parts.query}')
        self._headers = {'Content-Type': 'text/xml', 'Connection': 'close',
                         **_authorization(parts)}
        self._method = method
        self._wait = wait
        self._tls = ssl.create_default_context() if parts.scheme == 'https' else None

    def ask(self, user: str) -> dict[str, Any]:
        """
        What it says of a user.  Raises ServerAway or BadAnswer.

        The answer has to be there after ``wait``.  What is under way before that is
        not broken off: connecting, to each of the host's addresses, TLS and sending
        take ``wait`` each, at most.  Finding the addresses is the system's business.
        """
        call = xmlrpc.client.dumps((user,), self._method)
        return read_profile(self._post(call.encode('utf-8', 'xmlcharrefreplace')))

    def _post(self, body: bytes) -> bytes:
        """The body of the response.  Raises ServerAway or BadAnswer."""
        deadline = time.monotonic() + self._wait
        connection = self._connection()
        # http.client's own seam
        connection.response_class = functools.partial(  # type: ignore[assignment]
            _Response, deadline)
        try:
            connection.request('POST', self._target, body, self._headers)
            with connection.getresponse() as response:
                return _body(response)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise ServerAway(type(error).__name__) from None
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._wait)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._wait, context=self._tls)


def _authorization(url: SplitResult) -> dict[str, str]:
    """Basic authentication (RFC 7617), if the URL has a user."""
    if url.username is None:
        return {}
    pair = f'{unquote(url.username)}:{unquote(url.password or "")}'
    return {'Authorization': 'Basic ' + base64.b64encode(pair.encode('utf-8')).decode('ascii')}


def _left(deadline: float) -> float:
    """The seconds up to it.  Raises TimeoutError if there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class _Response(http.client.HTTPResponse):
    """A response that has to be there, whole, at the deadline."""

    def __init__(self, deadline: float, sock: socket.socket, *args: Any,
                 **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_InTime(self.fp.detach(), sock, deadline))


class _InTime(io.RawIOBase):
    """Reads from a socket; a time-out of the socket's own would begin anew with
    every byte.  Raises TimeoutError."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(_left(self._deadline))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


def _body(response: http.client.HTTPResponse) -> bytes:
    """Raises BadAnswer for what is no answer to a call; a redirection is none."""
    if response.status != 200:
        raise BadAnswer(f'status {response.status}')
    body = response.read(MAX_ANSWER + 1)
    if len(body) > MAX_ANSWER:
        raise BadAnswer(f'more than {MAX_ANSWER // 1024} KB')
    return body


def read_profile(answer: bytes) -> dict[str, Any]:
    """The struct that an XML-RPC response has.  Raises BadAnswer."""
    try:
        values, _ = unmarshal(answer)
    except xmlrpc.client.Fault:
        raise BadAnswer('a fault') from None  # its text may have the user in it
    except Exception as error:  # whatever a foreign answer does to the reader
        raise BadAnswer(f'no XML-RPC, {type(error).__name__}') from None
    if len(values) != 1 or not isinstance(values[0], dict):
        raise BadAnswer('no struct')
    _check(values[0], 1)
    return values[0]


def unmarshal(message: bytes) -> tuple[Any, str | None]:
    """The values of a response or a call, and the method of a call.  Raises Fault, and
    anything."""
    reader = xmlrpc.client.Unmarshaller(use_builtin_types=True)
    reader.xml('', None)  # the parser decodes
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.CharacterDataHandler = reader.data
    parser.EndElementHandler = reader.end
    parser.Parse(message, True)
    return reader.close(), reader.getmethodname()


def _refuse_doctype(*declaration: object) -> NoReturn:
    """XML-RPC has none, and entities grow (CVE-2013-1664)."""
    raise ValueError('a document type')


def _check(value: object, depth: int) -> None:
    """Raises BadAnswer for a key that is no text, too many levels, or a type that is
    not XML-RPC's (or nil)."""
    if depth > MAX_DEPTH:
        raise BadAnswer(f'more than {MAX_DEPTH} levels')
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise BadAnswer('a name that is no text')
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            _check(each, depth + 1)
    elif not isinstance(value, _SCALARS):
        raise BadAnswer(f'a {type(value).__name__}')
