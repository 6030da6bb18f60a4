"""The framework of the page for framework authors."""
import sys
from pathlib import Path

import pytest
from contract import Contract

EXAMPLE = Path(__file__).parents[2] / 'docs' / 'examples' / 'framework_authors'


class TestMiniframework(Contract):
    @pytest.fixture(autouse=True)
    def _store(self, tmp_path, monkeypatch):
        monkeypatch.syspath_prepend(EXAMPLE)
        import miniframework
        self.files = miniframework.Files(tmp_path)
        self.make = miniframework.application
        yield
        del sys.modules['miniframework']

    def application(self, view, carry=()):
        return self.make(view, self.files, carry)

    def renew(self, session):
        session.regenerate()

    def records(self):
        return {path.name for path in self.files.folder.iterdir()}
