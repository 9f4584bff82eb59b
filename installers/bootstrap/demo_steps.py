"""The demo's steps, told with the product's own commands and its REST API. Each says what it did, with figures."""

from __future__ import annotations

import itertools
import json
import secrets
import shutil
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
#: The standard tariff with local calls by the minute from the first on and cheaper long distance.
DRAFT = """\
tariff: VOICE-STD
name: {zh_CN: 固定电话标准资费（草案）, en: Fixed line standard (draft)}
effective_from: 2026-01-01
rows:
  - {row: local, zones: [local], item: voice.local, step: 1 min, price: 0.15}
  - {row: national, zones: [national], item: voice.long_distance, step: 6 s, price: 0.06}
  - {row: hmt, zones: [HK, MO, TW], item: voice.international, step: 6 s, price: 0.20}
  - {row: abroad, zones: [international], item: voice.international, step: 6 s, price: 0.60}
  - {row: free, zones: [tollfree, service], item: voice.local, step: 1 min, price: 0}
"""
EXPORTS = demo_folder.FOLDER / "exports"
USAGE = demo_folder.FOLDER / "usage"
PAYMENTS = 25
#: A prime, so that every number of the town comes up once.
STRIDE = 7919
#: A million calls and two hundred thousand sessions in a town of ten thousand households.
CALLS_EACH = 100
SESSIONS_EACH = 20
COUNTS = ("read", "accepted", "duplicate", "rejected")
WORDS = ("camel", "desert", "poplar", "melon", "glacier", "beacon", "oilwell", "apricot", "saddle", "lantern", "jade")
#: number, name, role, how far they see, counter, what they do
STAFF = (
    ("1001", "张秀英", "teller", "all", "01", "teller at counter 01: client and portal"),
    ("1002", "李卫东", "chief_teller", "all", "02", "chief teller at counter 02: client and portal"),
    ("2001", "曾国强", "billing_operator", "all", "", "billing operator: portal and API"),
    ("3001", "仇建军", "field_staff", "all", "", "field staff: portal on a phone"),
    ("9001", "区志明", "administrator", "all", "", "administrator: API"),
)


# ---- the town ------------------------------------------------------------------------------------------------------
def load_town(story: Story) -> Iterator[str]:
    """Databases, halls, staff, catalogue, customers: through the product's own importer. Reused where they are."""
    if TOWN_FILE.exists():
        story.town = json.loads(TOWN_FILE.read_text(encoding="utf-8"))
        story.reused = True
        story.onehall("db", "upgrade")
        yield "reusing the town of the last demo ('--fresh' starts over)"
        return
    for leftover in (demo_folder.DATA, demo_folder.KEYS, EXPORTS, USAGE, PAPERS):
        # A demo that was stopped half-way is begun anew.
        shutil.rmtree(leftover, ignore_errors=True)
    figures = story.onehall("sample", "town", "--out", str(EXPORTS), "--households", str(story.households))
    story.town = {"month": f"{figures['month'] // 100}-{figures['month'] % 100:02d}", "households": story.households}
    yield f"old systems' exports: {figures['products']:,} products, {figures['groups']} groups ({_shown(EXPORTS)})"
    story.onehall("db", "upgrade")
    yield "two embedded databases: business and billing"
    story.onehall("staff", "roles")
    story.onehall("staff", "halls", str(EXPORTS / "halls.json"))
    _hire(story)
    story.onehall("catalog", "import", "--sample")
    story.onehall("catalog", "publish")
    story.onehall("tariff", "import")
    yield "halls, staff, roles, catalogue and tariffs"
    yield from _take_over(story)


def _hire(story: Story) -> None:
    """Everybody gets a first password of their own; it is changed at the first login, as it must be."""
    story.town["logins"] = []
    for staff_no, name, role, scope, counter_no, what in STAFF:
        first = new_password()
        words = ["staff", "add", "--no", staff_no, "--name", name, "--hall", "H01", "--role", role, "--scope", scope]
        story.onehall(*words, "--password-stdin", given=first + "\n")
        story.town["logins"].append({"staff_no": staff_no, "first": first, "counter_no": counter_no, "what": what})


def _take_over(story: Story) -> Iterator[str]:
    began = time.monotonic()
    report = story.long("migration", "migrate", "--from", str(EXPORTS))
    took = time.monotonic() - began
    yield (
        f"migrated in {took:.0f} s: {report['rows_new']:,} rows taken over, {report['customers_merged']:,} customers "
        f"of several systems merged, {report['rows_set_aside']:,} rows set aside with their reasons"
    )
    totals = report["totals"]
    agreeing = sum(
        1 for one in totals if (one["source_count"], one["source_fen"]) == (one["stored_count"], one["stored_fen"])
    )
    yield f"{agreeing} of {len(totals)} control totals agree"
    story.done.append(
        f"Took a town of {story.households:,} households over from three old systems ({report['rows_new']:,} rows); "
        f"{agreeing} of {len(totals)} control totals agree."
    )


def import_usage(story: Story) -> Iterator[str]:
    """A month of calls and sessions: decoded, duplicates and errors set aside, guided, rated."""
    if story.reused:
        yield "imported before"
        return
    calls, sessions = story.households * CALLS_EACH, story.households * SESSIONS_EACH
    month = story.town["month"].replace("-", "")
    lists = ["--numbers", str(EXPORTS / "numbers.txt"), "--logins", str(EXPORTS / "logins.txt")]
    made = ["--month", month, "--calls", str(calls), "--sessions", str(sessions)]
    story.onehall("usage", "sample", str(USAGE), *made, *lists)
    began = time.monotonic()
    files = sorted(str(file) for file in USAGE.iterdir())
    answer = story.long("importing usage", "usage", "import", *files)
    took = time.monotonic() - began
    total = {name: sum(int(file[f"{name}_count"]) for file in answer["files"]) for name in COUNTS}
    for file in answer["files"]:
        yield f"{file['file_name']}: " + ", ".join(f"{file[f'{name}_count']:,} {name}" for name in COUNTS)
    if total["read"] != total["accepted"] + total["duplicate"] + total["rejected"]:
        raise Trouble(f"usage does not add up: {total}")
    yield f"{total['read']:,} records in {took:.1f} s ({total['read'] / max(took, 0.001):,.0f} a second, durable)"
    story.done.append(
        f"Read {total['read']:,} calls and sessions: {total['accepted']:,} rated and stored, {total['duplicate']:,} "
        f"duplicates and {total['rejected']:,} bad lines set aside with their reasons."
    )


def try_draft(story: Story) -> Iterator[str]:
    """A draft of the standard telephone tariff tried on the month's real calls."""
    draft = USAGE.parent / "draft.yaml"
    draft.write_text(DRAFT, encoding="utf-8")
    picture = USAGE.parent / "draft.png"
    began = time.monotonic()
    options = ["--month", str(story.town["month"]), "--plot", str(picture)]
    answer = story.long("trying a draft tariff", "tariff", "preview", str(draft), *options)
    took = time.monotonic() - began
    now, then = (int(answer[f"{name}_micro_yuan"]) // 10_000 for name in ("now", "then"))
    words = (
        f"a draft tariff on all of the month's calls: {answer['losers']:,} accounts would pay more, "
        f"{answer['winners']:,} less; {yuan(now)} yuan would become {yuan(then)}"
    )
    yield f"{words} ({took:.1f} s, drawn in {_shown(picture)})"
    story.done.append(f"Tried {words}.")


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
    _remember(story)


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
    newcomers = [login for login in story.town["logins"] if "password" not in login]
    for login in story.town["logins"]:
        if login in newcomers:
            login["password"] = new_password()
            _first_login(story, login)
        story.logins.append(f"{login['staff_no']}  {login['password']}  {login['what']}")
    _remember(story)
    if newcomers:
        yield f"{len(newcomers)} people signed in for the first time and changed their password, as they must"


def _first_login(story: Story, login: dict[str, Any]) -> None:
    """Sign in with the password given out and replace it."""
    first = {"staff_no": login["staff_no"], "password": login.pop("first"), "counter_no": login["counter_no"]}
    token = str(story.hall.call("POST", "/api/hall/sessions", first)["token"])
    change = {"old_password": first["password"], "new_password": login["password"]}
    story.hall.call("POST", "/api/hall/password", change, token=token)


def _remember(story: Story) -> None:
    TOWN_FILE.write_text(json.dumps(story.town, ensure_ascii=False, indent=1), encoding="utf-8")
    TOWN_FILE.chmod(0o600)


def take_payments(story: Story) -> Iterator[str]:
    """A teller's morning over the real API: sign in, open the till, find customers who owe, take their money."""
    token = _sign_in(story)
    try:
        story.hall.call("POST", "/api/hall/till/open", {"float_fen": 20_000}, token=token, act=True)
    except Refusal as refused:
        if refused.code != "till_already_open":
            raise
    receipts: list[dict[str, Any]] = []
    times_ms: list[float] = []
    # The last one found is left for the client to find.
    owing = list(itertools.islice(_owing(story, token), PAYMENTS + 1))
    for account in owing[:-1]:
        body = {"account_id": account["account_id"], "amount_fen": account["owed_fen"], "method": "cash",
                "received_fen": -(-account["owed_fen"] // 5_000) * 5_000}  # fmt: skip
        began = time.monotonic()
        taken = story.hall.call("POST", "/api/hall/payments", body, token=token, act=True)
        times_ms.append((time.monotonic() - began) * 1000)
        receipts.append(taken["receipt"])
    if not receipts:
        yield "nobody owes anything any more: earlier demos took it all ('--fresh' starts over)"
        return
    _remember(story)
    total = sum(int(receipt["total_fen"]) for receipt in receipts)
    median_ms = statistics.median(times_ms)
    yield f"{len(receipts)} payments over {yuan(total)} yuan, answered in {median_ms:.0f} ms each (median)"
    story.done.append(f"Took {len(receipts)} payments over {yuan(total)} yuan through the REST API.")
    _print(receipts)
    yield f"receipts as PDF and for a receipt printer (ESC/POS) in {_shown(PAPERS)}"


def _sign_in(story: Story) -> str:
    teller = story.teller()
    login = {"staff_no": teller["staff_no"], "password": teller["password"], "counter_no": teller["counter_no"]}
    return str(story.hall.call("POST", "/api/hall/sessions", login)["token"])


def find_someone(story: Story) -> None:
    """Find a customer with several services who owes this month's bill, for pictures and for the client."""
    for _ in _owing(story, _sign_in(story)):
        if story.bill_no and story.services >= 3:
            return
    if not story.bill_no:
        raise Trouble("nobody owes a bill of the month")


def _owing(story: Story, token: str) -> Iterator[dict[str, Any]]:
    """Accounts that owe something, found as at a counter: by the number the customer names."""
    seen: set[str] = set()
    month = int(story.town["month"].replace("-", ""))
    numbers = (EXPORTS / "numbers.txt").read_text(encoding="utf-8").split()
    # Numbers taken evenly through the town, going on where the last demo stopped.
    for place in range(int(story.town.get("next_number", 0)), len(numbers)):
        story.town["next_number"] = place
        # As people in town say it, without the area code.
        number = numbers[place * STRIDE % len(numbers)][-7:]
        for hit in story.hall.call("GET", f"/api/hall/customers?q={number}", token=token)["items"]:
            desk = story.hall.call("GET", f"/api/hall/customers/{hit['customer_id']}/desk", token=token)
            for account in desk["accounts"]:
                if account["owed_fen"] > 0 and account["account_id"] not in seen:
                    seen.add(account["account_id"])
                    story.someone = str(desk["customer"]["customer_no"])
                    story.someone_id = str(desk["customer"]["customer_id"])
                    story.services = len(desk["products"])
                    ours = [bill for bill in account["bills"] if bill["yyyymm"] == month]
                    story.bill_no = ours[-1]["bill_no"] if ours else story.bill_no
                    yield account


def _print(receipts: list[dict[str, Any]]) -> None:
    PAPERS.mkdir(exist_ok=True)
    (PAPERS / "receipts.json").write_text(json.dumps(receipts, ensure_ascii=False), encoding="utf-8")
    command = [virtual_env.python(), "-m", "installers.bootstrap.print_papers", PAPERS]
    code, said = ask(command, extra=demo_folder.environment())
    if code:
        raise Trouble(f"the receipts could not be printed:\n{said.strip()[-800:]}")


def print_bill(story: Story) -> Iterator[str]:
    """One bill as a PDF, as the customer gets it."""
    if not story.bill_no:
        yield "no bill was met at the counter"
        return
    file = PAPERS / f"bill-{story.bill_no}.pdf"
    story.onehall("--lang", "zh_CN", "bill", "pdf", story.bill_no, "--out", str(file))
    yield f"bill {story.bill_no}: {_shown(file)}"


def new_password() -> str:
    """A password nobody knows before: there are no default ones, not even here."""
    return f"{secrets.choice(WORDS)}-{secrets.choice(WORDS)}-{secrets.randbelow(9000) + 1000}"


def _shown(path: Any) -> str:
    return str(path.relative_to(REPOSITORY))


def drive_client(story: Story) -> Iterator[str]:
    """The real desktop client, unseen, worked by its keys (only with --check; otherwise a person does it)."""
    if not story.check:
        yield "left to you"
        return
    teller = story.teller(second=True)
    words = [teller["staff_no"], teller["password"], teller["counter_no"], story.someone, str(PAPERS)]
    code, said = ask(
        [virtual_env.python(), "-m", "installers.bootstrap.drive_client", *words],
        extra={**client_environment(story.hall), "QT_QPA_PLATFORM": "offscreen"},
    )
    if code:
        raise Trouble(f"the client did not come through:\n{said.strip()[-1500:]}")
    answer = json.loads([line for line in said.splitlines() if line.startswith("{")][-1])
    yield (f"window ready in {answer['window_ready_ms']} ms; found {answer['found']}; took {answer['amount']} yuan; "
           f"receipt {answer['receipt_no']} {answer['print_state']}, copy {answer['copy_no']} too")  # fmt: skip
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
    ("a draft tariff on real calls", try_draft),
    ("the month's bills", run_month),
    ("the server", start_server),
    ("payments at the counter", take_payments),
    ("a bill on paper", print_bill),
    ("the desktop client", drive_client),
    ("the books", check_books),
]
