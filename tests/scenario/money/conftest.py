"""A counter with a teller on every engine."""

from __future__ import annotations

import pytest

from server_api.platform.database import Databases
from tests.support.money import Counter, new_counter


@pytest.fixture
def counter(databases: Databases) -> Counter:
    """Teller 1001 at counter 03; the till is not open yet."""
    return new_counter(databases)
