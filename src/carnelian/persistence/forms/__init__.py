"""The forms of values: what files ask of a type stands in one module for each family."""

import importlib
import pkgutil


def register_all() -> None:
    """Import all families, each of which registers its form."""
    for found in pkgutil.iter_modules(__path__, f"{__name__}."):
        importlib.import_module(found.name)
