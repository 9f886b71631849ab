"""MODULE: loading Python modules of user commands while the engine runs.

See https://redis.io/docs/latest/commands/module-load/; what a module is here differs, and
docs/python-commands.md has it.
"""

from __future__ import annotations

import os

from carnelian.engine.declaring import command
from carnelian.engine.extensions.modules import ModuleError
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.resp.replies import OK, FlatMap

GROUP = "server"

_FLAGS = "admin noscript no_async_loading protected"

container(
    "MODULE",
    group="server",
    since="4.0.0",
    summary="Holds the commands for modules.",
)


@command("MODULE LIST", "admin noscript", hints="nondeterministic_output_order")
def module_list(session: Session, args: list[bytes]) -> list[FlatMap]:
    """Lists the loaded modules.

    Since 4.0.0, O(N), for N loaded modules
    """
    return [module.describe() for module in session.engine.modules]


@command("MODULE LOAD path [arg ...]", _FLAGS)
def module_load(session: Session, args: list[bytes]) -> object:
    """Loads the commands of a module.

    Since 4.0.0, That of importing the module
    """
    session.engine.modules.load(os.fsdecode(args[2]), args[3:])
    return OK


@command("MODULE LOADEX path [CONFIG configs=(name value) ...*] [ARGS args=(arg) ...]", _FLAGS)
def module_loadex(session: Session, args: list[bytes]) -> object:
    """Loads the commands of a module, with configuration.

    Since 7.0.0, That of importing the module
    """
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


@command("MODULE UNLOAD name", _FLAGS)
def module_unload(session: Session, args: list[bytes]) -> object:
    """Forgets a module and its commands.

    Since 4.0.0, O(N), for N commands of the module
    """
    session.engine.modules.unload(args[2].decode("utf-8", "surrogateescape"))
    return OK
