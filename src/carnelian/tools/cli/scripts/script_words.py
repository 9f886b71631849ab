"""A Lua script of a file as a command."""

from __future__ import annotations

from carnelian.tools.cli.cli_options import OptionError, Options

_COMMA = b","


def script_words(options: Options) -> list[bytes]:
    """The EVAL for the script as it is now. Raises OptionError."""
    assert options.script is not None
    try:
        with open(options.script, "rb") as file:
            script = file.read()
    except OSError as error:
        raise OptionError(f"Can't open file '{options.script}': {error.strerror}") from None
    given = options.words
    keys = given.index(_COMMA) if _COMMA in given else len(given)
    return [b"EVAL", script, b"%d" % keys, *given[:keys], *given[keys + 1 :]]
