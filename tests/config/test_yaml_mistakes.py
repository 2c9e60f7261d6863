"""A text that is no YAML is reported in plain words."""

import pytest

from feldera_exporter.config.yaml_document import parse
from feldera_exporter.config.yaml_mistakes import line_shown
from feldera_exporter.errors import ConfigError

URL = "url: https://feldera"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a:\n\t- b\n", 'line 2, column 1: found a tab, expected blanks to indent with; the line is "\N{REPLACEMENT CHARACTER}- b"'),
        (
            "a:\n  name: x: y\n",
            'line 2, column 10: found a colon where no key can be, expected quotes around a text with a colon, or another indentation; the line is "  name: x: y"',
        ),
        ("name: a\nurl\nb: c\n", 'line 2, column 1: found a key without a colon, expected key: value; the line is "url"'),
        ('name: "prod\nurl: x\n', 'line 1, column 7: found a quote that is never closed, expected another quote; the line is "name: "prod"'),
        ("a: [b, c\nd: e\n", 'line 1, column 4: found a bracket that is never closed, or no comma between two entries, expected both; the line is "a: [b, c"'),
        ("a: {b: c\n", 'line 1, column 4: found a bracket that is never closed, or no comma between two entries, expected both; the line is "a: {b: c"'),
        ("include: *.dev\n", 'line 1, column 11: found a text that begins with * or &, expected quotes around it; the line is "include: *.dev"'),
        ("include: [*dev]\n", 'line 1, column 11: found a text that begins with * or &, expected quotes around it; the line is "include: [*dev]"'),
        ("a: !b c\n", 'line 1, column 4: found a text that begins with !, expected quotes around it; the line is "a: !b c"'),
        ("a: @b\n", 'line 1, column 4: found a text that begins with @, ` or %, expected quotes around it; the line is "a: @b"'),
        ('a: "\\d+"\n', 'line 1, column 6: found a backslash in double quotes, expected single quotes, in which it stands for itself; the line is "a: "\\d+""'),
        ("a: b\n---\na: b\n", 'line 2, column 1: found a second document, expected one, without a line of dashes; the line is "---"'),
        ("- a: b\n   c: d\n", 'line 2, column 5: found a colon where no key can be, expected quotes around a text with a colon, or another indentation; the line is "   c: d"'),
        ("a:\n  b: c\n d: e\n", 'line 3, column 2: found a line that is indented otherwise than those around it, expected the same indentation; the line is " d: e"'),
        ("? [a]\n: b\n", 'line 1, column 3: found a key that is a list or a mapping, expected a name; the line is "? [a]"'),
    ],
)  # fmt: skip
def test_mistakes_of_people(text: str, mistake: str) -> None:
    """Each mistake is reported with its line, its column and the text of the line."""
    with pytest.raises(ConfigError) as caught:
        parse(text.encode())
    assert caught.value.mistakes == (mistake,)


@pytest.mark.parametrize(
    ("text", "number", "shown"),
    [
        (f"- {URL}\n  api_key: TopSecret", 1, '"  api_key: (not shown)"'),
        (f"- {URL}\n  api_key: TopSecret", 0, f'"- {URL}"'),
        ("headers:\n  X-Token:\n    TopSecret", 2, "not shown"),
        ("headers:\n  X-Any: TopSecret\nurl: x", 1, '"  X-Any: (not shown)"'),
        ("headers:\n  X-Any: TopSecret\nurl: x", 2, '"url: x"'),
        ("tls:\n  key_file: |\n    -----BEGIN\n   hunter2", 3, "not shown"),
        ("tls:\n  key_file: a.key", 1, '"  key_file: a.key"'),
        ("- {name: a, api_key: TopSecret", 0, '"- {name: (not shown)"'),
        ("url: https://me:TopSecret@feldera", 0, '"url: (not shown)"'),
        ("apikey:TopSecret: x", 0, "not shown"),
        ("a", 5, "an empty text"),
    ],
)
def test_secrets_in_a_line(text: str, number: int, shown: str) -> None:
    """A line with a secret, or within one, is cut behind its key."""
    assert line_shown(text, number) == shown
