"""The commands, one module or package for each family."""

import importlib
import pkgutil


def declare_all() -> None:
    """Import all families, so that a registry made from now on knows their commands."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(found.name)
