"""MODULE: loading Python modules of user commands while the engine runs.

See https://redis.io/docs/latest/commands/module-load/; what a module is here differs, and
docs/python-commands.md has it.
"""

from __future__ import annotations

import os

from carnelian.engine.help import container
from carnelian.engine.modules import ModuleError
from carnelian.engine.registry import command
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, FlatMap

_FLAGS = "admin noscript no_async_loading protected"

container(
    "MODULE",
    group="server",
    since="4.0.0",
    summary="Holds the commands for modules.",
)


@command(
    "MODULE LIST",
    arity=2,
    flags="admin noscript",
    group="server",
    since="4.0.0",
    complexity="O(N), for N loaded modules",
    summary="Lists the loaded modules.",
    hints="nondeterministic_output_order",
)
def module_list(session: Session, args: list[bytes]) -> list[FlatMap]:
    return [module.describe() for module in session.engine.modules]


@command(
    "MODULE LOAD",
    arity=-3,
    flags=_FLAGS,
    group="server",
    since="4.0.0",
    complexity="That of importing the module",
    summary="Loads the commands of a module.",
    arguments="path:string [arg:string ...]",
)
def module_load(session: Session, args: list[bytes]) -> object:
    session.engine.modules.load(os.fsdecode(args[2]), args[3:])
    return OK


@command(
    "MODULE LOADEX",
    arity=-3,
    flags=_FLAGS,
    group="server",
    since="7.0.0",
    complexity="That of importing the module",
    summary="Loads the commands of a module, with configuration.",
    arguments=(
        "path:string [CONFIG configs=(name:string value:string) ...*] [ARGS args=(arg:string) ...]"
    ),
)
def module_loadex(session: Session, args: list[bytes]) -> object:
    config: dict[str, str] = {}
    rest = args[3:]
    while rest and rest[0].lower() == b"config" and len(rest) >= 3:
        config[os.fsdecode(rest[1])] = os.fsdecode(rest[2])
        rest = rest[3:]
    if rest and rest[0].lower() != b"args":
        shown = rest[0].decode("utf-8", "backslashreplace")
        raise ModuleError(f"ERR Error loading the extension. Unexpected {shown!r}")
    session.engine.modules.load(os.fsdecode(args[2]), rest[1:], config)
    return OK


@command(
    "MODULE UNLOAD",
    arity=3,
    flags=_FLAGS,
    group="server",
    since="4.0.0",
    complexity="O(N), for N commands of the module",
    summary="Forgets a module and its commands.",
    arguments="name:string",
)
def module_unload(session: Session, args: list[bytes]) -> object:
    session.engine.modules.unload(args[2].decode("utf-8", "surrogateescape"))
    return OK
