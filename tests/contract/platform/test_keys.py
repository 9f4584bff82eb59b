"""Keys: the key file wraps, the data keys lie in both databases, either side opens its data while the other is away."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import delete

from server_api.platform import keyring
from server_api.platform.database import Databases, open_databases
from server_api.platform.secrets import KeyFileWrong, Secrets, read_key_file
from shared_models.values.clock import UTC, ManualClock
from tests.support.engines import Urls


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "onehall.key"


def _open(urls: Urls, key_file: Path) -> tuple[Databases, Secrets]:
    secrets = Secrets.from_file(key_file)
    return open_databases(urls.business, urls.billing, secrets=secrets, label="tests"), secrets


def test_keys_are_made_once_and_found_again_by_the_next_process(database_urls: Urls, key_file: Path) -> None:
    first, secrets = _open(database_urls, key_file)
    secrets.open_ring(first)
    sealed, blind = secrets.seal("身份证 110101199003070134"), secrets.blind("110101199003070134")
    token = secrets.token_key
    first.close()
    assert key_file.stat().st_mode & 0o077 == 0
    second, again = _open(database_urls, key_file)
    try:
        assert again.unseal(sealed) == "身份证 110101199003070134"
        assert (again.blind("110101199003070134"), again.token_key) == (blind, token)
        table = second.business.platform.data_key
        second.business.write(lambda connection: connection.execute(delete(table)))
        third = Secrets.from_file(key_file)
        third.attach(lambda: keyring.load_keys(second, third.wrapping_key or b""))
        assert third.unseal(sealed) == "身份证 110101199003070134"
    finally:
        second.close()


def test_a_new_data_key_seals_and_the_old_one_still_opens(database_urls: Urls, key_file: Path) -> None:
    databases, secrets = _open(database_urls, key_file)
    try:
        secrets.open_ring(databases)
        old, blind = secrets.seal("张三"), secrets.blind("x")
        assert keyring.begin_data_key(databases, secrets.wrapping_key or b"") == 2
        secrets.open_ring(databases)
        new = secrets.seal("张三")
        assert (old[:2], new[:2]) == ("1:", "2:")
        assert secrets.unseal(old) == secrets.unseal(new) == "张三"
        assert secrets.blind("x") == blind
        # A process that has not heard of key 2 learns of it when it meets a text that names it.
        late = Secrets.from_file(key_file)
        late.attach(lambda: keyring.load_keys(databases, late.wrapping_key or b""))
        assert late.unseal(new) == "张三"
    finally:
        databases.close()


def test_the_key_file_is_rotated_and_a_crash_in_between_is_mended(
    database_urls: Urls, key_file: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    databases, secrets = _open(database_urls, key_file)
    try:
        secrets.open_ring(databases)
        sealed = secrets.seal("张三")
        before = read_key_file(key_file)
        write = databases.billing.write
        monkeypatch.setattr(databases.billing, "write", lambda work: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            keyring.rotate_key_file(databases, key_file)
        monkeypatch.setattr(databases.billing, "write", write)
        assert read_key_file(key_file) == before
        retired = keyring.rotate_key_file(databases, key_file)
        assert read_key_file(retired) == before != read_key_file(key_file)
        again = Secrets.from_file(key_file)
        again.open_ring(databases)
        assert again.unseal(sealed) == "张三"
        with pytest.raises(KeyFileWrong):
            keyring.load_keys(databases, before)
    finally:
        databases.close()


def test_escrow_copies_and_never_overwrites(key_file: Path, tmp_path: Path, clock: ManualClock) -> None:
    Secrets.from_file(key_file)
    safe = tmp_path / "safe" / "copy.key"
    keyring.escrow(key_file, safe, clock.now())
    assert read_key_file(safe) == read_key_file(key_file)
    said = safe.with_name("copy.key.txt").read_text(encoding="utf-8")
    assert clock.now().astimezone(UTC).strftime("%Y-%m-%d") in said
    with pytest.raises(FileExistsError):
        keyring.escrow(key_file, safe, clock.now())


def test_what_was_tampered_with_does_not_open(secrets: Secrets, key_file: Path) -> None:
    sealed = secrets.seal("张三")
    swapped = sealed[:-6] + ("A" if sealed[-6] != "A" else "B") + sealed[-5:]
    with pytest.raises(InvalidTag):
        secrets.unseal(swapped)
    with pytest.raises(InvalidTag):
        secrets.unseal("no key: here")
    with pytest.raises(KeyFileWrong):
        secrets.unseal("7:" + sealed[2:])
    assert secrets.seal("张三") != sealed
    assert (secrets.seal(""), secrets.unseal(""), secrets.unseal(None)) == ("", "", "")
    key_file.parent.mkdir()
    key_file.write_text("not a key", encoding="ascii")
    with pytest.raises(KeyFileWrong):
        Secrets.from_file(key_file)
