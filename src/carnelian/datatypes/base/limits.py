"""Up to where collections keep their compact forms, and what streams remember."""

from __future__ import annotations

import cython

DIRECTIVES = (
    "list-max-listpack-size",
    "list-compress-depth",
    "hash-max-listpack-entries",
    "hash-max-listpack-value",
    "set-max-intset-entries",
    "set-max-listpack-entries",
    "set-max-listpack-value",
    "zset-max-listpack-entries",
    "zset-max-listpack-value",
    "stream-node-max-bytes",
    "stream-node-max-entries",
    "stream-idmp-duration",
    "stream-idmp-maxsize",
    "hll-sparse-max-bytes",
    "array-slice-size",
    "array-sparse-kmax",
    "array-sparse-kmin",
)


@cython.final
@cython.cclass
class Limits:
    """The thresholds of one key space; each attribute is the directive of that name."""

    def __init__(self):
        self.list_max_listpack_size = -2
        self.list_compress_depth = 0
        self.hash_max_listpack_entries = 512
        self.hash_max_listpack_value = 64
        self.set_max_intset_entries = 512
        self.set_max_listpack_entries = 128
        self.set_max_listpack_value = 64
        self.zset_max_listpack_entries = 128
        self.zset_max_listpack_value = 64
        self.stream_node_max_bytes = 4096
        self.stream_node_max_entries = 100
        self.stream_idmp_duration = 100
        self.stream_idmp_maxsize = 100
        self.hll_sparse_max_bytes = 3000
        self.array_slice_size = 4096
        self.array_sparse_kmax = 10
        self.array_sparse_kmin = 5

    def set(self, directive: str, value: int) -> None:
        """Follow a directive of :data:`DIRECTIVES`."""
        setattr(self, directive.replace("-", "_"), value)
