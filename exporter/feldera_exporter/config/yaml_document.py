"""A YAML text as plain lists and mappings, with every key at most once."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from feldera_exporter.config.errors import Mistake, shown
from feldera_exporter.config.yaml_mistakes import syntax_mistake
from feldera_exporter.errors import ConfigError


class Document(NamedTuple):
    """The content of a YAML text.

    Attributes:
        tree: the value of the whole text; None where it is empty.
        repeated: a mistake for every key that is repeated in one mapping; the tree has its last value.
    """

    tree: Any
    repeated: tuple[Mistake, ...]


class _Loader(yaml.SafeLoader):
    """Records repeated keys. PyYAML silently takes the last value of a repeated key."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[Mistake] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as in PyYAML
        # Keys that a merge (`<<`) brings may be set again.
        own = [key for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        first: dict[Hashable, int] = {}
        for key_node in own:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, Hashable):
                continue
            if key in first:
                text = f"found the key {shown(key)} again, expected it once (first on line {first[key]})"
                self.repeated.append(Mistake((f"line {line}",), text))
            first.setdefault(key, line)
        return super().construct_mapping(node, deep)


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


# No key has a date as its value: dates stay text, so that errors show what was written.
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


def read(path: Path, *, with_line: bool = True) -> Document:
    """Read a YAML file, UTF-8.

    Args:
        path: the file.
        with_line: whether a syntax mistake ends with the wrong line; False where most lines hold secrets.

    Raises:
        ConfigError: it cannot be read or is no YAML; the mistake begins with the path.
    """
    try:
        return parse(path.read_bytes(), with_line=with_line)
    except OSError as error:
        found = error.strerror or type(error).__name__
        raise ConfigError(f"{path}: found no file that can be read ({found}), expected YAML") from None
    except ConfigError as error:
        raise ConfigError(*(f"{path}: {mistake}" for mistake in error.mistakes)) from None


def parse(content: bytes, *, with_line: bool = True) -> Document:
    """Read a YAML text, UTF-8; `with_line` as for `read`.

    Raises:
        ConfigError: the text is no YAML; the mistake names line and column, and repeats nothing that may be a secret.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"line {line}: found a byte that is not UTF-8, expected YAML in UTF-8") from None
    try:
        loader = _Loader(text)
        try:
            tree = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise ConfigError(syntax_mistake(error, text, with_line=with_line)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"line {line}: found a control character, expected YAML") from None
    except (ValueError, LookupError, RecursionError):
        # A malformed number, a value that is not of the type before it, brackets that are nested too deeply.
        raise ConfigError("configuration: found a value that cannot be read, expected YAML") from None
    return Document(tree, tuple(loader.repeated))
