"""What may follow the words of a command that were typed, by its documentation.

Words are taken as they come: optional arguments with a token in any order, all others in theirs.
"""

from __future__ import annotations

from collections.abc import Sequence

from carnelian.tools.cli.talking.command_docs import Parameter

_NUMBERS = ("integer", "double", "unix-time")


def left_after(parameters: Sequence[Parameter], words: Sequence[str]) -> list[Parameter]:
    """The parameters that words have left to be given."""
    left = list(parameters)
    for word in words:
        left = _without(left, word)
    return left


def syntax(left: Sequence[Parameter]) -> str:
    """How they are written."""
    return " ".join(each.syntax() for each in left)


def next_tokens(left: Sequence[Parameter]) -> list[str]:
    """Tokens that the next word may be."""
    found: list[str] = []
    for parameter in left:
        found += _tokens(parameter)
        if not parameter.optional:
            break
    return found


def next_types(left: Sequence[Parameter]) -> set[str]:
    """Types of values that the next word may be: ``key``, ``integer`` and so on."""
    found: set[str] = set()
    for parameter in left:
        found |= _types(parameter)
        if not parameter.optional:
            break
    return found


def _tokens(parameter: Parameter) -> list[str]:
    if parameter.token:
        return [parameter.token]
    if parameter.type == "oneof":
        return [token for part in parameter.parts for token in _tokens(part)]
    return next_tokens(parameter.parts) if parameter.type == "block" else []


def _types(parameter: Parameter) -> set[str]:
    if parameter.token:
        return set()
    if parameter.type == "oneof":
        return {kind for part in parameter.parts for kind in _types(part)}
    return next_types(parameter.parts) if parameter.type == "block" else {parameter.type}


def _without(left: Sequence[Parameter], word: str) -> list[Parameter]:
    """What is left when a word has been given; nothing is known of what comes after a stray one."""
    for by_token in (True, False):
        for place, parameter in enumerate(left):
            rest = _given(parameter, word, by_token)
            if rest is not None:
                # Optional ones that were passed by may come later.
                passed = [each for each in left[:place] if _tokens(each)]
                return [*rest, *passed, *left[place + 1 :]]
            if not parameter.optional:
                break
    return []


def _given(parameter: Parameter, word: str, by_token: bool) -> list[Parameter] | None:
    """What of a parameter is left when it begins with a word; None if it does not."""
    rest = _begun(parameter, word, by_token)
    if rest is None:
        return None
    if parameter.multiple and (parameter.multiple_token or not parameter.token):
        rest.append(parameter._replace(optional=True, again=True))
    return rest


def _begun(parameter: Parameter, word: str, by_token: bool) -> list[Parameter] | None:
    if parameter.token:
        if not by_token or word.upper() != parameter.token.upper():
            return None
        if parameter.type == "pure-token":
            return []
        multiple = parameter.multiple and not parameter.multiple_token
        return [parameter._replace(token="", optional=False, multiple=multiple)]
    if parameter.type == "oneof":
        found = (_given(part, word, by_token) for part in parameter.parts)
        return next((rest for rest in found if rest is not None), None)
    if parameter.type == "block":
        rest = _given(parameter.parts[0], word, by_token) if parameter.parts else None
        return None if rest is None else [*rest, *parameter.parts[1:]]
    if by_token or (parameter.optional and parameter.type in _NUMBERS and not _is_number(word)):
        return None
    return []


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
