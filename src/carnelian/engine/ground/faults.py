"""What code of users raises: how it is told, and whether it may end more than their command."""

from __future__ import annotations

import sys


def text_of(fault: BaseException) -> str:
    """``ValueError: bad number``, whatever the exception has for a text."""
    try:
        text = str(fault)
    except BaseException as another:
        text = f"(its text raises {type(another).__name__})"
    return f"{type(fault).__name__}: {text}"


def trace_of(fault: BaseException) -> str:
    """The traceback for the log."""
    try:
        import traceback

        return "".join(traceback.format_exception(fault))
    except BaseException:
        return text_of(fault)


def is_interrupt(fault: BaseException, interruptible: bool) -> bool:
    """Whether an exception has come from outside, and is to come out again.

    Servers have their signals taken by the loop. Where an engine is ``interruptible``, inside of
    somebody's process, it may be a Ctrl-C or a time limit; but not what a handler alone can mean.
    """
    if not interruptible or isinstance(fault, (Exception, SystemExit, GeneratorExit)):
        return False
    asyncio = sys.modules.get("asyncio")
    return asyncio is None or not isinstance(fault, asyncio.CancelledError)
