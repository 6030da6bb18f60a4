"""The house: imports only go down."""
import ast
import re
import sys
from pathlib import Path

import paste_sessioncookie

HOUSE = Path(paste_sessioncookie.__file__).parent
# from the ground up; a room may import those before it
FLOORS = ['errors', 'sessionid', 'encoding', 'keyring', 'cache', 'signer',
          'headers', 'seldom', 'filesystem', 'login', 'jws', 'revocation', 'revocation_store',
          'revocation_sqlite', 'revocation_redis', 'state', 'admission', 'control',
          'environ', 'section', 'options', 'sources', 'engines', 'addresses',
          'profileserver', 'cookie', 'namespace', 'requirelogin', 'profile',
          'wiring', 'filters', 'findings', 'rules_sections', 'rules_order', 'rules_sharing',
          'checkup', 'inspection', 'commands', 'paster']
PURE = FLOORS[:7]
FRAMEWORKS = HOUSE / 'frameworks'
# what each adapter, a file or a package, may import beyond Python's library and Paste
ADAPTERS = {
    'beaker': 'beaker',
    'cherrypy': 'cherrypy zc',
    'django': 'asgiref django',
    'flask': 'flask werkzeug',
    'flask_client': 'flask werkzeug',
    'flask_login': 'flask flask_login',
    'flask_session': 'flask flask_session',
    'paste_session': '',
    'pyramid': 'cachelib pyramid pyramid_retry redis zope',
    'pyramid_beaker': 'pyramid pyramid_beaker',
    'pyramid_redis': 'pyramid pyramid_session_redis',
    'turbogears': 'tg',
}
SHARED = ['__init__', 'cached', 'files', 'record', 'testing']


def imported(path):
    """Names of the rooms, and of the modules outside, that a file imports."""
    rooms, outside = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            rooms.update([node.module.split('.')[0]] if node.module
                         else [alias.name for alias in node.names])
        elif isinstance(node, ast.ImportFrom):
            outside.add(node.module)
        elif isinstance(node, ast.Import):
            outside.update(alias.name for alias in node.names)
    return rooms, outside


def test_every_room_is_known():
    """A new file has its floor."""
    rooms = {path.stem for path in HOUSE.glob('*.py')} - {'__init__', '__main__'}
    assert rooms == set(FLOORS)


def test_imports_go_down():
    """No room imports one above it."""
    for level, room in enumerate(FLOORS):
        rooms, _ = imported(HOUSE / f'{room}.py')
        assert rooms <= set(FLOORS[:level]), room


def test_the_ground_floor_is_pure():
    """Nothing below has to do with environ, files or the network."""
    forbidden = {'os', 'socket', 'sqlite3', 'pathlib', 'http', 'wsgiref', 'logging'}
    for room in PURE:
        _, outside = imported(HOUSE / f'{room}.py')
        assert not {name.split('.')[0] for name in outside} & forbidden, room


def test_nothing_imports_the_demonstration():
    """The library does not need its demonstration, nor what only runs it."""
    for room in FLOORS:
        rooms, outside = imported(HOUSE / f'{room}.py')
        assert 'demo' not in rooms
        assert not {name.split('.')[0] for name in outside} & {
            'paste_sessioncookie', 'pkg_resources', 'webtest'}
        assert room == 'paster' or not any(name.startswith('paste.script') for name in outside)


def adapters():
    """Each file of the frameworks, and the room that it is (in)."""
    for path in sorted(FRAMEWORKS.rglob('*.py')):
        yield path, path.relative_to(FRAMEWORKS).parts[0].removesuffix('.py')


def libraries(path):
    """What a file imports that is not there anyway, nor for type checkers alone."""
    _, outside = imported(path)
    return {name.split('.')[0] for name in outside} - {
        *sys.stdlib_module_names, 'paste', '_typeshed'}


def test_adapters_import_their_frameworks():
    """A framework, or what comes with it, is imported by its own adapter alone."""
    for path, room in adapters():
        assert libraries(path) <= set(ADAPTERS.get(room, '').split()), path


def test_the_house_imports_no_adapter():
    """What is not an adapter's works without any framework."""
    of_frameworks = set(' '.join(ADAPTERS.values()).split()) - {'redis'}
    for room in FLOORS:
        rooms, _ = imported(HOUSE / f'{room}.py')
        assert 'frameworks' not in rooms
        assert not libraries(HOUSE / f'{room}.py') & of_frameworks, room
    for room in SHARED:
        rooms, _ = imported(FRAMEWORKS / f'{room}.py')
        assert not rooms & ADAPTERS.keys(), room


def test_the_map_of_the_frameworks():
    """Every file, or package, is in the list of frameworks/__init__.py."""
    text = ast.get_docstring(ast.parse((FRAMEWORKS / '__init__.py').read_text()))
    listed = set(re.findall(r'\w+', ' '.join(re.findall('^    (.*)', text, re.M))))
    rooms = {room for _, room in adapters()}
    assert rooms <= {*listed, '__init__'}
    assert rooms <= {*ADAPTERS, *SHARED}


def test_few_public_names():
    """At most ten names are public, and all of them are there."""
    assert len(paste_sessioncookie.__all__) <= 10
    for name in paste_sessioncookie.__all__:
        assert getattr(paste_sessioncookie, name).__doc__
