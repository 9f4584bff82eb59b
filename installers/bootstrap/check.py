"""``dev.py check``: the checks that read the code without running the product."""

from __future__ import annotations

import argparse

from installers.bootstrap import stages
from installers.bootstrap.stages import Run


def command(_options: argparse.Namespace) -> int:
    """Run the static checks and the architecture rules; 0 when all hold."""
    return stages.run_stages(["static", "architecture"], Run(workers=2, pytest_arguments=()))
