"""Modules of user commands: Python files whose ``@carnelian.command`` functions an engine takes in.

A module is imported, its declarations are looked at, and only when nothing is wrong with any of
them the engine knows its commands. It may say more about itself::

    __carnelian_module__ = {"name": "scores", "version": 3}

    def on_load(module):    # module.args, module.config, module.engine, module.log
        ...

    def on_unload(module):
        ...

Either function may raise, which refuses to load or to unload.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import itertools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import ModuleType

from carnelian.engine.catalogue.registry import DECLARED, Declaration
from carnelian.engine.ground.faults import is_interrupt, text_of, trace_of
from carnelian.engine.shared.core import Core
from carnelian.resp.quoting import quote_if_needed
from carnelian.resp.replies import Error, FlatMap

METADATA = "__carnelian_module__"

_HERE = os.path.abspath(os.path.join(os.path.dirname(__file__), os.pardir, os.pardir))
_BUILT = os.path.join("src", "carnelian")
# How the names of modules begin that were run from a file.
_IMPORTED = "carnelian_module_"
# How files of programs and libraries begin, on Linux, Windows and macOS.
_MACHINE_CODE = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_FILE_ENDINGS = (".py", ".so", ".dylib", ".dll")
_import_numbers = itertools.count(1)


class ModuleError(Error):
    """A module cannot be loaded or unloaded; nothing has changed."""


class Module:
    """One loaded module, as its ``on_load`` and ``on_unload`` functions get it.

    ``args`` are the words after the path where it was loaded, ``config`` the name-value pairs of
    MODULE LOADEX and of directives that begin with the module's name and a dot, without that.
    """

    def __init__(
        self,
        engine: Core,
        source: ModuleType,
        path: str,
        args: Sequence[bytes],
        config: Mapping[str, str],
    ):
        self.engine = engine
        self.source = source
        self.path = path
        self.args = list(args)
        self.name, self.version = _metadata(source, _stem(path))
        self.config = {key.removeprefix(self.name + "."): config[key] for key in config}
        self.declarations = _declarations(source)
        self.commands = frozenset(declaration.name for declaration in self.declarations)

    def log(self, message: str, level: str = "notice") -> None:
        """Write a line to the log; ``level`` is debug, verbose, notice or warning."""
        self.engine.log(level, f"<{self.name}> {message}")

    def describe(self) -> FlatMap:
        """An entry of MODULE LIST and of HELLO."""
        return FlatMap(
            [
                b"name", self.name.encode(),
                b"ver", self.version,
                b"path", os.fsencode(self.path),
                b"args", self.args,
            ]
        )  # fmt: skip

    def loadmodule_line(self) -> bytes:
        """The line of redis.conf that loads the module as it was loaded."""
        words = [os.fsencode(self.path), *self.args]
        return b" ".join([b"loadmodule", *map(quote_if_needed, words)])


class Modules:
    """The loaded modules of one engine by name, in the order of loading."""

    def __init__(self, engine: Core):
        self._engine = engine
        self._loaded: dict[str, Module] = {}
        # Called when commands have come or gone.
        self.on_changed: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[Module]:
        return iter(list(self._loaded.values()))

    def __len__(self) -> int:
        return len(self._loaded)

    def get(self, name: str) -> Module | None:
        """The module of this name, if it is loaded."""
        return self._loaded.get(name)

    def load(
        self,
        source: str | os.PathLike[str] | ModuleType,
        args: Sequence[bytes] = (),
        config: Mapping[str, str] | None = None,
    ) -> Module:
        """Take in the commands of a module.

        Args:
            source: the path of a ``.py`` file or of a package's directory, the dotted name of a
                module that can be imported, or a module.
            args: what ``on_load`` finds in ``module.args``.
            config: what it finds in ``module.config``, above what directives say.

        Raises:
            ModuleError: why it cannot be loaded; nothing has changed then.
        """
        shown = source.__name__ if isinstance(source, ModuleType) else os.fspath(source)
        before = set(sys.modules)
        try:
            found, path = (source, shown) if isinstance(source, ModuleType) else _import(shown)
            module = self._take_in(Module(self._engine, found, path, args, config or {}))
        except BaseException as reason:
            _forget_imports(before)
            if is_interrupt(reason, self._engine.interrupts is not None):
                raise
            raise self._refused(shown, reason) from reason
        self._engine.log("notice", f"Module '{module.name}' loaded from {module.path}")
        return module

    def _take_in(self, module: Module) -> Module:
        if module.name in self._loaded:
            raise ModuleError(f"ERR a module named {module.name} is loaded already")
        self._check(module.declarations)
        module.config = self._configured(module.name) | module.config
        hook = getattr(module.source, "on_load", None)
        if hook is not None:
            hook(module)
        elif module.config:
            raise ModuleError(f"ERR {module.name} has no on_load that could take configuration")
        added: list[Declaration] = []
        try:
            for declaration in module.declarations:
                self._engine.registry.add(declaration)
                added.insert(0, declaration)
            self._tell_of_change()
        except BaseException:
            for declaration in added:
                self._engine.registry.remove(declaration.name)
            raise
        self._loaded[module.name] = module
        return module

    def _tell_of_change(self) -> None:
        for tell in self.on_changed:
            tell()

    def _check(self, declarations: list[Declaration]) -> None:
        """Refuse declarations that would replace a command, or add to a foreign one."""
        if not declarations:
            raise ModuleError("ERR it declares no commands")
        names = [declaration.name for declaration in declarations]
        for declaration in declarations:
            if names.count(declaration.name) > 1:
                raise ModuleError(f"ERR it declares {declaration.name} more than once")
            if self._engine.registry.find(declaration.name.replace(" ", "|")) is not None:
                raise ModuleError(f"ERR there is a command {declaration.name} already")
            if declaration.container not in (None, *names):
                raise ModuleError(
                    f"ERR it declares {declaration.name}, but not {declaration.container}"
                )

    def _configured(self, name: str) -> dict[str, str]:
        """What the configuration says about a module, as ``name.key value`` lines."""
        start = f"{name}."
        return {
            key.removeprefix(start): value.decode("utf-8", "surrogateescape")
            for key, value in self._engine.config.module_values.items()
            if key.startswith(start)
        }

    def _refused(self, shown: str, reason: BaseException) -> ModuleError:
        if isinstance(reason, Error):
            text = str(reason).removeprefix("ERR ")
        else:
            text = _describe(reason)
            self._engine.log("verbose", f"Loading {shown}:\n{trace_of(reason)}")
        self._engine.log("warning", f"Module {shown} failed to load: {text}")
        return ModuleError(f"ERR Error loading the extension. {text}".replace("\n", " "))

    def unload(self, name: str) -> None:
        """Forget a module and its commands; raises ModuleError if that cannot be done now."""
        module = self._loaded.get(name)
        if module is None:
            raise ModuleError("ERR Error unloading module: no such module with that name")
        for session in self._engine.sessions:
            waiting = session.blocked and session.blocked.command
            if waiting and waiting.declaration.name in module.commands:
                raise ModuleError(
                    "ERR Error unloading module: the module has blocked clients. "
                    "Please wait for them to be unblocked and try again"
                )
        self._say_goodbye(module)
        # Subcommands before the command that holds them.
        for declaration in sorted(module.declarations, key=lambda d: -d.name.count(" ")):
            self._engine.registry.remove(declaration.name)
        del self._loaded[name]
        self._tell_of_change()
        self._engine.log("notice", f"Module {name} unloaded")

    def _say_goodbye(self, module: Module) -> None:
        hook = getattr(module.source, "on_unload", None)
        if hook is None:
            return
        try:
            hook(module)
        except BaseException as reason:
            if is_interrupt(reason, self._engine.interrupts is not None):
                raise
            text = str(reason) if isinstance(reason, Error) else _describe(reason)
            self._engine.log(
                "warning", f"Module {module.name} on_unload failed, it stays loaded: {text}"
            )
            raise ModuleError("ERR Error unloading module: operation not possible.") from reason

    def load_configured(self) -> None:
        """Load what the ``loadmodule`` lines of the configuration name, in their order.

        Raises ModuleError at the first that cannot be loaded, and for values that are meant for a
        module which no line loads.
        """
        config = self._engine.config
        for line in config.loaded_modules:
            _, path, *args = line.words
            try:
                self.load(os.fsdecode(path), args)
            except ModuleError as error:
                raise ModuleError(f"ERR Can't load module from {os.fsdecode(path)}") from error
        for key in config.module_values:
            if key.partition(".")[0] not in self._loaded:
                raise ModuleError(f"ERR {key} is configured, but no module of that name is loaded")
        config.rewrite_with("loadmodule", self._lines)

    def _lines(self) -> Iterable[bytes]:
        return [module.loadmodule_line() for module in self]


# -- Importing ------------------------------------------------------------------------------------


def _import(name: str) -> tuple[ModuleType, str]:
    """Run the file at a path, or import the module of a dotted name; with where it was found."""
    path = os.path.abspath(name)
    file = os.path.join(path, "__init__.py") if os.path.isdir(path) else path
    if os.path.isfile(file):
        _refuse_machine_code(file)
        return _run_file(file, _stem(path), package=file != path), path
    if name.endswith(_FILE_ENDINGS) or not all(part.isidentifier() for part in name.split(".")):
        raise ModuleError(f"ERR {path}: no such file")
    return importlib.import_module(name), name


def _refuse_machine_code(file: str) -> None:
    """Raises ModuleError for what a compiler of C has made."""
    with open(file, "rb") as source:
        if source.read(4).startswith(_MACHINE_CODE):
            raise ModuleError(f"ERR {file}: modules in C cannot be loaded, only those in Python")


def _run_file(file: str, stem: str, *, package: bool) -> ModuleType:
    # A name of its own: the same file may be loaded by several engines, and again.
    unique = f"{_IMPORTED}{stem}_{next(_import_numbers)}"
    spec = importlib.util.spec_from_file_location(
        unique,
        file,
        loader=importlib.machinery.SourceFileLoader(unique, file),
        submodule_search_locations=[os.path.dirname(file)] if package else None,
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    spec.loader.exec_module(module)
    return module


def _forget_imports(before: set[str]) -> None:
    """After a failure: what was imported from files of user modules since ``before``."""
    for name in set(sys.modules) - before:
        if name.startswith(_IMPORTED):
            del sys.modules[name]


def _stem(path: str) -> str:
    """The name of a file without its ending, or the last part of a dotted name."""
    directory, name = os.path.split(path)
    return os.path.splitext(name)[0] if directory else name.rpartition(".")[2]


def _metadata(source: ModuleType, stem: str) -> tuple[str, int]:
    """The name and version that a module gives itself; without them its file's name, and 1."""
    given = getattr(source, METADATA, {})
    if not isinstance(given, dict) or set(given) - {"name", "version"}:
        raise TypeError(f"{METADATA} is a dict of name and version, not {given!r}")
    name = given.get("name", stem)
    version = given.get("version", 1)
    if not isinstance(name, str) or not name or any(c.isspace() for c in name):
        raise ValueError(f"{METADATA}: {name!r} is no name of a module")
    if type(version) is not int or version < 0:
        raise ValueError(f"{METADATA}: version is a whole number, not {version!r}")
    return name, version


def _declarations(source: ModuleType) -> list[Declaration]:
    """What a module declares, with the modules of its package, commands before subcommands."""
    inside = f"{source.__name__}."
    parts = [part for name, part in list(sys.modules.items()) if name.startswith(inside)]
    found: list[Declaration] = []
    for part in [source, *parts]:
        found += getattr(part, DECLARED, ())
    return sorted(found, key=lambda declaration: declaration.name.count(" "))


def _describe(reason: BaseException) -> str:
    """An exception in one line, with the place where the user's code raised it."""
    text = text_of(reason)
    import traceback

    frames = traceback.extract_tb(reason.__traceback__)
    # What is compiled tells its file as it was named when it was built.
    foreign = (_HERE, _BUILT, os.path.dirname(importlib.__file__), "<frozen")
    user = [frame for frame in frames if not frame.filename.startswith(foreign)]
    if isinstance(reason, SyntaxError) or not user:
        return text
    return f"{text} ({os.path.basename(user[-1].filename)}, line {user[-1].lineno})"
