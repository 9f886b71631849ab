"""Reading lines of redis.conf."""

from __future__ import annotations

import os

from carnelian.engine.config.assigned import ConfigLine, Values
from carnelian.engine.config.directive import Directive
from carnelian.engine.config.mistakes import ConfigError, ConfigFileError, ConfigOpenError
from carnelian.resp.quoting import split_arguments

# Directives of old versions that are read and forgotten.
FORGOTTEN = (b"list-max-ziplist-entries", b"list-max-ziplist-value", b"lua-replicate-commands")
MAX_INCLUDES = 64
_OPEN_BUS = (
    "cluster-bus-port-protected-mode is enabled but tls-cluster is disabled: whoever reaches the "
    "cluster bus port of this node could join the cluster. Either set 'tls-cluster yes', so that "
    "nodes have to show a certificate, or 'cluster-bus-port-protected-mode no' if only trusted "
    "hosts reach the port."
)


def read_file(path: str) -> bytes:
    """The content of a configuration file; raises ConfigOpenError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigOpenError(path, error) from None


def load_text(config: Values, text: bytes, depth: int = 0) -> None:
    """Read lines in their order; raises ConfigFileError at the first that is bad.

    What lines before it said stays. ``depth`` counts the files that include this text.
    """
    for number, raw in enumerate(text.split(b"\n"), 1):
        stripped = raw.strip(b" \t\r\n")
        if not stripped or stripped.startswith(b"#"):
            continue
        shown = stripped.decode("utf-8", "surrogateescape")
        words = split_arguments(stripped)
        if words is None:
            raise ConfigFileError("Unbalanced quotes in configuration line", number, shown)
        if not words:
            continue
        words[0] = words[0].lower()
        line = ConfigLine(number, shown, tuple(words))
        try:
            _load_line(config, line, depth)
        except ConfigError as error:
            raise line.error(error.reason) from None
    if depth == 0:
        _check(config)


def _load_line(config: Values, line: ConfigLine, depth: int) -> None:
    word, *arguments = line.words
    directive = config.directive(word)
    if directive is not None:
        _assign(config, directive, arguments)
    elif word in FORGOTTEN and len(arguments) == 1:
        return
    elif word == b"include" and len(arguments) == 1:
        _include(config, os.fsdecode(arguments[0]), depth)
    elif word == b"rename-command" and len(arguments) == 2:
        config.renamed_commands.append(line)
    elif word == b"user" and arguments:
        _add_user(config, line)
    elif word == b"loadmodule" and arguments:
        config.loaded_modules.append(line)
    elif b"." in word:
        if not arguments:
            raise ConfigError("Module config specified without value")
        config.module_values[os.fsdecode(word)] = b" ".join(arguments)
    elif word == b"sentinel":
        if arguments and config.sentinel_lines is None:
            raise ConfigError("sentinel directive while not in sentinel mode")
        if arguments and config.sentinel_lines is not None:
            config.sentinel_lines.append(line)
    else:
        raise ConfigError("Bad directive or wrong number of arguments")


def _add_user(config: Values, line: ConfigLine) -> None:
    """Keep the line of a user; what its rules mean is known when there are commands."""
    if any(other.words[1] == line.words[1] for other in config.users):
        name = os.fsdecode(line.words[1])
        raise ConfigError(
            f"Error in user declaration '{name}': Duplicate user found. A user can only be defined "
            "once in config files"
        )
    config.users.append(line)


def _assign(config: Values, directive: Directive, arguments: list[bytes]) -> None:
    """Set a directive from the arguments of its line."""
    if not directive.multiple and len(arguments) != 1:
        raise ConfigError("wrong number of arguments")
    if directive.multiple and len(arguments) == 1 and arguments[0]:
        # One quoted argument may hold them all.
        arguments = split_arguments(arguments[0]) or []
    value = directive.read(arguments, config.values)
    if directive.name == "save":
        if config.save_given and value:
            value = config.values["save"] + value
        config.save_given = True
    config.values[directive.name] = value


def _include(config: Values, path: str, depth: int) -> None:
    """Read the file, or all files that a pattern matches; a pattern may match none."""
    import glob

    if depth >= MAX_INCLUDES:
        raise ConfigError("too many levels of include")
    path = os.path.join(config.values["dir"], path)
    paths = sorted(glob.glob(path)) if any(c in path for c in "*?[") else [path]
    load_text(config, b"\n".join([read_file(found) for found in paths]), depth + 1)


def _check(config: Values) -> None:
    """Refuse what no single line is to blame for."""
    values = config.values
    if values["logfile"]:
        try:
            # Later it is too late to tell whoever starts the server.
            with open(os.path.join(values["dir"], values["logfile"]), "ab"):
                pass
        except OSError as error:
            raise ConfigFileError(f"Can't open the log file: {error.strerror}") from None
    if values["cluster-enabled"] and values["replicaof"] is not None:
        raise ConfigFileError("replicaof directive not allowed in cluster mode")
    if (
        values["cluster-enabled"]
        and values["cluster-bus-port-protected-mode"]
        and not values["tls-cluster"]
    ):
        raise ConfigFileError(_OPEN_BUS)
