"""What INFO tells of scripts and functions."""

from __future__ import annotations

from typing import NamedTuple


class ScriptFacts(NamedTuple):
    """Counts, and bytes: of the Lua states, and of what is known of scripts beside them."""

    scripts: int = 0
    evicted: int = 0
    libraries: int = 0
    functions: int = 0
    eval_state: int = 0
    function_state: int = 0
    eval_scripts: int = 0
    function_libraries: int = 0
