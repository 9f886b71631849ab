"""The blocks of code in the documents, and how to make programs of them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path

from support.compiled import ROOT

PAGES = [ROOT / "README.md", ROOT / "benchmarks" / "README.md", *sorted(ROOT.glob("docs/*.md"))]

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

# What stands in front of a program: the value of an expression is what the comment after it says.
CHECK = """
def _check(line, value, wanted):
    assert value == wanted and isinstance(value, type(wanted)), (line, value)
"""


@dataclass(frozen=True)
class Block:
    """One fenced block; it stands for itself."""

    page: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def name(self) -> str | None:
        """The file that it is, if its first line says so: ``# scores.py``."""
        match = re.match(r"# (\w+\.(?:conf\.)?py)\n", self.text)
        return match and match[1]


def blocks(*languages: str) -> list[Block]:
    """All blocks in these languages."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in FENCED.finditer(text):
            if match[1] in languages:
                line = text.count("\n", 0, match.start()) + 1
                found.append(Block(page, line, match[1], match[2]))
    return found


def write_files(page: Path, directory: Path) -> None:
    """Put the files that a page shows into a directory."""
    for block in blocks("python"):
        if block.page == page and block.name:
            (directory / block.name).write_text(block.text)


class _Checks(ast.NodeTransformer):
    """Puts each expression with a value in the comment behind it into a call of ``_check``."""

    def __init__(self, lines: list[str]):
        self._lines = lines
        self.made = 0

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        value = node.value
        _, mark, comment = self._lines[(value.end_lineno or 1) - 1].partition("  # ")
        try:
            wanted = ast.parse(comment, mode="eval").body
            ast.literal_eval(wanted)
        except (SyntaxError, ValueError):
            return node
        if not mark or isinstance(value, ast.Constant):
            return node
        self.made += 1
        check = ast.Name("_check", ast.Load())
        return ast.Expr(ast.Call(check, [ast.Constant(value.lineno), value, wanted], []))


def program(block: Block) -> tuple[str, int]:
    """A block as a program that checks what its comments say, and how many checks it has."""
    checks = _Checks(block.text.splitlines())
    tree = ast.fix_missing_locations(checks.visit(ast.parse(block.text)))
    return CHECK + ast.unparse(tree), checks.made
