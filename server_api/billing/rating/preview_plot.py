"""A tariff preview as a picture: how many accounts change by how much, and what each pays now and then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

import resources
from resources import text
from server_api.billing.rating.preview import Preview
from shared_models.values.money import MicroYuan

#: More points than this show nothing more; every so manieth is drawn.
_MOST_POINTS = 20_000
_MORE, _LESS, _SAME = "#c0392b", "#2e7d32", "#8a8f98"


def plot(preview: Preview, path: Path, language: str) -> None:
    """Write a PNG (or what the file's ending says). The figures in it are of all accounts."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # a second of start that only this needs
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    font = FontProperties(fname=str(resources.path("fonts", "wqy-microhei.ttc")))
    figure = Figure(figsize=(12.5, 5.4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    _bars(left, preview, language, font)
    _points(right, preview, language, font)
    now, then = (MicroYuan(all_of).to_fen().grouped for all_of in (preview.now_micro_yuan, preview.then_micro_yuan))
    codes = ", ".join(preview.tariff_codes)
    title = _t("plot_title", language, tariff=codes, month=preview.month, now=now, then=then)
    figure.suptitle(title, fontproperties=font, fontsize=14)
    for axes in (left, right):
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_fontproperties(font)
    figure.savefig(path)


def _bars(axes: Any, preview: Preview, language: str, font: Any) -> None:
    classes = preview.classes()
    counts = [count for _low, _high, count in classes]
    colours = [_LESS if high is not None and high <= 0 else _MORE for _low, high, _count in classes]
    bars = axes.bar(range(len(classes)), counts, color=colours, width=0.86)
    axes.bar_label(bars, labels=[f"{count:,}" if count else "" for count in counts], padding=2, fontsize=9)
    axes.set_xticks(range(len(classes)), [_class_name(low, high) for low, high, _count in classes], rotation=35,
                    ha="right")  # fmt: skip
    same = len(preview.accounts) - len(preview.losers) - len(preview.winners)
    heading = _t("plot_classes", language, less=f"{len(preview.winners):,}", more=f"{len(preview.losers):,}",
                 same=f"{same:,}")  # fmt: skip
    axes.set_title(heading, fontproperties=font, fontsize=12)
    axes.set_xlabel(_t("plot_change", language), fontproperties=font)
    axes.set_ylabel(_t("plot_accounts", language), fontproperties=font)
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)


def _class_name(low: int | None, high: int | None) -> str:
    if low is None:
        return f"< {high}"
    return f"≥ {low}" if high is None else f"{low} … {high}"


def _points(axes: Any, preview: Preview, language: str, font: Any) -> None:
    table = preview.accounts.select(now=pl.col("now") // 10_000, then=pl.col("then") // 10_000)
    table = table.gather_every(max(1, -(-len(table) // _MOST_POINTS)))
    colour = [
        _MORE if then > now else _LESS if then < now else _SAME for now, then in table.select("now", "then").rows()
    ]
    now, then = ([fen / 100 for fen in table[name].to_list()] for name in ("now", "then"))
    most = max([1, *now, *then])
    axes.plot([0, most], [0, most], color=_SAME, linewidth=1, zorder=1)
    axes.scatter(now, then, s=9, c=colour, alpha=0.45, linewidths=0, zorder=2)
    axes.set_title(_t("plot_each", language), fontproperties=font, fontsize=12)
    axes.set_xlabel(_t("plot_now", language), fontproperties=font)
    axes.set_ylabel(_t("plot_then", language), fontproperties=font)
    axes.spines[["top", "right"]].set_visible(False)


def _t(key: str, language: str, **params: object) -> str:
    return text(f"cli.tariff_preview.{key}", language, **params)
