"""Which servers may send accounting: a file of their own, every mistake named, no secret ever shown."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from server_api.billing.usage.radius.clients import client_of, read_clients
from shared_models.values.faults.usage import RadiusClientsNotValid


def test_who_may_send(tmp_path: Path) -> None:
    file = tmp_path / "radius.toml"
    with pytest.raises(RadiusClientsNotValid):
        read_clients(tmp_path)
    for text, names in (
        ("", "[[client]]"),
        ('[[client]]\nname = "a"\naddress = "10.0.0.0/8"\nsecret = "short"\n', "fewer than 8"),
        ('[[client]]\nname = "a"\naddress = "10.0.0.300"\nsecret = "long-enough"\n', "10.0.0.300"),
        ('[[client]]\naddress = "10.0.0.1"\nsecret = "long-enough"\n', "name is missing"),
        ('[[client]]\nsecret = "long-enough', ""),
    ):
        file.write_text(text, encoding="utf-8")
        file.chmod(0o600)
        with pytest.raises(RadiusClientsNotValid) as refused:
            read_clients(tmp_path)
        assert names in str(refused.value.params["problem"])
        assert "long-enough" not in str(refused.value.params["problem"])
    file.write_text(
        '[[client]]\nname = "net"\naddress = "10.0.0.0/8"\nsecret = "long-enough"\n'
        '[[client]]\nname = "one"\naddress = "10.0.0.7"\nsecret = "another-one"\n',
        encoding="utf-8",
    )
    clients = read_clients(tmp_path)
    assert [getattr(client_of(clients, at), "name", None) for at in ("10.0.0.7", "10.0.0.8", "11.0.0.1", "::1")] == [
        "one",
        "net",
        None,
        None,
    ]
    assert "another-one" not in repr(clients)
    if os.name == "posix":
        file.chmod(0o644)
        with pytest.raises(RadiusClientsNotValid):
            read_clients(tmp_path)
