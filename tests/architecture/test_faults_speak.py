"""Every refusal has a stable code, a fitting HTTP status, and says in both languages what is wrong and what to do.

Prevents: the teller who reads ``till_not_open`` before a waiting customer, and the text that names a parameter nobody
fills in.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from functools import cache

import pytest

import resources
import shared_models.values.faults as faults_package
from shared_models.values.faults.base import Fault, all_faults
from tests.support.source import source_files

REFUSALS = {400, 401, 403, 404, 405, 406, 409, 410, 412, 413, 415, 422, 423, 428, 429, 503, 507}


def _every_fault() -> dict[str, type[Fault]]:
    for module in pkgutil.iter_modules(faults_package.__path__, faults_package.__name__ + "."):
        importlib.import_module(module.name)
    importlib.import_module("shared_models.values.money")
    return {
        code: cls
        for code, cls in all_faults().items()
        if cls.__module__.startswith(("shared_models.", "server_api.", "desktop_client."))
    }


FAULTS = _every_fault()


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_code_and_status(code: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]{2,59}", code)
    # One fault is no refusal: what is said when a defect of ours has been caught and written down.
    assert FAULTS[code].status in (REFUSALS if code != "internal_trouble" else {500})
    assert FAULTS[code].__doc__ and FAULTS[code].__doc__ != Fault.__doc__


@pytest.mark.parametrize("language", resources.LANGUAGES)
@pytest.mark.parametrize("code", sorted(FAULTS))
def test_says_what_is_wrong_and_what_to_do(code: str, language: str) -> None:
    texts = resources.texts(language)
    for part in ("text", "remedy"):
        said = texts.get(f"fault.{code}.{part}", "")
        assert said.strip(), f"fault.{code}.{part} is missing in {language}"


def parameters(template: str) -> set[str]:
    """The names a text wants filled in."""
    return {name.partition(".")[0].partition("[")[0] for _, name, _, _ in string.Formatter().parse(template) if name}


@cache
def _given() -> dict[str, list[set[str]]]:
    """Fault class -> the parameter names at each place it is raised with plain keywords."""
    found: dict[str, list[set[str]]] = {}
    classes = {cls.__name__: code for code, cls in FAULTS.items()}
    for file in source_files():
        for call in file.calls(*classes):
            name = call.func.attr if hasattr(call.func, "attr") else getattr(call.func, "id", "")
            if all(keyword.arg for keyword in call.keywords) and not call.args:
                found.setdefault(classes[name], []).append({str(keyword.arg) for keyword in call.keywords})
    return found


@pytest.mark.parametrize("code", sorted(FAULTS))
def test_texts_name_only_what_every_raise_gives(code: str) -> None:
    if type(FAULTS[code]).__call__ is not type.__call__ or "__init__" in FAULTS[code].__dict__:
        return  # it fills its parameters itself, from arguments of its own
    for language in resources.LANGUAGES:
        texts = resources.texts(language)
        wanted = parameters(texts[f"fault.{code}.text"]) | parameters(texts[f"fault.{code}.remedy"])
        for given in _given().get(code, []):
            assert wanted <= given, (
                f"{code} ({language}): the text wants {sorted(wanted - given)}, a raise gives {sorted(given)}"
            )


def test_no_text_for_a_fault_that_is_not() -> None:
    for language in resources.LANGUAGES:
        codes = {key.split(".")[1] for key in resources.texts(language) if key.startswith("fault.")}
        assert codes - set(FAULTS) == set()
