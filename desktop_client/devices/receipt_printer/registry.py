"""Which printer models there are, by the name used in the settings: ``network:192.168.1.50:9100``, ``file:C:/spool``.

The part before the first colon is the model, the rest its target. A new model is one file and one line here.
"""

from __future__ import annotations

from collections.abc import Callable

from desktop_client.devices.receipt_printer.base import ReceiptPrinter


def _network(target: str) -> ReceiptPrinter:
    from desktop_client.devices.receipt_printer.escpos_network import NetworkPrinter

    host, _, port = target.rpartition(":")
    if not host:
        host, port = target, "9100"
    return NetworkPrinter(host, int(port))


def _file(target: str) -> ReceiptPrinter:
    from desktop_client.devices.receipt_printer.escpos_file import FilePrinter

    return FilePrinter(target)


def _windows(target: str) -> ReceiptPrinter:
    from desktop_client.devices.receipt_printer.windows_spooler import SpoolerPrinter

    return SpoolerPrinter(target)


def _pdf(target: str) -> ReceiptPrinter:
    from desktop_client.devices.receipt_printer.pdf_folder import PdfPrinter

    return PdfPrinter(target)


MODELS: dict[str, Callable[[str], ReceiptPrinter]] = {
    "network": _network,
    "file": _file,
    "windows": _windows,
    "pdf": _pdf,
}


class UnknownPrinter(Exception):
    """The settings name a model that does not exist."""


def printer_for(setting: str) -> ReceiptPrinter:
    """The printer a setting names. Nothing is connected yet. Raises UnknownPrinter."""
    model, _, target = setting.partition(":")
    maker = MODELS.get(model)
    if maker is None or not target:
        raise UnknownPrinter(setting)
    try:
        return maker(target)
    except ValueError as problem:
        raise UnknownPrinter(setting) from problem
