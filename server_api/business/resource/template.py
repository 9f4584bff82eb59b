"""An example workbook: every sheet and column of an import, filled with a small town to try things with."""

from __future__ import annotations

from collections.abc import Sequence

from server_api.platform.tabular import sheets_to_excel

_Rows = Sequence[Sequence[object]]
_SHEETS: tuple[tuple[str, Sequence[str], _Rows], ...] = (
    ("places", ("place_code", "place_kind", "name", "parent_code", "address", "hall_code"), (
        ("XSQ", "exchange", "新市区局", "", "铁人大道1号", ""),
        ("XSQ-MDF", "mdf", "新市区局总配线架", "XSQ", "", ""),
        ("XSQ-J01", "cabinet", "铁人大道交接箱", "XSQ-MDF", "铁人大道10号旁", ""),
        ("XSQ-J01-F01", "box", "铁人大道12号3单元", "XSQ-J01", "铁人大道12号3单元二层", ""),
        ("XSQ-J01-F02", "box", "铁人大道14号1单元", "XSQ-J01", "铁人大道14号1单元一层", ""),
        ("XSQ-OLT1", "olt", "新市区 OLT 1", "XSQ", "", ""),
        ("XSQ-OLT1-1", "pon_port", "OLT1 0/1/1", "XSQ-OLT1", "", ""),
        ("YCL", "exchange", "油城路局", "", "油城路1号", ""),
        ("YCL-F01", "box", "油城路8号", "YCL", "油城路8号院内", ""),
        ("CK", "store", "中心仓库", "", "", ""),
        ("VAN-3001", "van", "3001 工程车", "", "", ""),
    )),
    ("covers", ("address", "place_code"), (
        ("铁人大道12号", "XSQ-J01-F01"), ("铁人大道14号", "XSQ-J01-F02"), ("铁人大道", "XSQ-OLT1-1"),
        ("油城路8号", "YCL-F01"),
    )),
    ("numbers", ("number", "until_number", "pool_code", "hall_code", "state"), (
        ("2680000", "2680499", "PUBLIC", "", "available"), ("2688000", "2688099", "RESERVE", "", "new"),
    )),
    ("lines", ("kind", "place_code", "prefix", "from_no", "until_no"), (
        ("port", "XSQ", "", "001", "100"), ("pair", "XSQ-J01", "", "001", "100"),
        ("pair", "XSQ-J01-F01", "", "01", "20"),
        ("pair", "XSQ-J01-F02", "", "01", "20"), ("onu", "XSQ-OLT1-1", "XSQ-OLT1-1:", "01", "64"),
        ("port", "YCL", "", "001", "100"), ("pair", "YCL-F01", "", "01", "20"), ("circuit", "", "DIA", "0001", "0010"),
    )),
    ("devices", ("kind", "code", "model_code", "place_code", "paired_card", "state"), (
        *(("set_top_box", f"STB{number:06d}", "HD-1", "CK", "", "available") for number in range(1, 21)),
        *(("card", f"85370025{number:08d}", "CA-1", "CK", "", "available") for number in range(1, 21)),
        *(("cable_modem", f"00E04C{number:06X}", "CM-1", "CK", "", "available") for number in range(1, 11)),
    )),
    ("addresses", ("network", "pool_code"), (("10.20.30.0/26", "DIA"),)),
    ("materials", ("place_code", "material_code", "name", "unit", "quantity"), (
        ("CK", "drop_wire", "皮线光缆", "m", 5000), ("VAN-3001", "drop_wire", "皮线光缆", "m", 300),
        ("VAN-3001", "socket", "信息面板", "piece", 40),
    )),
)  # fmt: skip


def sample_workbook() -> bytes:
    """The workbook as Excel."""
    return sheets_to_excel(_SHEETS)
