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
    "carnelian.datatypes.doubles",
    "carnelian.datatypes.decimals",
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
    "carnelian.datatypes.slim",
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
    "carnelian.net.loop",
    "carnelian.net.transport",
    "carnelian.engine.admission",
    "carnelian.engine.effects",
    "carnelian.engine.keys",
    "carnelian.engine.memory_limit",
    "carnelian.engine.values",
    "carnelian.engine.stats",
    "carnelian.engine.registry",
    "carnelian.engine.client",
    "carnelian.engine.core",
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
    "carnelian.resp.command_buffer",
    "carnelian.persistence.command_file",
    "carnelian.persistence.frozen",
    "carnelian.persistence.forms.form",
    "carnelian.persistence.forms.registry",
    "carnelian.persistence.forms.packs",
    "carnelian.persistence.forms.strings",
    "carnelian.persistence.forms.lists",
    "carnelian.persistence.forms.sets",
    "carnelian.persistence.forms.hashes",
    "carnelian.persistence.forms.sorted_sets",
    "carnelian.persistence.forms.streams",
    "carnelian.persistence.forms.modules",
    "carnelian.persistence.records",
    "carnelian.persistence.payloads",
    "carnelian.persistence.reader",
    "carnelian.persistence.writer",
    "carnelian.persistence.transfer",
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
    "carnelian.server.connection",
    "carnelian.server.clients",
    "carnelian.server.crash",
)

# Compiled for another reason than speed: no interrupt comes between two lines of compiled code, so
# that what these change is changed wholly. They mean what they would mean interpreted.
WHOLE = (
    "carnelian.resp.replies",
    "carnelian.engine.authentication",
    "carnelian.engine.begun",
    "carnelian.engine.blocking",
    "carnelian.engine.changes",
    "carnelian.engine.config.directive",
    "carnelian.engine.config.quoting",
    "carnelian.engine.config.settings",
    "carnelian.engine.config.values",
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
    "carnelian.persistence.overhearing",
    "carnelian.persistence.ownership",
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
COMPILE_ARGS = ["-O2", "-g0", "-Wno-sign-compare", "-Wno-deprecated-declarations"]
WHOLE_ARGS = ["-O1", "-g0"]

# Where there is no terminal, one line in so many seconds says how far the build is.
REPORT_EVERY = 5


class Build(build_ext):
    """Compiles what has changed, each module in a process: Cython holds the GIL."""

    def build_extensions(self) -> None:
        """Build all that is not up to date, as many at a time as there are processors."""
        self.check_extensions_list(self.extensions)
        waiting = [each for each in self.extensions if self.is_outdated(each)]
        if not waiting:
            return
        # The largest begin, so that no processor is left with one of them at the end.
        waiting.sort(key=lambda each: os.path.getsize(each.sources[0]))
        progress = Progress(len(waiting), self.parallel)
        if self.verbose < 2:
            # The commands of the compiler would hide how far it is.
            self.verbose = 0
            logging.disable(logging.INFO)
        if len(waiting) > 2 * self.parallel:
            # What Cython loads and prepares for the first is there for all that are forked then.
            self.build(waiting.pop(0))
            progress.done += 1
        running: dict[int, tuple] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.parallel:
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
        return Extension(name, [source], extra_compile_args=COMPILE_ARGS)
    whole = Extension(name, [source], extra_compile_args=WHOLE_ARGS)
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
