"""The page's style sheet, and the policy that lets in nothing else."""

import base64
import hashlib

from pile.report.script import SCRIPT

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #fcfcfb; --ink: #1d2226; --soft: #5c666e; --line: #dfe3e4; --wash: #f1f4f4;
  --accent: #0c6a73; --on: #fff; --mark: #ffe08a; --gone: #f7d9d5;
  --kind0: #0c6a73; --kind1: #8a5a00; --kind2: #a23b4a; --kind3: #5c4fa0; --kind4: #3f6f2a; --kind5: #5c666e;
  --tint0: #073e43; --tint1: #0a565d; --tint2: #106d75; --tint3: #34838a; --tint4: #5a999f;
  --token0: #d9ecee; --token1: #f7e7c8; --token2: #e6e1f6; --token3: #dcedd4;
  --serif: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181a; --ink: #e2e6e8; --soft: #98a3aa; --line: #2c3438; --wash: #1c2225;
    --accent: #62c3cc; --on: #14181a; --mark: #7a5b00; --gone: #5a2a28;
    --kind0: #62c3cc; --kind1: #e0b25c; --kind2: #f0969f; --kind3: #b3a8f0; --kind4: #97cc82; --kind5: #aab4ba;
    --tint0: #97dbe1; --tint1: #60bec6; --tint2: #52a0a7; --tint3: #46868d; --tint4: #3b6f74;
    --token0: #17424a; --token1: #4d3d16; --token2: #3a3463; --token3: #2a4722;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 3rem clamp(1rem, 4vw, 3rem) 5rem; max-width: 84rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.55 var(--sans);
}
h1, h2, .lead { font-family: var(--serif); font-weight: 400; }
h1 { margin: .2rem 0 1rem; font-size: clamp(2rem, 5vw, 3.1rem); line-height: 1.1; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { margin: 0 0 .4rem; font-size: 1.65rem; line-height: 1.2; }
h3 { margin: 2.2rem 0 .5rem; font-size: 1rem; font-weight: 600; }
p { margin: 0 0 1rem; max-width: 42rem; }
.lead { font-size: 1.1rem; color: var(--soft); }
.eyebrow { margin: 0; font-size: .8rem; letter-spacing: .08em; text-transform: uppercase; color: var(--accent); }
section { margin-top: 4rem; scroll-margin-top: 1rem; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
code, pre, .code { font-family: var(--mono); font-size: .86em; }
footer { margin-top: 5rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .85rem; }
dl, dd { margin: 0; }
.facts { display: flex; flex-wrap: wrap; gap: .4rem 2rem; font-size: .9rem; }
.facts div { display: flex; gap: .5rem; max-width: 100%; }
.facts dt, .key dt { color: var(--soft); }
.facts dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.key { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1.6rem 2rem; margin: 2.4rem 0 1.8rem; padding: 1.5rem 0; border: solid var(--line); border-width: 1px 0; }
.key div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.key dt { font-size: .85rem; }
.key dd { font: 1.75rem/1.25 var(--serif); font-variant-numeric: lining-nums; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: 0; padding: 0; list-style: none; font-size: .92rem; }
.note { padding: .1rem 0 .1rem 1rem; border-left: 3px solid var(--accent); }
.box { overflow: auto; max-height: min(90vh, 62rem); margin: 1.2rem 0; border: solid var(--line); border-width: 1px 0; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .875rem; line-height: 1.35; font-variant-numeric: tabular-nums lining-nums; }
caption { padding: .6rem 0 .3rem; text-align: left; color: var(--soft); }
caption span { position: sticky; left: 0; display: inline-block; max-width: min(46rem, calc(100vw - 3rem)); }
.scrolls caption span::after { content: " (scrolls sideways)"; }
th, td { padding: .38rem .7rem; border-top: 1px solid var(--line); text-align: left; vertical-align: top; white-space: nowrap; }
tr > :first-child { padding-left: 0; }
tr > :last-child { padding-right: 0; }
thead { position: sticky; top: 0; z-index: 2; }
thead th { border-top: 0; border-bottom: 1px solid var(--line); background: var(--paper); color: var(--soft); font-weight: 500; vertical-align: bottom; white-space: normal; }
thead th.group { text-align: center; border-bottom-color: var(--soft); }
tbody th, tfoot th { position: sticky; left: 0; z-index: 1; background: var(--paper); font-weight: 500; }
tbody tr:hover > * { background: var(--wash); }
tbody tr:first-child > * { border-top: 0; }
thead tr:first-child > th:first-child { position: sticky; left: 0; z-index: 3; }
tfoot > tr > * { border-top-color: var(--soft); font-weight: 600; }
.number { text-align: right; }
.narrow { max-width: 46rem; }
.zero { color: var(--soft); }
.long { white-space: normal; min-width: 11rem; max-width: 30rem; }
.chart { min-width: 9rem; width: 60%; }
.chart svg { margin-top: .05rem; }
td[title], dd[title] { cursor: help; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
th[aria-sort] button { color: var(--ink); }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
svg { display: block; }
.bar { width: 100%; height: 1.1rem; overflow: visible; }
.track { fill: var(--wash); }
.fill { fill: var(--accent); }
.thin { fill: var(--line); }
.way { fill: var(--accent); fill-opacity: .55; }
.ring { fill: var(--paper); stroke: var(--accent); stroke-width: 2; }
.mark, .mean, .theirs, .axis { fill: none; stroke: var(--ink); vector-effect: non-scaling-stroke; }
.mark { stroke-width: 2; }
.kind0 { fill: var(--kind0); } .kind1 { fill: var(--kind1); } .kind2 { fill: var(--kind2); }
.kind3 { fill: var(--kind3); } .kind4 { fill: var(--kind4); } .kind5 { fill: var(--kind5); }
.axis { stroke: var(--soft); stroke-width: 1; }
.mean { stroke-width: 1.25; }
.theirs { stroke-width: 1.25; stroke-dasharray: 3 2; }
.tint0 { fill: var(--tint0); } .tint1 { fill: var(--tint1); } .tint2 { fill: var(--tint2); }
.tint3 { fill: var(--tint3); } .tint4 { fill: var(--tint4); }
.bar [class^=tint] { stroke: var(--paper); stroke-width: 1; }
.treemap > svg { width: 100%; height: 27rem; border-radius: 3px; }
.treemap .middle, .treemap .tall { display: none; }
.treemap rect { stroke: var(--paper); stroke-width: 2; }
.treemap text { fill: var(--on); font: 600 13px var(--sans); }
.treemap .share { font-weight: 400; }
.legend { display: flex; flex-wrap: wrap; gap: .3rem 1.4rem; margin: 1rem 0; padding: 0; list-style: none; font-size: .875rem; color: var(--soft); }
.swatch { display: inline-block; width: .7rem; height: .7rem; margin-right: .5rem; vertical-align: -.04em; }
.histogram { width: 100%; overflow: visible; }
.histogram text { fill: var(--soft); font: 8px var(--sans); }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 2rem 2.2rem; margin: 1.5rem 0 0; padding: 0; list-style: none; }
.multiples h3 { margin: 0; font-size: .92rem; }
.multiples p { margin: 0 0 .5rem; font-size: .8rem; color: var(--soft); }
.aside { margin-top: 2rem; border-bottom: 1px solid var(--line); }
.tokens { display: flex; flex-wrap: wrap; gap: .4rem; margin: .6rem 0 0; padding: 0; list-style: none; }
.tokens li { max-width: 100%; padding: .1rem .45rem; background: var(--wash); white-space: pre-wrap; overflow-wrap: anywhere; }
details { border-top: 1px solid var(--line); }
details:last-of-type { border-bottom: 1px solid var(--line); }
summary { padding: .6rem 0; cursor: pointer; }
summary span { color: var(--soft); font-size: .85rem; margin-left: .6rem; }
article { margin: 0 0 2rem; }
article dl { font-size: .82rem; }
pre { margin: .5rem 0 0; padding: .9rem 1rem; max-height: 26rem; overflow: auto; background: var(--wash); white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; contain: paint; line-height: 1.5; }
pre i { font-style: normal; box-shadow: inset 1px 0 var(--paper); }
pre i.part::before { content: "\\b7"; color: var(--soft); }
main:has(#coloured:checked) pre i:nth-child(4n + 1) { background: var(--token0); }
main:has(#coloured:checked) pre i:nth-child(4n + 2) { background: var(--token1); }
main:has(#coloured:checked) pre i:nth-child(4n + 3) { background: var(--token2); }
main:has(#coloured:checked) pre i:nth-child(4n) { background: var(--token3); }
::highlight(hit) { background: var(--accent); color: var(--on); }
mark { background: var(--gone); color: inherit; text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: .2em; }
pre + .facts, .sides + .facts { margin-top: 1.1rem; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
.sides pre { min-width: 0; }
.remark { margin: .5rem 0 0; color: var(--soft); font-size: .82rem; }
.search { display: flex; flex-wrap: wrap; align-items: end; gap: .6rem 1.6rem; margin: 1.2rem 0; font-size: .92rem; }
.search .query { display: flex; flex-direction: column; gap: .25rem; flex: 1 1 18rem; max-width: 30rem; }
.search .query[hidden] { display: none; }
.search input[type=search] { width: 100%; padding: .5rem .7rem; border: 1px solid var(--soft); border-radius: 3px; background: var(--paper); color: var(--ink); font: inherit; }
.search label:not(.query label) { padding: .5rem 0; }
.search input[type=checkbox] { width: 1.1rem; height: 1.1rem; margin: 0 .3rem 0 0; vertical-align: -.15em; accent-color: var(--accent); }
.search output { padding: .5rem 0; color: var(--soft); font-variant-numeric: tabular-nums; }
.skip { position: absolute; left: -200vw; padding: .6rem 1rem; background: var(--paper); }
.skip:focus { left: 1rem; top: .6rem; z-index: 9; }
abbr { text-decoration: none; cursor: help; }
.hidden { padding: 0 .2em; border: 1px solid var(--soft); border-radius: 2px; color: inherit; font: .75em var(--mono); unicode-bidi: isolate; }
.box.free { max-height: none; }
@media (min-width: 80rem) {
  .box.free:not(.wide) { overflow: visible; max-height: none; }
}
@media (min-width: 90rem) {
  .box.free { overflow: visible; max-height: none; }
}
@media (max-width: 72rem) {
  .treemap .wide { display: none; }
  .treemap .middle { display: block; }
}
@media (max-width: 40rem) {
  body { padding-top: 1.5rem; }
  section { margin-top: 3rem; }
  .key { grid-template-columns: 1fr 1fr; gap: 1.2rem; }
  .long { min-width: 16rem; }
  .key dd { font-size: 1.35rem; }
  .multiples { grid-template-columns: 1fr 1fr; gap: 1.5rem 1.2rem; }
  .multiples p { font-size: .74rem; }
  .treemap .middle { display: none; }
  .treemap .tall { display: block; height: 36rem; }
  .sides { grid-template-columns: 1fr; gap: .4rem; }
  tbody th, tfoot th { max-width: 9.5rem; white-space: normal; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #bbb; --wash: #eee; --accent: #0c6a73; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  nav { display: none; }
  .box, pre { max-height: none; overflow: visible; }
  table { font-size: 7pt; }
  th, td { padding: .2rem .3rem; }
  thead, tbody th, tfoot th, thead tr:first-child > th:first-child { position: static; }
  thead { display: table-header-group; break-inside: avoid; }
  tfoot { display: table-row-group; }
  tbody th, tfoot th { background: none; }
  tr, .multiples li, article { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def content_policy() -> str:
    """Return the page's content security policy: this style, this script, nothing from anywhere."""
    return (
        f"default-src 'none'; style-src {_digest(STYLE)}; script-src {_digest(SCRIPT)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
