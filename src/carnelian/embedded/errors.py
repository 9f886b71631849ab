"""Errors of embedded use that are no replies."""


class EngineClosedError(RuntimeError):
    """The engine is closed, or belongs to the process that this one was forked from."""
