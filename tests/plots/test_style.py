"""The style that all plots share."""

from types import SimpleNamespace

import matplotlib as mpl

from tagline.plots import style


def test_names_in_chinese_use_a_font_that_is_installed(monkeypatch):
    fonts = [SimpleNamespace(name=name) for name in ("DejaVu Sans", "WenQuanYi Micro Hei")]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=fonts))
    with style.style():
        assert mpl.rcParams["font.family"] == ["sans-serif", "WenQuanYi Micro Hei"]
    monkeypatch.setattr(style, "fontManager", SimpleNamespace(ttflist=fonts[:1]))
    with style.style():
        assert mpl.rcParams["font.family"] == ["sans-serif"]
