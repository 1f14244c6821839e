"""How a page looks: on a screen, light or dark as its reader likes, and on A4."""

PALETTE = ("#2f5d8a", "#c8792b", "#4c8b57", "#8b5a9b", "#b5474b", "#3d8f96", "#a39022", "#6b6f76")
"""For what charts show, the greatest first; the last colour is for all others."""
DARK_PALETTE = (
    *("#6ea3d8", "#e39a52", "#74b880", "#b98bc9", "#de7a7d", "#62bcc3", "#cdba4b", "#9aa1a9"),
)

_LIGHT = """--ink: #1c2126; --soft: #5b646d; --rule: #d9dee3; --ground: #f5f6f8; --paper: #fff;
  --future: #f3f4f6; --open: #fbeed6; --open-ink: #7a4d00; --free: #e3e7eb; --stranded: #d9a441;"""
_DARK = """--ink: #e6e9ec; --soft: #9aa4ae; --rule: #363d45; --ground: #101316; --paper: #181c20;
  --future: #1f242a; --open: #4a3510; --open-ink: #f4d9a4; --free: #2c333a; --stranded: #d9a441;"""


def _colours(palette: tuple[str, ...]) -> str:
    return " ".join(f"--c{place}: {colour};" for place, colour in enumerate(palette))


_CLASSES = "\n".join(f".c{place} {{ fill: var(--c{place}); }}" for place in range(len(PALETTE)))

STYLE = (
    f"""
:root {{ color-scheme: light dark; {_LIGHT} {_colours(PALETTE)} }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ {_DARK} {_colours(DARK_PALETTE)} }}
}}
{_CLASSES}
"""
    """
.ink { fill: var(--ink); } .soft { fill: var(--soft); } .future { fill: var(--future); }
.free { fill: var(--free); } .stranded { fill: var(--stranded); }
.heat { fill: var(--c0); }
.h1 { fill-opacity: .15; } .h2 { fill-opacity: .3; } .h3 { fill-opacity: .45; }
.h4 { fill-opacity: .6; } .h5 { fill-opacity: .75; }
.soft-line { stroke: var(--soft); } .rule-line { stroke: var(--rule); }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 24px auto; padding: 40px 48px; background: var(--paper);
  border: 1px solid var(--rule); border-radius: 6px; }
header { display: flex; gap: 32px; justify-content: space-between; align-items: flex-start;
  border-bottom: 2px solid var(--ink); padding-bottom: 20px; }
header > * { min-width: 0; }
h1 { margin: 0 0 12px; font-size: 26px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 32px 0 10px; font-size: 16px; break-after: avoid; }
h1, h2, .total { font-weight: 600; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 2px 16px; margin: 0; }
dt, .soft, figcaption { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.sum { flex: none; text-align: right; }
.total { font-size: 30px; line-height: 1.1; white-space: nowrap; }
.open { display: inline-block; padding: 1px 8px; border-radius: 9px; background: var(--open);
  color: var(--open-ink); }
figure { margin: 0; break-inside: avoid; } figure + figure { margin-top: 12px; }
figcaption { margin-top: 4px; font-size: 12px; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, Arial, sans-serif; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 6px 0 0; padding: 0;
  list-style: none; font-size: 12px; }
.legend svg { display: inline-block; width: 10px; height: 10px; margin-right: 6px; }
.columns { display: grid; grid-template-columns: 1fr 1fr; gap: 0 40px; align-items: start; }
.columns > * { min-width: 0; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 6px; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
ul { padding-left: 20px; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
th { color: var(--soft); font-weight: 600; font-size: 12px; border-bottom: 1px solid var(--ink); }
td { border-bottom: 1px solid var(--rule); }
tfoot td { border-bottom: 0; border-top: 1px solid var(--ink); font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
.moment { white-space: nowrap; }
.lines { font-size: 12px; table-layout: fixed; }
.lines .number { white-space: normal; }
.lines th { vertical-align: bottom; }
.whole { break-inside: avoid; }
.note { break-after: avoid; padding: 8px 12px; background: var(--ground);
  border-left: 3px solid var(--rule); }
li { margin: 2px 0; }
@page { size: A4; margin: 15mm 14mm 17mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt Arial, sans-serif;
    color: #5b646d; } }
@media print {
  body { background: none; font-size: 9.5pt; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  main { max-width: none; margin: 0; padding: 0; border: 0; }
  h1 { font-size: 17pt; } h2 { font-size: 11.5pt; margin-top: 14pt; } .total { font-size: 20pt; }
  th, td { padding: 2pt 4pt; } ul { margin: 0; }
  .lines { font-size: 7.5pt; } .lines th { font-size: 7.5pt; }
  .lines th, .lines td { padding: 2pt 3pt; }
  thead { display: table-header-group; } tfoot { display: table-row-group; }
  tr { break-inside: avoid; }
  .note { border: 1px solid var(--rule); border-left-width: 3px; }
}
"""
)
