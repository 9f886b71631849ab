"""Types of C as a type checker may take them."""

from __future__ import annotations

import re

WHOLE_NUMBERS = frozenset(
    (
        "short", "int", "long", "long long", "unsigned int", "unsigned long", "unsigned long long",
        "size_t", "ssize_t", "Py_ssize_t", "Py_hash_t",
    )
)  # fmt: skip
FRACTIONS = frozenset(("float", "double", "long double"))
OBJECTS = frozenset(("bytes", "str", "list", "dict", "tuple", "set", "frozenset", "type"))

_SIZED = re.compile(r"u?int(8|16|32|64)_t")


def python_type(kind: str, names: frozenset[str], structs: frozenset[str]) -> str:
    """What stands for a type of C. ``names`` are those of classes and the like."""
    kind = " ".join(word for word in kind.replace("*", " * ").split() if word != "const")
    if kind.endswith("*"):
        inner = kind[:-1].strip()
        if inner in ("void", "char", "unsigned char", "PyObject"):
            return "Any"
        if inner in structs:
            return inner
        return f"pointer[{python_type(inner, names, structs)}]"
    if kind in WHOLE_NUMBERS or _SIZED.fullmatch(kind):
        return "int"
    if kind in FRACTIONS:
        return "float"
    if kind == "bint":
        return "bool"
    if kind == "void":
        return "None"
    return kind if kind in OBJECTS or kind in names or kind in structs else "Any"


def is_number(kind: str) -> bool:
    """Whether there is no None of it."""
    return python_type(kind, frozenset(), frozenset()) in ("int", "float", "bool")
