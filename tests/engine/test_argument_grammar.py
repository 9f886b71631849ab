"""The grammar of arguments against the trees that COMMAND DOCS of Redis has for the same."""

import pytest

from carnelian.engine.catalogue.grammar import Argument, arity, document, parse


def test_nothing() -> None:
    assert parse("") == ()


def test_values_have_types_and_keys_take_key_specs_in_turn() -> None:
    source, target, third, count = parse("source:key target:key third:key count:integer", 2)
    assert source == Argument("source", "key", "source", key_spec_index=0)
    assert (target.key_spec_index, third.key_spec_index) == (1, 1)
    assert count == Argument("count", "integer", "count")


def test_a_word_without_a_type_is_a_string_or_what_it_is_named_after() -> None:
    assert [node.type for node in parse("key pattern message")] == ["key", "pattern", "string"]


def test_upper_case_words_are_tokens() -> None:
    plain, valued = parse("GET EX seconds:integer")
    assert plain == Argument("get", "pure-token", "get", token="GET")
    assert valued == Argument("seconds", "integer", "seconds", token="EX")


def test_a_token_that_is_no_word_is_quoted() -> None:
    (strategy,) = parse('strategy=<equal="=" | approximately="~">')
    assert [(node.name, node.token) for node in strategy.arguments] == [
        ("equal", "="),
        ("approximately", "~"),
    ]


def test_optional_choice_with_versions() -> None:
    (condition,) = parse("[condition@2.6.12=<NX | IFEQ value:string@8.4.0>]")
    assert (condition.type, condition.since, condition.optional) == ("oneof", "2.6.12", True)
    assert condition.display_text is None
    assert [(node.token, node.since) for node in condition.arguments] == [
        ("NX", None),
        ("IFEQ", "8.4.0"),
    ]


def test_a_repeated_block() -> None:
    (data,) = parse("data=(key:key value:string) ...")
    assert (data.type, data.flags()) == ("block", ["multiple"])
    assert [node.name for node in data.arguments] == ["key", "value"]


def test_a_block_after_a_token() -> None:
    (limit,) = parse("[LIMIT limit=(offset:integer count:integer)]")
    assert (limit.name, limit.token, limit.optional) == ("limit", "LIMIT", True)


def test_a_token_that_comes_with_every_value() -> None:
    (get,) = parse("[GET pattern:pattern#1 ...*]")
    assert get.flags() == ["optional", "multiple", "multiple_token"]
    assert get.key_spec_index == 1


def test_choices_of_several_words_are_blocks() -> None:
    (choice,) = parse("[kind=<ID | NAME name:string age:integer>]")
    assert [node.type for node in choice.arguments] == ["pure-token", "block"]


def test_another_text_to_display() -> None:
    (node,) = parse("key~source:key")
    assert (node.name, node.display_text) == ("key", "source")


def test_document_leaves_out_what_is_not_there() -> None:
    assert document(parse("[key:key ...]")) == [
        {
            b"name": b"key",
            b"type": b"key",
            b"display_text": b"key",
            b"key_spec_index": 0,
            b"flags": [b"optional", b"multiple"],
        }
    ]


@pytest.mark.parametrize("text", ["[key:key", "key:key]", "a | b", "<a | >", "count:number", "=x"])
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


def test_an_argument_that_was_given_up() -> None:
    (node,) = parse('old-format~"ip:port":string!2.8.12')
    assert (node.display_text, node.deprecated_since) == ("ip:port", "2.8.12")
    assert document((node,))[0][b"deprecated_since"] == b"2.8.12"


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("", 1, 1),
        ("key", 1, 2),
        ("key value", 1, 3),
        ("key element ...", 1, -3),
        ("key [NX | XX]", 1, -2),
        ("parameter ...", 2, -3),
        ("key STORE destination:key", 1, 4),
        ("enabled=<ON | OFF>", 2, 3),
        ("key where=<BEFORE | AFTER> pivot element", 1, 5),
        ("key by=<BYRADIUS radius:double | BYBOX width:double height:double>", 1, -4),
        ("key pairs=(field value) ...", 1, -4),
        ("FIELDS fields=(numfields:integer field ...)", 1, -4),
    ],
)
def test_the_arity_follows(text: str, words: int, expected: int) -> None:
    assert arity(text, words) == expected
