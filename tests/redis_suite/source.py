"""Finds the source of Redis's suite, or fetches it as the distribution's source package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from .expected import VERSION

REPOSITORY = Path(__file__).resolve().parents[2]
# A folder with the unpacked source, if one is there already; and where to keep a fetched one.
SOURCE_VARIABLE = "REDIS_SUITE_SOURCE"
CACHE_VARIABLE = "REDIS_SUITE_CACHE"


class Missing(Exception):
    """Something the suite needs is not on this machine; the message says what to install."""


def cache_folder() -> Path:
    return Path(os.environ.get(CACHE_VARIABLE, REPOSITORY / "build" / "redis-suite"))


def find_or_fetch() -> Path:
    """The unpacked redis source of the expected version; fetched with apt-get where absent."""
    named = os.environ.get(SOURCE_VARIABLE)
    if named:
        return _checked(Path(named))
    cache = cache_folder()
    unpacked = cache / f"redis-{VERSION}"
    if not unpacked.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(cache)
    return _checked(unpacked)


def _checked(folder: Path) -> Path:
    if not (folder / "tests" / "test_helper.tcl").exists():
        raise Missing(f"no source of Redis {VERSION} with its tests in {folder}")
    found = re.search(r'REDIS_VERSION "([^"]+)"', (folder / "src" / "version.h").read_text())
    if found is None or found[1] != VERSION:
        raise Missing(
            f"{folder} holds Redis {found and found[1]}; the expectations are for {VERSION}"
        )
    return folder


def _fetch(cache: Path) -> None:
    for tool, package in (("apt-get", "apt"), ("dpkg-source", "dpkg-dev")):
        if shutil.which(tool) is None:
            raise Missing(
                f"{tool} is missing (Debian package {package}): install it, or unpack the source "
                f"of Redis {VERSION} yourself and name its folder in {SOURCE_VARIABLE}"
            )
    options = _private_apt(cache / "apt")
    for command in (["update"], ["source", "redis"]):
        done = subprocess.run(
            ["apt-get", "-q", *options, *command], cwd=cache, capture_output=True, text=True
        )
        if done.returncode:
            raise Missing(f"apt-get {' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    for leftover in cache.glob("redis_*"):
        leftover.unlink()
    shutil.rmtree(cache / "apt")


def _private_apt(folder: Path) -> list[str]:
    """Options for an apt-get with deb-src entries that leaves the machine's own lists alone."""
    for name in ("lists/partial", "archives/partial", "sources"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    machine = Path("/etc/apt")
    codename = _codename()
    for entry in [machine / "sources.list", *sorted((machine / "sources.list.d").glob("*"))]:
        if not entry.is_file():
            continue
        if entry.suffix == ".sources":
            text = _deb822_sources(entry.read_text(), codename)
        else:
            text = _one_line_sources(entry.read_text(), codename)
        if text:
            (folder / "sources" / f"{entry.stem}{entry.suffix}").write_text(text)
    if not any((folder / "sources").iterdir()):
        raise Missing(f"no apt entry for {codename!r} found in {machine} to derive deb-src from")
    return [
        "-o", "Dir::Etc::SourceList=/dev/null",
        "-o", f"Dir::Etc::SourceParts={folder / 'sources'}",
        "-o", f"Dir::State::Lists={folder / 'lists'}",
        "-o", f"Dir::Cache::Archives={folder / 'archives'}",
        "-o", "Dir::Cache::pkgcache=",
        "-o", "Dir::Cache::srcpkgcache=",
    ]  # fmt: skip


def _codename() -> str:
    release = Path("/etc/os-release")
    text = release.read_text() if release.exists() else ""
    found = re.search(r'^VERSION_CODENAME="?([^"\n]+)', text, re.MULTILINE)
    return found[1] if found else ""


def _deb822_sources(text: str, codename: str) -> str:
    stanzas = [
        re.sub(r"(?m)^Types:.*$", "Types: deb-src", stanza)
        for stanza in re.split(r"\n\s*\n", text.strip())
        if re.search(rf"(?m)^Suites:.*\b{re.escape(codename)}\b", stanza)
        and re.search(r"(?m)^Components:.*\bmain\b", stanza)
    ]
    return "\n\n".join(stanzas) + "\n" if stanzas else ""


def _one_line_sources(text: str, codename: str) -> str:
    lines = {
        re.sub(r"^deb(-src)?\s", "deb-src ", line)
        for line in text.splitlines()
        if re.match(rf"deb(-src)?\s.*\s{re.escape(codename)}\S*\s(.*\s)?main\b", line)
    }
    return "".join(f"{line}\n" for line in sorted(lines))


def find_or_make_certificates(source: Path) -> Path:
    """The folder of certificates that runs with TLS use, made once by the suite's own script."""
    folder = cache_folder() / "tests" / "tls"
    if (folder / "redis.crt").exists():
        return folder
    if shutil.which("openssl") is None:
        raise Missing("openssl is missing (Debian package openssl): it makes the certificates")
    folder.mkdir(parents=True, exist_ok=True)
    # The script would take a minute to find parameters that are no better than well-known ones.
    parameters = [
        *("openssl", "genpkey", "-genparam", "-algorithm", "DH"),
        *("-pkeyopt", "group:ffdhe2048", "-out", str(folder / "redis.dh")),
    ]
    script = ["bash", str(source / "utils" / "gen-test-certs.sh")]
    for command in (parameters, script):
        done = subprocess.run(command, cwd=cache_folder(), capture_output=True, text=True)
        if done.returncode:
            raise Missing(f"certificates cannot be made:\n{done.stderr}")
    return folder
