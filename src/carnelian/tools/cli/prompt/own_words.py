"""Lines that are meant for this program: ``help``, ``connect``, ``:set``, ``\\watch``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Protocol

from carnelian import __version__
from carnelian.resp.quoting import split_arguments
from carnelian.tools.cli.prompt import watching
from carnelian.tools.cli.prompt.preferences import Preferences
from carnelian.tools.cli.talking import command_docs
from carnelian.tools.cli.talking.command_docs import CommandDoc, CommandDocs
from carnelian.tools.cli.talking.speaker import Speaker

OWN = {
    "\\help": "this list",
    "\\pretty": "[on|off]  values for people, or as redis-cli shows them",
    "\\watch": "[SECONDS] COMMAND  run a command again and again, until Ctrl-C",
    "\\timing": "[on|off]  tell how long each command took",
    "\\hints": "[on|off]  show what may follow while a command is typed",
    "\\quit": "leave",
}
_SWITCHES = ("pretty", "timing", "hints")

_HELP = f"""\
carnelian-cli {__version__}
To get help about Redis commands type:
      "help @<group>" to get a list of commands in <group>
      "help <command>" for help on <command>
      "help <tab>" to get a list of possible help topics
      "quit" to exit

Of this prompt:
      "\\help" for what else there is
      "connect <host> <port>" to talk to another server
      "clear" to clear the screen
      "<number> <command>" to run a command so many times

To set preferences:
      ":set hints" enable online hints
      ":set nohints" disable online hints
Set your preferences in ~/.carnelian_clirc
"""


class Setting(Protocol):
    """What these words have to do with: a dialogue.

    ``restart`` runs the script of the command line again, if there is one.
    """

    speaker: Speaker
    preferences: Preferences
    restart: Callable[[], object] | None

    def guarded(self, action: Callable[[], object]) -> bool:
        """Do something that needs the connection, telling what goes wrong; whether it worked."""


def take(dialogue: Setting, text: str) -> bool:
    """Do what a line says that begins with ``:`` or a backslash; returns whether to go on."""
    word, _, rest = text.partition(" ")
    rest = rest.strip()
    if word in ("\\q", "\\quit"):
        return False
    if word == ":set" and rest and dialogue.preferences.set(rest):
        return True
    if word in ("\\h", "\\help", "\\?"):
        _show_own()
    elif word[1:] in _SWITCHES and word[0] == "\\":
        _switch(dialogue, word[1:], rest)
    elif word == "\\watch":
        _watch(dialogue, rest)
    elif word[0] == ":":
        print(f"unknown carnelian-cli internal command '{text}'", flush=True)
    else:
        print(f"There is no {word}: \\help tells what there is.", flush=True)
    return True


def take_plain(dialogue: Setting, words: list[bytes]) -> bool:
    """Do what words say that redis-cli keeps from the server, too; returns whether they do."""
    name = words[0].lower()
    if name in (b"help", b"?"):
        dialogue.guarded(lambda: show_help(dialogue, words[1:]))
    elif name == b"clear" and len(words) == 1:
        sys.stdout.write("\x1b[H\x1b[2J")
        sys.stdout.flush()
    elif name == b"connect" and len(words) == 3:
        _connect(dialogue, words)
    elif name == b"restart" and len(words) == 1:
        if dialogue.restart is None:
            print("Use 'restart' only in Lua debugging mode.", flush=True)
        else:
            dialogue.guarded(dialogue.restart)
    else:
        return False
    return True


def _connect(dialogue: Setting, words: list[bytes]) -> None:
    port = words[2].decode("utf-8", "replace")
    if not port.isdigit():
        print("connect takes a host and a port", flush=True)
        return
    client = dialogue.speaker.client
    client.move(words[1].decode("utf-8", "surrogateescape"), int(port))
    dialogue.speaker.talk.forget()
    dialogue.guarded(client.connect)


def _switch(dialogue: Setting, name: str, rest: str) -> None:
    preferences = dialogue.preferences
    if rest not in ("", "on", "off"):
        print(f"\\{name} takes on or off", flush=True)
        return
    wanted = rest == "on" if rest else not getattr(preferences, name)
    setattr(preferences, name, wanted)
    print(f"{name} is {'on' if wanted else 'off'}", flush=True)


def _watch(dialogue: Setting, rest: str) -> None:
    words = split_arguments(rest.encode("utf-8", "surrogateescape"))
    seconds = watching.DEFAULT
    if words and (given := watching.seconds(words[0])) is not None:
        seconds = given
        del words[0]
    if not words:
        print("\\watch takes a command, and seconds before it if you like", flush=True)
        return
    dialogue.guarded(lambda: watching.watch(dialogue.speaker, words, seconds))


def _show_own() -> None:
    for word, told in OWN.items():
        print(f"  {word:<9} {told}")
    print('  "help" is about commands of the server.', flush=True)


# -- Help ----------------------------------------------------------------------------------------


def show_help(dialogue: Setting, words: list[bytes]) -> None:
    """What the server's commands do. Raises ConnectError and LostError."""
    topics = [word.decode("utf-8", "replace") for word in words]
    if not topics:
        print(_HELP, end="", flush=True)
        return
    docs = _docs(dialogue)
    if topics[0].startswith("@"):
        found = docs.group(topics[0][1:])
    else:
        name = " ".join(topics).upper()
        found = [doc for doc in docs.commands.values() if f"{doc.name} ".startswith(f"{name} ")]
    for doc in found:
        print(_described(doc, with_group=not topics[0].startswith("@")))
    if not found:
        print(f"There is no help about {' '.join(topics)}; there are @{' @'.join(docs.groups())}")
    print(flush=True)


def _docs(dialogue: Setting) -> CommandDocs:
    """Asked for beside the conversation, which may be in a transaction."""
    client = dialogue.speaker.client.beside()
    try:
        return command_docs.fetch(client)
    finally:
        client.close()


def _described(doc: CommandDoc, with_group: bool) -> str:
    lines = [f"\n  {_coloured('1', doc.name)} {_coloured('90', doc.syntax())}".rstrip()]
    facts = [("summary", doc.summary), ("since", doc.since)]
    if with_group:
        facts += [("group", doc.group), ("complexity", doc.complexity)]
    lines += [f"  {_coloured('33', name + ':')} {text}" for name, text in facts if text]
    return "\n".join(lines)


def _coloured(colour: str, text: str) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if sys.stdout.isatty() and text else text
