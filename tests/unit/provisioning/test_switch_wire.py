"""MML reports as public scripts and logs show them, in one piece and in every splitting."""

from __future__ import annotations

import pytest

from server_api.business.provisioning.adapters.switch_mml.profile import ProfileNotValid, read_profile
from server_api.business.provisioning.adapters.switch_mml.wire import Parser, parse
from server_api.business.provisioning.contract import Task

LISTED = (
    "+++    UNC/*MEID:0 MENAME:unc*/        2026-11-23 08:15:00\r\nO&M    #75\r\n%%LST VSBR: D=K'3961234, LP=0;%%\r\n"
    "RETCODE = 0  操作成功\r\n\r\n操作结果如下\r\n------------\r\n Subscriber number  =  3961234\r\n"
    " Number state  =  Normal\r\n Supplementary service  =  CLIP\r\n(结果个数 = 1)\r\n\r\n---    END\r\n"
)
FAILED = (
    "+++    UNC        2026-11-23 08:15:02\r\nO&M    #76\r\n%%RMV VSBR: D=K'3969999, LP=0;%%\r\n"
    "RETCODE = 30017  Subscriber does not exist\r\n\r\n---    END\r\n"
)
ROW = {"Subscriber number": "3961234", "Number state": "Normal", "Supplementary service": "CLIP"}


def test_a_listing_is_read() -> None:
    (report,) = Parser("gb18030").feed(LISTED.encode("gb18030"))
    assert (report.sequence, report.code, report.text, report.count) == (75, 0, "操作成功", 1)
    assert report.echo == "LST VSBR: D=K'3961234, LP=0;"
    assert [dict(row) for row in report.rows] == [ROW]


def test_a_failure_is_read() -> None:
    (report,) = Parser("utf-8").feed(FAILED.encode())
    assert (report.code, report.text, report.rows) == (30017, "Subscriber does not exist", ())


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_any_splitting_gives_the_same(encoding: str) -> None:
    stream = (LISTED + FAILED).encode(encoding)
    whole = Parser(encoding).feed(stream)
    for place in range(len(stream) + 1):
        parser = Parser(encoding)
        assert parser.feed(stream[:place]) + parser.feed(stream[place:]) == whole
    parser, byte_by_byte = Parser(encoding), []
    for place in range(len(stream)):
        byte_by_byte += parser.feed(stream[place : place + 1])
    assert byte_by_byte == whole


def test_tables_and_several_records() -> None:
    table = parse("%%X;%%\nRETCODE = 0  ok\n\n-----\nNumber  State  Port\n1  up  A 1\n2  down  B 2\n(结果个数 = 2)\n")
    assert [dict(row) for row in table.rows] == [
        {"Number": "1", "State": "up", "Port": "A 1"}, {"Number": "2", "State": "down", "Port": "B 2"},
    ]  # fmt: skip
    records = parse("%%X;%%\nRETCODE = 0  ok\n\n-----\n N  =  1\n S  =  up\n\n N  =  2\n S  =  down\n")
    assert [dict(row) for row in records.rows] == [{"N": "1", "S": "up"}, {"N": "2", "S": "down"}]
    assert parse("%%X;%%\nRETCODE = 0  ok\nTo be continued\n").more


def test_commands_are_those_of_the_scripts() -> None:
    profile = read_profile("softx3000")
    line = profile.read(ROW)
    assert (line.status, line.features) == ("normal", {"CLIP"})
    number = "3961234"
    assert profile.look(number) == "LST VSBR: D=K'3961234, LP=0;"
    assert profile.login("user", "pw") == 'LGI:OP="user",PWD="pw";'
    assert profile.commands(Task("1", number, "suspend", {"level": "all"}), line) == [
        "SET OWSBR: SD=K'3961234, LP=0, SETMODE=Manl, OS=IOOF;"
    ]
    assert profile.commands(Task("1", number, "suspend", {"level": "kept"}), line) == ["PRK SBR: D=K'3961234, LP=0;"]
    assert profile.commands(Task("1", number, "set_feature", {"feature": "CW", "on": True}), line) == [
        "MOD VSBR: D=K'3961234, LP=0, NS=CW-1;"
    ]
    assert profile.commands(Task("1", number, "set_feature", {"feature": "CLIP", "on": True}), line) == []
    assert profile.commands(Task("1", number, "close"), line) == ["RMV VSBR: D=K'3961234, LP=0;"]
    barred = profile.read({**ROW, "Subscriber status": "IOOF"})
    assert profile.commands(Task("1", number, "resume"), barred) == [
        "SET OWSBR: SD=K'3961234, LP=0, SETMODE=Manl, OS=NRM;"
    ]


@pytest.mark.parametrize("evil", ["1;RMV VSBR: D=K'3960001", 'x"', "a\nb", "一"])
def test_no_value_ends_a_command(evil: str) -> None:
    profile = read_profile("softx3000")
    with pytest.raises(ProfileNotValid):
        profile.commands(Task("1", "3961234", "open", {"equipment": evil, "terminal": "A1", "module": "1"}), None)
    if evil != "一":
        with pytest.raises(ProfileNotValid):
            profile.login("user", evil)
