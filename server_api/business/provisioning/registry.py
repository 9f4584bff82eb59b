"""Which adapters there are: a folder with a manifest is one. Code is loaded when it is needed, by name."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

from server_api.business.provisioning.contract import Adapter, Task
from server_api.business.provisioning.manifest import Manifest, ManifestNotValid, Site, read_manifest
from server_api.business.provisioning.simulation import FaultMenu, Simulator

_FOLDER = Path(__file__).parent / "adapters"
_PACKAGE = "server_api.business.provisioning.adapters"


def adapter_names() -> tuple[str, ...]:
    """The adapters of this installation, by folder."""
    return tuple(sorted(file.parent.name for file in _FOLDER.glob("*/manifest.toml")))


@cache
def manifest_of(name: str) -> Manifest:
    """The manifest of an adapter. Raises ManifestNotValid, also where there is no such adapter."""
    if name not in adapter_names():
        raise ManifestNotValid(f"there is no adapter {name}; there are: {', '.join(adapter_names())}")
    manifest = read_manifest(_FOLDER / name / "manifest.toml")
    if manifest.name != name:
        raise ManifestNotValid(f"{name}/manifest.toml calls itself {manifest.name}")
    return manifest


def connect(site: Site) -> Adapter:
    """The adapter of a site; it opens its connections when it first needs them."""
    made: Adapter = import_module(f"{_PACKAGE}.{site.manifest.name}.adapter").connect(site)
    return made


def build_simulator(
    name: str, menu: FaultMenu | None = None, *, port: int = 0, control_port: int | None = None
) -> Simulator:
    """The simulator of an adapter, not started. Raises ManifestNotValid where there is no such adapter."""
    manifest_of(name)
    module = import_module(f"{_PACKAGE}.{name}.simulator")
    made: Simulator = module.build(menu, port=port, control_port=control_port)
    return made


def story(name: str, number: int) -> Sequence[Task]:
    """Tasks for one fresh subscriber of an adapter, every act of the manifest, in an order that is allowed."""
    manifest_of(name)
    tasks: Sequence[Task] = import_module(f"{_PACKAGE}.{name}.simulator").story(number)
    return tasks
