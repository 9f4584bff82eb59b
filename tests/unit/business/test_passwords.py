"""Hashing passwords with the settings that ship."""

from __future__ import annotations

from server_api.business.staff.service import passwords


def test_hashes_are_argon2id_of_the_recommended_cost() -> None:
    given = passwords.give_password()
    assert given.password_hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert passwords.password_fits(given.password_hash, given.password)
    assert not passwords.password_fits(given.password_hash, given.password + "x")
    assert not passwords.password_fits("not a hash", given.password)
    assert given.password not in repr(given) and given.password_hash not in repr(given)
