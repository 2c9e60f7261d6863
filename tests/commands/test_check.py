"""The output of `check` about a configuration and its instances."""

import os
import re
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import msgspec
import pytest

from api.test_pipeline_list import encoded, row
from feldera_exporter import cli
from feldera_exporter.checking import instance_check, lint
from feldera_exporter.problems.table import PIPELINE_PROBLEMS
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.ask_once import KEY
from support.certificates import make
from support.clocks import SkewedClock
from support.plans import INSTANT
from support.raw_server import Request, answer, sends, serving_raw
from support.tools import ROOT
from support.two_instances import RunningExporter, feldera, now, running, until

Check = Callable[..., tuple[int, str]]


@pytest.fixture
def check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return what runs `check` on a configuration: its exit code and what it said."""

    def run(configuration: str, *flags: str) -> tuple[int, str]:
        path = tmp_path / "exporter.yml"
        path.write_text(configuration)
        path.chmod(0o600)
        code = cli.main(["check", f"--config.file={path}", *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def instance(name: str, url: str, more: str = "") -> str:
    """Return an instance's entry."""
    return f"  - {{name: {name}, url: '{url}'{more and ', ' + more}}}\n"


NO_STATUS = "this version knows no such status of Feldera"
OFFLINE = "instances:\n" + instance("prod", "http://127.0.0.1:9")


def test_offline_sends_no_request(check: Check) -> None:
    """With `--offline` the configuration alone is checked."""
    assert check(OFFLINE, "--offline") == (0, "configuration: valid; instances: prod\n")


def test_web_configuration(check: Check, tmp_path: Path) -> None:
    """The file of `--web.config.file` is read, and so are its certificates."""
    file = tmp_path / "web.yml"
    file.write_text("http_server_config: {headers: {X-Frame-Options: deny}}\n")
    assert check(OFFLINE, "--offline", f"--web.config.file={file}") == (
        0,
        "configuration: valid; instances: prod\nweb configuration: valid\n",
    )
    (tmp_path / "no.pem").touch()
    file.write_text("tls_server_config: {cert_file: no.pem, key_file: no.pem}\n")
    code, said = check(OFFLINE, "--offline", f"--web.config.file={file}")
    assert code == 2
    assert said.startswith(f"error: {file}: tls_server_config.cert_file: found ")


def test_a_mistake(check: Check) -> None:
    """Every mistake is printed, the exit code is 2, and no request is sent."""
    code, said = check("instances: [{name: prod, url: ftp://x}]\nlimit: {}\n")
    assert code == 2
    assert re.search(r'error: \S+exporter\.yml: instances\[0\]\.url: found "ftp://x"', said)
    assert said.count("error: ") == 2


def test_advice(check: Check) -> None:
    """A limit for an unknown status, and an excluded family that alerts need, are warned of."""
    code, said = check(
        OFFLINE
        + "limits:\n"
        + "  defaults: {Provisionning: 5m, Zzz: 1m, Drift: 1h, Running: 1h}\n"
        + "  overrides: [{name: a, limits: {Stoping: 1m}}]\n"
        + "metrics: {exclude: [feldera_pipeline_deployment_runtime_desired_status, feldera_pipeline_created_timestamp_seconds]}\n",
        "--offline",
    )
    assert (code, said.splitlines()) == (
        0,
        [
            "configuration: valid; instances: prod",
            'warning: metrics.exclude[1]: without feldera_pipeline_created_timestamp_seconds there are empty panels on "Feldera: one pipeline"',
            f"warning: limits.defaults.Provisionning: {NO_STATUS}; did you mean Provisioning?",
            f"warning: limits.defaults.Zzz: {NO_STATUS}",
            f"warning: limits.overrides[0].limits.Stoping: {NO_STATUS}; did you mean Stopping?",
        ],
    )


def excluded(check: Check, *families: str, more: str = "") -> list[str]:
    """Return what `check` says of alerts where families are left out."""
    _, said = check(f"{OFFLINE}metrics: {{exclude: [{', '.join(families)}]}}\n{more}", "--offline")
    lines = re.findall(r"warning: metrics\.exclude(.*)", said)
    return [line for line in lines if "empty panels" not in line]


def test_a_family_that_many_alerts_need(check: Check) -> None:
    """Of many alerts that need a family three are named; alerts that are switched off do not count."""
    exclude = "feldera_pipeline_problem_since_timestamp_seconds"
    [gone] = excluded(check, exclude)
    expected = rf"\[0\]: without {exclude} there is no (\w+), (\w+), (\w+) and (\d+) more alerts"
    match = re.fullmatch(expected, gone)
    assert match
    assert int(match[4]) == len(PIPELINE_PROBLEMS) - 3
    [off] = excluded(check, exclude, more=f"alerts: {{{match[1]}: {{enabled: false}}}}\n")
    assert match[1] not in off
    assert f"and {int(match[4]) - 1} more" in off
    assert excluded(check, exclude, more="alertmanager: {urls: ['http://a:9093']}\n") == []


def test_a_family_that_no_alert_needs(check: Check) -> None:
    """A family that problems depend on may be excluded, as the exporter evaluates them all the same."""
    assert excluded(check, "feldera_pipeline_deployment_has_error") == []


def test_a_family_that_dashboards_need(check: Check) -> None:
    """Dashboards that need a family are named, also by a recording rule, a variable or a part of a histogram."""
    for family in ("feldera_pipelines", "feldera_status_duration_seconds", "feldera_pipeline_info"):
        _, said = check(OFFLINE + f"metrics: {{exclude: [{family}]}}\n", "--offline")
        [line] = re.findall(
            rf"warning: metrics.exclude\[0\]: without {family} there are empty panels on (.*)", said
        )
        assert '"Feldera: fleet"' in line.split(" and "), line


def test_variables_are_taken_as_they_are_written(check: Check) -> None:
    """An unreplaced variable of the environment is warned of, without the value around it."""
    code, said = check(
        "instances: [{name: prod, url: 'https://feldera', api_key: '${FELDERA_API_KEY}', headers: {X-Token: '$(TOKEN)x'}}]\n"
        "alert_labels: {env: '${ENV}', namespace: a$b}\n"
        "alerts: {FelderaPipelineFlapping: {labels: {route: '${ROUTE}'}}}\n"
        "alertmanager: {urls: ['http://a:9093'], labels: {cluster: '${CLUSTER}'}}\n",
        "--offline",
    )
    places = re.findall(r"warning: (\S+): \$\{…\} stays as it is written", said)
    assert code == 0
    assert places == [
        "instances[0].api_key",
        "instances[0].headers.X-Token",
        "alerts.FelderaPipelineFlapping.labels.route",
        "alert_labels.env",
        "alertmanager.labels.cluster",
    ]
    assert "TOKEN" not in said


def test_every_dashboard_is_looked_at() -> None:
    """All shipped dashboards are looked at, and their queries are found."""
    folder = ROOT / "config/grafana/dashboards"
    assert sorted(lint.DASHBOARDS) == sorted(path.stem for path in folder.glob("*.json"))
    assert all("feldera_" in text for text in lint.dashboard_queries().values())
    place = "config/grafana/dashboards"
    assert f'"{place}" = "feldera_exporter/shipped/{place}"' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.parametrize(
    ("more", "warnings"),
    [
        ("tls: {insecure_skip_verify: true}", ["tls: it has no effect, since the url is not https"]),
        ("tls: {insecure_skip_verify: false}", []),
        ("api_key: x", ["url: the API key is sent unencrypted over the network, since the url is not https"]),
        ("api_key: x, url: 'http://127.1.2.3'", []),
        ("api_key: x, url: 'http://[::1]:80'", []),
        ("api_key: x, url: 'http://localhost'", []),
        ("api_key: x, url: 'https://feldera'", []),
        (
            "url: 'https://feldera', tls: {insecure_skip_verify: true}",
            ["tls.insecure_skip_verify: the server is not verified, so any server can get the API key"],
        ),
    ],
)
def test_a_trust_that_is_misplaced(check: Check, more: str, warnings: list[str]) -> None:
    """A setting that switches protection off is a warning, not a mistake."""
    url = "" if "url:" in more else "url: 'http://feldera', "
    code, said = check(f"instances: [{{name: a, {url}{more}}}]\n", "--offline")
    assert (code, said.splitlines()[1:]) == (0, [f"warning: instances[0].{each}" for each in warnings])


@pytest.mark.parametrize(
    ("content", "reason"),
    [("", "it is empty"), ("a\nb\n", "it holds something else than one line of visible ASCII characters")],
)
def test_a_file_without_a_key(check: Check, tmp_path: Path, content: str, reason: str) -> None:
    """A key file without a key is a warning with its effect; where no key is needed there is none."""
    (tmp_path / "key").write_text(content)
    warning = f"warning: instances[0].api_key_file: there is no API key in {tmp_path}/key: {reason}\n"
    for keys, expected in (({KEY: "read"}, 1), (None, 0)):
        with serve(FelderaServer(feldera("a"), keys)) as url:
            code, said = check("instances:\n" + instance("prod", url, "api_key_file: key"))
        assert warning in said
        assert code == expected
        assert ("  authorised: no: 401" in said) == (expected == 1)


FILES = """\
instances:
  - name: prod
    url: https://feldera
    api_key_file: {key}
    tls: {{ca_file: ca.pem, cert_file: cert.pem, key_file: {key}}}
"""


@pytest.mark.parametrize("key", ["key", "/run/secrets/key"])
def test_files_of_another_machine(check: Check, tmp_path: Path, key: str) -> None:
    """Offline, missing files are not looked for; without `--offline` they are mistakes."""
    (tmp_path / "cert.pem").touch()
    assert check(FILES.format(key=key), "--offline") == (0, "configuration: valid; instances: prod\n")
    code, said = check(FILES.format(key=key))
    found = f'found "{key}", expected a file that can be read (No such file or directory)'
    assert (code, said.count("expected a file that can be read"), said.count(found)) == (2, 3, 2)


def test_certificates_of_this_machine(check: Check, tmp_path: Path) -> None:
    """Offline, the content of a file is checked where the file is, and a pipe is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for file, expected in (("exporter.yml", 2), ("missing.pem", 0), ("pipe", 0)):
        tls = f"{{ca_file: {file}}}"
        assert check(f"instances: [{{name: a, url: https://f, tls: {tls}}}]\n", "--offline")[0] == expected


@pytest.mark.parametrize("content", ["3", "''", '"\\0"', "[]"])
def test_what_can_be_no_file(check: Check, content: str) -> None:
    """A path that cannot be a file is a mistake on every machine."""
    code, said = check(FILES.format(key=content), "--offline")
    assert code == 2
    assert re.search(r"error: \S+: instances\[0\]\.api_key_file: found .*, expected the path of a file", said)
    for tree in ("3", "{instances: 3}", "{instances: [3, {tls: 3}]}"):
        assert check(tree, "--offline")[0] == 2


def test_rules_for_another_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """`rules` with the shipped Kubernetes configuration works outside of the pod."""
    flag = f"--config.file={ROOT / 'config/kubernetes/exporter.yml'}"
    assert cli.main(["rules", flag]) == 0
    said = capsys.readouterr()
    assert said.out == (ROOT / "alerts/feldera.rules.yml").read_text()
    assert said.err == ""


def test_a_defect(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect costs the line of its instance only, and is printed without values."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError(KEY)

    monkeypatch.setattr(instance_check, "read", broken)
    with serve(FelderaServer(feldera("a"))) as url:
        code, said = check("instances:\n" + instance("a", url) + instance("b", url))
    assert code == 1
    assert len(re.findall(r"  failed: ZeroDivisionError at test_check.py:\d+ broken\n", said)) == 2
    assert KEY not in said


def test_a_good_instance(check: Check) -> None:
    """For a good instance everything that matters before a start is printed, line by line."""
    simulated = feldera("a", "b", "tmp-c")
    with serve(FelderaServer(simulated, {KEY: "read"})) as url:
        keys = f"api_key: '{KEY}', pipelines: {{exclude: ['tmp-.*']}}"
        code, said = check("instances:\n" + instance("prod", url, keys))
    lines = said.splitlines()
    assert code == 0
    assert lines[:2] == ["configuration: valid; instances: prod", f"prod: {url}"]
    assert re.fullmatch(r"  reachable: in \d+ ms", lines[2])
    assert lines[3:5] == [
        "  authorised: as tenant default with role read",
        "  version: 0.375.0, Enterprise",
    ]
    assert re.fullmatch(r"  license: valid until 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[5])
    assert lines[6] == "  event log: yes"
    assert re.fullmatch(r"  clock: [+-][01]\.\d s from this machine's, to within a second", lines[7])
    assert lines[8] == "  pipelines: 3, watched: 2, unreadable: 0"
    assert re.fullmatch(r"  samples: \d{3}", lines[9])
    assert len(lines) == 10
    assert KEY not in said


def runs(program: RunningExporter, name: str) -> bool:
    """Return whether the program shows a pipeline as running."""
    family = "feldera_pipeline_deployment_status"
    return program.value(family, pipeline_name=name, status="Running") == 1


def test_the_samples_are_those_that_come(
    check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of samples is the one that the running exporter reports of itself."""
    monkeypatch.setattr(instance_check, "_BATCH_PIPELINES", 3)
    simulated = feldera("a", "b", "c")
    simulated.create("d", tags=["team:x"])
    with serve(FelderaServer(simulated)) as url:
        configuration = (
            "instances:\n"
            + instance("prod", url, "poll_interval: 1s")
            + "metrics: {exclude: [feldera_pipeline_program_status]}\n"
        )
        with running(tmp_path, configuration) as program:
            until(lambda: program.value("feldera_info") == 1)
            until(lambda: program.value("feldera_cluster_service_healthy", feldera_service="api") == 1)
            # The pipelines move until they run; then the number stays.
            until(lambda: all(runs(program, name) for name in "abc"))
            _, said = check(configuration)
            series = program.value("feldera_exporter_series")
    assert series
    assert f"  samples: {series:.0f}\n" in said


def test_an_old_server_with_a_wrong_clock(check: Check) -> None:
    """An old server's missing features and the difference between the clocks are printed."""
    simulated = Feldera(SkewedClock(now(), 3600), version="0.200.0", plan=INSTANT)
    for names in ((), ("a",)):
        for name in names:
            simulated.create(name)
        with serve(FelderaServer(simulated)) as url:
            code, said = check("instances:\n" + instance("old", url))
        assert code == 0
        assert "  event log: no: transitions between polls will not be seen\n" in said
        assert re.search(
            r"  clock: \+3600\.\d s .*; warning: more than 30 s\n|  clock: \+3599\.\d s .*warning", said
        )


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (answer(b"<html>", content_type="text/html"), "failed: a body of 'text/html', expected JSON"),
        (
            answer(f'{{"message":"{KEY}","error_code":"Auth"}}'.encode(), "401 No", "text/plain"),
            "reachable: yes\n  authorised: no: 401 No: Auth: ***",
        ),
        (answer(b"", "403 Forbidden"), "reachable: yes\n  authorised: no: 403 Forbidden"),
        (answer(b'{"a":1}'), "failed: unexpected body: Expected `array`, got `object`"),
    ],
)
def test_an_instance_that_cannot_be_watched(check: Check, reply: bytes, said: str) -> None:
    """An instance that cannot be watched is named with the reason, the others are checked, and the exit code is 1."""
    with serve(FelderaServer(feldera("a"))) as good, serving_raw(act=sends(reply)) as bad:
        code, lines = check(
            "instances:\n" + instance("bad", bad.url, f"api_key: '{KEY}'") + instance("good", good)
        )
    assert code == 1
    assert f"bad: {bad.url}\n  {said}" in lines
    assert f"good: {good}\n  reachable: in " in lines
    assert KEY not in lines


@pytest.mark.parametrize("prefix", ["/v0/c", "/v0/pipelines/"])
def test_an_instance_that_answers_the_list_alone(check: Check, prefix: str) -> None:
    """Only the list must be there; what is missing is printed."""
    with (
        serve(FelderaServer(feldera("a"))) as url,
        serving_raw(url, sends(answer(b"x", "500 No")), prefix) as server,
    ):
        code, said = check("instances:\n" + instance("prod", server.url))
    assert code == 0
    if prefix == "/v0/c":
        assert "  authorised: yes, tenant unknown: 500 No\n" in said
        assert "  version:" not in said
        assert "  warning: no answer from config: 500 No\n" in said
        assert "  warning: no answer from cluster_healthz: 500 No\n" in said
    else:
        assert "  event log: unknown\n" in said


def test_a_pipeline_that_went_away(check: Check) -> None:
    """Where the first pipeline is unknown by then, the event log still counts as there."""
    gone = answer(b'{"message":"gone","error_code":"UnknownPipelineName"}', "404 No")
    with serve(FelderaServer(feldera("a"))) as url, serving_raw(url, sends(gone), "/v0/pipelines/") as server:
        _, said = check("instances:\n" + instance("prod", server.url))
    assert "  event log: yes\n" in said


def test_what_cannot_be_read(check: Check) -> None:
    """Some of the pipelines that cannot be read are named; without a date the clocks are not compared."""
    rows = b",".join(b'{"id":"%d","name":"p%d"}' % (number, number) for number in range(9))
    good = encoded(row(1))[1:-1]
    with serving_raw(act=sends(answer(b"[" + rows + b"," + good + b"]"))) as server:
        code, said = check("instances:\n" + instance("prod", server.url))
    assert code == 0
    assert "  clock: unknown, the response has no Date header\n" in said
    assert "  pipelines: 1, watched: 1, unreadable: 9\n" in said
    assert said.count(" cannot be read: ") == 5
    with serving_raw(act=sends(answer(b"[" + rows + b"]"))) as server:
        code, said = check("instances:\n" + instance("prod", server.url))
    assert code == 1
    assert "  failed: none of 9 elements can be read, the first is p0: " in said


@pytest.mark.parametrize("stale", [False, True])
def test_what_feldera_says_of_its_services(check: Check, stale: bool) -> None:  # noqa: FBT001
    """Unhealthy services, a stale monitor and the kind of the license are printed, also if the answer is a 503."""
    service = {"healthy": False, "message": "", "checked_at": "2026-08-21T12:00:00Z"}
    health = {"all_healthy": False, "runner": service, "stale": stale, "stale_after_seconds": 1800}
    validity = {"Exists": {"current": "2026-08-21T12:00:00Z", "is_dev": True}}
    config = {"version": "0.375.0", "edition": "EnterpriseDev", "license_validity": validity}
    replies = {
        "/v0/cluster_healthz": answer(msgspec.json.encode(health), "503 Service Unavailable"),
        "/v0/config": answer(msgspec.json.encode(config)),
    }
    with serving_raw(act=lambda request: request.send(replies.get(request.path, answer(b"[]")))) as server:
        code, said = check("instances:\n" + instance("prod", server.url))
    assert code == 0
    assert "  version: 0.375.0, EnterpriseDev\n  license: valid, for development\n" in said
    assert "  warning: Feldera reports as unhealthy: runner\n" in said
    assert ("  warning: Feldera's cluster monitor is stale: the health of its services" in said) == stale


def test_a_certificate_that_is_not_trusted(check: Check, tmp_path: Path) -> None:
    """The error has the reason, and the key is not sent."""
    make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    with serving_raw(act=sends(answer(b"[]")), tls=context) as server:
        code, said = check("instances:\n" + instance("prod", server.url, f"api_key: '{KEY}'"))
        assert server.requests == []
        trusted = instance("prod", server.url, f"api_key: '{KEY}', tls: {{ca_file: ca.pem}}")
        good, _ = check("instances:\n" + trusted)
    assert (code, good) == (1, 0)
    assert "failed: the certificate of 127.0.0.1 is signed by an authority that is not trusted" in said
    assert KEY not in said


def test_all_instances_at_once(check: Check) -> None:
    """Instances that do not answer are waited for at the same time."""
    # Within three seconds five lists can only be requested if none waits for another one's timeout of a second.
    together = Barrier(5)
    filled: list[int] = []

    def hang(request: Request) -> None:
        if request.path.startswith("/v0/pipelines"):
            with suppress(BrokenBarrierError):
                filled.append(together.wait(3))
        request.pause(10)

    with serving_raw(act=hang) as server:
        code, said = check(
            "instances:\n" + "".join(instance(f"i{n}", server.url, "timeout: 1s") for n in range(5))
        )
    assert sorted(filled) == list(range(5))
    assert (code, said.count("failed: no complete response within the timeout")) == (1, 5)
