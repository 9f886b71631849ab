"""``carnelian-server``: takes the command line and the configuration files of redis-server."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carnelian import REDIS_VERSION, __version__
from carnelian.engine.config import (
    Arguments,
    Config,
    ConfigFileError,
    ConfigOpenError,
    parse_arguments,
)
from carnelian.server.system.log_file import Log
from carnelian.tools.lost_reader import ends_with_its_reader

if TYPE_CHECKING:
    from carnelian.server.server import Server

PROGRAM = "carnelian-server"

USAGE = f"""\
Usage: {PROGRAM} [/path/to/redis.conf] [options] [-]
       {PROGRAM} - (read config from stdin)
       {PROGRAM} -v or --version
       {PROGRAM} -h or --help
       {PROGRAM} --test-memory <megabytes>
       {PROGRAM} --check-system
       {PROGRAM} /path/to/sentinel.conf --sentinel

Every directive of redis.conf is an option, its name after two dashes:

       {PROGRAM} --port 7777 --maxmemory 128mb
       {PROGRAM} /etc/redis.conf --loglevel verbose
       echo 'maxmemory 128mb' | {PROGRAM} -
"""


@ends_with_its_reader
def main(argv: Sequence[str] | None = None, sentinel: bool = False) -> int:
    """Run the program, with ``sentinel`` as a Sentinel; returns its exit status."""
    # All that is loaded now stays; the server says when the collector runs.
    gc.disable()
    words = list(sys.argv[1:] if argv is None else argv)
    arguments = parse_arguments(words)
    sentinel = sentinel or arguments.action == "sentinel"
    if arguments.action not in ("", "sentinel"):
        return _act(arguments)
    try:
        return _serve(_load(arguments, sentinel), bool(words))
    except ConfigOpenError as error:
        Log()("warning", str(error))
        return 1
    except ConfigFileError as error:
        print(error, file=sys.stderr)
        return 1


def _act(arguments: Arguments) -> int:
    """What was asked for instead of a server."""
    if arguments.action == "version":
        return _print_version()
    if arguments.action == "help":
        sys.stderr.write(USAGE)
        return 1
    from carnelian.server.system import system_checks

    if arguments.action == "check-system":
        return 0 if system_checks.check_system() else 1
    if len(arguments.rest) != 1 or not arguments.rest[0].isdigit():
        print("Please specify the amount of memory to test in megabytes.", file=sys.stderr)
        print(f"Example: {PROGRAM} --test-memory 4096\n", file=sys.stderr)
        return 1
    return 0 if system_checks.test_memory(int(arguments.rest[0])) else 1


def _print_version() -> int:
    bits = 64 if sys.maxsize > 2**32 else 32
    python = ".".join(map(str, sys.version_info[:3]))
    print(
        # Programs take the first number for the version of Redis.
        f"Carnelian server v={REDIS_VERSION} carnelian={__version__} python={python} malloc=libc "
        f"bits={bits}"
    )
    return 0


def _load(arguments: Arguments, sentinel: bool) -> Config:
    """The configuration that file, standard input and options make together."""
    config = Config()
    if sentinel:
        from carnelian.sentinel.serving.sentinel_server import prepare

        prepare(config)
    stdin = sys.stdin.buffer.read() if arguments.stdin else b""
    config.load_arguments(arguments, stdin)
    return config


def _serve(config: Config, configured: bool) -> int:
    """Become a server and stay one until it is shut down."""
    from carnelian.server.system import process

    os.chdir(config["dir"])
    log = Log(config["loglevel"], _log_path(config))
    supervisor = process.Supervisor(config["supervised"], log)
    background = config["daemonize"] and not supervisor.active
    if background:
        process.daemonize()
        log.silent = not log.path
    _announce(config, log, configured)

    # Commands and server are imported now that it is known that they are needed.
    from carnelian.server.system import crash

    try:
        server = _server_class(config)(config, log, supervisor, _called_as())
        server.start()
        if background or config["pidfile"]:
            server.write_pid_file()
        server.load()
        server.run()
    except ConfigFileError:
        # A line that only the engine could judge, such as rename-command.
        raise
    except Exception as fault:
        crash.report(log, fault)
        return 1
    return 0


def _server_class(config: Config) -> type[Server]:
    """What kind of server a configuration is for."""
    if config.sentinel_lines is not None:
        from carnelian.sentinel.serving.sentinel_server import SentinelServer

        return SentinelServer
    from carnelian.server.server import Server

    return Server


def _log_path(config: Config) -> str:
    """The log file, absolute: the working directory may change."""
    name = config["logfile"]
    return os.path.join(config["dir"], name) if name else ""


def _called_as() -> str:
    """The name that the process's title begins with: how it was started."""
    name = sys.argv[0]
    return PROGRAM if not name or name.endswith(".py") else name


def _announce(config: Config, log: Log, configured: bool) -> None:
    log("warning", "oO0OoO0OoO0Oo Carnelian is starting oO0OoO0OoO0Oo")
    bits = 64 if sys.maxsize > 2**32 else 32
    log("warning", f"Carnelian version={__version__}, bits={bits}, pid={os.getpid()}, just started")
    if configured:
        log("warning", "Configuration loaded")
    else:
        log(
            "warning",
            "Warning: no config file specified, using the default config. In order to specify a "
            f"config file use {PROGRAM} /path/to/redis.conf",
        )


if __name__ == "__main__":
    raise SystemExit(main())
