"""Where a collection changes from a compact form to one that scales."""

from carnelian.engine.config import checks
from carnelian.engine.config.directive import Integer, Memory, Topic
from carnelian.engine.config.quantities import INT_MAX, INT_MIN, LONG_MAX

TOPIC = Topic(
    "Data types",
    (
        Integer(
            "hash-max-listpack-entries",
            512,
            0,
            LONG_MAX,
            alias="hash-max-ziplist-entries",
            summary="Fields up to which a hash is a listpack.",
        ),
        Memory(
            "hash-max-listpack-value",
            64,
            0,
            LONG_MAX,
            alias="hash-max-ziplist-value",
            summary="Bytes of a field or value up to which it is.",
        ),
        Integer(
            "list-max-listpack-size",
            -2,
            INT_MIN,
            INT_MAX,
            alias="list-max-ziplist-size",
            summary="Items of a node of a list; -1 to -5 are 4, 8, 16, 32 and 64 kB.",
        ),
        Integer(
            "list-compress-depth",
            0,
            0,
            INT_MAX,
            "debug",
            summary="Nodes at both ends that are not compressed; 0 compresses none.",
        ),
        Integer(
            "set-max-intset-entries",
            512,
            0,
            LONG_MAX,
            summary="Members up to which a set of integers is an intset.",
        ),
        Integer(
            "set-max-listpack-entries",
            128,
            0,
            LONG_MAX,
            summary="Members up to which another set is a listpack.",
        ),
        Integer(
            "set-max-listpack-value",
            64,
            0,
            LONG_MAX,
            summary="Bytes of a member up to which it is.",
        ),
        Integer(
            "zset-max-listpack-entries",
            128,
            0,
            LONG_MAX,
            alias="zset-max-ziplist-entries",
            summary="Members up to which a sorted set is a listpack.",
        ),
        Memory(
            "zset-max-listpack-value",
            64,
            0,
            LONG_MAX,
            alias="zset-max-ziplist-value",
            summary="Bytes of a member up to which it is.",
        ),
        Memory(
            "hll-sparse-max-bytes",
            3000,
            0,
            LONG_MAX,
            summary="Bytes up to which a HyperLogLog is sparse.",
        ),
        Memory(
            "stream-node-max-bytes",
            4096,
            0,
            LONG_MAX,
            summary="Bytes of a node of a stream; 0 is no limit.",
        ),
        Integer(
            "stream-node-max-entries",
            100,
            0,
            LONG_MAX,
            summary="Entries of a node of a stream; 0 is no limit.",
        ),
        Integer(
            "stream-idmp-duration",
            100,
            1,
            86400,
            summary="Seconds for which a stream knows an entry that was added with IDMP or "
            "IDMPAUTO, unless XCFGSET says otherwise.",
        ),
        Integer(
            "stream-idmp-maxsize",
            100,
            1,
            10000,
            summary="Entries that a stream knows of one producer, unless XCFGSET says otherwise.",
        ),
        Integer(
            "array-slice-size",
            4096,
            256,
            65536,
            check=checks.slice_size,
            summary="Indexes that have a slice of an array in common, a power of two; for arrays "
            "that are made from then on.",
        ),
        Integer(
            "array-sparse-kmax",
            10,
            0,
            65536,
            check=checks.sparse_kmax,
            summary="Elements up to which a slice of an array is sparse, and beyond which it is "
            "dense unless that takes more than twice the memory; 0 makes all slices dense.",
        ),
        Integer(
            "array-sparse-kmin",
            5,
            0,
            65536,
            check=checks.sparse_kmin,
            summary="Elements down to which a dense slice becomes sparse if it does not sooner; 0 "
            "keeps it dense.",
        ),
    ),
)
