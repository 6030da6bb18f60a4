"""A real Redis for tests, on a socket of its own."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from surroundings import missing

# no test fails for being slow on a busy machine
PATIENT = '?socket_timeout=20&socket_connect_timeout=20'


class RedisServer:
    """A redis-server that keeps nothing on disk.  ``url`` is for a client that is
    patient, ``hasty`` for one with the time-outs that the library sets."""

    def __init__(self, *arguments):
        if shutil.which('redis-server') is None:
            missing('there is no redis-server: apt-get install redis-server')
        self.directory = tempfile.mkdtemp(prefix='redis')
        self.socket = os.path.join(self.directory, 'socket')
        self.hasty = f'unix://{self.socket}'
        self.url = self.hasty + PATIENT
        self.arguments = arguments
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            ['redis-server', '--port', '0', '--unixsocket', self.socket, '--save', '',
             '--dir', self.directory, *self.arguments],
            stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
        self.wait_until_it_answers()

    def wait_until_it_answers(self):
        end = time.monotonic() + 20
        while not self.ask(b'PING'):
            assert time.monotonic() < end and self.process.poll() is None
            time.sleep(0.01)

    def ask(self, *commands):
        """What it answers to commands, as bytes; nothing if it is not there."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(20)
                connection.connect(self.socket)
                connection.sendall(b'\r\n'.join((*commands, b'QUIT', b'')))
                return b''.join(iter(lambda: connection.recv(65536), b''))
        except OSError:
            return b''

    def calls(self):
        """How often each command was called since the last time, but for this."""
        answer = self.ask(b'INFO commandstats', b'CONFIG RESETSTAT').decode()
        counts = dict(line[len('cmdstat_'):].split(':calls=') for line in answer.splitlines()
                      if line.startswith('cmdstat_'))
        return {name: int(count.partition(',')[0]) for name, count in counts.items()
                if name not in ('info', 'config|resetstat', 'quit')}

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.directory)
