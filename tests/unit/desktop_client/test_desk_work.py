"""Acts of a teller from journal to paper: what an earlier run left, what is resumed, what is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from desktop_client.shell.bridge import MessageBridge
from desktop_client.shell.desk_work import DeskWork, Kept, receipt_in
from desktop_client.wording import Wording
from desktop_client.work.acts import ActKept, JournalNotUsable, Step
from desktop_client.work.journal import Journal
from desktop_client.work.plans import Courier
from shared_models.contracts.receipt import Receipt
from tests.unit.desktop_client.papers import receipt
from tests.unit.desktop_client.runners import AtOnce
from tests.unit.desktop_client.test_plans import LOST_AFTER, NO, NO_LINE, Server, refused

OWNER = "http://127.0.0.1 1001 03"
STEP = Step("take_payment", "/api/hall/payments", {}, "ui.act.take_payment", {"who": "王建国", "amount": "1.00"})


class Printing(Server):
    """Every reply carries a receipt."""

    def send_act(self, path: str, body: dict[str, Any], *, act_id: str, reason: str = "") -> dict[str, Any]:
        super().send_act(path, body, act_id=act_id, reason=reason)
        return {"receipt": receipt().model_dump(mode="json")}


class Shop:
    """DeskWork on a real journal, with a server that suffers as told and a printer that remembers."""

    def __init__(self, folder: Path, script: list[str] | None = None) -> None:
        self.journal = Journal(folder, use_keyring=False)
        self.server = Printing(script)
        self.bridge = MessageBridge()
        self.papers: list[Receipt] = []
        self.counts: list[int] = []
        self.work = self.for_owner(OWNER)

    def for_owner(self, owner: str) -> DeskWork:
        work = DeskWork(
            runner=AtOnce(), journal=lambda: self.journal, bridge=self.bridge, wording=Wording("zh_CN"), owner=owner,
            courier_of=lambda journal: Courier(journal, self.server, retry_after_s=()), paper=self,
        )
        work.listeners.acts_changed.append(self.counts.append)
        return work

    def print_receipt(self, paper: Receipt) -> None:
        self.papers.append(paper)

    @property
    def told(self) -> str:
        return " ".join(message.text for message in self.bridge.told)


class Reply(BaseModel):
    """What the server of these tests answers."""

    receipt: dict[str, Any]


def take(shop: Shop) -> list[Exception]:
    failures: list[Exception] = []
    shop.work.perform(STEP, Reply, success=lambda operation, reply: shop.work.finished(operation),
                      failure=failures.append)
    return failures


def test_an_act_that_was_answered_leaves_the_journal(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    assert take(shop) == []
    assert shop.journal.open_entries() == []


def test_a_lost_reply_is_kept_counted_resumed_and_printed(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [LOST_AFTER])
    failure, = take(shop)
    assert isinstance(failure, ActKept)
    assert shop.counts[-1] == 1
    shop.work.resume()
    assert "已确认入账：收费 ¥1.00" in shop.told
    assert len(shop.papers) == 1 and shop.counts[-1] == 0
    assert shop.journal.open_entries() == []
    assert len(shop.server.booked) == 1


def test_an_act_refused_later_is_told_and_gone(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [NO_LINE, NO])
    take(shop)
    shop.work.resume()
    assert "未能入账" in shop.told and shop.journal.open_entries() == []


def test_the_list_names_acts_and_lets_only_unsent_ones_be_taken_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path, [NO_LINE])
    take(shop)
    shown: list[list[Kept]] = []
    shop.work.kept(shown.append)
    (row,), = shown
    assert row.title == "收费 ¥1.00　王建国" and row.may_withdraw and row.state == "waiting"
    other = shop.for_owner("http://127.0.0.1 1002 03")
    other.kept(shown.append)
    assert shown[-1][0].state == "others" and not shown[-1][0].may_withdraw
    other.resume()
    assert shop.server.booked == {}, "nobody resumes another teller's act"
    gone: list[bool] = []
    shop.work.withdraw(row.operation_id, gone.append)
    assert gone == [True] and shop.journal.open_entries() == []


def test_what_an_earlier_run_had_booked_but_not_finished_is_told_and_forgotten(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    booked, = shop.journal.record([STEP], owner=OWNER)
    shop.journal.confirm(booked.act_id, {"receipt": receipt().model_dump(mode="json")})
    no, = shop.journal.record([STEP], owner=OWNER)
    shop.journal.refuse(no.act_id, refused("account_closed").as_data())
    shop.work.settle_leftovers()
    assert "上次退出前已入账" in shop.told and "YM01-03-0000123" in shop.told and "account_closed" in shop.told
    assert shop.journal.open_entries() == []
    assert shop.papers == [], "it may have been printed: only a reprint may follow"


def test_acts_of_others_are_told_of(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.journal.record([STEP], owner="http://127.0.0.1 1002 03")
    shop.work.settle_leftovers()
    assert "其他营业员" in shop.told


def test_a_journal_that_cannot_be_written_sends_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise JournalNotUsable("cannot_write", "disk full")

    monkeypatch.setattr(shop.journal, "record", full)
    failure, = take(shop)
    assert Wording("zh_CN").of_trouble(failure).text == "本机业务日志写不进去，业务没有发出。"
    assert shop.server.heard == []


def test_a_reply_nobody_understands_stays_in_the_journal(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    failures: list[Exception] = []
    shop.work.perform(STEP, Receipt, success=lambda *_: None, failure=failures.append)
    assert "not_understood" in str(failures[0])
    assert len(shop.journal.open_entries()) == 1, "it is booked, and the teller is told at the next sign-in"


@pytest.mark.parametrize("name", ["receipt", "report", "slip"])
def test_the_paper_is_found_in_any_reply(name: str) -> None:
    assert receipt_in({name: receipt().model_dump(mode="json")}) == receipt()
    assert receipt_in(receipt().model_dump(mode="json")) == receipt()
    assert receipt_in({"till_session_id": "x"}) is None
