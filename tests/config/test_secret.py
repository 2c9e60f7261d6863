"""Secrets stay secret."""

import dataclasses

from feldera_exporter.config import Configuration, Instance, Secret


def test_secret_shows_nothing() -> None:
    """No way of turning a secret, or what contains one, into text shows it."""
    secret = Secret("apikey:TopSecret")
    holder = Configuration((Instance("prod", "https://feldera", secret, headers={"X-Token": secret}),))
    for text in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        repr(holder),
        repr([getattr(holder.instances[0], each.name) for each in dataclasses.fields(Instance)]),
    ):
        assert "TopSecret" not in text
        assert "Secret(***)" in text
    assert secret.reveal() == "apikey:TopSecret"


def test_secrets_compare() -> None:
    """Secrets compare by value, so a reload sees a changed key."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
