"""Shards: every pipeline is in one of them."""

import uuid

import pytest

from feldera_exporter.fleet.shard import WHOLE, Shard, parsed

IDS = [str(uuid.UUID(int=number * 2**100 + 7)) for number in range(700)]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_pipeline_is_in_one_shard(count: int) -> None:
    """Shards hold everything, nothing twice, and about as much each."""
    held = [[one for one in IDS if Shard(index, count).holds(one)] for index in range(count)]
    assert sorted(one for ids in held for one in ids) == sorted(IDS)
    assert all(len(ids) > 0.6 * len(IDS) / count for ids in held)


def test_a_shard_is_the_same_in_every_version() -> None:
    """A pipeline changes its shard only where their number changes."""
    one = "01920000-0000-7000-8000-000000000001"
    assert [index for index in range(7) if Shard(index, 7).holds(one)] == [3]


def test_text() -> None:
    """A shard reads and writes `k/n`, the whole is one of one."""
    assert (parsed("2/3"), str(parsed("2/3")), str(WHOLE)) == (Shard(2, 3), "2/3", "0/1")


@pytest.mark.parametrize(
    "text", ["", "1", "3/3", "0/0", "-1/3", "a/b", "1/3 ", "1/3/5", "\N{FULLWIDTH DIGIT ONE}/3", "0/9999999"]
)
def test_no_shard(text: str) -> None:
    """What is no shard is refused, with what was found and what is expected."""
    with pytest.raises(ValueError, match=r"found .*, expected k/n with k from 0 to n - 1") as error:
        parsed(text)
    assert repr(text) in str(error.value)
