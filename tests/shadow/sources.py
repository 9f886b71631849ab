"""Sources as a type checker can read them: the same lines, with what their headers say."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from shadow.headers import Header, Scope, read
from shadow.kinds import OBJECTS, is_number, python_type

# What pure Python mode writes as calls and subscripts that have no meaning for a type checker.
_REPLACED = (
    (re.compile(r"cython\.const\[(\w[\w.]*)\]"), r"\1"),
    (re.compile(r"cython\.pointer\((\w[\w.]*)\)"), r"cython.pointer[\1]"),
    (re.compile(r"cython\.(?!pointer|const)(\w+)\[\w+\]"), r"cython.pointer[cython.\1]"),
    # A name would be taken for what it was compared with.
    (re.compile(r"cython\.NULL"), "cython.null()"),
    (re.compile(r"cython\.(?:cast|declare)\(object,?\s*"), "cython.as_object("),
)
_ARRAY = re.compile(r"cython\.declare\((\w+)((?:\[\w+\])+)")
_POINTER = re.compile(r"cython\.pointer\[((?:\w+\.)?(\w+))\]")
_OURS = "cython.cimports.carnelian"


class Shadows:
    """The shadows of all sources under a directory."""

    def __init__(self, sources: Path):
        self.sources = sources
        self.headers = {self._module(path): read(path) for path in sources.rglob("*.pxd")}
        known = {name for header in self.headers.values() for name in header.structs}
        self.structs = frozenset(known)

    def _module(self, path: Path) -> str:
        return ".".join(path.relative_to(self.sources).with_suffix("").parts)

    def write(self, to: Path) -> None:
        """Write the shadow of each source, and a stub for each header."""
        for path in sorted(self.sources.rglob("*.py")):
            module = self._module(path)
            header = self.headers.get(module)
            text = self.source(path.read_text(), module, header)
            _put(to / path.relative_to(self.sources), text)
        for module, header in self.headers.items():
            path = Path(*module.split("."))
            if (self.sources / path).with_suffix(".py").exists():
                path = path.with_name(path.name + "_h")
            _put(to / path.with_suffix(".pyi"), self.stub(header))

    # -- Headers ---------------------------------------------------------------------------------

    def stub(self, header: Header) -> str:
        """What a header declares besides classes, which stand in the source."""
        names = self._names(header)
        lines = ["from typing import Any, Final", "from cython import Struct, pointer"]
        lines += self._imports(header)
        for struct in header.structs.values():
            lines.append(f"class {struct.name}(Struct):")
            lines += [
                f"    {name}: {self._type(kind, names)}" for name, kind in struct.variables.items()
            ] or ["    pass"]
        for name, kind in header.aliases.items():
            lines.append(f"{name} = {self._type(kind, names)}")
        lines += [f"{name}: Final[int]" for name in header.constants]
        lines += [f"{name}: {self._type(kind, names)}" for name, kind in header.variables.items()]
        for function in header.functions.values():
            arguments = ", ".join(
                f"{argument}: {self._type(kind, names)}" for argument, kind in function.arguments
            )
            result = self._type(function.kind.removeprefix("inline "), names)
            lines.append(f"def {function.name}({arguments}) -> {result}: ...")
        return "\n".join([*lines, "def __getattr__(name: str) -> Any: ...", ""])

    def _names(self, header: Header) -> frozenset[str]:
        ours = {name for name, (module, _) in header.imports.items() if module in self.headers}
        return frozenset(ours | header.classes.keys() | header.aliases.keys())

    def _type(self, kind: str, names: frozenset[str]) -> str:
        return python_type(kind, names, self.structs)

    def _imports(self, header: Header) -> list[str]:
        found = [
            f"from {module} import {name} as {local}"
            for local, (module, name) in header.imports.items()
            if module in self.headers
        ]
        own = next(module for module, each in self.headers.items() if each is header)
        return found + [f"from {own} import {name} as {name}" for name in header.classes]

    # -- Sources ---------------------------------------------------------------------------------

    def source(self, text: str, module: str, header: Header | None) -> str:
        """A source whose classes have the fields of its header, and which knows its names."""
        tree = ast.parse(text)
        lines = text.splitlines()
        own: list[str] = []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_OURS):
                _replace_import(lines, node, module)
        if header is not None:
            for node in tree.body:
                if isinstance(node, ast.ClassDef) and node.name in header.classes:
                    self._declare_fields(lines, node, header)
            own = self._missing(tree, module, header)
        for number, line in enumerate(lines):
            if own and line == "import cython":
                lines[number] = "; ".join([line, "from typing import Any", *own])
                break
        return "\n".join(map(self._readable, lines)) + "\n"

    def _readable(self, line: str) -> str:
        for pattern, replacement in _REPLACED:
            line = pattern.sub(replacement, line)
        line = line.replace("cython.pointer[PyObject]", "cython.p_void")
        line = _ARRAY.sub(_array, line)
        return _POINTER.sub(lambda match: match[1] if match[2] in self.structs else match[0], line)

    def _missing(self, tree: ast.Module, module: str, header: Header) -> list[str]:
        """Imports of what only the header declares, or is of need for its types."""
        known = _defined(tree, module)
        only = {
            *_from_own_header(tree, module), *header.structs, *header.aliases,
            *header.constants, *header.functions, *header.variables,
        }  # fmt: skip
        found = [f"from {module}_h import {name} as {name}" for name in sorted(only - known)]
        for local, (where, name) in header.imports.items():
            if where in self.headers and local not in known:
                found.append(f"from {where} import {name} as {local}")
        return [*found, "from cython import pointer"]

    def _declare_fields(self, lines: list[str], node: ast.ClassDef, header: Header) -> None:
        """Let a class have the fields that its header gives it, on the line of its docstring."""
        first = node.body[0]
        if not isinstance(first, ast.Expr) or first.end_lineno is None:
            return
        fields = _fields(node, header.classes[node.name])
        names = self._names(header)
        declared = [f"{name}: {self._type(kind, names)}" for name, kind in fields.items()]
        line = lines[first.end_lineno - 1]
        lines[first.end_lineno - 1] = "; ".join([line, *declared])
        methods = {each.name: each for each in node.body if isinstance(each, ast.FunctionDef)}
        if "__cinit__" in methods and "__init__" not in methods:
            number = methods["__cinit__"].lineno - 1
            lines[number] = lines[number].replace("__cinit__", "__init__")


def _array(match: re.Match[str]) -> str:
    rows = match[2].count("[")
    return f"cython.declare({'cython.pointer[' * rows}{match[1]}{']' * rows}"


def _fields(node: ast.ClassDef, scope: Scope) -> dict[str, str]:
    """The fields whose type the source does not tell, or tells less of."""
    annotated, assigned = set(OBJECTS), set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.AnnAssign):
            if isinstance(inner.target, ast.Attribute):
                annotated.add(inner.target.attr)
            elif inner in node.body and isinstance(inner.target, ast.Name):
                annotated.add(inner.target.id)
        elif isinstance(inner, ast.Assign):
            for target in inner.targets:
                if inner in node.body and isinstance(target, ast.Name):
                    annotated.add(target.id)
                for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                    if isinstance(part, ast.Attribute):
                        assigned.add(part.attr)
    found = {}
    for name, kind in scope.variables.items():
        if name in annotated:
            continue
        plain = kind in OBJECTS or kind in ("", "object")
        if is_number(kind) or name not in assigned or not plain:
            found[name] = kind
    return found


def _replace_import(lines: list[str], node: ast.ImportFrom, module: str) -> None:
    """Import from the source what was imported from the header of it."""
    assert node.module is not None and node.end_lineno is not None
    where = node.module.removeprefix("cython.cimports.")
    names = ", ".join(
        f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in node.names
    )
    indent = " " * node.col_offset
    first = "pass" if where == module else f"from {where} import {names}"
    lines[node.lineno - 1] = indent + first
    for number in range(node.lineno, node.end_lineno):
        lines[number] = ""


def _from_own_header(tree: ast.Module, module: str) -> set[str]:
    """Names that a source takes from the header beside it."""
    return {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == f"cython.cimports.{module}"
        for alias in node.names
    }


def _defined(tree: ast.Module, module: str) -> set[str]:
    """Names that a source gives itself."""
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            if (node.module or "").removeprefix("cython.cimports.") != module:
                found.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                found.update(each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
    return found


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
