"""The chart of benches/README.md: what verification costs in each library, as a drawing without any library.

Bars begin where the bare primitive is, at 1, on a logarithmic scale: to the right of it is slower, to the left faster.
"""
import math
from html import escape

WIDTH, LEFT, RIGHT = 860, 250, 60
BAR, GAP, TITLE, TOP, BOTTOM = 16, 6, 34, 62, 54
STYLE = """
  text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .panel { font-weight: 600 } .quiet { fill: #59636e; font-size: 12px }
  .ours { fill: #0969da } .others { fill: #8c959f } .grid { stroke: #d1d9e0 } .one { stroke: #1f2328; stroke-width: 1.5 }
  .paper { fill: #ffffff } .number { paint-order: stroke; stroke: #ffffff; stroke-width: 4 } .name { font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .ours { fill: #4493f8 } .others { fill: #7d8590 }
    .grid { stroke: #30363d } .one { stroke: #e6edf3 } .paper { fill: #0d1117 } .number { stroke: #0d1117 }
  }
"""


def ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten, from the last at or below `low` to the first at or above `high`."""
    all_of_them = [step * 10**power for power in range(-3, 4) for step in (1, 2, 5)]
    first = max(tick for tick in all_of_them if tick <= low)
    last = min(tick for tick in all_of_them if tick >= high)
    return [tick for tick in all_of_them if first <= tick <= last]


def chart(ratios: dict[str, dict[str, float]]) -> str:
    """An SVG of the ratios, by library and algorithm: a panel for each algorithm, the libraries from fast to slow."""
    algorithms = list(next(iter(ratios.values())))
    values = [ratio for each in ratios.values() for ratio in each.values()]
    marks = ticks(min(values), max(values))
    low, span = math.log(marks[0]), math.log(marks[-1]) - math.log(marks[0])
    x = lambda ratio: LEFT + (WIDTH - LEFT - RIGHT) * (math.log(ratio) - low) / span
    panel = TITLE + len(ratios) * (BAR + GAP)
    bottom = TOP + len(algorithms) * panel
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom + BOTTOM}" width="{WIDTH}" '
        f'height="{bottom + BOTTOM}" role="img" aria-labelledby="title">',
        f"<style>{STYLE}</style>",
        '<rect class="paper" width="100%" height="100%" rx="6"/>',
        '<text class="title" id="title" x="20" y="28">Verifying an access token of eight claims</text>',
        '<text class="quiet" x="20" y="47">signature, issuer, audience and expiry checked; time ÷ the bare primitive over '
        "the same bytes, logarithmic; less is better</text>",
    ]
    for mark in marks:
        kind = "one" if mark == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x(mark):.1f}" y1="{TOP + 8}" x2="{x(mark):.1f}" y2="{bottom + 6}"/>')
        parts.append(f'<text class="quiet" text-anchor="middle" x="{x(mark):.1f}" y="{bottom + 22}">{mark:g}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text class="quiet" text-anchor="middle" x="{middle}" y="{bottom + 42}">times as long as the bare primitive</text>')
    for place, algorithm in enumerate(algorithms):
        y = TOP + place * panel
        parts.append(f'<text class="panel" x="20" y="{y + 24}">{escape(algorithm)}</text>')
        for name, each in sorted(ratios.items(), key=lambda item: item[1][algorithm]):
            ratio, row = each[algorithm], y + TITLE
            start, end = sorted((x(1), x(ratio)))
            kind, weight = ("ours", "name") if name.startswith("safeconduct") else ("others", "plain")
            base = row + BAR - 4
            parts.append(f'<text class="{weight}" text-anchor="end" x="{LEFT - 10}" y="{base}">{escape(name)}</text>')
            parts.append(f'<rect class="{kind}" x="{start:.1f}" y="{row}" width="{max(end - start, 2):.1f}" height="{BAR}"/>')
            at, anchor = (end + 6, "start") if round(ratio, 2) >= 1 else (start - 6, "end")
            parts.append(f'<text class="number" text-anchor="{anchor}" x="{at:.1f}" y="{base}">{ratio:.2f}</text>')
            y += BAR + GAP
    return "\n".join([*parts, "</svg>", ""])
