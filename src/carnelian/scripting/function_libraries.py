"""Libraries of functions: each a text that registers functions when it is loaded.

The texts themselves are with the snapshots, which load and save them; what is here is made of them.
"""

from __future__ import annotations

import cython
from cython.cimports.carnelian.scripting.api.script_host import ScriptHost
from cython.cimports.carnelian.scripting.lua_runtime import Runtime

from carnelian.resp.replies import Error
from carnelian.scripting.shebangs import FLAG_NAMES, check_name, library_header

# Bytes that a library or a function takes beside its texts, more or less.
_OVERHEAD = cython.declare(cython.int, 200)


@cython.final
@cython.cclass
class Function:
    """A function that FCALL may call: ``reference`` stands for it in Lua."""

    def __init__(self, name: bytes, reference: int, description: object, flags: int):
        self.name = name
        self.reference = reference
        self.description = description
        self.flags = flags


@cython.final
@cython.cclass
class Library:
    """A library with its functions by name."""

    def __init__(self, name: bytes, code: bytes):
        self.name = name
        self.code = code
        self.functions: dict[bytes, Function] = {}

    def register(self, name: bytes, reference: int, description: object, flags: list) -> None:
        """Take in a function. Raises Error if it cannot have that name or one of the flags."""
        check_name(name)
        if name in self.functions:
            raise Error("ERR Function already exists in the library")
        bits = 0
        for flag in flags:
            if flag not in FLAG_NAMES:
                raise Error("ERR unknown flag given")
            bits |= FLAG_NAMES[flag]
        self.functions[name] = Function(name, reference, description, bits)


@cython.final
@cython.cclass
class FunctionLibraries:
    """All libraries, with the Lua state that they are loaded in.

    Args:
        host: what runs the commands of their functions.
        texts: those of libraries that are there already; kept in step from now on.
    """

    def __init__(self, host: ScriptHost, texts: list):
        self.host = host
        self.texts = texts
        self.clear()

    def clear(self) -> None:
        """Forget what was made of the texts, and what the state has kept."""
        self.runtime = Runtime(self.host, True)
        self.libraries: dict[bytes, Library] = {}
        self.by_name: dict[bytes, Function] = {}

    def load_texts(self) -> list[Error]:
        """Load the libraries of all texts; returns what some of them have failed with."""
        failures: list[Error] = []
        for code in self.texts:
            try:
                library: Library = self.compile(code)
                self._check_free(library, ())
            except Error as error:
                failures.append(error)
                continue
            self.put(library)
        return failures

    # -- Finding -----------------------------------------------------------------------------------

    @cython.cfunc
    def find(self, name: bytes) -> Function | None:
        """The function of this name, in any case; None if there is none."""
        function: Function | None = self.by_name.get(name)
        return self.by_name.get(name.lower()) if function is None else function

    def functions_count(self) -> int:
        """How many functions all libraries have together."""
        return sum(len(library.functions) for library in self.libraries.values())

    def memory(self) -> int:
        """Bytes that texts and names take."""
        return sum(
            len(library.code) + _OVERHEAD * (1 + len(library.functions))
            for library in self.libraries.values()
        )

    # -- Changing ----------------------------------------------------------------------------------

    def load(self, code: bytes, replace: bool) -> bytes:
        """Load a library and return its name.

        Raises Error, with everything as it was, if that fails.
        """
        name, _ = library_header(code)
        old: Library | None = self.libraries.get(name)
        if old is not None and not replace:
            raise Error(b"ERR Library '%b' already exists" % name)
        library: Library = self.compile(code)
        try:
            self._check_free(library, (name,))
        except Error:
            self._forget(library)
            raise
        if old is None:
            self.texts.append(code)
        else:
            self.texts[self.texts.index(old.code)] = code
            self.drop(old)
        self.put(library)
        return name

    def delete(self, name: bytes) -> None:
        """Delete a library; raises Error if there is none of this name."""
        library: Library | None = self.libraries.get(name)
        if library is None:
            raise Error("ERR Library not found")
        self.texts.remove(library.code)
        self.drop(library)

    def flush(self) -> None:
        """Delete all libraries."""
        self.texts.clear()
        self.clear()

    def restore(self, codes: list, policy: bytes) -> None:
        """Load the libraries of a payload: ``append`` to those that are there, ``replace`` those of
        the same names, or ``flush`` all others.

        Raises Error, with everything as it was, if that fails.
        """
        made: list[Library] = []
        try:
            for code in codes:
                made.append(self.compile(code))
            self._check_together(made, policy)
        except Error:
            for library in made:
                self._forget(library)
            raise
        if policy == b"flush":
            for library in list(self.libraries.values()):
                self.delete(library.name)
        for library in made:
            if library.name in self.libraries:
                self.delete(library.name)
            self.texts.append(library.code)
            self.put(library)

    def _check_together(self, made: list, policy: bytes) -> None:
        """Raise Error unless these may stand beside each other and beside what stays."""
        names = [library.name for library in made]
        if policy == b"append":
            for name in names:
                if name in self.libraries:
                    raise Error(b"ERR Library %b already exists" % name)
        stays = () if policy == b"flush" else self.libraries.values()
        taken = {
            name: True
            for library in stays
            if library.name not in names
            for name in library.functions
        }
        for library in made:
            for name in library.functions:
                if name in taken:
                    raise Error(b"ERR Function %b already exists" % name)
                taken[name] = True

    def _check_free(self, library: Library, replaced: tuple) -> None:
        """Raise Error if another library has a function of one of these names."""
        for name in library.functions:
            for other in self.libraries.values():
                if other.name not in replaced and name in other.functions:
                    raise Error(b"ERR Function %b already exists" % name)

    @cython.cfunc
    def compile(self, code: bytes) -> Library:
        """A library that is not among the others yet."""
        name, begin = library_header(code)
        library: Library = Library(name, code)
        chunk: cython.int = self.runtime.compile(
            code[begin:], b"@user_function", b"ERR Error compiling function: "
        )
        self.host.registrar = library.register
        try:
            failure = self.runtime.load(chunk)
        finally:
            self.host.registrar = None
            self.runtime.forget(chunk)
        if isinstance(failure, Error):
            self._forget(library)
            raise Error(b"ERR Error registering functions: " + failure.message)
        if not library.functions:
            raise Error("ERR No functions registered")
        return library

    @cython.cfunc
    def put(self, library: Library):
        """Let the functions of a library be called."""
        self.libraries[library.name] = library
        for name, function in library.functions.items():
            self.by_name[name] = self.by_name[name.lower()] = function

    @cython.cfunc
    def drop(self, library: Library):
        """Let go of a library."""
        del self.libraries[library.name]
        for name in library.functions:
            self.by_name.pop(name, None)
            self.by_name.pop(name.lower(), None)
        self._forget(library)

    def _forget(self, library: Library) -> None:
        for function in library.functions.values():
            self.runtime.forget(function.reference)
