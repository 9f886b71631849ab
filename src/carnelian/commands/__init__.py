"""The commands, one module or package for each family; those of features live with them."""

import importlib

from carnelian.engine.extensions.package_walk import import_all

# Modules outside of this package that declare commands, fields of INFO or the like.
_FEATURES = (
    "carnelian.cluster.serving.cluster_changes",
    "carnelian.cluster.serving.cluster_commands",
    "carnelian.engine.sizes",
    "carnelian.persistence.aof.append_commands",
    "carnelian.persistence.information",
    "carnelian.persistence.saving.migration",
    "carnelian.persistence.saving.save_commands",
    "carnelian.persistence.saving.transfer",
    "carnelian.replication.primary.link_commands",
    "carnelian.replication.primary.replica_commands",
    "carnelian.replication.replication_info",
    "carnelian.replication.replica_side.replicaof_commands",
)


def declare_all() -> None:
    """Import all families, so that a registry made from now on knows their commands."""
    import_all(__path__, __name__)
    for name in _FEATURES:
        importlib.import_module(name)
