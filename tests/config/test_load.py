"""The values of files, and the messages about mistakes."""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from feldera_exporter.config import (
    DEFAULT_TAG_LABELS,
    Configuration,
    Filter,
    Instance,
    Limits,
    Metrics,
    Override,
    Secret,
    Tls,
    load,
)
from feldera_exporter.errors import ConfigError
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS

Read = Callable[[str], Configuration]

SMALLEST = "instances: [{name: prod, url: http://feldera}]\n"


def refused(read: Read, text: str) -> tuple[str, ...]:
    """Return the mistakes in a text, each without the file's name before it."""
    with pytest.raises(ConfigError) as caught:
        read(text)
    files, mistakes = zip(*(each.split(": ", 1) for each in caught.value.mistakes), strict=True)
    assert {Path(file).name for file in files} == {"exporter.yml"}
    return tuple(mistakes)


def test_every_key_is_read(read: Read, tmp_path: Path, certificates: Path) -> None:
    """A file that uses every key becomes exactly these values."""
    (tmp_path / "key").write_text("apikey:1")
    configuration = read(
        f"""
        instances:
          - name: prod
            url: https://feldera.example.com/behind/a/proxy/
            api_key_file: key
            tls:
              ca_file: {certificates}/cert.pem
              cert_file: {certificates}/cert.pem
              key_file: {certificates}/key.pem
              insecure_skip_verify: true
            poll_interval: 1m30s
            timeout: 250ms
            staleness: 1h
            max_response_size: 10MB
            pipelines: {{include: ["etl-.*", "x"], exclude: ["etl-tmp"]}}
          - {{name: dev, url: "http://[::1]:8080", api_key: "apikey:abc"}}
        limits:
          defaults: {{Provisioning: none, Melting: 1h}}
          overrides: [{{name: "etl-.*", tag: slow, limits: {{Drift: none, Provisioning: 1d}}}}]
        tag_labels: {{team: "squad-(.+)", cost_center: "cc:([0-9]+)"}}
        metrics: {{exclude: [feldera_pipeline_info]}}
        """
    )

    assert configuration == Configuration(
        instances=(
            Instance(
                name="prod",
                url="https://feldera.example.com/behind/a/proxy",
                api_key_file=tmp_path / "key",
                tls=Tls(certificates / "cert.pem", certificates / "cert.pem", certificates / "key.pem", True),
                poll_interval=90.0,
                timeout=0.25,
                staleness=3600.0,
                max_response_size=10_000_000,
                pipelines=Filter(
                    (re.compile("etl-.*", re.ASCII), re.compile("x", re.ASCII)),
                    (re.compile("etl-tmp", re.ASCII),),
                ),
            ),
            Instance("dev", "http://[::1]:8080", Secret("apikey:abc")),
        ),
        limits=Limits(
            {**DEFAULT_LIMITS, "Provisioning": math.inf, "Melting": 3600.0},
            (
                Override(
                    {"Drift": math.inf, "Provisioning": 86400.0},
                    re.compile("etl-.*", re.ASCII),
                    re.compile("slow", re.ASCII),
                ),
            ),
        ),
        tag_labels={
            **DEFAULT_TAG_LABELS,
            "team": re.compile("squad-(.+)", re.ASCII),
            "cost_center": re.compile("cc:([0-9]+)", re.ASCII),
        },
        metrics=Metrics(("feldera_pipeline_info",)),
    )
    assert list(configuration.tag_labels) == ["team", "tier", "expect", "cost_center"]


def test_equal_files_are_equal(read: Read) -> None:
    """A file read twice gives equal values, so a reload knows that nothing changed."""
    assert read(SMALLEST) == read(SMALLEST)


def test_staleness_follows_a_long_poll_interval(read: Read) -> None:
    """The default staleness grows with a long poll interval."""
    entries = "{name: a, url: http://f, poll_interval: 4m}, {name: b, url: http://f, poll_interval: 4m, staleness: 4m}"
    assert [each.staleness for each in read(f"instances: [{entries}]").instances] == [720.0, 240.0]


def test_timeout_follows_a_short_poll_interval(read: Read) -> None:
    """Polling more often than the default timeout needs no second key."""
    (instance,) = read("instances: [{name: prod, url: http://feldera, poll_interval: 1s}]").instances
    assert instance.timeout == 1.0


def test_merge_keys_may_be_set_again(read: Read) -> None:
    """YAML's merge key shares settings between instances, and what it brings may be overridden."""
    configuration = read(
        """
        instances:
          - &shared {name: a, url: http://feldera, poll_interval: 9s}
          - {<<: *shared, name: b}
        """
    )
    assert [(each.name, each.poll_interval) for each in configuration.instances] == [("a", 9.0), ("b", 9.0)]


def test_all_mistakes_are_named(read: Read) -> None:
    """All mistakes are named: of each section unknown keys, and then its keys as the documentation lists them."""
    entries = "".join(
        f"  - {{name: i{number}, url: {'x' if number in {2, 10} else 'http://f'}}}\n" for number in range(11)
    )
    mistakes = refused(read, f"metrics: {{exclude: [up]}}\ninstances:\n{entries}unheard: {{}}\n")
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "unheard",
        "instances[2].url",
        "instances[10].url",
        "metrics.exclude[0]",
    ]


def test_repeated_key_hides_no_other_mistake(read: Read) -> None:
    """A repeated key and wrong values in the same file are all named."""
    text = "instances: [{name: a, url: x}, 7, {name: [a], url: http://f}]\nlimits: {}\nlimits: {}\n"
    mistakes = refused(read, text)
    assert [mistake.partition(": ")[0] for mistake in mistakes] == [
        "line 3",
        "instances[0].url",
        "instances[1]",
        "instances[2].name",
    ]


def test_contradictions_of_one_instance_are_all_named(read: Read, tmp_path: Path) -> None:
    """Keys that contradict each other are named together."""
    (tmp_path / "key").touch()
    text = "{name: a, url: http://f, api_key: x, api_key_file: key, poll_interval: 10s, timeout: 11s, staleness: 1s}"
    assert refused(read, f"instances: [{text}]") == (
        "instances[0].api_key_file: found it beside the API key itself, expected one of the two",
        "instances[0].timeout: found 11s, expected at most the poll_interval of 10s",
        "instances[0].staleness: found 1s, expected at least the poll_interval of 10s",
    )


def test_independent_mistakes_of_one_instance_are_all_named(read: Read) -> None:
    """Every wrong key of every section is named. Contradictions follow once all keys of their section are readable."""
    text = "{url: ftp://f, poll_interval: 1s, timeout: 2s, staleness: 2, tls: {cert_file: exporter.yml, ca_file: no}, bogus: 1}"
    mistakes = refused(
        read, f"instances: [{text}]\nalerts: {{Nope: {{}}}}\nmetrics: {{exclude: [up], a: 1}}\n"
    )
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "instances[0].bogus",
        "instances[0].name",
        "instances[0].url",
        "instances[0].tls.ca_file",
        "instances[0].staleness",
        "metrics.a",
        "metrics.exclude[0]",
        "alerts.Nope",
    ]


def test_wrong_entry_hides_no_unknown_name(read: Read) -> None:
    """Alerts and families that do not exist are named beside others that are wrong in another way."""
    text = "alerts: {FelderaPipelineFlapping: {severity: page}, Nope: {}, nope: {}}\nmetrics: {exclude: [1, up]}\n"
    assert [each.partition(":")[0] for each in refused(read, SMALLEST + text)] == [
        "metrics.exclude[0]",
        "metrics.exclude[1]",
        "alerts.FelderaPipelineFlapping.severity",
        "alerts.Nope",
        "alerts.nope",
    ]


def test_wrong_value_hides_no_wrong_key(read: Read) -> None:
    """Of an entry of a mapping, the mistakes in the key and in the value are both named."""
    assert refused(read, f"{SMALLEST}limits: {{defaults: {{stopping: never}}}}\n") == (
        'limits.defaults.stopping: found "never", expected a duration such as 10m, or none',
        'limits.defaults.stopping: found "stopping", expected a status in CamelCase such as Provisioning',
    )


def test_what_depends_on_a_mistake_is_not_judged(read: Read) -> None:
    """A timeout is not compared with a wrong poll interval."""
    text = "instances: [{name: a, url: http://f, poll_interval: often, timeout: 9s, staleness: 1s}]"
    assert [each.partition(":")[0] for each in refused(read, text)] == ["instances[0].poll_interval"]
    overrides = "limits: {overrides: [{name: '(', limits: {a: 1s}}, {tag: a, limits: []}]}"
    assert [each.partition(":")[0] for each in refused(read, f"{SMALLEST}{overrides}")] == [
        "limits.overrides[0].limits.a",
        "limits.overrides[0].name",
        "limits.overrides[1].limits",
    ]


def test_two_unusable_certificates_are_both_named(read: Read) -> None:
    """The authorities and the client's certificate are checked separately."""
    tls = "{ca_file: exporter.yml, cert_file: exporter.yml, key_file: exporter.yml}"
    mistakes = refused(read, f"instances: [{{name: a, url: https://f, tls: {tls}}}]")
    assert [mistake.partition(":")[0] for mistake in mistakes] == [
        "instances[0].tls.ca_file",
        "instances[0].tls.cert_file",
    ]


@pytest.mark.parametrize("url", ["HTTPS://feldera.example.com/", "hTTps://feldera.example.com"])
def test_scheme_is_written_small(read: Read, url: str) -> None:
    """A scheme in capitals is written in lower case."""
    assert read(f"instances: [{{name: a, url: {url}}}]").instances[0].url == "https://feldera.example.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1]:8080",
        "http://10.0.0.1",
        "https://xn--mnchen-3ya.example.com",
        "http://feldera_web:8080/a/v0x",
    ],
)
def test_usual_addresses(read: Read, url: str) -> None:
    """Addresses of all kinds are accepted unchanged."""
    assert read(f'instances: [{{name: a, url: "{url}"}}]').instances[0].url == url


def test_key_of_another_certificate_is_refused(read: Read, certificates: Path) -> None:
    """A client certificate needs its own key, without a passphrase, as no one can type it."""
    for key in ("other.pem", "locked.pem"):
        tls = f"{{cert_file: {certificates}/cert.pem, key_file: {certificates}/{key}}}"
        assert refused(read, f"instances: [{{name: a, url: http://f, tls: {tls}}}]") == (
            "instances[0].tls.cert_file: found another content, expected a certificate in PEM format whose key, without a passphrase, is in key_file",
        )


def test_pipe_is_not_waited_for(read: Read, tmp_path: Path) -> None:
    """A named pipe in place of a file is refused at once."""
    os.mkfifo(tmp_path / "pipe")
    assert refused(read, "instances: [{name: a, url: http://f, api_key_file: pipe}]") == (
        'instances[0].api_key_file: found "pipe", expected a file, neither a folder nor a pipe',
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff\n", "line 2: found a byte that is not UTF-8, expected YAML in UTF-8"),
        (b"[" * 1000, "configuration: found a value that cannot be read, expected YAML"),
        (b"a: 0b_\n", "configuration: found a value that cannot be read, expected YAML"),
        (b"a: !!bool b\n", "configuration: found a value that cannot be read, expected YAML"),
        (b"a: !!int ''\n", "configuration: found a value that cannot be read, expected YAML"),
    ],
)
def test_broken_text(tmp_path: Path, content: bytes, expected: str) -> None:
    """A text that is no YAML is one mistake."""
    path = tmp_path / "exporter.yml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {}, (), ())
    assert caught.value.mistakes == (f"{path}: {expected}",)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A configuration file that is not there is named with the reason."""
    with pytest.raises(
        ConfigError, match=r"found no file that can be read \(No such file or directory\)"
    ) as caught:
        load(tmp_path / "exporter.yml", {"FELDERA_HOST": "http://feldera"}, (), ())
    assert str(caught.value).startswith(str(tmp_path / "exporter.yml"))


def test_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """A file saved with a byte order mark loads."""
    path = tmp_path / "exporter.yml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.encode())
    assert load(path, {}, (), ()).instances[0].name == "prod"


@pytest.mark.parametrize(
    "key", ["*apikey", "&apikey", "!apikey", "!a!pikey", "!a'pikey", "apikey:x\\\n y: 'z"]
)
def test_broken_yaml_repeats_no_unquoted_key(read: Read, key: str) -> None:
    """A key that YAML takes for an alias, an anchor or a tag does not come back in the message."""
    (mistake, *_) = refused(read, f"instances: [{{name: a, url: http://f, api_key: {key}}}, *b]")
    assert "pikey" not in mistake
    assert mistake.startswith("line ")


def test_defect_is_no_mistake_of_the_user(tmp_path: Path) -> None:
    """An unexpected exception is not reported as a wrong configuration."""

    class Broken(list[str]):
        def __contains__(self, name: object) -> bool:
            raise NotImplementedError(name)

    path = tmp_path / "exporter.yml"
    path.write_text(f"{SMALLEST}metrics: {{exclude: [up]}}\n")
    with pytest.raises(NotImplementedError):
        load(path, {}, Broken(), ())


def test_filter_holds_for_the_whole_name() -> None:
    """An expression matches a name from its first to its last character."""
    only = Filter((re.compile("a|ab"),), (re.compile("a"),))
    assert only.selects("ab")
    assert not only.selects("a")
    assert not only.selects("abc")
    assert Filter().selects("anything")
