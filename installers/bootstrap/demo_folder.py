"""Where the demo keeps its databases, key file and papers."""

from __future__ import annotations

from installers.bootstrap.console import REPOSITORY
from installers.bootstrap.system_packages import child_environment

FOLDER = REPOSITORY / "demo"
#: The product's data folder; its key file lies beside it, in ``demo/data.keys``.
DATA = FOLDER / "data"
KEYS = FOLDER / "data.keys"


def environment() -> dict[str, str]:
    """What a command of the product needs to work on the demo."""
    return {**child_environment(), "ONEHALL_DATA_DIR": str(DATA), "ONEHALL_PROGRESS": "lines"}
