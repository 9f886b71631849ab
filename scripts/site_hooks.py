"""What is made while the site is built: pages of commands, and pages of files beside ``docs``.

MkDocs calls the functions by their names; see ``hooks`` in ``mkdocs.yml``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from command_pages import family_pages, overview  # noqa: E402

# Files beside docs/ that are pages of the site.
BESIDE = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "SECURITY.md": "security.md",
    "benchmarks/README.md": "benchmarks.md",
}
# Where links to files lead that have no page, but one that takes their place.
INSTEAD = {"README.md": "index.md"}

LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")
CHART = re.compile(r"^!\[([^\]]*)\]\((figures/[\w-]+\.svg)\)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
MADE = re.compile(r"^<!-- Made when the site is built: .* -->$", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of ``docs``."""
    for source, target in BESIDE.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text()))
    families = family_pages()
    for family in families:
        files.append(File.generated(config, family.path, content=family.text))
    there = {file.src_uri for file in files if file.inclusion != InclusionLevel.EXCLUDED}
    assert config.nav is not None
    config.nav = _present(config.nav, there)
    listed = set(_listed(config.nav)) | {family.path for family in families}
    if more := sorted(name for name in there - listed if name.endswith(".md")):
        config.nav.append({"More": more})
    for entry in config.nav:
        if isinstance(entry, dict) and "Commands" in entry:
            pages = [{family.title: family.path} for family in families]
            entry["Commands"] = [entry["Commands"], *pages]
    return files


def _present(nav: list[Any], there: set[str]) -> list[Any]:
    """The entries of the navigation whose pages are there."""
    kept: list[Any] = []
    for entry in nav:
        if isinstance(entry, str):
            kept += [entry] if entry in there else []
            continue
        [(title, target)] = entry.items()
        if isinstance(target, list):
            target = _present(target, there)
            kept += [{title: target}] if target else []
        elif target in there:
            kept.append(entry)
    return kept


def _listed(nav: list[Any]) -> Iterator[str]:
    """The pages that a navigation names."""
    for entry in nav:
        target = entry if isinstance(entry, str) else next(iter(entry.values()))
        if isinstance(target, list):
            yield from _listed(target)
        else:
            yield target


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links to where things are on the site, and put in what is made."""
    source = _source_of(page.file.src_uri)
    if page.file.src_uri == "commands.md":
        markdown = MADE.sub(lambda _: overview(), markdown)
    markdown = CHART.sub(lambda match: _chart(match[1], match[2]), markdown)
    # Code is left as it is.
    pieces, end = [], 0
    for fence in FENCE.finditer(markdown):
        pieces += [_relinked(markdown[end : fence.start()], source, page, files), fence[0]]
        end = fence.end()
    return "".join([*pieces, _relinked(markdown[end:], source, page, files)])


def _source_of(page: str) -> str:
    """Where a page of the site stands in the project."""
    return next((source for source, target in BESIDE.items() if target == page), f"docs/{page}")


def _relinked(text: str, source: str, page: Page, files: Files) -> str:
    return LINK.sub(lambda match: _link(match[1], match[2], source, page, files), text)


def _link(text: str, target: str, source: str, page: Page, files: Files) -> str:
    """A link as it leads on the site; only its text where that has no such page."""
    path, mark, anchor = target.partition("#")
    if "://" in target or not path:
        return f"[{text}]({target})"
    place = os.path.normpath(os.path.join(os.path.dirname(source), path))
    shown = BESIDE.get(place) or INSTEAD.get(place) or place.removeprefix("docs/")
    if place.startswith("docs/") or shown != place:
        relative = os.path.relpath(shown, os.path.dirname(page.file.src_uri) or ".")
        return f"[{text}]({relative}{mark}{anchor})"
    if not (ROOT / place).exists():
        return f"[{text}]({target})"  # It is broken, and MkDocs says so.
    return text if "`" in text else f"`{place}`" if text == path else text


def _chart(text: str, name: str) -> str:
    """A chart as a part of the page, so that it has the page's colours."""
    drawing = (ROOT / "docs" / name).read_text()
    drawing = re.sub(r"<style>.*?</style>|<\?xml.*?\?>", "", drawing, flags=re.DOTALL)
    return f'<div class="chart" role="img" aria-label="{text}">{drawing.strip()}</div>'
