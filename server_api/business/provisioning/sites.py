"""Which systems this installation is connected to: ``systems.toml`` in the data folder.

```toml
[srun]                                  # the name orders know it by
adapter = "srun"                        # a folder of adapters/; left out, the name itself
base_url = "https://10.0.0.5:8001"      # the settings of its manifest
app_secret = { file = "keys/srun" }     # a secret: file (from the data folder) or env, never its value
[srun.pace]                             # optional: commands_per_s, sessions, timeout_s, attempts, night …
commands_per_s = 50
```
What is not listed is not connected: commands for it go to the manual queue, and nobody pretends.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from server_api.business.provisioning.manifest import ManifestNotValid, Site, site_of
from server_api.business.provisioning.registry import manifest_of
from shared_models.values.faults.provisioning import SystemsNotValid, SystemUnknown

FILE_NAME = "systems.toml"


class Sites:
    """The connected systems of this process, by name."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    def connect(self, sites: Mapping[str, Site]) -> None:
        """Use these from now on."""
        self._sites = dict(sites)

    def get(self, name: str) -> Site | None:
        """The site, or None where no such system is connected."""
        return self._sites.get(name)

    def site(self, name: str) -> Site:
        """The site. Raises SystemUnknown."""
        found = self._sites.get(name)
        if found is None:
            raise SystemUnknown(system=name, known=", ".join(sorted(self._sites)) or "-")
        return found

    @property
    def all(self) -> tuple[Site, ...]:
        return tuple(self._sites[name] for name in sorted(self._sites))


#: What this process is connected to; ``wiring.connect_outside`` sets it from the data folder.
SITES = Sites()


def read_sites(data_dir: Path) -> dict[str, Site]:
    """The sites of ``systems.toml``; none where there is no such file. Raises SystemsNotValid."""
    file = data_dir / FILE_NAME
    if not file.exists():
        return {}
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return {name: _site(name, dict(given), data_dir) for name, given in raw.items()}
    except (tomllib.TOMLDecodeError, ManifestNotValid, OSError, ValueError, TypeError) as error:
        raise SystemsNotValid(file=str(file), problem=str(error)) from None


def _site(name: str, given: dict[str, Any], data_dir: Path) -> Site:
    manifest = manifest_of(str(given.get("adapter", name)))
    secrets = {}
    for field in manifest.settings.values():
        if field.kind == "secret" and field.name in given:
            secrets[field.name] = _secret(name, field.name, given[field.name], data_dir)
            given[field.name] = "set"
    return site_of(manifest, name, given, secrets)


def _secret(site: str, name: str, told: object, data_dir: Path) -> str:
    if not isinstance(told, dict) or len(told) != 1 or not set(told) <= {"file", "env"}:
        raise ManifestNotValid(f"{site}.{name}: a secret is named, as {{ file = … }} or {{ env = … }}")
    if "file" in told:
        return (data_dir / str(told["file"])).read_text(encoding="utf-8").strip()
    value = os.environ.get(str(told["env"]), "")
    if not value:
        raise ManifestNotValid(f"{site}.{name}: the environment has no {told['env']}")
    return value
