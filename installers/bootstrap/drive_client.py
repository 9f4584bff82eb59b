"""Works the real client unseen, by its keys, against the demo's server: sign in, till, search, pay, reprint.

Run with the project's Python and the client's settings in the environment:
``python -m installers.bootstrap.drive_client STAFF_NO PASSWORD COUNTER_NO WORDS FOLDER``;
prints one JSON document with what the window showed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path


def main(staff_no: str, password: str, counter_no: str, words: str, folder: Path) -> None:
    """Do a teller's round and print what the window showed; ends with exit code 1 where it did not come through."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    began = time.monotonic()
    from desktop_client.config import load_settings
    from desktop_client.driver import CounterDriver

    with CounterDriver(load_settings(os.environ, {})) as driver:
        ready_s = time.monotonic() - began
        driver.sign_in(staff_no, password, counter_no)
        driver.open_till("200")
        found = driver.search(words)
        driver.open_first()
        driver.until(lambda: driver.counter.presenter.state.desk is not None, "the customer's one screen")
        owes = driver.counter.presenter.state.owed.amount_fen > 0
        paid = driver.pay() if owes else driver.pay("50", "100")
        copy_no = driver.reprint()
        driver.picture(folder / "client.png")
        driver.sign_out()
    print(json.dumps({
        "window_ready_ms": round(ready_s * 1000), "found": found, "amount": paid.amount, "receipt_no": paid.receipt_no,
        "print_state": paid.print_state, "copy_no": copy_no,
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], Path(sys.argv[5]))
