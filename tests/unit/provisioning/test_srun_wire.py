"""Srun's northbound calls as the public SDKs send them, and replies in the shapes that are seen."""

from __future__ import annotations

from server_api.business.provisioning.adapters.srun import wire


def test_calls_have_the_published_paths_and_fields() -> None:
    opened = wire.open_user(
        "kd3961234", {"real_name": "张三", "password": "x", "group_id": "1", "product_id": "3"}, "bss"
    )
    assert (opened.method, opened.path) == ("POST", "users")
    assert opened.fields == {
        "user_name": "kd3961234", "user_real_name": "张三", "user_password": "x", "group_id": "1", "products_id": "3",
        "mgr_name_create": "bss",
    }  # fmt: skip
    barred = wire.set_status("kd3961234", "1")
    assert (barred.method, barred.path) == ("POST", "user/user-status-control")
    assert barred.fields == {"user_name": "kd3961234", "user_available": "1"}
    dropped = wire.drop_session("kd3961234", "901")
    assert (dropped.method, dropped.path) == ("POST", "base/online-drop")
    assert dropped.fields == {"user_name": "kd3961234", "drop_type": "radius", "rad_online_id": "901"}
    assert wire.sessions_online("kd3961234").path == "base/online-equipment"
    assert wire.close_user("kd3961234").method == "DELETE"


def test_a_call_survives_the_plan() -> None:
    call = wire.open_user(
        "kd1", {"real_name": "张 三&四", "password": "a=b c", "group_id": "1", "product_id": "3"}, "m"
    )
    assert wire.Call.read(call.text()) == call
    assert wire.Call.read("GET base/macs") == wire.Call("GET", "base/macs")


def test_replies_are_read_tolerantly() -> None:
    want = ("kd1", "1", ("3", "5"))
    for data in (
        {"user_name": "kd1", "user_available": 1, "products_id": "3,5"},
        {"user_name": "kd1", "user_available": "1", "products_id": ["3", 5], "new_thing": {}},
        [{"user_name": "kd1", "status": "1", "products_id": [{"products_id": 3}, {"products_id": "5"}]}],
        {"user": {"user_name": "kd1", "available": 1, "product_id": "3, 5"}},
    ):
        user = wire.read_user(data)
        assert user is not None
        assert (user.name, user.status, user.products) == want
    for nobody in (None, [], {}, "", {"user_name": ""}, 7):
        assert wire.read_user(nobody) is None
    assert wire.read_online({"list": [{"rad_online_id": 9, "user_name": "kd1"}, {"x": 1}]}) == [("9", "kd1")]
    assert wire.read_online("nothing") == []


def test_only_a_number_is_a_code() -> None:
    assert [wire.code_of({"code": value}) for value in (0, "401", None, True, "x", [])] == [
        0, 401, None, None, None, None,
    ]  # fmt: skip
    assert wire.code_of({}) is None
