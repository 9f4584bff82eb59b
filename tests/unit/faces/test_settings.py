"""Settings: from the file, overridden by the environment, each mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from server_api.settings import SettingsNotValid, load_settings


def test_nothing_set_is_two_files_in_the_data_folder_and_the_key_outside(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "data", {})
    assert settings.business_url == f"sqlite:///{tmp_path / 'data' / 'business.db'}"
    assert settings.billing_url == f"sqlite:///{tmp_path / 'data' / 'billing.db'}"
    assert not settings.key_file.is_relative_to(settings.data_dir)
    assert settings.base_url == "https://127.0.0.1:8443"


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    (tmp_path / "onehall.toml").write_text('port = 9000\nlanguage = "en"\ntls_names = ["hall.example"]\n', "utf-8")
    settings = load_settings(None, {"ONEHALL_DATA_DIR": str(tmp_path), "ONEHALL_PORT": "9100", "ONEHALL_TLS": "false"})
    assert (settings.port, settings.language, settings.tls_names, settings.tls) == (
        9100,
        "en",
        ("hall.example",),
        False,
    )
    assert settings.base_url == "http://127.0.0.1:9100"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("port = 70000", "port"),
        ("prot = 80", "there is no such setting"),
        ('billing_url = "nonsense"', "not a database URL"),
        ('tls_cert = "/no/such/file"', "there is no file"),
        ("port = [", "onehall.toml"),
        ('data_dir = "/elsewhere"', "leave it out"),
        ('language = "fr"', "language"),
        ('business_url = "sqlite:////tmp/one.db"\nbilling_url = "sqlite:////tmp/one.db"', "same database"),
    ],
)
def test_each_mistake_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "onehall.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsNotValid, match=said):
        load_settings(tmp_path, {})


def test_a_key_inside_the_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "onehall.toml").write_text(f'key_file = "{tmp_path / "key"}"', "utf-8")
    with pytest.raises(SettingsNotValid, match="backup"):
        load_settings(tmp_path, {})


def test_a_certificate_without_its_key_is_refused(tmp_path: Path) -> None:
    certificate = tmp_path / "cert.pem"
    certificate.write_text("", "utf-8")
    with pytest.raises(SettingsNotValid, match="belong together"):
        load_settings(tmp_path, {"ONEHALL_TLS_CERT": str(certificate)})
