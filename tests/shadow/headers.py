"""What the headers (.pxd) declare."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_COMMENT = re.compile(r"#.*$", re.MULTILINE)
_DOCSTRING = re.compile(r'"""(.*?)"""', re.DOTALL)
_NAME_IN_C = re.compile(r'(\w) "\w+"')
_POINTER_TO_FUNCTION = re.compile(r"\(\*\s*(\w+)")
_CIMPORT = re.compile(r"from (\S+) cimport (.+)")
_CLASS = re.compile(r"cdef class (\w+)(?:\((\w+)\))?:")
_STRUCT = re.compile(r"(?:cdef|ctypedef)(?: packed)? (?:struct|union)(?: (\w+))?:")
_ENUM = re.compile(r"(?:cdef|cpdef|ctypedef) enum(?: (\w+))?:")
_EXTERN = re.compile(r"cdef extern from ")
_ALIAS = re.compile(r"ctypedef (.+?)(\w+)$")
_FUNCTION = re.compile(
    r"(?:cdef |cpdef )?(?:inline )?(?P<kind>[^()=]*?)(?P<name>\w+)\((?P<arguments>[^()]*)\)"
    r"(?P<rest>[^()]*?)(?P<body>:.*)?$"
)


class Variable(NamedTuple):
    """Something with a type, as it is written in C; "" is that of all objects."""

    name: str
    kind: str


@dataclass
class Function:
    """A function or a method."""

    name: str
    kind: str
    arguments: list[Variable]
    # Whether Python code can call it, too.
    shared: bool = False


@dataclass
class Scope:
    """A header, a class or a struct: the names in it."""

    name: str = ""
    base: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)


@dataclass
class Header(Scope):
    """What one header declares."""

    classes: dict[str, Scope] = field(default_factory=dict)
    structs: dict[str, Scope] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    constants: list[str] = field(default_factory=list)
    # Names taken from elsewhere, and the module of each.
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)


def read(path: Path) -> Header:
    """The declarations of a header."""
    header = Header(path.stem)
    # What the lines that are indented deeper belong to: None for the body of a function.
    around: list[tuple[int, Scope | None]] = [(-1, header)]
    for indent, line in _lines(path.read_text()):
        while indent <= around[-1][0]:
            around.pop()
        scope = around[-1][1]
        if scope is None:
            continue
        inner = _declare(header, scope, line)
        if inner is not scope:
            around.append((indent, inner))
    return header


def _declare(header: Header, scope: Scope, line: str) -> Scope | None:
    """Take in one line, and return what the lines within it belong to."""
    if scope.name == "enum":
        header.constants.append(line.split("=")[0].strip())
    elif match := _CIMPORT.fullmatch(line):
        for item in match[2].strip("() ").split(","):
            name, _, other = item.strip().partition(" as ")
            if name:
                header.imports[other or name] = (match[1], name)
    elif match := _CLASS.fullmatch(line):
        return header.classes.setdefault(match[1], Scope(match[1], match[2] or ""))
    elif match := _STRUCT.fullmatch(line):
        return header.structs.setdefault(match[1] or "", Scope(match[1] or ""))
    elif _ENUM.fullmatch(line):
        return Scope("enum")
    elif _EXTERN.match(line):
        return Scope("extern")
    elif match := _ALIAS.fullmatch(line):
        header.aliases[match[2]] = match[1].strip()
    elif match := _POINTER_TO_FUNCTION.search(line):
        scope.variables[match[1]] = "object"
    elif match := _FUNCTION.fullmatch(line):
        function = Function(match["name"], match["kind"].strip(), _arguments(match))
        function.shared = line.startswith("cpdef ")
        owner = header if scope.name == "extern" else scope
        owner.functions[function.name] = function
        return None if match["body"] is not None else scope
    elif scope.name != "extern":
        scope.variables.update(_variables(line))
    return scope


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines with their indentation."""
    text = _COMMENT.sub("", _DOCSTRING.sub("", text))
    whole = ""
    for line in text.splitlines():
        whole = f"{whole.rstrip()} {line.strip()}" if whole else line
        if whole.count("(") > whole.count(")"):
            continue
        if whole.strip() not in ("", "pass"):
            declared = _NAME_IN_C.sub(r"\1", whole.strip().replace("( ", "("))
            yield len(whole) - len(whole.lstrip()), declared
        whole = ""


def _arguments(match: re.Match[str]) -> list[Variable]:
    found = []
    for text in match["arguments"].split(","):
        text = text.strip().removesuffix("=*").strip()
        if text in ("", "..."):
            continue
        name = re.search(r"\w+$", text)
        if name is None:
            continue
        kind = text[: name.start()].strip()
        found.append(Variable(name[0], kind))
    return found


def _variables(text: str) -> Iterator[Variable]:
    """The names of one declaration, which may be several with pointers among them."""
    for word in ("cdef ", "public ", "readonly "):
        text = text.removeprefix(word)
    first, *others = text.split(",")
    found = re.fullmatch(r"(.+?[\s*])(\w+)((?:\[\w+\])*)", first.strip())
    if found is None:
        return
    kind = found[1].strip()
    yield Variable(found[2], kind + " *" * found[3].count("["))
    for other in others:
        name = other.strip()
        stars = name.count("*")
        yield Variable(name.strip("* "), kind.rstrip("* ") + " *" * stars)
