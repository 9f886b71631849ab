"""Units, containers and compositions name programs, files and directives that there are."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from carnelian.engine.config import Config, parse_arguments
from server.peers import Client, ServerProcess
from support.compiled import ROOT
from support.servers import require
from support.waiting import free_port, wait_for

DEPLOY = ROOT / "deploy"
UNITS = sorted(DEPLOY.glob("systemd/*.service"))
COMPOSITIONS = sorted(DEPLOY.glob("compose/*.yaml"))
ENTRYPOINT = DEPLOY / "docker" / "carnelian-entrypoint"
HEALTHCHECK = DEPLOY / "docker" / "carnelian-healthcheck"

PROGRAMS = {
    each.name
    for each in importlib.metadata.distribution("carnelian").entry_points
    if each.group == "console_scripts"
}


def configuration(words: list[str]) -> Config:
    """What a command line of carnelian-server says; fails for what it does not know."""
    config = Config()
    config.load_arguments(parse_arguments(words), b"")
    return config


# -- systemd ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_nothing_wrong(unit: Path, tmp_path: Path) -> None:
    require("systemd-analyze", "systemd")
    program = shutil.which("true")
    text = re.sub(r"/opt/carnelian/bin/[\w-]+", str(program), unit.read_text())
    (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if unit.name in line]
    assert (done.returncode, ours) == (0, [])


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_take_rights_away(unit: Path) -> None:
    require("systemd-analyze", "systemd")
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", str(unit)],
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", told)
    assert exposure and float(exposure[1]) <= 2.0


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_start_what_there_is(unit: Path) -> None:
    [line] = re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    program, *words = shlex.split(line)
    assert Path(program).name in PROGRAMS
    assert Path(program).name == unit.stem
    if unit.stem != "carnelian-fleet":
        assert words[0].startswith("/etc/carnelian/")
        config = configuration(words[1:])
        assert (config["supervised"], config["daemonize"]) == ("systemd", False)


def test_systemd_hears_when_the_data_is_loaded(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(10)
        server = ServerProcess(
            tmp_path,
            "--supervised",
            "systemd",
            environment={"NOTIFY_SOCKET": str(tmp_path / "notify")},
        )
        try:
            heard = systemd.recv(200)
            while b"READY=1" not in heard:
                heard = systemd.recv(200)
            client = server.connect()
            assert client.call("PING") == b"+PONG"
        finally:
            assert server.stop() == 0
        assert systemd.recv(200) == b"STOPPING=1\n"


# -- A container -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ([], "carnelian-server /etc/carnelian/carnelian.conf"),
        (["--port", "7000"], "carnelian-server /etc/carnelian/carnelian.conf --port 7000"),
        (["my.conf", "--port", "7000"], "carnelian-server my.conf --port 7000"),
        (["carnelian-sentinel", "s.conf"], "carnelian-sentinel s.conf"),
        (["sh", "-c", "true"], "sh -c true"),
    ],
)
def test_what_a_container_runs(words: list[str], command: str, tmp_path: Path) -> None:
    for name in ("carnelian-server", "carnelian-sentinel", "sh"):
        (tmp_path / name).write_text('#!/bin/sh\necho "${0##*/}" "$@"\n')
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(ENTRYPOINT), *words],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert (done.stdout, done.stderr) == (f"{command}\n", "")


def healthy(port: int) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(HEALTHCHECK), str(port)], capture_output=True, text=True, timeout=10
    )
    return done.returncode, done.stderr.strip()


def test_a_container_says_whether_it_is_well(tmp_path: Path) -> None:
    server = ServerProcess(tmp_path, "--save", "").wait_until_ready()
    try:
        assert healthy(server.port) == (0, "")
        server.connect().call("CONFIG", "SET", "requirepass", "secret")
        assert healthy(server.port) == (0, "")
    finally:
        server.stop()
    status, reason = healthy(server.port)
    assert status == 1
    assert reason.startswith(f"port {server.port}: ")


def test_a_container_that_loads_is_not_well_yet() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = [sys.executable, str(HEALTHCHECK), str(port)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as check:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"-LOADING Redis is loading the dataset in memory\r\n")
                _, reason = check.communicate(timeout=10)
    assert reason == f"port {port}: -LOADING Redis is loading the dataset in memory\n"
    assert check.returncode == 1


def test_the_image_is_made_of_what_there_is(tmp_path: Path) -> None:
    """Of what is sent to be built; the index of Python packages has the rest."""
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    sent = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    wanted = [line.removeprefix("!") for line in sent if line.startswith("!")]
    for name in wanted:
        assert (ROOT / name).exists(), name
    for name in re.findall(r"(deploy/docker/[\w.-]+) ", text):
        assert (ROOT / name).exists(), name
    assert re.search(r"^USER 999:999$", text, re.MULTILINE)
    assert "VOLUME /data" in text
    own = (DEPLOY / "docker" / "carnelian.conf").read_text()
    (tmp_path / "own.conf").write_text(own.replace("dir /data", f"dir {tmp_path}"))
    config = configuration([str(tmp_path / "own.conf")])
    assert (config["protected-mode"], config["bind"]) == (False, ("*", "-::*"))
    assert config["dir"] == str(tmp_path)


# -- Compositions ----------------------------------------------------------------------------------


def services(path: Path) -> dict[str, dict[str, Any]]:
    """The services of a composition, as they are with what they take over."""
    return yaml.safe_load(path.read_text())["services"]


def commands(path: Path) -> Iterator[list[str]]:
    """What the containers of our image are told to run."""
    for service in services(path).values():
        if service["image"] == "carnelian":
            yield service["command"]


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.name)
def test_compositions_hang_together(path: Path) -> None:
    composition = yaml.safe_load(path.read_text())
    there = composition["services"]
    for service in there.values():
        assert set(service.get("depends_on", ())) <= set(there)
        for volume in service.get("volumes", ()):
            name, _, place = volume.partition(":")
            assert name in composition["volumes"]
            assert place == "/data"
        for network in service.get("networks", ()):
            assert network in composition["networks"]
        for config in service.get("configs", ()):
            assert config["source"] in composition["configs"]
        if "build" in service:
            context = path.parent / service["build"]["context"]
            assert (context / service["build"]["dockerfile"]).exists()
    used = {v.partition(":")[0] for s in there.values() for v in s.get("volumes", ())}
    assert used == set(composition["volumes"])


@pytest.mark.parametrize("path", COMPOSITIONS, ids=lambda path: path.name)
def test_compositions_give_options_that_there_are(path: Path) -> None:
    given = list(commands(path))
    assert given
    for words in given:
        if words[0] != "sh":
            configuration(words)
            continue
        subprocess.run(["sh", "-n", "-c", words[2]], check=True)
        assert re.findall(r"exec ([\w-]+)", words[2])[0] in PROGRAMS


def test_the_nodes_of_the_cluster_are_those_that_are_joined() -> None:
    there = services(DEPLOY / "compose" / "cluster.yaml")
    nodes = [each for name, each in there.items() if name.startswith("node-")]
    addresses = [each["networks"]["cluster"]["ipv4_address"] for each in nodes]
    script = there["create"]["command"][2]
    assert re.findall(r"([\d.]+):6379", script) == addresses
    assert len(set(addresses)) == 6
    assert set(there["create"]["depends_on"]) == {n for n in there if n.startswith("node-")}
    subprocess.run(["sh", "-n", "-c", script], check=True)


@contextmanager
def sentinel(directory: Path, text: str, command: str) -> Iterator[Client]:
    """A Sentinel as the composition starts it, with its file where that is looked for."""
    (directory / "given.conf").write_text(text)
    script = command.replace("$$", "$").replace("/etc/carnelian/sentinel.conf", "given.conf")
    script = script.replace("carnelian-sentinel", "python -m carnelian.tools.serve_sentinel")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            ["sh", "-c", script],
            cwd=directory,
            env={**os.environ, "HOSTNAME": "localhost", "PATH": path},
            stdout=log,
            stderr=log,
        )
    port = int(re.findall(r"^port (\d+)$", text, re.MULTILINE)[0])
    try:
        wait_for(lambda: _listens(port))
        client = Client(("127.0.0.1", port))
        yield client
        client.close()
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_sentinels_of_the_composition_watch(tmp_path: Path) -> None:
    path = DEPLOY / "compose" / "sentinel.yaml"
    there = services(path)
    text = yaml.safe_load(path.read_text())["configs"]["sentinel"]["content"]
    for name in ("primary", "replica", "sentinel"):
        (tmp_path / name).mkdir()
    primary_words = [w.replace("primary", "localhost") for w in there["primary"]["command"]]
    primary = ServerProcess(tmp_path / "primary", *primary_words).wait_until_ready()
    words = " ".join(there["replica"]["command"])
    words = words.replace("primary 6379", f"localhost {primary.port}")
    words = words.replace("announce-ip replica", "announce-ip localhost")
    replica = ServerProcess(tmp_path / "replica", *words.split()).wait_until_ready()
    text = text.replace("port 26379", f"port {free_port()}")
    text = text.replace("main primary 6379", f"main localhost {primary.port}")
    try:
        with sentinel(tmp_path / "sentinel", text, there["sentinel-1"]["command"][2]) as client:
            address = client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")
            assert address == [b"localhost", str(primary.port).encode()]
            [seen] = wait_for(lambda: client.call("SENTINEL", "REPLICAS", "main"))
            assert seen[:2] == [b"name", f"localhost:{replica.port}".encode()]
        kept = (tmp_path / "sentinel" / "sentinel.conf").read_text()
        assert re.search(r'^sentinel announce-ip "?localhost"?$', kept, re.MULTILINE)
    finally:
        assert replica.stop() == 0
        assert primary.stop() == 0


# -- Workflows -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(ROOT.glob(".github/**/*.yml")), ids=lambda path: path.name)
def test_workflows_can_be_read(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for job in workflow.get("jobs", {}).values():
        needs = job.get("needs", [])
        assert set([needs] if isinstance(needs, str) else needs) <= set(workflow["jobs"])
        runs = [step["run"] for step in job["steps"] if "run" in step]
        for target in re.findall(r"\bmake ([a-z-]+)", "\n".join(runs)):
            assert target in targets
