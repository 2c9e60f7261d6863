"""The environment of Feldera's official client."""

from pathlib import Path

import pytest

from feldera_exporter.config import Configuration, Instance, Secret, Tls, load
from feldera_exporter.config.loader import from_environment
from feldera_exporter.errors import ConfigError


def test_host_suffices() -> None:
    """An address alone configures one instance named default; empty variables count as unset."""
    environ = {"FELDERA_HOST": "http://localhost:8080/", "FELDERA_API_KEY": "", "FELDERA_TLS_INSECURE": ""}
    expected = Configuration((Instance("default", "http://localhost:8080"),))
    assert from_environment(environ) == expected
    assert load(None, environ, (), ()) == expected


def test_every_variable_is_read(certificates: Path) -> None:
    """The key and the certificates of the official client's variables are used."""
    environ = {
        "FELDERA_HOST": "https://feldera",
        "FELDERA_API_KEY": " apikey:abc\n",
        "FELDERA_HTTPS_TLS_CERT": str(certificates / "cert.pem"),
    }
    (instance,) = from_environment(environ).instances
    assert instance == Instance(
        "default", "https://feldera", Secret("apikey:abc"), tls=Tls(ca_file=certificates / "cert.pem")
    )


def test_the_key_may_be_in_a_file(tmp_path: Path) -> None:
    """The key may be in a file; both a key and a file are a mistake."""
    (tmp_path / "key").write_text("apikey:TopSecret")
    environ = {"FELDERA_HOST": "http://feldera", "FELDERA_API_KEY_FILE": str(tmp_path / "key")}
    assert from_environment(environ).instances == (
        Instance("default", "http://feldera", api_key_file=tmp_path / "key"),
    )
    with pytest.raises(ConfigError) as caught:
        from_environment(environ | {"FELDERA_API_KEY": "apikey:TopSecret"})
    assert caught.value.mistakes == (
        "FELDERA_API_KEY_FILE: found it beside the API key itself, expected one of the two",
    )


@pytest.mark.parametrize(
    ("text", "insecure"), [("1", True), (" True ", True), ("yes", True), ("0", False), ("no", False)]
)
def test_insecure_switch(text: str, insecure: bool) -> None:  # noqa: FBT001 - a table's column
    """The switch is read as the official client reads it."""
    environ = {"FELDERA_HOST": "https://feldera", "FELDERA_TLS_INSECURE": text}
    assert from_environment(environ).instances[0].tls == Tls(insecure_skip_verify=insecure)


def test_certificates_outweigh_the_insecure_switch(certificates: Path) -> None:
    """With both certificates and the insecure switch, certificates are checked, as the official client does."""
    environ = {
        "FELDERA_HOST": "https://feldera",
        "FELDERA_TLS_INSECURE": "1",
        "FELDERA_HTTPS_TLS_CERT": str(certificates / "cert.pem"),
    }
    assert not from_environment(environ).instances[0].tls.insecure_skip_verify


@pytest.mark.parametrize("environ", [{}, {"FELDERA_HOST": ""}, {"FELDERA_API_KEY": "apikey:TopSecret"}])
def test_nothing_to_watch(environ: dict[str, str]) -> None:
    """Without a file and without an address, one message says what to set."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ, (), ())
    assert caught.value.mistakes == (
        "FELDERA_HOST: found nothing and no configuration file either, expected --config.file or the address of Feldera such as http://localhost:8080",
    )


def test_mistakes_name_the_variables() -> None:
    """Every wrong variable is named, and the key is not repeated."""
    environ = {
        "FELDERA_HOST": "localhost:8080",
        "FELDERA_API_KEY": "apikey:Top\tSecret",
        "FELDERA_HTTPS_TLS_CERT": "no-such-file.pem",
    }
    with pytest.raises(ConfigError) as caught:
        from_environment(environ)
    assert caught.value.mistakes == (
        'FELDERA_HOST: found "localhost:8080", expected an http or https address such as https://feldera.example.com',
        "FELDERA_API_KEY: found a text with other characters, or with blanks at an end (not shown), expected one line of ASCII characters",
        'FELDERA_HTTPS_TLS_CERT: found "no-such-file.pem", expected a file that can be read (No such file or directory)',
    )
