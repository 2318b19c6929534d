"""Pieces of the report: the page around it, tables, figures and bars, as HTML without scripts or outside references."""

import base64
from collections.abc import Iterable, Sequence
from html import escape

STYLE = """
:root { color-scheme: light; --ink: #212529; --quiet: #5c636a; --line: #dee2e6; --tint: #f4f6f8; --blue: #1b5e8c; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
header, main, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 3rem 0 .6rem; padding-top: .8rem; border-top: 1px solid var(--line); }
p, li { max-width: 44rem; }
.lead { font-size: 1.1rem; color: var(--quiet); margin: 0 0 1rem; }
.notice { background: #fff4d6; border-left: 4px solid #d9a400; padding: .7rem 1rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none; max-width: none; }
a { color: var(--blue); }
figure { margin: 1rem 0; }
figure img { max-width: 100%; height: auto; display: block; background: var(--tint); }
figcaption { color: var(--quiet); font-size: .92rem; margin-top: .4rem; max-width: 44rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 1.5rem; align-items: start; }
.numbers { display: flex; flex-wrap: wrap; gap: .8rem; padding: 0; margin: 1rem 0; list-style: none; }
.numbers li { background: var(--tint); border-radius: .4rem; padding: .7rem 1.1rem; }
.numbers strong { display: block; font-size: 1.5rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; margin: .8rem 0; }
caption { text-align: left; color: var(--quiet); padding-bottom: .4rem; }
time { white-space: nowrap; }
th, td { padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { white-space: nowrap; border-bottom: 2px solid var(--line); }
.right { text-align: right; white-space: nowrap; }
tbody th { font-weight: 500; white-space: nowrap; }
.id { display: block; min-width: 19rem; white-space: normal; }
.id { font-family: ui-monospace, Consolas, monospace; font-size: .82rem; }
.bar { display: block; height: .8rem; border-radius: 2px; min-width: 1px; margin-top: .3rem; }
.key { display: inline-block; width: .9rem; height: .9rem; border-radius: 2px; vertical-align: -.1rem; }
td.wide { width: 22rem; }
tr.unused td, tr.unused th { color: var(--quiet); }
pre { background: var(--tint); padding: .8rem 1rem; overflow-x: auto; border-radius: .4rem; font-size: .88rem; }
footer { margin-top: 3rem; padding: 1rem 1.5rem 3rem; color: var(--quiet); font-size: .9rem; }
@media print { nav { display: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""


def page(title: str, lead: str, sections: Sequence[tuple[str, str, str]], *, notices: Iterable[str], foot: str) -> str:
    """A whole HTML file.

    Args:
        title: heading, plain text.
        lead: one line below it, plain text.
        sections: anchor, heading (both plain text) and body (HTML) of each section.
        notices: what must not be overlooked, plain text.
        foot: last line, HTML.
    """
    links = "".join(f'<li><a href="#{anchor}">{escape(heading)}</a></li>' for anchor, heading, _ in sections)
    bodies = "\n".join(
        f'<section aria-labelledby="{anchor}"><h2 id="{anchor}">{escape(heading)}</h2>\n{body}\n</section>'
        for anchor, heading, body in sections
    )
    boxes = "".join(f'<p class="notice" role="note">{escape(notice)}</p>' for notice in notices)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<header><h1>{escape(title)}</h1><p class="lead">{escape(lead)}</p>{boxes}
<nav aria-label="Sections"><ul>{links}</ul></nav></header>
<main>
{bodies}
</main>
<footer>{foot}</footer>
</body>
</html>
"""


def table(caption: str, head: Sequence[str], rows: Iterable[str], *, right: Sequence[int] = ()) -> str:
    """A table with its caption; wide ones scroll by themselves.

    Args:
        caption: what the table says, plain text.
        head: column headings, plain text.
        rows: rows as `row` makes them, HTML.
        right: numbers of the columns that are right-aligned, 0-based.
    """
    cells = "".join(f"<th scope=col{_class('right', n in right)}>{escape(text)}</th>" for n, text in enumerate(head))
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )


def row(cells: Sequence[str], *, right: Sequence[int] = (), name: str = "") -> str:
    """One row of HTML cells; the first one is the row's heading."""
    first, *others = cells
    rest = "".join(f"<td{_class('right', n in right)}>{cell}</td>" for n, cell in enumerate(others, 1))
    return f"<tr{_class(name, bool(name))}><th scope=row{_class('right', 0 in right)}>{first}</th>{rest}</tr>"


def facts(caption: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A table of names and what they say, all plain text."""
    return table(caption, ("", ""), [row((escape(name), escape(text))) for name, text in pairs])


def numbers(pairs: Iterable[tuple[str, str]]) -> str:
    """A few large numbers with what they count, all plain text."""
    items = "".join(f"<li><strong>{escape(number)}</strong>{escape(text)}</li>" for number, text in pairs)
    return f'<ul class="numbers">{items}</ul>'


def picture(data: bytes, kind: str, *, alt: str, caption: str) -> str:
    """A picture embedded in the page.

    Args:
        data: bytes of the file.
        kind: "png" or "jpeg".
        alt: what it shows, for who does not see it, plain text.
        caption: HTML.
    """
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f'<figure><img alt="{escape(alt)}" src="data:image/{kind};base64,{encoded}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def bars(caption: str, heading: str, values: Sequence[tuple[str, float, str, str]]) -> str:
    """A histogram as a table, readable without seeing its bars.

    Args:
        caption: what is counted, plain text.
        heading: heading of the labels, plain text.
        values: label, length in any unit, the number as text, colour as #rrggbb.
    """
    most = max((length for _, length, _, _ in values), default=0.0) or 1.0
    rows = [
        f"<tr><th scope=row>{escape(label)}</th><td class=right>{escape(text)}</td><td class=wide aria-hidden=true>"
        f'<span class="bar" style="width:{100 * length / most:.1f}%;background:{colour}"></span></td></tr>'
        for label, length, text, colour in values
    ]
    return table(caption, (heading, "share", ""), rows, right=(1,))


def keys(entries: Iterable[tuple[str, str]]) -> str:
    """A legend in one line: colour as #rrggbb, and what it means in plain text."""
    return " &ensp; ".join(
        f'<span class="key" style="background:{colour}"></span> {escape(text)}' for colour, text in entries
    )


def _class(name: str, wanted: bool) -> str:
    """The class attribute, or nothing."""
    return f' class="{name}"' if wanted else ""
