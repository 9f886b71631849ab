"""FUNCTION: libraries of functions, which are data: they are saved, and replicated.

See https://redis.io/docs/latest/develop/interact/programmability/functions-intro/
"""

from __future__ import annotations

from carnelian.datatypes.algorithms.glob import matches
from carnelian.engine.catalogue.registry import shown_word
from carnelian.engine.declaring import command
from carnelian.engine.ground.flags import FLAG_LOADER
from carnelian.engine.help import container
from carnelian.engine.session import Session
from carnelian.persistence.rdb import libraries as texts
from carnelian.persistence.rdb import payloads
from carnelian.persistence.saving.snapshots import snapshots_of
from carnelian.resp.replies import OK, Error, FlatMap, FlatSet, Status
from carnelian.scripting.function_libraries import FunctionLibraries
from carnelian.scripting.scripting_core import scripting_of
from carnelian.scripting.shebangs import FLAG_NAMES

GROUP = "scripting"

container(
    "FUNCTION",
    group=GROUP,
    since="7.0.0",
    summary="A container for commands on functions.",
    help_since="7.0.0",
)

_ALL_SHARDS = ("request_policy:all_shards", "response_policy:all_succeeded")


def _libraries(session: Session) -> FunctionLibraries:
    return scripting_of(session.engine).libraries(session)


def _changed(session: Session) -> None:
    session.keyspace.dirty += 1


def _replayed(session: Session, args: list[bytes]) -> bool:
    """Change the texts only, where a file is loaded: they become libraries when all is there."""
    if not session.flags & FLAG_LOADER:
        return False
    change = texts.change(snapshots_of(session.engine).functions, args, session.keyspace)
    if change is not None:
        change()
    return True


@command("FUNCTION LOAD [REPLACE] function-code", "write denyoom noscript", hints=_ALL_SHARDS)
def function_load(session: Session, args: list[bytes]) -> object:
    """Loads a library, and replies with its name.

    Since 7.0.0, O(1) (considering compilation time is redundant)
    """
    replace = False
    for word in args[2:-1]:
        if word.lower() != b"replace":
            raise Error(b"ERR Unknown option given: " + shown_word(word))
        replace = True
    if _replayed(session, args):
        return texts.name_of(args[-1])
    scripting = scripting_of(session.engine)
    libraries = scripting.libraries(session)
    name = scripting.loading(session, lambda: libraries.load(args[-1], replace))
    _changed(session)
    return name


@command("FUNCTION DELETE library-name", "write noscript", hints=_ALL_SHARDS)
def function_delete(session: Session, args: list[bytes]) -> object:
    """Deletes a library with all its functions.

    Since 7.0.0, O(1)
    """
    if not _replayed(session, args):
        _libraries(session).delete(args[2])
        _changed(session)
    return OK


@command("FUNCTION FLUSH [async=<ASYNC | SYNC>]", "write noscript", hints=_ALL_SHARDS)
def function_flush(session: Session, args: list[bytes]) -> object:
    """Deletes all libraries.

    Since 7.0.0, O(N) where N is the number of functions deleted
    """
    if len(args) > 3:
        raise Error(
            b"ERR unknown subcommand or wrong number of arguments for '%b'. Try FUNCTION HELP."
            % shown_word(args[1])
        )
    if len(args) == 3 and args[2].lower() not in (b"sync", b"async"):
        raise Error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    if not _replayed(session, args):
        _libraries(session).flush()
        _changed(session)
    return OK


@command(
    "FUNCTION LIST [LIBRARYNAME library-name-pattern] [WITHCODE]",
    "noscript",
    hints=("nondeterministic_output_order",),
)
def function_list(session: Session, args: list[bytes]) -> list[FlatMap]:
    """Tells of all libraries, or of those whose name matches a pattern.

    Since 7.0.0, O(N) where N is the number of functions
    """
    pattern, with_code = _list_options(args)
    found = []
    for library in _libraries(session).libraries.values():
        if pattern is not None and not matches(pattern, library.name, True):
            continue
        functions = [_described(function) for function in library.functions.values()]
        entry = [b"library_name", library.name, b"engine", b"LUA", b"functions", functions]
        if with_code:
            entry += [b"library_code", library.code]
        found.append(FlatMap(entry))
    return found


def _list_options(args: list[bytes]) -> tuple[bytes | None, bool]:
    pattern, with_code = None, False
    words = iter(args[2:])
    for word in words:
        option = word.lower()
        if option == b"withcode" and not with_code:
            with_code = True
        elif option == b"libraryname" and pattern is None:
            pattern = next(words, None)
            if pattern is None:
                raise Error("ERR library name argument was not given")
        else:
            raise Error(b"ERR Unknown argument " + shown_word(word))
    return pattern, with_code


def _described(function: object) -> FlatMap:
    held = function.flags  # type: ignore[attr-defined]
    flags = FlatSet([Status(name) for name, bit in FLAG_NAMES.items() if held & bit])
    return FlatMap(
        [
            b"name",
            function.name,  # type: ignore[attr-defined]
            b"description",
            function.description,  # type: ignore[attr-defined]
            b"flags",
            flags,
        ]
    )


@command(
    "FUNCTION STATS",
    "noscript allow_busy",
    hints=(
        "nondeterministic_output",
        "request_policy:all_shards",
        "response_policy:special",
    ),
)
def function_stats(session: Session, args: list[bytes]) -> FlatMap:
    """Tells of the function that runs, and of the engines.

    Since 7.0.0, O(1)
    """
    scripting = scripting_of(session.engine)
    runs, running = scripting.long_runs, None
    if scripting.running is not None:
        command_words = list(scripting.running)
        running = FlatMap(
            [
                b"name",
                runs.name,
                b"command",
                command_words,
                b"duration_ms",
                runs.elapsed_ms(),
            ]
        )
        facts = scripting.facts()
        counts = [facts.libraries, facts.functions]
    else:
        libraries = _libraries(session)
        counts = [len(libraries.libraries), libraries.functions_count()]
    lua = FlatMap([b"libraries_count", counts[0], b"functions_count", counts[1]])
    return FlatMap([b"running_script", running, b"engines", FlatMap([b"LUA", lua])])


@command(
    "FUNCTION KILL",
    "noscript allow_busy",
    hints=("request_policy:all_shards", "response_policy:one_succeeded"),
)
def function_kill(session: Session, args: list[bytes]) -> object:
    """Ends the function that runs, unless it has written.

    Since 7.0.0, O(1)
    """
    scripting_of(session.engine).long_runs.kill(True)
    return OK


@command("FUNCTION DUMP", "noscript")
def function_dump(session: Session, args: list[bytes]) -> bytes:
    """Replies with a payload that FUNCTION RESTORE makes all libraries of.

    Since 7.0.0, O(N) where N is the number of functions
    """
    config = session.engine.config
    codes = [library.code for library in _libraries(session).libraries.values()]
    return payloads.of_functions(codes, config["rdb-version"], config["rdbcompression"])


@command(
    "FUNCTION RESTORE serialized-value [policy=<FLUSH | APPEND | REPLACE>]",
    "write denyoom noscript",
    hints=_ALL_SHARDS,
)
def function_restore(session: Session, args: list[bytes]) -> object:
    """Loads the libraries of a payload.

    Since 7.0.0, O(N) where N is the number of functions on the payload
    """
    if len(args) > 4:
        raise Error(
            b"ERR unknown subcommand or wrong number of arguments for '%b'. Try FUNCTION HELP."
            % shown_word(args[1])
        )
    policy = args[3].lower() if len(args) == 4 else b"append"
    if policy not in (b"append", b"replace", b"flush"):
        raise Error(
            "ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE."
        )
    if _replayed(session, args):
        return OK
    scripting = scripting_of(session.engine)
    libraries = scripting.libraries(session)
    codes = texts.codes_of(args[2], session.keyspace)
    scripting.loading(session, lambda: libraries.restore(codes, policy))
    _changed(session)
    return OK
