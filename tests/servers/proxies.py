"""The proxies of docs/howto/behind-a-proxy.rst, in front of a server that believes them."""
from __future__ import annotations

import contextlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme
from client import Address, Connection
from process import ROOT, Process
from surroundings import free_port

EXAMPLES = ROOT / 'docs' / 'examples' / 'proxies'


@dataclass(frozen=True)
class Kind:
    """A program that is a proxy.

    ``file``: of docs/examples/proxies; ``before``: what only the tests need, in front of
    it; ``package``: of Debian.
    """

    command: tuple[str, ...]
    file: str
    package: str
    before: str = ''


# what Debian's apache2.conf has; modules: a2enmod ssl headers proxy_http
_APACHE = """\
PidFile apache.pid
ErrorLog /dev/stderr
""" + ''.join(
    f'LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n'
    for name in ('mpm_event', 'authz_core', 'ssl', 'headers', 'proxy', 'proxy_http'))

_CADDY = '{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n'

KINDS = {
    'nginx': Kind(('nginx', '-p', '.', '-c', 'nginx.conf', '-e', '/dev/stderr', '-g',
                   'daemon off; pid nginx.pid;'), 'nginx.conf', 'nginx-light'),
    'haproxy': Kind(('haproxy', '-db', '-f', 'haproxy.cfg'), 'haproxy.cfg', 'haproxy'),
    'apache': Kind(('apache2', '-D', 'FOREGROUND', '-d', '.', '-f', 'apache.conf'),
                   'apache.conf', 'apache2-bin', _APACHE),
    'caddy': Kind(('caddy', 'run', '--config', 'Caddyfile'), 'Caddyfile', 'caddy', _CADDY),
}


class Proxy:
    """A proxy in front of a server, with a certificate for localhost: a context manager."""

    def __init__(self, kind: Kind, folder: Path, port: int) -> None:
        self.kind = kind
        self.folder = folder
        authority = trustme.CA()
        tls = ssl.create_default_context()
        authority.configure_trust(tls)
        self.address = Address(free_port(), tls)
        certificate = authority.issue_cert('localhost')
        for name, blobs in {
                'site.crt': certificate.cert_chain_pems,
                'site.key': [certificate.private_key_pem],
                'site.pem': [certificate.private_key_and_cert_chain_pem]}.items():
            (folder / name).write_bytes(b''.join(blob.bytes() for blob in blobs))
        self.write((EXAMPLES / kind.file).read_text(), port)
        self._process = Process(folder, kind.command)

    def write(self, text: str, port: int) -> None:
        """The configuration, for a server at ``port``."""
        text = self.kind.before + text.replace('8080', str(port))
        (self.folder / self.kind.file).write_text(
            re.sub(r'\b443\b', str(self.address.port), text))

    def __enter__(self) -> Proxy:
        self._process.start(self._answers)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.stop()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), Connection(self.address) as there:
            return there.ask('GET', '/missing', b'Connection: close').status == 404
        return False
