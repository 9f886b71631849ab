"""The compiled half of the package: everything else is declared in pyproject.toml."""

import gc
import logging
import multiprocessing
import os
import shutil
import sys
import sysconfig
import time
from multiprocessing.connection import wait

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError

# Modules that Cython compiles in pure Python mode. Every other module is interpreted;
# tests/test_compiled.py holds this list against the shared objects that are present.
COMPILED = (
    "carnelian.resp.arguments",
    "carnelian.resp.blocks",
    "carnelian.resp.inline",
    "carnelian.datatypes.algorithms.doubles",
    "carnelian.datatypes.algorithms.decimals",
    "carnelian.resp.numbers",
    "carnelian.resp.output",
    "carnelian.resp.parser",
    "carnelian.resp.rows",
    "carnelian.resp.writer",
    "carnelian.datatypes.algorithms.bit_arrays",
    "carnelian.datatypes.arrays.array",
    "carnelian.datatypes.arrays.array_walk",
    "carnelian.datatypes.arrays.slice_index",
    "carnelian.datatypes.arrays.array_slices",
    "carnelian.datatypes.arrays.words",
    "carnelian.datatypes.patterns.regex",
    "carnelian.datatypes.tables.entry",
    "carnelian.datatypes.tables.id_sets",
    "carnelian.datatypes.algorithms.geohash",
    "carnelian.datatypes.algorithms.glob",
    "carnelian.datatypes.algorithms.hyperloglog",
    "carnelian.datatypes.collections.hash",
    "carnelian.datatypes.algorithms.hash_slot",
    "carnelian.datatypes.packs.intset",
    "carnelian.datatypes.base.limits",
    "carnelian.datatypes.collections.list",
    "carnelian.datatypes.packs.listpack",
    "carnelian.datatypes.algorithms.lzf",
    "carnelian.datatypes.tables.member_blocks",
    "carnelian.datatypes.tables.members",
    "carnelian.datatypes.base.memory",
    "carnelian.datatypes.collections.nearby",
    "carnelian.datatypes.collections.by_score",
    "carnelian.datatypes.collections.nodes",
    "carnelian.datatypes.packs.packed",
    "carnelian.datatypes.collections.quicklist",
    "carnelian.datatypes.algorithms.rng",
    "carnelian.datatypes.collections.set",
    "carnelian.datatypes.collections.scored_pack",
    "carnelian.datatypes.base.sink",
    "carnelian.datatypes.base.slabs",
    "carnelian.datatypes.packs.slim",
    "carnelian.datatypes.tables.slot_index",
    "carnelian.datatypes.collections.sorted_set",
    "carnelian.datatypes.streams.ids",
    "carnelian.datatypes.streams.by_id",
    "carnelian.datatypes.streams.node",
    "carnelian.datatypes.streams.group",
    "carnelian.datatypes.streams.producers",
    "carnelian.datatypes.streams.scan",
    "carnelian.datatypes.streams.stream",
    "carnelian.datatypes.base.string",
    "carnelian.datatypes.tables.table",
    "carnelian.datatypes.tables.walk",
    "carnelian.datatypes.base.value",
    "carnelian.datatypes.algorithms.xxh3",
    "carnelian.datatypes.algorithms.xxh3_wide",
    "carnelian.datatypes.algorithms.lcs",
    "carnelian.keyspace.clock",
    "carnelian.keyspace.database",
    "carnelian.keyspace.removal.eviction",
    "carnelian.keyspace.removal.expire_cycle",
    "carnelian.keyspace.removal.field_expiry",
    "carnelian.keyspace.keyspace",
    "carnelian.keyspace.slots",
    "carnelian.keyspace.state",
    "carnelian.keyspace.store",
    "carnelian.keyspace.string_store",
    "carnelian.keyspace.trash",
    "carnelian.net.loop",
    "carnelian.net.transport",
    "carnelian.net.tls_transport",
    "carnelian.engine.parts.admission",
    "carnelian.engine.acl.permissions",
    "carnelian.engine.acl.user_check",
    "carnelian.engine.shared.effects",
    "carnelian.engine.shared.failures",
    "carnelian.engine.catalogue.key_positions",
    "carnelian.engine.parts.memory_limit",
    "carnelian.engine.parts.tracking",
    "carnelian.engine.extensions.conversion",
    "carnelian.engine.ground.stats",
    "carnelian.engine.catalogue.registry",
    "carnelian.engine.shared.client_state",
    "carnelian.engine.shared.core",
    "carnelian.engine.session",
    "carnelian.engine.shared.clients",
    "carnelian.engine.parts.client_limits",
    "carnelian.engine.engine",
    "carnelian.commands.arrays.array_operands",
    "carnelian.commands.arrays.appending",
    "carnelian.commands.arrays.indexing",
    "carnelian.commands.arrays.predicates",
    "carnelian.commands.arrays.range_scans",
    "carnelian.commands.connections.connection_commands",
    "carnelian.commands.hashes.basics",
    "carnelian.commands.hashes.fields",
    "carnelian.commands.hashes.imports",
    "carnelian.commands.hashes.listing",
    "carnelian.commands.hashes.times",
    "carnelian.commands.hashes.combined",
    "carnelian.commands.common.lifetimes",
    "carnelian.commands.common.many",
    "carnelian.commands.sets",
    "carnelian.commands.set_sizes",
    "carnelian.commands.sorting",
    "carnelian.commands.bitmaps.bits",
    "carnelian.commands.bitmaps.bit_operands",
    "carnelian.commands.bitmaps.bitfields",
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
    "carnelian.commands.lists.waiting",
    "carnelian.commands.lists.batches",
    "carnelian.commands.sorted_sets.bounds",
    "carnelian.commands.sorted_sets.adding",
    "carnelian.commands.sorted_sets.lookups",
    "carnelian.commands.sorted_sets.ranges",
    "carnelian.commands.sorted_sets.popping",
    "carnelian.commands.sorted_sets.combining",
    "carnelian.commands.geo",
    "carnelian.commands.streams.stream_operands",
    "carnelian.commands.streams.idempotency",
    "carnelian.commands.streams.entries",
    "carnelian.commands.streams.id_ranges",
    "carnelian.commands.streams.reading",
    "carnelian.commands.streams.groups",
    "carnelian.commands.streams.claims",
    "carnelian.commands.streams.xinfo",
    "carnelian.persistence.bytes.crc64",
    "carnelian.persistence.bytes.byte_sink",
    "carnelian.persistence.bytes.byte_source",
    "carnelian.persistence.bytes.ziplists",
    "carnelian.resp.command_buffer",
    "carnelian.persistence.bytes.command_file",
    "carnelian.persistence.bytes.frozen",
    "carnelian.persistence.forms.form",
    "carnelian.persistence.forms.directory",
    "carnelian.persistence.forms.packs",
    "carnelian.persistence.forms.string_forms",
    "carnelian.persistence.forms.lists",
    "carnelian.persistence.forms.set_forms",
    "carnelian.persistence.forms.array_forms",
    "carnelian.persistence.forms.hashes",
    "carnelian.persistence.forms.sorted_sets",
    "carnelian.persistence.forms.streams",
    "carnelian.persistence.forms.module_types",
    "carnelian.persistence.rdb.records",
    "carnelian.persistence.rdb.payloads",
    "carnelian.persistence.rdb.file_reader",
    "carnelian.persistence.rdb.file_writer",
    "carnelian.persistence.saving.transfer",
    "carnelian.persistence.aof.syncing",
    "carnelian.persistence.aof.append_log",
    "carnelian.persistence.rdb.rewriting",
    "carnelian.persistence.background.freezing",
    "carnelian.persistence.rdb.outputs",
    "carnelian.persistence.aof.replay",
    "carnelian.scripting.lua",
    "carnelian.scripting.spare_memory",
    "carnelian.scripting.lua_memory",
    "carnelian.scripting.chunks",
    "carnelian.scripting.libraries.text_buffer",
    "carnelian.scripting.libraries.bit_library",
    "carnelian.scripting.libraries.struct_library",
    "carnelian.scripting.libraries.cmsgpack",
    "carnelian.scripting.libraries.cjson",
    "carnelian.scripting.libraries.cjson_settings",
    "carnelian.scripting.sandbox.os_library",
    "carnelian.scripting.sandbox.proxies",
    "carnelian.scripting.sandbox.lua_functions",
    "carnelian.scripting.sandbox.lua_patterns",
    "carnelian.scripting.sandbox.lua_globals",
    "carnelian.scripting.sandbox.lua_xpcall",
    "carnelian.scripting.api.script_host",
    "carnelian.scripting.api.reply_pushing",
    "carnelian.scripting.api.redis_calls",
    "carnelian.scripting.api.redis_answers",
    "carnelian.scripting.api.registering",
    "carnelian.scripting.api.coroutines",
    "carnelian.scripting.api.redis_table",
    "carnelian.scripting.results",
    "carnelian.scripting.lua_runtime",
    "carnelian.scripting.eval_scripts",
    "carnelian.scripting.function_libraries",
    "carnelian.scripting.long_runs",
    "carnelian.scripting.scripting_core",
    "carnelian.scripting.debugger.lua_values",
    "carnelian.scripting.debugger.script_inspection",
    "carnelian.scripting.debugger.debugging",
    "carnelian.scripting.debugger.debug_sessions",
    "carnelian.commands.scripting.eval_commands",
    "carnelian.replication.history",
    "carnelian.cluster.known.slot_bitmap",
    "carnelian.cluster.serving.nodes_store",
    "carnelian.cluster.moving.slot_stream",
    "carnelian.cluster.moving.slot_writing",
    "carnelian.replication.change_stream",
    "carnelian.replication.replication_core",
    "carnelian.replication.primary.replica_feed",
    "carnelian.replication.replica_side.primary_session",
    "carnelian.replication.replica_side.role_checks",
    "carnelian.cluster.serving.slot_check",
    "carnelian.embedded.redis_py.shapes",
    "carnelian.embedded.mailbox",
    "carnelian.embedded.host",
    "carnelian.embedded.local_engine",
    "carnelian.embedded.redis_py.shortcut",
    "carnelian.server.connection",
    "carnelian.server.client_cron",
    "carnelian.server.system.crash",
)

# Compiled as they stand: they mean what they would mean interpreted. No interrupt comes between two
# lines of compiled code, so that what these change is changed wholly; and those of the cluster, of
# which thousands of slots that move ask much, take less time.
WHOLE = (
    "carnelian.resp.replies",
    "carnelian.engine.acl.denial_log",
    "carnelian.engine.acl.users",
    "carnelian.engine.shared.begun",
    "carnelian.engine.parts.blocking",
    "carnelian.engine.parts.changes",
    "carnelian.engine.config.directive",
    "carnelian.resp.quoting",
    "carnelian.engine.config.settings",
    "carnelian.engine.config.assigned",
    "carnelian.engine.ground.latency",
    "carnelian.engine.extensions.modules",
    "carnelian.engine.parts.monitors",
    "carnelian.engine.extensions.nested",
    "carnelian.engine.parts.pause",
    "carnelian.engine.parts.subscriptions",
    "carnelian.engine.shared.sessions",
    "carnelian.engine.parts.following",
    "carnelian.engine.ground.slowlog",
    "carnelian.engine.ground.threads",
    "carnelian.engine.parts.transactions",
    "carnelian.commands.connections.acl_commands",
    "carnelian.commands.connections.client_commands",
    "carnelian.commands.administration.configuration",
    "carnelian.commands.administration.debug",
    "carnelian.commands.keys.databases",
    "carnelian.commands.keys.indexes",
    "carnelian.commands.administration.latency_commands",
    "carnelian.commands.administration.memory_commands",
    "carnelian.commands.administration.module_commands",
    "carnelian.commands.administration.monitoring",
    "carnelian.commands.common.operands",
    "carnelian.commands.connections.pubsub_commands",
    "carnelian.commands.common.returning",
    "carnelian.commands.administration.server_commands",
    "carnelian.commands.connections.tracking_commands",
    "carnelian.commands.connections.transaction_commands",
    "carnelian.commands.scripting.function_commands",
    "carnelian.commands.scripting.script_commands",
    "carnelian.persistence.aof.append_only",
    "carnelian.persistence.background.jobs",
    "carnelian.persistence.background.base_files",
    "carnelian.persistence.background.children",
    "carnelian.persistence.rdb.files",
    "carnelian.persistence.rdb.loading",
    "carnelian.persistence.rdb.step_loading",
    "carnelian.persistence.saving.lock",
    "carnelian.persistence.aof.log_files",
    "carnelian.persistence.saving.migration",
    "carnelian.persistence.aof.manifest",
    "carnelian.persistence.saving.overhearing",
    "carnelian.persistence.saving.ownership",
    "carnelian.persistence.bytes.paths",
    "carnelian.persistence.aof.append_commands",
    "carnelian.persistence.aof.renewal",
    "carnelian.persistence.saving.save_commands",
    "carnelian.persistence.background.slicing",
    "carnelian.persistence.saving.snapshots",
    "carnelian.persistence.bytes.spool",
    "carnelian.persistence.bytes.targets",
    "carnelian.replication.replica_side.snapshot_receiving",
    "carnelian.replication.replica_side.primary_link",
    "carnelian.replication.replica_side.roles",
    "carnelian.replication.replica_side.replicaof_commands",
    "carnelian.embedded.doorbell",
    "carnelian.embedded.log_records",
    "carnelian.embedded.timer",
    "carnelian.embedded.primary_thread",
    "carnelian.embedded.storage",
    "carnelian.replication.primary.confirming",
    "carnelian.replication.primary.copying",
    "carnelian.replication.primary.failover",
    "carnelian.replication.primary.file_source",
    "carnelian.replication.primary.link_commands",
    "carnelian.replication.primary.primary_side",
    "carnelian.replication.primary.replica_commands",
    "carnelian.replication.primary.replicas",
    "carnelian.replication.primary.socket_copies",
    "carnelian.replication.primary.write_checks",
    "carnelian.replication.restoring",
    "carnelian.cluster.bus.bus_codec",
    "carnelian.cluster.bus.bus_link",
    "carnelian.cluster.bus.ping_extensions",
    "carnelian.cluster.carrying.trimming",
    "carnelian.cluster.cluster_member",
    "carnelian.cluster.failover.bus_receiver",
    "carnelian.cluster.gossip.cluster_health",
    "carnelian.cluster.gossip.gossip_sections",
    "carnelian.cluster.gossip.messenger",
    "carnelian.cluster.gossip.ping_receiver",
    "carnelian.cluster.gossip.slot_claims",
    "carnelian.cluster.known.cluster_node",
    "carnelian.cluster.known.cluster_view",
    "carnelian.cluster.known.node_lines",
    "carnelian.cluster.known.nodes_file",
    "carnelian.cluster.member.membership",
    "carnelian.cluster.moving.migration_task",
    "carnelian.cluster.operating.slot_operations",
    "carnelian.cluster.serving.cluster_changes",
    "carnelian.cluster.serving.cluster_commands",
    "carnelian.cluster.serving.cluster_service",
    "carnelian.cluster.serving.engine_surroundings",
    "carnelian.net.runtime",
    "carnelian.persistence.saving.migration_targets",
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


# Cython has a method with optional arguments take the place of one with the same arguments without
# a cast, which clang and GCC 14 take for an error.
SAME_SHAPE = "-Wno-error=incompatible-pointer-types"
# Deprecated is the hash field of bytes objects, which has to be cleared when one is filled again.
NO_DEPRECATED = "-Wno-deprecated-declarations"
COMPILE_ARGS = ["-O2", "-g0", "-Wno-sign-compare", NO_DEPRECATED, SAME_SHAPE]
WHOLE_ARGS = ["-O1", "-g0", NO_DEPRECATED, SAME_SHAPE]
# Each mapping of a file is copied by a fork: two for each of hundreds of modules instead of five
# halve its time, during which nobody is served.
LINK_ARGS = ["-Wl,-z,noseparate-code", "-Wl,-z,norelro"] if sys.platform == "linux" else []

# Where there is no terminal, one line in so many seconds says how far the build is.
REPORT_EVERY = 5


class Build(build_ext):
    """Compiles what has changed, each module in a process: Cython holds the GIL."""

    def build_extensions(self) -> None:
        """Build all that is not up to date, as many at a time as there are processors."""
        self.check_extensions_list(self.extensions)
        # Some Pythons have their own directory looked into for libraries, wherever it is then.
        words = self.compiler.linker_so
        self.compiler.linker_so = [word for word in words if not word.startswith("-Wl,-rpath")]
        waiting = [each for each in self.extensions if self.is_outdated(each)]
        if not waiting:
            return
        # The largest begin, so that no processor is left with one of them at the end.
        waiting.sort(key=lambda each: os.path.getsize(each.sources[0]))
        # An installation in development mode asks without a number.
        most = self.parallel or processors()
        progress = Progress(len(waiting), most)
        if self.verbose < 2:
            # The commands of the compiler would hide how far it is.
            self.verbose = 0
            logging.disable(logging.INFO)
        if len(waiting) > 2 * most:
            # What Cython loads and prepares for the first is there for all that are forked then.
            self.build(waiting.pop(0))
            progress.done += 1
        running: dict[int, tuple] = {}
        try:
            while waiting or running:
                while waiting and len(running) < most:
                    process = self.start(each := waiting.pop())
                    running[process.sentinel] = process, each.name
                for sentinel in wait(running, timeout=1):
                    process, _ = running.pop(sentinel)
                    process.join()
                    if process.exitcode:
                        sys.exit(1)
                    progress.done += 1
                progress.report([name for _, name in running.values()])
        finally:
            for process, _ in running.values():
                process.terminate()
            logging.disable(logging.NOTSET)
        progress.end()

    def start(self, each: Extension) -> multiprocessing.Process:
        """A process that builds one module."""
        process = multiprocessing.get_context("fork").Process(target=self.build, args=(each,))
        process.start()
        return process

    def build(self, each: Extension) -> None:
        """Build one module, or end this process: what is wrong with it is printed."""
        from Cython.Compiler.Errors import CompileError as TranslationError

        gc.disable()  # There is little garbage, and it takes a sixth of the time to look for it.
        try:
            self.build_extension(each)
        except (TranslationError, CompileError, LinkError):
            sys.exit(f"{each.name} could not be compiled, see above")

    def is_outdated(self, each: Extension) -> bool:
        """Whether its source, or a header that it uses, is newer than what is built of it."""
        from Cython.Build.Dependencies import create_dependency_tree

        built = self.get_ext_fullpath(each.name)
        if self.force or not os.path.exists(built):
            return True
        newest, _ = create_dependency_tree(quiet=True).newest_dependency(each.sources[0])
        return os.path.getmtime(built) < newest


class Progress:
    """Says how far the build is: on one line of a terminal, or with a line every few seconds."""

    def __init__(self, total: int, processes: int):
        self.total = total
        self.done = 0
        self.begun = self.reported = time.monotonic()
        self.terminal = sys.stdout.isatty()
        hint = f", {processes} at a time: this takes minutes" if total > 50 else ""
        print(f"Compiling {total} module{'s' * (total > 1)}{hint}", flush=True)

    def report(self, running: list[str]) -> None:
        """Tell what is done and what is being done, if it is time to."""
        now = time.monotonic()
        if self.terminal:
            names = ", ".join(name.removeprefix("carnelian.") for name in running)
            print(f"\r{self.done:5} of {self.total}  {names:.60}\x1b[K", end="", flush=True)
        elif now - self.reported >= REPORT_EVERY:
            self.reported = now
            print(f"{self.done:5} of {self.total} after {now - self.begun:.0f} s", flush=True)

    def end(self) -> None:
        """Tell how long it took."""
        clear = "\r\x1b[K" if self.terminal else ""
        print(f"{clear}Compiled in {time.monotonic() - self.begun:.0f} s", flush=True)


def extension(name: str) -> Extension:
    """The extension of one module: its body is the .py file of that name."""
    source = os.path.join("src", *name.split(".")) + ".py"
    if name not in WHOLE:
        return Extension(name, [source], extra_compile_args=COMPILE_ARGS, extra_link_args=LINK_ARGS)
    whole = Extension(name, [source], extra_compile_args=WHOLE_ARGS, extra_link_args=LINK_ARGS)
    whole.cython_directives = AS_INTERPRETED
    return whole


def extensions() -> list[Extension]:
    """All of them; none where the environment says that they are built by themselves."""
    if os.environ.get("CARNELIAN_WITHOUT_EXTENSIONS"):
        return []
    choose_compiler()
    header = os.path.join(sysconfig.get_path("include"), "Python.h")
    if not os.path.exists(header):
        sys.exit(
            f"Carnelian is compiled when it is installed, and {header} is missing: install the "
            "headers of this Python (Debian: apt install python3-dev; Fedora: python3-devel)"
        )
    return [extension(name) for name in COMPILED + WHOLE]


def choose_compiler() -> None:
    """Use $CC, else the compiler that this Python was built with, else any that is there."""
    if "CC" in os.environ:
        return
    usual = (sysconfig.get_config_var("CC") or "cc").split()[0]
    found = next(filter(shutil.which, (usual, "cc", "gcc", "clang")), None)
    if found is None:
        sys.exit(
            "Carnelian is compiled when it is installed, and there is no C compiler: install gcc "
            "or clang (Debian: apt install gcc python3-dev), or say in CC which one to use"
        )
    if found != usual:
        os.environ["CC"] = found


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


setup(
    ext_modules=extensions(),
    cmdclass={"build_ext": Build},
    options={
        "build_ext": {
            "cython_c_in_temp": True,
            "cython_directives": DIRECTIVES,
            "parallel": processors(),
        }
    },
)
