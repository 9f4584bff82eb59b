"""TL1 replies as public scripts show them, in one piece and in every splitting."""

from __future__ import annotations

import pytest

from server_api.business.provisioning.adapters.olt_tl1.profile import ProfileNotValid, read_profile
from server_api.business.provisioning.adapters.olt_tl1.wire import Parser

LISTED = (
    "\r\n   UNM2000 2026-11-23 08:20:01\r\nM  CTAG7 COMPLD\r\n   EN=0   ENDESC=No error\r\ntotal_blocks=1\r\n"
    "block_number=1\r\nblock_records=2\r\n\r\nList of ONU\r\n------------------------------\r\n"
    "OLTID\tPONID\tONUNO\tNAME\tAUTHTYPE\tMAC\r\n10.1.1.1\tNA-NA-1-1\t1\tkd3961234\tMAC\tFHTT01234567\r\n"
    "10.1.1.1\tNA-NA-1-1\t2\tkd3961235\tMAC\tFHTT01234568\r\n;\r\n"
)
DENIED = (
    "\r\n   UNM2000 2026-11-23 08:20:02\r\nM  CTAG8 DENY\r\n   EN=IRNE   EADD=10.1.1.9   ENDESC=resource does not exist"
    "\r\n;\r\n"
)


def test_a_listing_and_a_denial() -> None:
    listed, denied = Parser("utf-8").feed((LISTED + DENIED).encode())
    assert (listed.tag, listed.completion, listed.code, listed.done, len(listed.rows)) == (
        "CTAG7",
        "COMPLD",
        "0",
        True,
        2,
    )
    assert list(listed.rows[0]) == ["OLTID", "PONID", "ONUNO", "NAME", "AUTHTYPE", "MAC"]
    assert listed.rows[1]["MAC"] == "FHTT01234568"
    assert (denied.tag, denied.completion, denied.code, denied.done) == ("CTAG8", "DENY", "IRNE", False)
    assert "does not exist" in denied.text


def test_any_splitting_gives_the_same() -> None:
    stream = (LISTED + DENIED).encode("gb18030")
    whole = Parser("gb18030").feed(stream)
    assert len(whole) == 2
    for place in range(len(stream) + 1):
        parser = Parser("gb18030")
        assert parser.feed(stream[:place]) + parser.feed(stream[place:]) == whole


def test_commands_are_those_of_the_scripts() -> None:
    profile = read_profile("unm2000")
    where = {"olt": "10.1.1.1", "pon": "NA-NA-1-1", "auth": "MAC", "onu": "FHTT01234567"}
    assert profile.command("login", {"user": "user", "password": "pw"}) == "LOGIN:::{tag}::UN=user,PWD=pw;"
    assert profile.command("add", {**where, "onu_name": "kd3961234", "onu_type": "AN5506-04"}) == (
        "ADD-ONU::OLTID=10.1.1.1,PONID=NA-NA-1-1:{tag}::AUTHTYPE=MAC,ONUID=FHTT01234567,NAME=kd3961234,ONUTYPE=AN5506-04;"
    )
    assert profile.command("set_vlan", {**where, "port": "NA-NA-NA-1", "vlan": 101}) == (
        "CFG-LANPORTVLAN::OLTID=10.1.1.1,PONID=NA-NA-1-1,ONUIDTYPE=MAC,ONUID=FHTT01234567,ONUPORT=NA-NA-NA-1:{tag}::"
        "CVLAN=101,CCOS=0;"
    )
    assert profile.command("delete", where) == (
        "DEL-ONU::OLTID=10.1.1.1,PONID=NA-NA-1-1:{tag}::ONUIDTYPE=MAC,ONUID=FHTT01234567;"
    )
    for evil in ("1;DEL-ONU", "a,b=c", "x:y"):
        with pytest.raises(ProfileNotValid):
            profile.command("delete", {**where, "onu": evil})
