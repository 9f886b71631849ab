"""Writes the completions for bash, zsh and fish into ``share/``, from what the programs declare.

python scripts/make_completions.py          # or --check: say whether they are up to date
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from program_descriptions import Option, Program, programs

SHARE = Path(__file__).resolve().parent.parent / "share"


def files() -> dict[Path, str]:
    """What is to stand in each file."""
    made = {}
    for program in programs():
        made[SHARE / "bash-completion" / "completions" / program.name] = bash(program)
        made[SHARE / "zsh" / "site-functions" / f"_{program.name}"] = zsh(program)
        made[SHARE / "fish" / "vendor_completions.d" / f"{program.name}.fish"] = fish(program)
    return made


# -- bash ------------------------------------------------------------------------------------------


def bash(program: Program) -> str:
    """The completion of a program for bash."""
    function = f"_{program.name.replace('-', '_')}"
    lines = [
        f"# {program.name}: completion for bash.",
        "",
        f"{function}() {{",
        '    local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}"',
        "    local command= options= each",
        *_bash_commands(program),
        '    case "$before" in',
        *_bash_values([*program.options, *(o for c in program.commands for o in c.options)]),
        "    esac",
        '    case "$word" in',
        '        -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;',
        *_bash_words(program),
        "    esac",
        "}",
        f"complete -F {function} {program.name}",
    ]
    return "\n".join(lines) + "\n"


def _bash_commands(program: Program) -> list[str]:
    """Which options there are: those of the command that has been given, if there is one."""
    own = f'    options="{_names(program.options)}"'
    if not program.commands:
        return [own]
    lines = [
        '    for each in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do',
        '        case "$each" in',
        f'            {"|".join(c.name for c in program.commands)}) command="$each"; break ;;',
        "        esac",
        "    done",
        '    case "$command" in',
    ]
    for command in program.commands:
        if command.program:
            lines += _bash_program(command)
        else:
            lines.append(f'        {command.name}) options="{_names(command.options)}" ;;')
    return [*lines, f"        *){own.lstrip().rjust(len(own.lstrip()) + 1)} ;;", "    esac"]


def _bash_program(command: Program) -> list[str]:
    """A command that is a program: its own completion, which stands beside, goes on."""
    return [
        f"        {command.name})",
        f'            . "${{BASH_SOURCE[0]%/*}}/{command.program}"',
        f'            COMP_WORDS=({command.program} "${{COMP_WORDS[@]:2}}")',
        "            COMP_CWORD=$((COMP_CWORD - 1))",
        f"            _{command.program.replace('-', '_')}; return ;;",
    ]


def _bash_values(options: list[Option]) -> list[str]:
    lines = []
    paths = sorted({name for o in options if o.path for name in o.names})
    if paths:
        lines.append(f"        {'|'.join(paths)})")
        lines.append('            COMPREPLY=($(compgen -f -- "$word")); return ;;')
    for values in sorted({o.choices for o in options if o.choices}):
        names = "|".join(name for o in options if o.choices == values for name in o.names)
        lines.append(f"        {names})")
        lines.append(f"            {_bash_choice(values)}; return ;;")
    free = sorted(
        {n for o in options if o.argument and not o.path and not o.choices for n in o.names}
    )
    if free:
        lines.append(f"        {'|'.join(free)}) return ;;")
    return lines


def _bash_choice(words: Iterable[str]) -> str:
    return f'COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word"))'


def _bash_words(program: Program) -> list[str]:
    if program.commands:
        names = [command.name for command in program.commands]
        return [f'        *) [ -n "$command" ] || {_bash_choice(names)} ;;']
    # One call for each pattern: those with | need an option of the shell.
    files = "".join(f" $(compgen -f -X '!{each}' -- \"$word\")" for each in program.files)
    return [
        "        *)",
        "            compopt -o filenames 2>/dev/null",
        f'            COMPREPLY=($(compgen -d -- "$word"){files})',
        "            ;;",
    ]


def _names(options: Iterable[Option]) -> str:
    return " ".join(name for option in options for name in option.names)


# -- zsh -------------------------------------------------------------------------------------------


def zsh(program: Program) -> str:
    """The completion of a program for zsh."""
    lines = [f"#compdef {program.name}", f"# {program.name}: completion for zsh.", ""]
    if not program.commands:
        pattern = "|".join(program.files)
        rest = f"'*:file:_files -g \"({pattern})(-.)\"'"
        return "\n".join([*lines, *_zsh_arguments(program.options, [rest])]) + "\n"
    lines += [
        "local curcontext=$curcontext state line",
        "local -a commands",
        "commands=(",
        *[f"    {_quoted(f'{c.name}:{c.summary}')}" for c in program.commands],
        ")",
        *_zsh_arguments(program.options, ["'1: :->command'", "'*:: :->words'"], "-C "),
        "case $state in",
        "    command) _describe command commands ;;",
        "    words)",
        "        case $line[1] in",
    ]
    for command in program.commands:
        if command.program:
            lines.append(f"            {command.name}) _{command.program} ;;")
        elif command.options:
            lines.append(f"            {command.name})")
            arguments = _zsh_arguments(command.options, ["'*:word:_files'"])
            lines += [f"                {each}" for each in "\n".join(arguments).split("\n")]
            lines.append("                ;;")
    return "\n".join([*lines, "        esac", "        ;;", "esac"]) + "\n"


def _zsh_arguments(options: Iterable[Option], more: list[str], flags: str = "") -> list[str]:
    specs = [f"    {_zsh_option(each, name)}" for each in options for name in each.names]
    specs += [f"    {each}" for each in more]
    return [f"_arguments {flags}\\", " \\\n".join(specs)]


def _zsh_option(option: Option, name: str) -> str:
    text = option.summary.replace("[", "(").replace("]", ")").replace(":", "\\:")
    value = ""
    if option.choices:
        value = f":value:({' '.join(option.choices)})"
    elif option.path:
        value = ":path:_files"
    elif option.argument:
        value = f":{option.argument.replace(':', ' ')}: "
    return _quoted(f"{name}[{text}]{value}")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# -- fish ------------------------------------------------------------------------------------------


FISH_PROGRAMS = """
# The completion of the program that a command stands for.
function __fish_carnelian_program
    set -l words (commandline -opc)
    set -l line carnelian-$words[2] $words[3..]
    complete -C "$line "(commandline -ct)
end
""".splitlines()


def fish(program: Program) -> str:
    """The completion of a program for fish."""
    begin = f"complete -c {program.name}"
    lines = [f"# {program.name}: completion for fish.", ""]
    none_yet = ""
    if program.commands:
        lines.append(f"{begin} -f")
        names = " ".join(command.name for command in program.commands)
        none_yet = f" -n {_fish_quoted(f'not __fish_seen_subcommand_from {names}')}"
        for command in program.commands:
            lines.append(f"{begin}{none_yet} -a {command.name} -d {_fish_quoted(command.summary)}")
    lines += [f"{begin}{none_yet}{_fish_option(each)}" for each in program.options]
    if any(command.program for command in program.commands):
        lines += FISH_PROGRAMS
    for command in program.commands:
        seen = f" -n {_fish_quoted(f'__fish_seen_subcommand_from {command.name}')}"
        lines += [f"{begin}{seen}{_fish_option(each)}" for each in command.options]
        if command.program:
            lines.append(f"{begin}{seen} -a '(__fish_carnelian_program)'")
    return "\n".join(lines) + "\n"


def _fish_option(option: Option) -> str:
    words = ""
    for name in option.names:
        words += f" -l {name[2:]}" if name.startswith("--") else f" -s {name[1:]}"
    if option.choices:
        words += f" -x -a {_fish_quoted(' '.join(option.choices))}"
    elif option.path:
        words += " -r -F"
    elif option.argument:
        words += " -x"
    return f"{words} -d {_fish_quoted(option.summary)}"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def write(made: dict[Path, str], check: bool) -> int:
    """Write files, or with ``check`` only compare; returns the exit status."""
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(SHARE.parent)} is {'not up to date' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(made[path])
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(write(files(), "--check" in sys.argv))
