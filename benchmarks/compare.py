"""Throughput, latency and server CPU per request, ours against redis-server.

Both servers run side by side; redis-benchmark takes them in turns, in pairs of alternating order,
so that the noise of the machine hits both, and every round of pairs has new servers. What counts
is the median of the pairs' ratios; the quartiles beside it say how far it can be trusted.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness import report, servers
from harness.client import encode, pipelines_of, send_pipelines
from harness.encryption import make_certificate
from harness.generator import Case, Generator, Run
from harness.servers import OURS, PEER, Server
from harness.workloads import SCRIPTS, TYPES, WORKLOADS

# Tests, sizes of values and lengths of pipelines.
SETS = {
    "core": ("PING_INLINE,PING_MBULK,SET,GET,INCR,MSET", "3,64", "1,16,100"),
    "types": (TYPES, "3", "1,16"),
    "scripts": (SCRIPTS, "3", "1,16"),
}
# Tests whose requests or replies carry a value, so that its size matters.
_WITH_VALUE = {"SET", "GET", "MSET", "LPUSH", "RPUSH", "LPOP", "RPOP", "HSET", "XADD"}
_PERCENTILES = ("p50", "p99", "p99.9")


@dataclass
class Outcome:
    """All runs of a case, pairwise."""

    case: Case
    requests: int = 0
    ours: list[Run] = field(default_factory=list)
    peer: list[Run] = field(default_factory=list)

    @property
    def command_name(self) -> str | None:
        """The command that is sent, where it is known and not one of every server."""
        if self.case.command:
            return self.case.command[0]
        return WORKLOADS[self.case.test].name if self.case.test in WORKLOADS else None

    def ratios(self, figure: str) -> list[float]:
        pairs = zip(self.ours, self.peer, strict=True)
        return [getattr(a, figure) / getattr(b, figure) for a, b in pairs]

    def ratio(self, figure: str) -> float:
        return statistics.median(self.ratios(figure))

    def latency_ratio(self, percentile: str) -> float:
        pairs = zip(self.ours, self.peer, strict=True)
        return statistics.median(a.latency[percentile] / b.latency[percentile] for a, b in pairs)


def main() -> None:
    options = _parser().parse_args()
    pin = options.pin and (os.cpu_count() or 1) > 1
    certificate = options.tls and make_certificate(Path(options.tls))
    generator = Generator(options.clients, options.keyspace, 1 if pin else None, certificate)
    outcomes = [Outcome(case) for case in _cases(options)]
    titles: dict[str, str] = {}
    for number in range(options.pairs):
        # New servers for every round: where in memory a process happens to lie can make it
        # faster or slower by several per cent for as long as it lives.
        with ExitStack() as stack:
            running = {
                name: stack.enter_context(
                    Server(name, command, cpu=0 if pin else None, certificate=certificate)
                )
                for name, command in servers.commands(options).items()
            }
            if not titles:
                titles = {name: servers.version(server) for name, server in running.items()}
                print(f"{titles[OURS]} against {titles[PEER]}, {options.pairs} pairs per case")
                outcomes = list(_possible(outcomes, running))
            print(f"\nround {number + 1}")
            _round(number, outcomes, running, generator, options.seconds)
    print("\n" + _table(outcomes))
    figures = {"servers": titles, "pairs": options.pairs, "cases": [asdict(o) for o in outcomes]}
    path = report.save("compare", figures)
    print(f"\n{path}")
    _draw(outcomes, path.with_suffix(".png"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    servers.add_server_options(parser)
    add = parser.add_argument
    add("--pairs", type=int, default=5, help="interleaved pairs of runs per case (5)")
    add("--seconds", type=float, default=1.5, help="length of one run (1.5)")
    add("--clients", type=int, default=50, help="connections (50)")
    add("-r", "--keyspace", type=int, default=100_000, help="number of random keys (100000)")
    add(
        "--set",
        choices=SETS,
        default="core",
        help="core, types for all data types, or scripts (core)",
    )
    add("--sizes", help="sizes of values in bytes (core: 3,64; others: 3)")
    add("--pipelines", help="requests per pipeline (core: 1,16,100; others: 1,16)")
    add("-t", "--tests", help="tests of redis-benchmark, or of the set, instead of all of the set")
    add("--command", action="append", default=[], metavar="LINE",
        help="a command to run instead of the tests, such as 'GETEX key:__rand_int__ EX 60'; "
        "repeatable")  # fmt: skip
    add("--tls", metavar="FOLDER", help="encrypted, with a certificate made in this folder")
    add("--pin", action="store_true", help="servers on CPU 0, redis-benchmark on CPU 1")
    return parser


def _cases(options: argparse.Namespace) -> Iterator[Case]:
    """All cases, those of one value size together, as the keys are filled anew for each size."""
    tests, usual_sizes, usual_pipelines = SETS[options.set]
    tests = (options.tests or tests).upper()
    pipelines = [int(number) for number in (options.pipelines or usual_pipelines).split(",")]
    sizes = [int(number) for number in (options.sizes or usual_sizes).split(",")]
    for size in sizes:
        for pipeline in pipelines:
            if options.command:
                for line in options.command:
                    command = tuple(shlex.split(line))
                    yield Case(" ".join(command), size, pipeline, command)
                continue
            for test in tests.split(","):
                if test in _WITH_VALUE or size == sizes[0]:
                    yield Case(test, size, pipeline)


def _possible(outcomes: list[Outcome], running: dict[str, Server]) -> Iterator[Outcome]:
    """Those whose command both servers know; says of others that they are left out."""
    told: set[str] = set()
    for outcome in outcomes:
        name = outcome.command_name
        lacking = [server for server in running.values() if name and not server.knows(name)]
        if not lacking:
            yield outcome
        elif name not in told:
            print(f"{outcome.case.test} is left out: no {name} in {lacking[0].name}")
            told.add(name or "")


def _round(
    number: int,
    outcomes: list[Outcome],
    running: dict[str, Server],
    generator: Generator,
    seconds: float,
) -> None:
    """One pair of runs of every case; the order within a pair changes from pair to pair."""
    populated = None
    for place, outcome in enumerate(outcomes):
        case = outcome.case
        if populated != case.size:
            for server in running.values():
                _populate(server, generator.keyspace, case.size)
            populated = case.size
        if not outcome.requests:
            outcome.requests = generator.requests_for(case, list(running.values()), seconds)
        order = (OURS, PEER) if (number + place) % 2 == 0 else (PEER, OURS)
        runs = {name: generator.run(case, running[name], outcome.requests) for name in order}
        outcome.ours.append(runs[OURS])
        outcome.peer.append(runs[PEER])
        print(_progress(outcome), flush=True)


def _populate(server: Server, keyspace: int, size: int) -> None:
    """Gives every key that redis-benchmark draws from a value of the right size."""
    with server.client() as client:
        client("FLUSHALL")
    value = b"x" * size

    def request(number: int) -> bytes:
        return encode("SET", b"key:%012d" % number, value)

    send_pipelines(server.port, pipelines_of(0, keyspace, request))


def _progress(outcome: Outcome) -> str:
    case, ours, peer = outcome.case, outcome.ours[-1], outcome.peer[-1]
    return (
        f"{case.test} {case.size} B -P {case.pipeline}: throughput x "
        f"{ours.requests_per_second / peer.requests_per_second:.2f}, CPU x "
        f"{ours.cpu_us / peer.cpu_us:.2f}"
    )


def _table(outcomes: list[Outcome]) -> str:
    header = ["test", "bytes", "-P", "ours k/s", "peer k/s", "ratio", "quartiles"]
    header += ["ours us", "peer us", "CPU ratio", "quartiles", "busy"]
    header += [*_PERCENTILES, *(f"{name} ratio" for name in _PERCENTILES)]
    return report.table(header, map(_row, outcomes)) + (
        "\n\nus: CPU time of the server per request. busy: share of one CPU that ours used; well "
        "below 100 %, redis-benchmark is the bottleneck.\np50, p99, p99.9: latency of ours in ms. "
        "Ratios are ours / peer, medians over the pairs."
    )


def _row(outcome: Outcome) -> list[str]:
    case, ours, peer = outcome.case, outcome.ours, outcome.peer
    row = [case.test, str(case.size), str(case.pipeline)]
    row += [f"{_median(runs, 'requests_per_second') / 1e3:.1f}" for runs in (ours, peer)]
    row += [
        f"{outcome.ratio('requests_per_second'):.2f}",
        report.quartiles(outcome.ratios("requests_per_second")),
    ]
    row += [f"{_median(runs, 'cpu_us'):.2f}" for runs in (ours, peer)]
    row += [f"{outcome.ratio('cpu_us'):.2f}", report.quartiles(outcome.ratios("cpu_us"))]
    row.append(f"{_median(ours, 'busy'):.0%}")
    row += [f"{statistics.median(run.latency[p] for run in ours):.2f}" for p in _PERCENTILES]
    row += [f"{outcome.latency_ratio(p):.2f}" for p in _PERCENTILES]
    return row


def _median(runs: list[Run], figure: str) -> float:
    return statistics.median(getattr(run, figure) for run in runs)


def _draw(outcomes: list[Outcome], path: Path) -> None:
    """A chart of the ratios, where matplotlib is installed."""
    try:
        import matplotlib
    except ImportError:
        print("no chart: matplotlib is not installed")
        return
    matplotlib.use("Agg")
    from matplotlib import pyplot

    labels = [f"{o.case.test} {o.case.size} B -P {o.case.pipeline}" for o in outcomes]
    places = range(len(outcomes))
    figure, axes = pyplot.subplots(figsize=(9, 1.5 + 0.42 * len(outcomes)))
    series = {
        "throughput (more is better)": [o.ratio("requests_per_second") for o in outcomes],
        "server CPU per request (less is better)": [o.ratio("cpu_us") for o in outcomes],
    }
    for number, (label, values) in enumerate(series.items()):
        offsets = [place + 0.4 * number - 0.2 for place in places]
        bars = axes.barh(offsets, values, height=0.38, label=label)
        axes.bar_label(bars, fmt="%.2f", padding=2, fontsize=7)
    axes.axvline(1.0, color="black", linewidth=0.8)
    axes.set_yticks(list(places), labels, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel("ours / redis-server")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    figure.savefig(path, dpi=130, bbox_inches="tight")
    print(path)


if __name__ == "__main__":
    main()
