"""Writes what was measured into docs/performance.md: a table for each engine and a plot of how far each aim is away.

python -m benchmarks.report [results.json …]     several files are one report; of a figure in two, the later counts
"""

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
PLOTS = PAGE.parent / "performance"
BEGIN, END = "<!-- measured: written by python -m benchmarks.report -->", "<!-- end of what was measured -->"
# Of the plot, in pixels.
NAMES, BARS, ROW, WIDTH = 330, 420, 24, 860
MET, MISSED, INK, AIM = "#0f766e", "#b45309", "#1f2937", "#6b7280"


def main(paths: list[Path]) -> None:
    figures = {(one["engine"], one["name"]): one for path in paths for one in json.loads(path.read_text())}
    engines = sorted({engine for engine, _ in figures})
    PLOTS.mkdir(exist_ok=True)
    parts = []
    for engine in engines:
        mine = [one for (where, _), one in figures.items() if where == engine]
        plot = PLOTS / f"{engine.lower()}.svg"
        plot.write_text(drawn(engine, bars(mine)))
        parts += [
            f"### {engine}\n",
            f"![Each ratio as a part of its aim, {engine}](performance/{plot.name})\n",
            *table(mine),
        ]
    page = PAGE.read_text()
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join(parts) + f"\n{END}{after}")


def table(figures: list[dict]) -> list[str]:
    lines = ["| measured | medians | ratio | aim | |", "|---|---|---|---|---|"]
    for one in figures:
        medians = ", ".join(f"{who} {value:.3g} ms" for who, value in one["median_ms"].items())
        name = one["name"]
        for aim in one["aims"] or [None]:
            ratio = (
                [f"{aim['what']}: {aim['ratio']:g}", aim["aim"], "met" if aim["met"] else "**missed**"]
                if aim
                else ["", "", ""]
            )
            lines.append(f"| {' | '.join([name, medians, *ratio])} |")
            name = medians = ""
        lines += [f"| | {note}: {_said(value)} | | | |" for note, value in one["notes"].items()]
    return [*lines, ""]


def _said(value) -> str:
    return ", ".join(f"{count} × {name}" for name, count in value.items()) if isinstance(value, dict) else str(value)


def bars(figures: list[dict]) -> list[tuple[str, float, bool]]:
    """(what, part of the aim that is used up, whether it is met): 1 is the aim itself, less is better."""
    found = []
    for one in figures:
        for aim in one["aims"]:
            kind, _, limit = aim["aim"].rpartition(" ")
            if kind in ("at most", "at least") and aim["ratio"]:
                used = aim["ratio"] / float(limit) if kind == "at most" else float(limit) / aim["ratio"]
                found.append((f"{one['name']}: {aim['what']}", used, aim["met"]))
    return found


def drawn(engine: str, rows: list[tuple[str, float, bool]]) -> str:
    """An SVG of horizontal bars; the line is where the aim would be used up."""
    scale = BARS / max(1.5, *(min(used, 3) for _, used, _ in rows))
    height = ROW * len(rows) + 60
    title = f"{engine}: how much of each aim is used up; left of the line it is met"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="12" y="22" font-size="14" fill="{INK}">{escape(title)}</text>',
    ]
    for n, (name, used, is_met) in enumerate(rows):
        y = 44 + n * ROW
        short = name if len(name) <= 58 else f"{name[:57]}…"
        length, fill = min(used, 3) * scale, MET if is_met else MISSED
        parts += [
            f'<text x="{NAMES}" y="{y + 12}" text-anchor="end" font-size="11" fill="{INK}">{escape(short)}</text>',
            f'<rect x="{NAMES + 8}" y="{y}" width="{length:.0f}" height="{ROW - 8}" fill="{fill}"/>',
            f'<text x="{NAMES + 14 + length:.0f}" y="{y + 12}" fill="{INK}">{used:.0%}</text>',
        ]
    line = NAMES + 8 + scale
    parts.append(
        f'<line x1="{line:.0f}" x2="{line:.0f}" y1="34" y2="{height - 14}" stroke="{AIM}" stroke-dasharray="4 3"/>'
    )
    parts.append(f'<text x="{line + 4:.0f}" y="{height - 6}" fill="{AIM}">the aim</text></svg>\n')
    return "\n".join(parts)


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or [Path(__file__).with_name("results.json")])
