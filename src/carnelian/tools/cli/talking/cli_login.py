"""A client as the command line asks for it."""

from __future__ import annotations

import sys

from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.wire.cli_client import Client, Login

_WARNING = (
    "Warning: Using a password with '-a' or '-u' option on the command line interface "
    "may not be safe."
)


def client_for(options: Options) -> Client:
    """A client, which connects when there is something to say."""
    if options.ask_password:
        options.password = _asked_for()
    elif options.exposed and options.warn_of_password:
        print(_WARNING, file=sys.stderr)
    return Client(
        options.address,
        Login(options.user, options.password),
        db=options.db,
        protocol=options.protocol,
        wishful=options.wishful,
        tls=options.tls,
        timeout=options.timeout,
        write=options.write,
        modules=tuple(options.modules),
        warn=tell,
    )


def tell(text: str) -> None:
    """Say something that is no reply."""
    sys.stdout.flush()
    print(text, file=sys.stderr, flush=True)


def _asked_for() -> str:
    prompt = "Please input password: "
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    from getpass import getpass

    return getpass(prompt)
