"""Where the journal's key lives: the system's key store, or a private file where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import PasswordSetError

from desktop_client.config import ClientSettings
from desktop_client.devices.receipt_printer.base import PrinterTrouble, TroubleKind
from desktop_client.shell.assembly import LazyPrinter
from desktop_client.work.acts import JournalNotUsable, Step
from desktop_client.work.journal import Journal
from tests.unit.desktop_client.papers import receipt


class Store(KeyringBackend):
    """A key store in memory; ``works`` False is one that takes nothing."""

    priority = 1.0  # type: ignore[assignment]

    def __init__(self, works: bool = True) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.works = works

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.works:
            raise PasswordSetError("locked")
        self.kept[service, username] = password


@pytest.fixture(autouse=True)
def _give_back() -> Iterator[None]:
    before = keyring.get_keyring()
    yield
    keyring.set_keyring(before)


def write_one(folder: Path) -> None:
    journal = Journal(folder)
    journal.record([Step("pay", "/p", {"amount_fen": 1})], owner="o")
    journal.close()


def test_the_key_goes_into_the_key_store_and_no_file_is_made(tmp_path: Path) -> None:
    store = Store()
    keyring.set_keyring(store)
    write_one(tmp_path)
    assert len(store.kept) == 1 and not (tmp_path / "journal.key").exists()
    assert len(Journal(tmp_path).open_entries()) == 1


def test_two_journals_have_keys_of_their_own(tmp_path: Path) -> None:
    store = Store()
    keyring.set_keyring(store)
    for name in "ab":
        write_one(tmp_path / name)
    assert len(set(store.kept.values())) == 2


@pytest.mark.parametrize("store", [NoKeyring(), Store(works=False)])
def test_without_a_key_store_that_works_a_private_file_is_used(tmp_path: Path, store: KeyringBackend) -> None:
    keyring.set_keyring(store)
    write_one(tmp_path)
    assert (tmp_path / "journal.key").exists()
    keyring.set_keyring(Store())
    assert len(Journal(tmp_path).open_entries()) == 1, "a key once in the file stays there"


def test_a_key_store_that_lost_the_key_stops_everything(tmp_path: Path) -> None:
    keyring.set_keyring(Store())
    write_one(tmp_path)
    keyring.set_keyring(Store())
    with pytest.raises(JournalNotUsable, match="key_missing"):
        Journal(tmp_path)


@pytest.mark.parametrize("printer", ["laser:x", "network:", "what"])
def test_a_wrong_printer_setting_is_told_when_something_is_printed(tmp_path: Path, printer: str) -> None:
    with pytest.raises(PrinterTrouble) as trouble:
        LazyPrinter(ClientSettings(printer=printer, data_folder=str(tmp_path))).print_receipt(receipt())
    assert trouble.value.kind is TroubleKind.NOT_AVAILABLE
