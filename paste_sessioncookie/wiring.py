"""
Wiring: what an ini file puts around what
=========================================

Paste Deploy reads the file, with all that it has: ``use``, ``config:``,
``[DEFAULT]``, ``set`` and ``get``, ``filter-with``, ``[filter-app:]``.  Only the
last step is left out: no factory is called, and no application imported, so that
a file can be judged where there is neither its database nor its applications.

What comes of it is a list of ways: an application, and the filters that a request
passes before it, the outermost first.
"""
from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from paste.deploy.loadwsgi import APP, FILTER, ConfigLoader, LoaderContext
from paste.urlmap import parse_path_expression

_APPLICATIONS = ('app', 'application', 'composite', 'composit', 'pipeline', 'filter-app')
_COMPOSITE = ('paste.composite_factory', 'paste.composit_factory')
_URLMAP = 'urlmap_factory'  # Paste's, and those of others after its model
_CASCADE = 'paste.cascade:make_cascade'


class Place(NamedTuple):
    """A section of a file."""

    file: str
    section: str


class Mount(NamedTuple):
    """Where an application stands: host, '' for any, and path, '' for the root."""

    host: str = ''
    path: str = ''

    def __str__(self) -> str:
        return self.host + (self.path or '/')


class Factory(NamedTuple):
    """What makes a thing: as the file has it, and as ``module:name``, '' where the egg is
    not installed."""

    text: str
    target: str


@dataclass(frozen=True)
class Part:
    """A filter or an application, with the options that its factory would get."""

    factory: Factory
    places: tuple[Place, ...]  # its sections: the one that is named, then what it uses
    homes: Mapping[str, Place]  # of each option, the section that has the last word
    global_conf: Mapping[str, Any]
    local_conf: Mapping[str, Any]
    mount: Mount

    @property
    def place(self) -> Place:
        return self.places[0] if self.places else Place('', self.factory.text)

    def home(self, option: str) -> Place:
        """The section where an option stands, or would."""
        if option in self.homes or option not in self.global_conf:
            return self.homes.get(option, self.place)
        return self.place._replace(section='DEFAULT')

    @property
    def name(self) -> str:
        """What the file calls it."""
        if not self.places:
            return self.factory.text
        return self.place.section.partition(':')[2].strip() or self.place.section


class Way(NamedTuple):
    """The filters before an application, the outermost first; and the application."""

    filters: tuple[Part, ...]
    app: Part


class Wiring(NamedTuple):
    """What a file says."""

    file: str
    ways: list[Way]
    unused: list[Part]         # its filters that are on no way
    broken: list[Place]        # sections with a filter-with that Paste Deploy cannot do
    server: dict[Place, dict[str, str]]  # the sections that say how it is served


def read(uri: str, variables: Mapping[str, str]) -> Wiring:
    """
    What ``FILE`` or ``FILE#NAME`` says.  Without a name it is ``main``, or, where there
    is none, every application that is no part of another.

    Raises OSError, LookupError, ValueError, configparser.Error, PackageNotFoundError.
    """
    filename, _, name = uri.partition('#')
    loader = _Loader(os.path.abspath(filename))
    loader.update_defaults(variables)
    walk = _Walk()
    try:
        ways = [way for each in ([name] if name else loader.outermost())
                for way in walk.ways(loader.get_context(APP, each), Mount(), ())]
        unused = _unused(loader, ways)
    except RecursionError:
        raise LookupError('its sections name each other in a circle') from None
    return Wiring(loader.filename, ways, unused, walk.broken, loader.server())


def _unused(loader: _Loader, ways: list[Way]) -> list[Part]:
    used = {place for way in ways for part in way.filters for place in part.places}
    return [part for name, section in loader.names('filter')
            if Place(loader.filename, section) not in used
            for part in _filters(loader.get_context(FILTER, name), Mount())
            if Place(loader.filename, section) in part.places]


class _Loader(ConfigLoader):  # type: ignore[misc]
    """Paste Deploy's, but for what it would import; its contexts know their sections."""

    def get_context(self, object_type: Any, name: str | None = None,
                    global_conf: Mapping[str, Any] | None = None) -> Any:
        if self.absolute_name(name):
            return self._elsewhere(object_type, str(name), global_conf)
        section = self.find_config_section(object_type, name=name)
        try:
            context = super().get_context(object_type, name, global_conf)
        except IndexError:
            raise LookupError(f'[{section}]: its pipeline is empty') from None
        except KeyError as error:
            raise LookupError(f'[{section}]: there is no {error.args[0]} in [DEFAULT] to '
                              'get') from None
        inner = _innermost(context)
        self._mark(inner, section)
        if inner.object_type.name == 'filter_app':
            self._mark(inner.filter_context, section)
        return context

    def _mark(self, context: Any, section: str) -> None:
        """Say where a context, and each option of it, comes from."""
        place = Place(self.filename, section)
        context.places = (place, *getattr(context, 'places', ()))
        defaults = self.parser.defaults()
        context.homes = {**getattr(context, 'homes', {}), **{
            option.removeprefix('get ').removeprefix('set ').strip(): place
            for option in self.parser.options(section) if option not in defaults}}

    def _elsewhere(self, object_type: Any, uri: str, global_conf: Any) -> Any:
        scheme, _, rest = uri.partition(':')
        rest, _, name = rest.partition('#')
        if scheme.lower() == 'config':
            loader = _Loader(os.path.join(os.path.dirname(self.filename), rest))
            loader.update_defaults(global_conf or {}, overwrite=False)
            return loader.get_context(object_type, name or 'main', global_conf)
        if scheme.lower() == 'call':
            factory, protocol = _function(uri, rest)
        elif scheme.lower() == 'egg':
            factory, protocol = _entry_point(object_type, uri, rest, name or 'main')
        else:
            raise LookupError(f'{uri}: it takes egg:, config:, call:, or a section')
        return LoaderContext(factory, object_type, protocol,
                             {} if global_conf is None else global_conf, {}, self)

    def _context_from_explicit(self, object_type: Any, local_conf: dict[str, Any],
                               global_conf: Any, global_addition: Any, section: str) -> Any:
        for protocol in _protocols(object_type):
            if protocol in local_conf:
                target = local_conf.pop(protocol).strip()
                return LoaderContext(Factory(target, target), object_type, protocol,
                                     global_conf, local_conf, self)
        raise LookupError(f'[{section}] has no "use"')

    def names(self, *prefixes: str) -> list[tuple[str, str]]:
        """Name and section of what has one of the prefixes."""
        found = []
        for section in self.parser.sections():
            prefix, _, name = section.partition(':')
            if prefix in prefixes:
                found.append((name.strip() or 'main', section))
        return found

    def outermost(self) -> list[str]:
        """``main``, or all applications that nothing else in the file names."""
        applications = self.names(*_APPLICATIONS)
        names = [name for name, _ in applications]
        if 'main' in names:
            return ['main']
        words = {word for _, section in applications
                 for _, value in self.parser.items(section, raw=True)
                 for word in value.split()}
        if not names:
            raise LookupError('it has no application: no section [app:NAME], [composite:NAME] '
                              'or [pipeline:NAME]')
        return [name for name in names if name not in words] or names

    def server(self) -> dict[Place, dict[str, str]]:
        """What the sections of servers say, as they are written."""
        default = self.parser.defaults()
        return {Place(self.filename, section): {
            name: value for name, value in self.parser.items(section, raw=True)
            if name not in default} for section in self.parser.sections()
            if section.partition(':')[0] in ('server', 'uwsgi')}


def _protocols(object_type: Any) -> list[str]:
    return [protocol for group in object_type.egg_protocols for protocol in group]


_Found = tuple[Factory, str | None]  # the kind is that of the section where it is None


def _function(uri: str, target: str) -> _Found:
    if ':' not in target:
        raise LookupError(f'{uri}: it takes call:MODULE:FUNCTION')
    return Factory(uri, target), None


def _entry_point(object_type: Any, uri: str, egg: str, name: str) -> _Found:
    """The factory that an egg has under a name, and its kind; nothing is imported."""
    try:
        entry_points = metadata.distribution(egg).entry_points
    except metadata.PackageNotFoundError:
        return Factory(uri, ''), None
    protocols = _protocols(object_type)
    for entry in entry_points:
        if entry.name == name and entry.group in protocols:
            return Factory(uri, entry.value.partition('[')[0].strip()), entry.group
    there = sorted(entry.name for entry in entry_points if entry.group in protocols)
    raise LookupError(f'{uri}: the egg has no {object_type.name} {name}; it has: '
                      + ', '.join(there))


class _Walk:
    """Goes through contexts, from the outermost."""

    def __init__(self) -> None:
        self.broken: list[Place] = []

    def ways(self, context: Any, mount: Mount, before: tuple[Part, ...]) -> Iterator[Way]:
        """All ways through it.  ``before``: the filters that are outside."""
        kind = context.object_type.name
        if kind == 'pipeline':
            for each in context.filter_contexts:
                before += _filters(each, mount)
            yield from self.ways(context.app_context, mount, before)
        elif kind in ('filter_app', 'filtered_with'):
            if kind == 'filtered_with' and context.next_context.object_type is not APP:
                self.broken += _innermost(context.next_context).places[:1]
            yield from self.ways(context.next_context, mount,
                                 before + _filters(context.filter_context, mount))
        elif not (children := list(_children(context, mount))):
            yield Way(before, _part(context, mount))
        else:
            for child, child_mount, filters in children:
                yield from self.ways(child, child_mount, before + filters)


def _filters(context: Any, mount: Mount) -> tuple[Part, ...]:
    """A filter, and those around it: the outermost first."""
    if context.object_type.name == 'filtered_with':
        return (_filters(context.filter_context, mount)
                + _filters(context.next_context, mount))
    return _part(context, mount),


def _innermost(context: Any) -> Any:
    while context.object_type.name == 'filtered_with':
        context = context.next_context
    return context


def _part(context: Any, mount: Mount) -> Part:
    return Part(
        context.object, getattr(context, 'places', ()), getattr(context, 'homes', {}),
        context.global_conf, context.local_conf, mount)


_Child = tuple[Any, Mount, tuple[Part, ...]]  # context, and the filters just before it


def _children(context: Any, mount: Mount) -> Iterator[_Child]:
    """The applications of a composite one."""
    if context.protocol not in _COMPOSITE and context.object.target:
        return
    if context.object.target.endswith(':' + _URLMAP):
        for key, name in context.local_conf.items():
            where = mount if key == 'not_found_app' else _mount(key, mount)
            yield _application(context, name), where, ()
    elif context.object.target == _CASCADE:
        for key, name in context.local_conf.items():
            if key != 'catch':
                yield _application(context, name), mount, ()
    else:
        yield from _of_a_foreign_composite(context, mount)


def _application(context: Any, name: str) -> Any:
    return context.loader.get_context(APP, name, context.global_conf)


def _mount(key: str, outer: Mount) -> Mount:
    """Where a key of a urlmap puts an application."""
    url = urlsplit(parse_path_expression(key))
    path = url.path.strip('/')
    return Mount(url.netloc or outer.host, f'{outer.path}/{path}' if path else outer.path)


def _of_a_foreign_composite(context: Any, mount: Mount) -> Iterator[_Child]:
    """Whatever its options name: applications, and pipelines as lists of words."""
    for key, value in context.local_conf.items():
        *filters, app = value.split() or ['']
        try:
            parts: tuple[Part, ...] = ()
            where = _mount(key, mount) if key.startswith('/') else mount
            for name in filters:
                parts += _filters(
                    context.loader.get_context(FILTER, name, context.global_conf), where)
            yield _application(context, app), where, parts
        except LookupError:
            continue  # an option like others
