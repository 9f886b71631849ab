"""The forms of values: what files ask of a type stands in one module for each family."""

from carnelian.engine.extensions.package_walk import import_all


def register_all() -> None:
    """Import all families, each of which registers its form."""
    import_all(__path__, __name__)
