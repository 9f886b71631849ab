"""The compiled half of the package: everything else is declared in pyproject.toml."""

import os
import shutil
import sys

from setuptools import Extension, setup

# Modules that Cython compiles in pure Python mode. Every other module is interpreted;
# tests/test_compiled.py holds this list against the shared objects that are present.
COMPILED = (
    "carnelian.resp.arguments",
    "carnelian.resp.blocks",
    "carnelian.resp.doubles",
    "carnelian.resp.inline",
    "carnelian.resp.numbers",
    "carnelian.resp.output",
    "carnelian.resp.parser",
    "carnelian.resp.rows",
    "carnelian.resp.writer",
    "carnelian.datatypes.bits",
    "carnelian.datatypes.entry",
    "carnelian.datatypes.geohash",
    "carnelian.datatypes.glob",
    "carnelian.datatypes.hyperloglog",
    "carnelian.datatypes.hash",
    "carnelian.datatypes.intset",
    "carnelian.datatypes.limits",
    "carnelian.datatypes.list",
    "carnelian.datatypes.listpack",
    "carnelian.datatypes.lzf",
    "carnelian.datatypes.member_blocks",
    "carnelian.datatypes.members",
    "carnelian.datatypes.memory",
    "carnelian.datatypes.nearby",
    "carnelian.datatypes.ordered",
    "carnelian.datatypes.nodes",
    "carnelian.datatypes.packed",
    "carnelian.datatypes.quicklist",
    "carnelian.datatypes.rng",
    "carnelian.datatypes.set",
    "carnelian.datatypes.scored_pack",
    "carnelian.datatypes.sink",
    "carnelian.datatypes.slabs",
    "carnelian.datatypes.sorted_set",
    "carnelian.datatypes.stream_id",
    "carnelian.datatypes.id_tree",
    "carnelian.datatypes.stream_node",
    "carnelian.datatypes.consumer_group",
    "carnelian.datatypes.idempotency",
    "carnelian.datatypes.stream_scan",
    "carnelian.datatypes.stream",
    "carnelian.datatypes.string",
    "carnelian.datatypes.table",
    "carnelian.datatypes.walk",
    "carnelian.datatypes.value",
    "carnelian.datatypes.xxh3",
    "carnelian.datatypes.lcs",
    "carnelian.keyspace.clock",
    "carnelian.keyspace.database",
    "carnelian.keyspace.eviction",
    "carnelian.keyspace.expiry",
    "carnelian.keyspace.fields",
    "carnelian.keyspace.keyspace",
    "carnelian.keyspace.state",
    "carnelian.keyspace.store",
    "carnelian.keyspace.strings",
    "carnelian.keyspace.trash",
    "carnelian.engine.effects",
    "carnelian.engine.memory_limit",
    "carnelian.engine.values",
    "carnelian.engine.stats",
    "carnelian.engine.registry",
    "carnelian.engine.session",
    "carnelian.engine.clients",
    "carnelian.engine.client_limits",
    "carnelian.engine.engine",
    "carnelian.commands.connection",
    "carnelian.commands.hashes.access",
    "carnelian.commands.hashes.fields",
    "carnelian.commands.hashes.listing",
    "carnelian.commands.hashes.times",
    "carnelian.commands.hashes.combined",
    "carnelian.commands.lifetimes",
    "carnelian.commands.pouring",
    "carnelian.commands.sets",
    "carnelian.commands.set_sizes",
    "carnelian.commands.sorting",
    "carnelian.commands.bitmaps.bits",
    "carnelian.commands.bitmaps.operands",
    "carnelian.commands.bitmaps.fields",
    "carnelian.commands.hyperloglogs",
    "carnelian.commands.strings.options",
    "carnelian.commands.strings.values",
    "carnelian.commands.strings.bounded",
    "carnelian.commands.strings.counters",
    "carnelian.commands.strings.pieces",
    "carnelian.commands.strings.pairs",
    "carnelian.commands.keys.existence",
    "carnelian.commands.keys.expiry",
    "carnelian.commands.keys.naming",
    "carnelian.commands.keys.scanning",
    "carnelian.commands.lists.ends",
    "carnelian.commands.lists.elements",
    "carnelian.commands.lists.moves",
    "carnelian.commands.lists.blocking",
    "carnelian.commands.lists.batches",
    "carnelian.commands.sorted_sets.bounds",
    "carnelian.commands.sorted_sets.adding",
    "carnelian.commands.sorted_sets.reading",
    "carnelian.commands.sorted_sets.ranges",
    "carnelian.commands.sorted_sets.popping",
    "carnelian.commands.sorted_sets.combining",
    "carnelian.commands.geo",
    "carnelian.commands.streams.operands",
    "carnelian.commands.streams.idempotency",
    "carnelian.commands.streams.entries",
    "carnelian.commands.streams.ranges",
    "carnelian.commands.streams.reading",
    "carnelian.commands.streams.groups",
    "carnelian.commands.streams.claims",
    "carnelian.commands.streams.information",
    "carnelian.persistence.crc64",
    "carnelian.persistence.sink",
    "carnelian.persistence.source",
    "carnelian.persistence.ziplists",
    "carnelian.persistence.streams",
    "carnelian.persistence.encoder",
    "carnelian.persistence.decoder",
    "carnelian.persistence.payloads",
    "carnelian.persistence.reader",
    "carnelian.persistence.writer",
    "carnelian.persistence.transfer",
    "carnelian.persistence.command_buffer",
    "carnelian.persistence.syncing",
    "carnelian.persistence.append_log",
    "carnelian.persistence.rewriting",
    "carnelian.persistence.freezing",
    "carnelian.persistence.outputs",
    "carnelian.persistence.replay",
    "carnelian.embedded.shapes",
    "carnelian.embedded.mailbox",
    "carnelian.embedded.host",
    "carnelian.embedded.engine",
    "carnelian.embedded.shortcut",
    "carnelian.server.loop",
    "carnelian.server.connection",
    "carnelian.server.clients",
    "carnelian.server.crash",
)

# Compiled for another reason than speed: no interrupt comes between two lines of compiled code, so
# that what these change is changed wholly. They mean what they would mean interpreted.
WHOLE = (
    "carnelian.resp.replies",
    "carnelian.engine.admission",
    "carnelian.engine.authentication",
    "carnelian.engine.blocking",
    "carnelian.engine.changes",
    "carnelian.engine.config.directive",
    "carnelian.engine.config.quoting",
    "carnelian.engine.config.settings",
    "carnelian.engine.latency",
    "carnelian.engine.modules",
    "carnelian.engine.monitors",
    "carnelian.engine.nested",
    "carnelian.engine.pause",
    "carnelian.engine.pubsub",
    "carnelian.engine.sessions",
    "carnelian.engine.settings",
    "carnelian.engine.slowlog",
    "carnelian.engine.threads",
    "carnelian.engine.transactions",
    "carnelian.commands.client",
    "carnelian.commands.configuration",
    "carnelian.commands.debug",
    "carnelian.commands.keys.databases",
    "carnelian.commands.keys.indexes",
    "carnelian.commands.keys.replicas",
    "carnelian.commands.latency",
    "carnelian.commands.memory",
    "carnelian.commands.modules",
    "carnelian.commands.monitoring",
    "carnelian.commands.operands",
    "carnelian.commands.pubsub",
    "carnelian.commands.returning",
    "carnelian.commands.server",
    "carnelian.commands.transactions",
    "carnelian.persistence.append_only",
    "carnelian.persistence.base_files",
    "carnelian.persistence.children",
    "carnelian.persistence.files",
    "carnelian.persistence.loading",
    "carnelian.persistence.lock",
    "carnelian.persistence.manifest",
    "carnelian.persistence.paths",
    "carnelian.persistence.appending",
    "carnelian.persistence.saving",
    "carnelian.persistence.slicing",
    "carnelian.persistence.snapshots",
    "carnelian.persistence.spool",
    "carnelian.persistence.targets",
    "carnelian.embedded.doorbell",
    "carnelian.embedded.log",
    "carnelian.embedded.timer",
    "carnelian.embedded.storage",
)

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "initializedcheck": False,
    "cdivision": True,
}

AS_INTERPRETED = {
    "boundscheck": True,
    "wraparound": True,
    "initializedcheck": True,
    "cdivision": False,
    "annotation_typing": False,
}


# Deprecated is the hash field of bytes objects, which has to be cleared when one is filled again.
COMPILE_ARGS = ["-O2", "-g0", "-Wno-deprecated-declarations"]
WHOLE_ARGS = ["-O1", "-g0"]


def extension(name: str) -> Extension:
    """The extension of one module: its body is the .py file of that name."""
    source = os.path.join("src", *name.split(".")) + ".py"
    if name not in WHOLE:
        return Extension(name, [source], extra_compile_args=COMPILE_ARGS)
    whole = Extension(name, [source], extra_compile_args=WHOLE_ARGS)
    whole.cython_directives = AS_INTERPRETED
    return whole


def extensions() -> list[Extension]:
    """All of them; none where the environment says that they are built by themselves."""
    if os.environ.get("CARNELIAN_WITHOUT_EXTENSIONS"):
        return []
    if "CC" not in os.environ and not any(map(shutil.which, ("cc", "gcc", "clang"))):
        sys.exit("Carnelian is compiled when it is installed: a C compiler is needed (cc)")
    return [extension(name) for name in COMPILED + WHOLE]


setup(
    ext_modules=extensions(),
    options={
        "build_ext": {
            "cython_c_in_temp": True,
            "cython_directives": DIRECTIVES,
            "parallel": os.cpu_count() or 1,
        }
    },
)
