"""What clients may take: their number, buffers and requests."""

from carnelian.engine.config.directive import Integer, Memory, Share, Topic
from carnelian.engine.config.quantities import GB, LONG_MAX, MB, UINT_MAX
from carnelian.engine.config.special import BufferLimit, BufferLimits, OutputBufferLimits

TOPIC = Topic(
    "Clients",
    (
        Integer("maxclients", 10000, 1, UINT_MAX, summary="Clients connected at the same time."),
        Share(
            "maxmemory-clients",
            0,
            -100,
            LONG_MAX,
            summary="Memory of all clients before the biggest are cut; bytes or % of maxmemory.",
        ),
        OutputBufferLimits(
            "client-output-buffer-limit",
            BufferLimits(
                normal=BufferLimit(0, 0, 0),
                replica=BufferLimit(256 * MB, 64 * MB, 60),
                pubsub=BufferLimit(32 * MB, 8 * MB, 60),
            ),
            summary="Unread output at which a client is cut, by class of client.",
        ),
        Memory(
            "client-query-buffer-limit",
            GB,
            MB,
            LONG_MAX,
            "debug",
            summary="Bytes of a request not yet complete.",
        ),
        Memory(
            "proto-max-bulk-len",
            512 * MB,
            MB,
            LONG_MAX,
            "debug",
            summary="Bytes of one argument, and of a string value.",
        ),
        Integer(
            "tracking-table-max-keys",
            1000000,
            0,
            LONG_MAX,
            summary="Keys remembered for client-side caches; 0 is no limit.",
        ),
    ),
)
