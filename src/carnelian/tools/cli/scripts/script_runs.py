"""``--eval``: a Lua script from a file, run once, or step by step."""

from __future__ import annotations

from carnelian.tools.cli import one_command
from carnelian.tools.cli.cli_options import Options
from carnelian.tools.cli.scripts.script_words import script_words


def run(options: Options) -> int:
    """Run it; returns the exit status. Raises ConnectError and OptionError."""
    if options.ldb:
        from carnelian.tools.cli.scripts import lua_steps

        return lua_steps.run(options)
    options.words = script_words(options)
    return one_command.run(options)
