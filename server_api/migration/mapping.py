"""How an old system's files are read: its file names, headings and codes (resources/migration/<system>.yaml)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

import resources

#: Record kinds in the order in which they are taken over.
KINDS = ("customer", "account", "product", "balance", "bill")


class MappingNotValid(ValueError):
    """A mapping file contradicts itself."""


@dataclass(frozen=True)
class KindMapping:
    """One kind of record: the file (without ending) and our fields by its headings."""

    file: str
    columns: dict[str, str]
    fixed: dict[str, str]


@dataclass(frozen=True)
class SystemMapping:
    """One old system."""

    system: str
    name_zh: str
    name_en: str
    kinds: dict[str, KindMapping]
    codes: dict[str, dict[str, str]]
    access_kind: str
    account_prefix: str
    bill_seq: int
    amounts_in: str

    def file_of(self, kind: str, folder: Path) -> Path | None:
        """The file of a kind in a folder, Excel or CSV; None where the system sent none."""
        if kind not in self.kinds:
            return None
        stem = self.kinds[kind].file
        return next((found for ending in (".xlsx", ".csv") if (found := folder / f"{stem}{ending}").exists()), None)


@lru_cache(maxsize=8)
def shipped(system: str) -> SystemMapping:
    """The mapping of a system that ships with the product. Raises MappingNotValid."""
    file = resources.path("migration", f"{system}.yaml")
    if not system.isidentifier() or not file.exists():
        raise MappingNotValid(f"no mapping for {system}: {', '.join(shipped_systems())}")
    return load(file)


def shipped_systems() -> list[str]:
    """The systems with a shipped mapping, in the order in which they are taken over."""
    found = [load(file) for file in resources.path("migration").glob("*.yaml")]
    return [one.system for one in sorted(found, key=lambda one: one.bill_seq)]


def load(file: Path) -> SystemMapping:
    """Read a mapping file. Raises MappingNotValid."""
    try:
        tree: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
        return SystemMapping(
            system=tree["system"], name_zh=tree["name"]["zh_CN"], name_en=tree["name"]["en"],
            kinds={
                kind: KindMapping(one["file"], dict(one["columns"]), dict(one.get("fixed", {})))
                for kind, one in tree["records"].items()
            },
            codes={
                name: {str(old): str(new) for old, new in codes.items()}
                for name, codes in tree.get("codes", {}).items()
            },
            access_kind=tree["access_kind"], account_prefix=str(tree["account_prefix"]),
            bill_seq=int(tree["bill_seq"]), amounts_in=tree.get("amounts_in", "yuan"),
        )  # fmt: skip
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise MappingNotValid(f"{file.name}: {type(error).__name__}: {error}") from error
