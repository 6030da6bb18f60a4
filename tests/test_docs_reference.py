"""
The reference is what the code says
===================================

(The options are compared in test_docs.py.)
"""
import ast
import inspect
import logging
import pathlib
import re
import shutil
import subprocess
import sys

import pytest
from paste.deploy import loadfilter
from test_docs import SPECIFICATION, rows_of_table

import paste_sessioncookie
from paste_sessioncookie import ConfigError, cookie, environ, errors
from paste_sessioncookie.control import SessionControl

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / 'docs' / 'examples'
HOUSE = ROOT / 'paste_sessioncookie'
LEVELS = {'DEBUG', 'INFO', 'WARNING', 'ERROR'}
CALLS = {f'log.{each}' for each in (
    'debug', 'info', 'warning', 'error', 'exception', 'critical')}


def page(name):
    return '\n' + (ROOT / 'docs' / 'reference' / f'{name}.rst').read_text('utf-8')


def code(cell):
    """The literals of a cell."""
    return re.findall('``(.+?)``', ' '.join(cell.split()))


class TestEnviron:
    def test_keys(self):
        """The keys are those that the filters set."""
        keys = [code(row[0])[0] for row in rows_of_table(page('environ'), 'Environ keys')]
        assert sorted(keys) == sorted([
            environ.SESSION_ID, environ.CONTROL, environ.SCANLIST, *environ.LOGIN_KEYS,
            environ.PROFILE])

    def test_members(self):
        """Each public member of the control is there, methods with their arguments."""
        public = {}
        for name, member in vars(SessionControl).items():
            if not name.startswith('_') and name not in ('state', 'for_site'):
                public[name] = name
                if inspect.isfunction(member):
                    signature = inspect.signature(member, eval_str=True)
                    names = [each.replace(annotation=each.empty)
                             for each in list(signature.parameters.values())[1:]]
                    public[name] += str(inspect.Signature(names))
        shown = [code(row[0])[0] for row in rows_of_table(page('environ'), 'session.control')]
        assert sorted(shown) == sorted(public.values())


class TestStatuses:
    rows = rows_of_table(page('statuses'), 'Statuses')

    def test_levels(self):
        """The statuses, and the level of each."""
        shown = {code(row[0])[0]: row[1].strip() for row in self.rows}
        assert shown == {
            'ok': 'none', 'renewed': 'none',
            **{status: 'none' if level is None else logging.getLevelName(level)
               for status, level in cookie.LOG_LEVELS.items()}}

    def test_all_cells(self):
        """Each says what is seen and what to do."""
        assert {len(row) for row in self.rows} == {4}
        assert all(cell.strip() for row in self.rows for cell in row)

    def test_those_of_the_specification(self):
        """They are the same as in the specification."""
        table = SPECIFICATION.partition('.. the levels are checked')[2]
        assert {code(row[0])[0] for row in self.rows} == set(
            re.findall(r'^``([a-z-]+)`` +(?:\(none\)|[A-Z]+) ', table, re.MULTILINE))


class TestErrors:
    rows = rows_of_table(page('errors'), 'Errors')

    def test_classes(self):
        """The table has the public errors, and what each is also."""
        shown = {code(row[0])[0]: code(row[1])[0] for row in self.rows}
        public = {name for name in paste_sessioncookie.__all__
                  if isinstance(getattr(paste_sessioncookie, name), type)
                  and issubclass(getattr(paste_sessioncookie, name), Exception)}
        assert shown.keys() == public
        for name, base in shown.items():
            assert issubclass(getattr(errors, name), {'ValueError': ValueError,
                                                      'RuntimeError': RuntimeError}[base])

    def test_the_others_stay_inside(self):
        """All other errors are of the family that never leaves the filter."""
        classes = {name for name, each in vars(errors).items()
                   if isinstance(each, type) and issubclass(each, Exception)}
        inside = {each.__name__ for each in (errors.BadCookie, *errors.BadCookie.__subclasses__())}
        assert classes - inside == {code(row[0])[0] for row in self.rows}

    def test_message(self, tmp_path):
        """The message is what the example gives."""
        path = shutil.copy(EXAMPLES / 'errors' / 'errors.ini', tmp_path)
        with pytest.raises(ConfigError) as raised:
            loadfilter(f'config:{path}', 'session')(print)
        assert str(raised.value).replace(str(tmp_path), '/srv/site') + '\n' == (
            EXAMPLES / 'errors' / 'errors.txt').read_text()


def literal(node, constants):
    """The text of an argument; its code, if it is neither one nor the name of one."""
    if isinstance(node, ast.Constant):
        return node.value
    return constants.get(getattr(node, 'id', None), ast.unparse(node))


def messages(path):
    """The log calls of a file: (possible levels, message)."""
    tree = ast.parse(path.read_text('utf-8'))
    constants = {target.id: node.value.value for node in tree.body
                 if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                 for target in node.targets if isinstance(target, ast.Name)}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        called = ast.unparse(node.func)
        if called == 'self._warn_once':
            yield {'WARNING'}, literal(node.args[1], constants)
        elif called == 'log.log':
            levels = set(re.findall(r'logging\.([A-Z]+)', ast.unparse(node.args[0])))
            yield levels or {'by status'}, literal(node.args[1], constants)
        elif called in CALLS and ast.unparse(node.args[0]) != 'message':
            yield {node.func.attr.upper()}, literal(node.args[0], constants)


MESSAGES = [(levels, re.sub('%[a-z]', '…', ' '.join(text.split())))
            for path in sorted(HOUSE.rglob('*.py')) if 'demo' not in path.parts
            for levels, text in messages(path)]
LOG_ROWS = [(set(row[0].strip().split(' or ')), code(row[1])[0])
            for part in re.split(r'\n(?=\w[^\n]*\n-+\n)', page('log'))[1:]
            for row in rows_of_table('\n' + part, part.partition('\n')[0])]


def is_shown_by(message, row):
    """Whether a line of the page, which may be cut off by …, is a message."""
    beginning = row[1].removesuffix('…').rstrip()
    return row[0] == message[0] and (
        row[1] == message[1] or len(beginning) > 15 and message[1].startswith(beginning))


class TestLog:
    @pytest.mark.parametrize('message', MESSAGES, ids=lambda message: message[1][:40])
    def test_each_message_has_its_row(self, message):
        """Level and text of what the library can log are on the page."""
        assert [row for row in LOG_ROWS if is_shown_by(message, row)], message

    @pytest.mark.parametrize('row', LOG_ROWS, ids=lambda row: row[1][:40])
    def test_each_row_has_its_message(self, row):
        """There is no line on the page that nothing logs."""
        assert [message for message in MESSAGES if is_shown_by(message, row)], row

    def test_nothing_is_logged_otherwise(self):
        """One logger, under one name, and no other way to the log."""
        for path in HOUSE.rglob('*.py'):
            source = path.read_text('utf-8')
            assert set(re.findall(r'getLogger\((.*?)\)', source)) <= {"'paste_sessioncookie'"}
            assert 'warnings.warn' not in source

    def test_levels(self):
        """The levels are those of logging, or the status's."""
        assert {each for levels, _ in LOG_ROWS for each in levels} <= LEVELS | {'by status'}

    def test_configuration(self):
        """With the example, why a cookie was refused is on standard error."""
        script = """if True:
            import logging.config, sys
            logging.config.fileConfig(sys.argv[1], disable_existing_loggers=False)
            from paste_sessioncookie import SessionCookieHandler
            site = SessionCookieHandler(lambda environ, start_response: [])
            site({'HTTP_COOKIE': site.cookie_name + '=x'}, None)
            """
        found = subprocess.run(
            [sys.executable, '-c', script, str(EXAMPLES / 'logging' / 'logging.ini')],
            capture_output=True, text=True, check=True)
        assert 'INFO paste_sessioncookie: the cookie' in found.stderr


def test_the_api_page_is_complete():
    """Each public name is on the page."""
    shown = re.findall(r'^\.\. auto(?:class|exception)?:+ (?:paste_sessioncookie\.)?(\w+)$',
                       page('api'), re.MULTILINE)
    assert set(paste_sessioncookie.__all__) <= set(shown)
