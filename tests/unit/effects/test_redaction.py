import base64
import html
from urllib.parse import quote, quote_plus

import pytest

from workflows.effects.secrets import Redactor, reveal

VALUE = 'p&ss "word" ü/+='


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        quote(VALUE),
        quote(VALUE, safe=""),
        quote_plus(VALUE),
        "p&amp;ss &quot;word&quot; ü/+=",
        'p&ss \\"word\\" \\u00fc/+=',
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(VALUE.encode()).decode(),
        VALUE.encode().hex(),
    ],
)
def test_each_form_of_a_value_is_struck_out(form: str) -> None:
    cleaned = Redactor([VALUE]).clean({"a": [f"x{form}y"], f"k{form}": 1})
    assert form not in str(cleaned)
    assert cleaned == {"a": ["x***y"], "k***": 1}


@pytest.mark.parametrize(
    "form",
    [
        quote(VALUE, safe="").lower(),
        "".join(f"%{byte:02x}" for byte in VALUE.encode()),
        quote(VALUE, safe="&+="),
        quote(quote(VALUE, safe=""), safe=""),
        "".join(f"&#{ord(each)};" for each in VALUE),
        "".join(f"&#x{ord(each):x};" for each in VALUE),
        html.escape(quote(VALUE, safe="&")),
        'p\\u0026ss \\"word\\" \\u00FC\\/+=',
        str(VALUE.encode()),
        VALUE.encode().decode("latin-1"),
        VALUE.encode().hex().upper(),
        base64.encodebytes(b"before" * 7 + VALUE.encode()).decode(),
    ],
)
def test_a_text_that_hides_a_value_in_another_form_is_struck_out_whole(form: str) -> None:
    assert Redactor([VALUE]).clean({"a": f"x{form}y", "b": "x%20&amp;\\u0026y"}) == {
        "a": "***", "b": "x%20&amp;\\u0026y"
    }  # fmt: skip


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_it_is_found_inside_of_base64(before: str) -> None:
    word = "0123456789abcdef"
    inside = base64.b64encode(f"{before}{word}and more".encode()).decode()
    cleaned = Redactor([word]).clean(inside)
    assert "***" in cleaned
    left = cleaned.partition("***")[0] + "===="
    assert word[:8].encode() not in base64.b64decode(left[: len(left) // 4 * 4])


def test_numbers_are_struck_out_too() -> None:
    assert Redactor(["1234"]).clean([1234, 91234, 5, 1.5, True, None]) == [
        "***", "***", 5, 1.5, True, None
    ]  # fmt: skip


def test_of_two_values_the_longer_is_struck_out_whole() -> None:
    assert Redactor(["word", "word-and-more"]).clean("word-and-more") == "***"


def test_lines_of_a_key_are_struck_out_each() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n9w0BAQEFAASCBKcwgg=\n"
    assert Redactor([key]).clean("got MIIEvQIBADANBgkqhkiG") == "got ***"


def test_without_secrets_the_value_itself_is_returned() -> None:
    value = {"a": [1]}
    assert Redactor([]).clean(value) is value


def test_a_call_without_secrets_asks_no_database() -> None:
    parts = {"headers": {"a": "b"}, "query": {}, "body": {"secret": "api"}}
    assert reveal(parts, {}, "example.org", 443).parts == parts
