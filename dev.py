#!/usr/bin/env python3
"""The one entry for people who build, try or test OneHall: ``python3 dev.py --help``.

Needs nothing but a Python; an old one looks for a newer one (3.11 or later) and hands over to it. The work is done by
``installers/bootstrap`` with the standard library alone. This file must stay readable for Python 3.6.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from installers.bootstrap.find_python import hand_over  # noqa: E402 - the path comes first


def main() -> "int":
    """Run under a Python that is new enough and return the exit code."""
    hand_over(os.path.abspath(__file__), sys.argv[1:])
    from installers.bootstrap.main import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
