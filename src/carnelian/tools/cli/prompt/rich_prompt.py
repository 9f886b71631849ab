"""The prompt of prompt_toolkit: completion, hints, colours, search in the history."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, ThreadedCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History
from prompt_toolkit.input import Input
from prompt_toolkit.layout.processors import AfterInput
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.output import Output
from prompt_toolkit.styles import Style

from carnelian.tools.cli.prompt import typed_line
from carnelian.tools.cli.prompt.kept_lines import (
    history_path,
    keep_line,
    kept_lines,
    may_be_kept,
)
from carnelian.tools.cli.prompt.preferences import Preferences
from carnelian.tools.cli.prompt.server_knowledge import ServerKnowledge

_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "command": "bold ansigreen",
        "unknown": "ansired",
        "token": "ansiblue",
        "key": "ansicyan",
        "number": "ansimagenta",
        "string": "ansiyellow",
        "own": "ansimagenta bold",
        "hint": "ansibrightblack",
    }
)


class RichPrompt:
    """Reads lines from a person.

    Args:
        knowledge: what is known of commands and keys.
        preferences: whether there are hints.
        input, output: instead of the terminal.
    """

    def __init__(
        self,
        knowledge: ServerKnowledge,
        preferences: Preferences,
        input: Input | None = None,
        output: Output | None = None,
    ):
        self._knowledge = knowledge
        self._preferences = preferences
        self.session: PromptSession[str] = PromptSession(
            history=_KeptHistory(),
            completer=_WordCompleter(knowledge),
            complete_while_typing=True,
            lexer=_LineLexer(knowledge),
            input_processors=[AfterInput(self._hint, style="class:hint")],
            style=_STYLE,
            reserve_space_for_menu=6,
            input=input,
            output=output,
        )

    def read(self, prompt: str) -> str:
        """The next line; raises EOFError at the end, KeyboardInterrupt when it is given up."""
        self._knowledge.learn_soon()
        return self.session.prompt([("class:prompt", prompt)])

    def _hint(self) -> str:
        """What may follow, behind a cursor at the end of the line."""
        application = get_app()
        document = application.current_buffer.document
        # What was entered stays on the screen without them.
        if application.is_done or not self._preferences.hints or not document.is_cursor_at_the_end:
            return ""
        return typed_line.hint(self._knowledge.docs, document.text)


class _WordCompleter(Completer):
    """Commands and tokens while they are typed, keys when they are asked for with the tab key."""

    def __init__(self, knowledge: ServerKnowledge):
        self._knowledge = knowledge

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """What needs the server is found by a thread: typing goes on meanwhile.

        The rest is there at once, so that no tab key comes while it is still being looked for.
        """
        if complete_event.completion_requested:
            async for found in ThreadedCompleter(self).get_completions_async(
                document, complete_event
            ):
                yield found
        else:
            for found in self.get_completions(document, complete_event):
                yield found

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        before = document.text_before_cursor
        asked = complete_event.completion_requested
        if not before.strip() and not asked:
            return
        knowledge = self._knowledge
        if asked:
            knowledge.learn()
        length, found = typed_line.suggest(
            knowledge.docs,
            before,
            knowledge.keys if asked else _nothing,
            knowledge.directives if asked else _nothing,
        )
        for suggestion in found:
            yield Completion(suggestion.text, start_position=-length, display_meta=suggestion.told)


class _LineLexer(Lexer):
    def __init__(self, knowledge: ServerKnowledge):
        self._knowledge = knowledge

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        docs = self._knowledge.docs

        def line(number: int) -> StyleAndTextTuples:
            text = document.lines[number]
            if not docs.commands:
                return [("", text)]
            return [
                (f"class:{piece.kind}" if piece.kind else "", piece.text)
                for piece in typed_line.pieces(docs, text)
            ]

        return line


class _KeptHistory(History):
    """The file of the history, which the plain prompt has as well."""

    def __init__(self) -> None:
        super().__init__()
        self._path = history_path()

    def load_history_strings(self) -> Iterable[str]:
        return reversed(kept_lines(self._path)) if self._path is not None else ()

    def append_string(self, string: str) -> None:
        if may_be_kept(string):
            super().append_string(string)

    def store_string(self, string: str) -> None:
        if self._path is not None:
            keep_line(self._path, string)


def _nothing(prefix: object) -> tuple[()]:
    return ()
