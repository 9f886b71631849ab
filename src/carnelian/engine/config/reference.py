"""The tables of docs/configuration.md, made from the declarations.

``python -m carnelian.engine.config.reference docs/configuration.md`` brings the file up to date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from carnelian.engine.config.directive import Directive
from carnelian.engine.config.directives import TOPICS

BEGIN = "<!-- Made from the declarations; see carnelian.engine.config.reference. -->\n"
END = "<!-- End of what is made. -->\n"
HEADINGS = ("Directive", "Value", "Default", "Change", "Effect", "What it says")


def tables() -> str:
    """All directives, a Markdown table for each topic."""
    parts = []
    for topic in TOPICS:
        rows = [HEADINGS, ["---"] * len(HEADINGS), *[_row(d) for d in topic.directives]]
        lines = [f"| {' | '.join(row)} |\n" for row in rows]
        parts.append(f"\n### {topic.title}\n\n{''.join(lines)}")
    return "".join(parts)


def _row(directive: Directive) -> tuple[str, ...]:
    name = f"`{directive.name}`"
    if directive.alias is not None:
        name += f" (`{directive.alias}`)"
    default = directive.format(directive.default).decode()
    return (
        name,
        directive.form,
        f"`{default}`" if default else "",
        change(directive),
        effect(directive),
        directive.summary,
    )


def change(directive: Directive) -> str:
    """When it may be changed."""
    if "immutable" in directive.flags:
        return "at start"
    if "protected" in directive.flags:
        return "protected"
    return "any time"


def effect(directive: Directive) -> str:
    """Whether it does what it says."""
    if directive.effective:
        return "yes"
    if directive.binding:
        return f"refused until {directive.awaits}"
    return "none" if directive.awaits == "-" else f"with {directive.awaits}"


def updated(document: str) -> str:
    """A document with its tables replaced by those of now."""
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}{tables()}\n{END}{tail}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(updated(target.read_text()))
