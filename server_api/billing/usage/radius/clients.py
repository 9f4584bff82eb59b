"""Which servers may send us accounting, and their secrets: ``radius.toml`` in the data folder, readable by us alone."""

from __future__ import annotations

import ipaddress
import os
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from shared_models.values.faults.usage import RadiusClientsNotValid

FILE_NAME = "radius.toml"
_SHORTEST_SECRET = 8


@dataclass(frozen=True)
class Client:
    """A server, or a network of them, and what it signs with."""

    name: str
    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    secret: bytes = field(repr=False)


def read_clients(folder: Path) -> list[Client]:
    """The servers of ``radius.toml``. Raises RadiusClientsNotValid, naming what is wrong and never a secret."""
    file = folder / FILE_NAME
    try:
        if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise RadiusClientsNotValid(file=str(file), problem="others may read it (chmod 600)")
        rows = tomllib.loads(file.read_text(encoding="utf-8")).get("client", [])
        clients = [_client(row) for row in rows]
    except OSError as error:
        raise RadiusClientsNotValid(file=str(file), problem=str(error.strerror)) from None
    except tomllib.TOMLDecodeError as error:
        raise RadiusClientsNotValid(
            file=str(file), problem=f"TOML: {str(error).rpartition('(')[2].rstrip(')')}"
        ) from None
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        problem = f"{error.args[0]} is missing" if isinstance(error, KeyError) else str(error)
        raise RadiusClientsNotValid(file=str(file), problem=problem) from None
    if not clients:
        raise RadiusClientsNotValid(file=str(file), problem="it names no [[client]]")
    return sorted(clients, key=lambda one: -one.network.prefixlen)


def _client(row: dict[str, str]) -> Client:
    name = str(row["name"])
    secret = Path(row["secret_file"]).read_text(encoding="utf-8").strip() if "secret_file" in row else row["secret"]
    if not isinstance(secret, str) or len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"client {name}: the secret has fewer than {_SHORTEST_SECRET} characters")
    return Client(name, ipaddress.ip_network(row["address"]), secret.encode())


def client_of(clients: list[Client], address: str) -> Client | None:
    """The server at an address: the narrowest network it lies in."""
    here = ipaddress.ip_address(address.partition("%")[0])
    return next((one for one in clients if here.version == one.network.version and here in one.network), None)
