"""The demo's steps, told with the product's own commands and its REST API. Each says what it did, with figures."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

from installers.bootstrap import demo_folder, virtual_env
from installers.bootstrap.console import REPOSITORY, Trouble, ask
from installers.bootstrap.demo_story import Story, client_environment, yuan
from installers.bootstrap.hall_server import HallServer, Refusal

TOWN_FILE = demo_folder.FOLDER / "town.json"
PAPERS = demo_folder.FOLDER / "papers"
PAYMENTS = 25
#: Pinyin initials of common names: somebody of each will owe something.
INITIALS = ("zw", "lh", "wx", "cy", "zj", "lj", "wj", "zx", "yl", "hj", "xy", "mj", "gx", "sl")


# ---- the town ------------------------------------------------------------------------------------------------------
def load_town(story: Story) -> Iterator[str]:
    """Databases, halls, staff, catalogue, customers: through the product's own importer. Reused where they are."""
    if TOWN_FILE.exists():
        story.town = json.loads(TOWN_FILE.read_text(encoding="utf-8"))
        story.reused = True
        yield "reusing the town of the last demo ('--fresh' starts over)"
        return
    story.onehall("db", "upgrade")
    yield "two embedded databases: business and billing"
    story.town = story.long("the sample town", "sample", "load", "--households", str(story.households))
    town = story.town
    yield (f"{town['customers']:,} customers ({town['groups']:,} of them groups), {town['accounts']:,} accounts, "
           f"{town['products']:,} products, from three old systems")  # fmt: skip
    story.done.append(
        f"Loaded a town of {town['customers']:,} customers and {town['products']:,} products through the importer."
    )


def import_usage(story: Story) -> Iterator[str]:
    """Every usage file: decoded, duplicates and errors set aside, guided, rated."""
    if story.reused:
        yield "imported before"
        return
    total: dict[str, int] = {}
    began = time.monotonic()
    for file in story.town["usage_files"]:
        answer = story.long(f"importing {file}", "usage", "import", str(file))
        counts = {name: int(answer.get(name) or 0) for name in ("read", "accepted", "duplicate", "rejected", "rated")}
        for name, count in counts.items():
            total[name] = total.get(name, 0) + count
        yield f"{str(file).rpartition('/')[2]}: " + ", ".join(f"{count:,} {name}" for name, count in counts.items())
    took = time.monotonic() - began
    if total["read"] != total["accepted"] + total["duplicate"] + total["rejected"]:
        raise Trouble(f"usage does not add up: {total}")
    yield f"{total['read']:,} records in {took:.1f} s ({total['read'] / max(took, 0.001):,.0f} a second)"
    story.done.append(
        f"Read {total['read']:,} calls and sessions: {total['accepted']:,} accepted and rated, {total['duplicate']:,} "
        f"duplicates and {total['rejected']:,} bad lines set aside with their reasons."
    )


def run_month(story: Story) -> Iterator[str]:
    """The bills of the month."""
    if story.reused:
        yield "billed before"
        return
    month = str(story.town["month"])
    began = time.monotonic()
    answer = story.long(f"billing {month}", "bill", "run", "--month", month)
    took = time.monotonic() - began
    bills, total = int(answer["bill_count"]), yuan(int(answer["total_fen"]))
    yield f"{bills:,} bills over {total} yuan in {took:.1f} s, {answer['aside_count']} accounts set aside"
    story.done.append(f"Billed {month}: {bills:,} bills over {total} yuan.")
    TOWN_FILE.write_text(json.dumps(story.town, ensure_ascii=False, indent=1), encoding="utf-8")


# ---- the hall ------------------------------------------------------------------------------------------------------
def start_server(story: Story) -> Iterator[str]:
    """API and worker, HTTPS, this machine only."""
    story.server = HallServer()
    took = story.server.start()
    yield f"healthy at {story.server.url} after {took:.1f} s"
    story.addresses += [
        f"{story.server.url}/portal/          the portal (its certificate is signed by {story.server.ca_file})",
        f"{story.server.url}/api/openapi.json the REST API",
    ]
    story.logins += [f"{one['staff_no']}  {one['password']}  {one['what']}" for one in story.town["logins"]]


def take_payments(story: Story) -> Iterator[str]:
    """A teller's morning over the real API: sign in, open the till, find customers who owe, take their money."""
    teller = story.teller()
    login = {"staff_no": teller["staff_no"], "password": teller["password"], "counter_no": teller["counter_no"]}
    token = str(story.hall.call("POST", "/api/hall/sessions", login)["token"])
    try:
        story.hall.call("POST", "/api/hall/till/open", {"float_fen": 20_000}, token=token, act=True)
    except Refusal as refused:
        if refused.code != "till_already_open":
            raise
    receipts: list[dict[str, Any]] = []
    times_ms: list[float] = []
    for account in _owing(story, token):
        body = {"account_id": account["account_id"], "amount_fen": account["owed_fen"], "method": "cash",
                "received_fen": -(-account["owed_fen"] // 5_000) * 5_000}  # fmt: skip
        began = time.monotonic()
        taken = story.hall.call("POST", "/api/hall/payments", body, token=token, act=True)
        times_ms.append((time.monotonic() - began) * 1000)
        receipts.append(taken["receipt"])
        if len(receipts) == PAYMENTS:
            break
    if not receipts:
        raise Trouble("nobody owed anything: the town is not billed")
    total = sum(int(receipt["total_fen"]) for receipt in receipts)
    median_ms = statistics.median(times_ms)
    yield f"{len(receipts)} payments over {yuan(total)} yuan, answered in {median_ms:.0f} ms each (median)"
    story.done.append(f"Took {len(receipts)} payments over {yuan(total)} yuan through the REST API.")
    _print(receipts)
    yield f"receipts as PDF and for a receipt printer (ESC/POS) in {_shown(PAPERS)}"


def _owing(story: Story, token: str) -> Iterator[dict[str, Any]]:
    """Accounts that owe something, found as a teller finds people: by initials."""
    seen: set[str] = set()
    for words in INITIALS:
        page = story.hall.call("GET", f"/api/hall/customers?q={words}", token=token)
        for hit in page["items"]:
            desk = story.hall.call("GET", f"/api/hall/customers/{hit['customer_id']}/desk", token=token)
            for account in desk["accounts"]:
                if account["owed_fen"] > 0 and account["account_id"] not in seen:
                    seen.add(account["account_id"])
                    yield account


def _print(receipts: list[dict[str, Any]]) -> None:
    PAPERS.mkdir(exist_ok=True)
    (PAPERS / "receipts.json").write_text(json.dumps(receipts, ensure_ascii=False), encoding="utf-8")
    script = REPOSITORY / "installers" / "bootstrap" / "print_papers.py"
    code, said = ask([virtual_env.python(), script, PAPERS], extra=demo_folder.environment())
    if code:
        raise Trouble(f"the receipts could not be printed:\n{said.strip()[-800:]}")


def print_bill(story: Story) -> Iterator[str]:
    """One bill as a PDF, as the customer gets it."""
    for number in story.town.get("show_bills", [])[:1]:
        file = PAPERS / f"bill-{number}.pdf"
        story.onehall("bill", "pdf", str(number), "--out", str(file))
        yield f"bill {number}: {_shown(file)}"


def _shown(path: Any) -> str:
    return str(path.relative_to(REPOSITORY))


def drive_client(story: Story) -> Iterator[str]:
    """The real desktop client, unseen, worked by its keys (only with --check; otherwise a person does it)."""
    if not story.check:
        yield "left to you"
        return
    teller = story.teller(second=True)
    script = REPOSITORY / "installers" / "bootstrap" / "drive_client.py"
    words = [teller["staff_no"], teller["password"], teller["counter_no"], str(story.town["search_words"]), str(PAPERS)]
    code, said = ask(
        [virtual_env.python(), script, *words],
        extra={**client_environment(story.hall), "QT_QPA_PLATFORM": "offscreen"},
    )
    if code:
        raise Trouble(f"the client did not come through:\n{said.strip()[-1500:]}")
    answer = json.loads([line for line in said.splitlines() if line.startswith("{")][-1])
    yield (f"window ready in {answer['window_ready_ms']} ms; found {answer['found']}; took {answer['amount']} yuan; receipt "
           f"{answer['receipt_no']} {answer['print_state']}, reprinted as copy {answer['copy_no']}")  # fmt: skip
    story.done.append(f"Worked the desktop client by its keys: paid {answer['amount']} yuan, printed and reprinted.")


# ---- the books -----------------------------------------------------------------------------------------------------
def check_books(story: Story) -> Iterator[str]:
    """Every invariant over both databases."""
    code, said = ask([virtual_env.program("onehall"), "--json", "check-books"], extra=demo_folder.environment())
    answer = story.answer(("check-books",), 0, said)
    story.books_balance = code == 0 and bool(answer.get("balance"))
    rules = answer.get("rules", [])
    looked_at = sum(int(rule.get("count") or 0) for rule in rules)
    verdict = "the books balance" if story.books_balance else "THE BOOKS DO NOT BALANCE"
    yield f"{verdict}: {len(rules)} rules, {looked_at:,} rows looked at"
    for rule in rules:
        if not rule.get("holds"):
            yield f"  {rule['rule']}: {rule.get('wrong')}"
    story.done.append(f"Checked {len(rules)} rules of bookkeeping over both databases: {verdict}.")


Act = Callable[[Story], Iterator[str]]
STEPS: list[tuple[str, Act]] = [
    ("the sample town", load_town),
    ("calls and broadband sessions", import_usage),
    ("the month's bills", run_month),
    ("the server", start_server),
    ("payments at the counter", take_payments),
    ("a bill on paper", print_bill),
    ("the desktop client", drive_client),
    ("the books", check_books),
]
