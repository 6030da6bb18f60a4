"""A framework of thirty lines, whose sessions live in files."""
import json
from pathlib import Path

from paste_sessioncookie.frameworks import get_control
from paste_sessioncookie.frameworks.record import Record, RecordMapping


class Files:
    def __init__(self, folder):
        self.folder = Path(folder)

    def load(self, session_id):
        try:
            return json.loads((self.folder / session_id).read_text())
        except FileNotFoundError:
            return None

    def insert(self, session_id, data):
        (self.folder / session_id).write_text(json.dumps(data))

    def update(self, session_id, data):
        there = (self.folder / session_id).exists()
        if there:
            self.insert(session_id, data)
        return there

    def delete(self, session_id):
        (self.folder / session_id).unlink(missing_ok=True)


def application(view, files, carry=()):
    """A WSGI application that answers with the text of view(session)."""
    def app(environ, start_response):
        session = RecordMapping(Record(get_control(environ), files, carry))
        body = view(session)
        session.save()
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return [body.encode()] if isinstance(body, str) else body
    return app
