"""The shard: the share of one exporter where several watch the same instances together."""

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

_TEXT: Final = re.compile(r"(?P<index>[0-9]{1,6})/(?P<count>[0-9]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `count` shards, counted from 0; together they hold every pipeline once."""

    index: int = 0
    count: int = 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def holds(self, pipeline: str) -> bool:
        """Return whether the pipeline of an id is in this shard; the same in every process and version."""
        if self.count == 1:
            return True
        digest = blake2b(pipeline.encode(), digest_size=8).digest()
        return int.from_bytes(digest) % self.count == self.index


WHOLE: Final = Shard()


def parsed(text: str) -> Shard:
    """Return the shard that `k/n` names, k from 0 to n - 1, as a StatefulSet counts its pods.

    Raises:
        ValueError: it names none.
    """
    match = _TEXT.fullmatch(text)
    found = Shard(int(match["index"]), int(match["count"])) if match else Shard(0, 0)
    if found.index >= found.count:
        raise ValueError(
            f"found {text!r}, expected k/n with k from 0 to n - 1, such as 0/3 for the first of three shards"
        )
    return found
