"""The error message for a text that is no YAML: line and column, the mistake, and the line without secrets."""

import re
from typing import Final

import yaml

from feldera_exporter.config.errors import SECRET, shown

_WORDS: Final = (
    (r"found unexpected end of stream|found unexpected document", "a quote that is never closed", "another quote"),
    (r"character '\\t'", "a tab", "blanks to indent with"),
    (r"mapping values are not allowed", "a colon where no key can be", "quotes around a text with a colon, or another indentation"),
    (r"could not find expected ':'", "a key without a colon", "key: value"),
    (r"found undefined alias|while scanning an? (alias|anchor)", "a text that begins with * or &", "quotes around it"),
    (r"constructor for the tag|tag", "a text that begins with !", "quotes around it"),
    (r"found character '[@`%]'|while scanning a directive", "a text that begins with @, ` or %", "quotes around it"),
    (r"unknown escape character|escape sequence", "a backslash in double quotes", "single quotes, in which it stands for itself"),
    (r"found another document|document start", "a second document", "one, without a line of dashes"),
    (r"expected ',' or|'<stream end>'", "a bracket that is never closed, or no comma between two entries", "both"),
    (r"<block end>|'<block|expected <block", "a line that is indented otherwise than those around it", "the same indentation"),
    (r"unhashable key", "a key that is a list or a mapping", "a name"),
)  # fmt: skip
"""What was found and what is expected, by patterns over PyYAML's message; the first match counts."""

_OPEN: Final = re.compile(
    r"end of stream|unexpected document|'<stream end>'|expected ',' or|could not find expected ':'"
)
_SENSITIVE: Final = re.compile(
    r"api_?key|headers|password|passwd|token|secret|authorization|credential|key\w*: *[|>]", re.IGNORECASE
)
_KEY: Final = re.compile(r"[^:]*:")


def syntax_mistake(error: yaml.MarkedYAMLError, text: str, *, with_line: bool) -> str:
    """Return the error message, one line without secrets; `with_line` says whether it ends with the wrong line."""
    said = ": ".join(each for each in (error.context, error.problem) if each)
    found, expected = next(
        ((found, expected) for pattern, found, expected in _WORDS if re.search(pattern, said)),
        ("something else", "YAML"),
    )
    mark = error.problem_mark or error.context_mark
    context = error.context_mark
    if mark is None:
        return f"found {found}, expected {expected}"
    if context is not None and context.line < mark.line and _OPEN.search(said):
        # PyYAML reports a missing end or colon on a later line.
        mark = context
    lines = text.splitlines()
    line, column = mark.line, mark.column
    while line > 0 and not "".join(lines[line : line + 1]).strip():
        # Empty lines at the end of the text are not worth showing.
        line -= 1
        column = len(lines[line])
    mistake = f"line {line + 1}, column {column + 1}: found {found}, expected {expected}"
    return f"{mistake}; the line is {line_shown(text, line)}" if with_line else mistake


def line_shown(text: str, number: int) -> str:
    """Return a line of the text, by its index, in quotes.

    If it, or a line above that it belongs to, may contain a secret, only its key is shown.
    """
    lines = text.splitlines()
    line = lines[number] if number < len(lines) else ""
    if _is_sensitive(lines[: number + 1]):
        key = _KEY.match(line)
        return f'{shown(key[0])[:-1]} (not shown)"' if key and not SECRET.search(key[0]) else "not shown"
    return shown(line.rstrip())


def _is_sensitive(lines: list[str]) -> bool:
    """Return whether the last line, or a line above with less indentation, names or contains a secret."""
    indentation = len(lines[-1]) + 1 if lines else 0
    for line in reversed(lines):
        own = len(line) - len(line.lstrip(" -"))
        if line.strip() and own < indentation:
            if _SENSITIVE.search(line) or SECRET.search(line):
                return True
            indentation = own
    return False
