"""The furnished house of the tests is true: staff can sign in, rights are those of their roles, the server answers."""

from __future__ import annotations

import httpx

from server_api.business.staff import service as staff_service
from tests.support.house import House, RunningHall


def test_staff_sign_in_with_the_known_password(house: House) -> None:
    business = house.databases.business
    signed = staff_service.sign_in(
        business, staff_no="1001", password=house.password, counter_no="03", clock_now=business.clock.now()
    )
    assert not signed.must_change_password
    assert signed.context.permissions == house.context("1001").permissions
    assert "payment.take" in signed.context.permissions and "bill.run" not in signed.context.permissions


def test_a_newcomer_must_change_it(house: House) -> None:
    business = house.databases.business
    signed = staff_service.sign_in(business, staff_no="1009", password=house.password, clock_now=business.clock.now())
    assert signed.must_change_password and not signed.context.permissions


def test_the_server_answers_and_signs_in(running_hall: RunningHall) -> None:
    assert httpx.get(f"{running_hall.base_url}/health").status_code == 200
    login = {"staff_no": running_hall.teller, "password": running_hall.password, "counter_no": running_hall.counter_no}
    reply = httpx.post(f"{running_hall.base_url}/api/hall/sessions", json=login)
    assert reply.status_code == 201, reply.text
    assert reply.json()["context"]["hall_code"] == "H01"
