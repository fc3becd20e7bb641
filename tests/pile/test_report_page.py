"""The report page."""

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pile.report.figures import (
    Figures,
    QuarantinedFile,
    SampleDocument,
    ShardFigures,
    SourceFigures,
    SplitFigures,
    TokenizerFigures,
    to_json,
)
from pile.report.page import render
from sources.published import PILE_SET_NAMES, PUBLISHED
from sources.source import Published

HOSTILE = "</pre><script>alert(1)</script><img src=\"http://evil.example/x\" onerror='x'>\u202egnp\0\ud800"

WEB = SourceFigures(
    name="web",
    pile_set_name="Web pages",
    licence="see each page",
    access="open",
    raw_files=3,
    raw_bytes=10_000_000,
    records=1_060,
    documents=1_000,
    text_bytes=4_096_000,
    rejected={"no_text": 45, "too_short": 15},
    explanations={"no_text": "Nothing is left.", "too_short": "Below 100 characters."},
    quarantined=(QuarantinedFile("2020/a.warc.gz", "ends early at byte 7"),),
    cleaned={"repair_unicode": 12, "normalise_nfc": 3},
    surrogates=2,
    duplicates={"near": 90, "exact": 10},
    epochs=2.0,
    corpus_documents={"train": 1_790, "val": 10},
    corpus_bytes={"train": 7_300_000, "val": 72_800},
    tokens=2_000_000,
    published=Published(2_000, 8_192_000, 4.0, 1.5, remark="Printed in error."),
    lengths=(0,) * 11 + (400, 500, 100),
    samples=(SampleDocument("web/1", "a.warc.gz:0", "CC0-1.0", "Once upon a time"),),
)
BOOKS = SourceFigures(name="books", pile_set_name="Books", licence="none", access="local")
RUN = Figures(
    title="A small run",
    seed=1234,
    config_digest="abc123",
    pile_version="0.1.0",
    sources=(WEB, BOOKS),
    splits=(SplitFigures("train", 1_790, 7_300_000, 1_980_000), SplitFigures("val", 10, 72_800)),
    tokenizer=TokenizerFigures("trained", 512, 250, 6, ("\n\n  ",), 2_000_000, 7_372_800),
    shards=(
        ShardFigures("train_00000.bin", "train", 1_790, 1_980_000, "uint16", 3_960_000, "ab" * 32),
    ),
)


class Page(HTMLParser):
    """Reads a page strictly: what is opened is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element opened last."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect text outside style and script."""
        if not {"style", "script"} & set(self.open):
            self.texts.append(data)

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each element of a name."""
        return [attributes for name, attributes in self.elements if name == tag]


def words(page: str) -> str:
    """Return the text of a page as one line."""
    return " ".join(" ".join(Page(page).texts).split())


def hostile_run() -> Figures:
    """Return a run in which every string is hostile."""
    sample = SampleDocument(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    source = replace(
        WEB,
        name=HOSTILE,
        pile_set_name=HOSTILE,
        licence=HOSTILE,
        rejected={HOSTILE: 60},
        explanations={HOSTILE: HOSTILE},
        quarantined=(QuarantinedFile(HOSTILE, HOSTILE),),
        cleaned={HOSTILE: 1},
        duplicates={HOSTILE: 1},
        samples=(sample,),
        published=Published(1, 1, 1, 1, HOSTILE),
    )
    return Figures(
        title=HOSTILE,
        seed=0,
        config_digest=HOSTILE,
        pile_version=HOSTILE,
        sources=(source,),
        splits=(SplitFigures(HOSTILE, 1, 1),),
        tokenizer=TokenizerFigures(HOSTILE, 1, 1, 1, (HOSTILE,), 1, 1),
        shards=(ShardFigures(HOSTILE, HOSTILE, 1, 1, HOSTILE, 1, HOSTILE),),
    )


def published_run() -> Figures:
    """Return a run of all 22 components, some empty, one of 100 million documents."""
    sources = [
        SourceFigures(
            name=name,
            pile_set_name=PILE_SET_NAMES[name],
            licence="mixed",
            access="open",
            records=place * 5_000_000,
            documents=place * 5_000_000,
            text_bytes=place * 10**10,
            epochs=published.epochs,
            corpus_documents={"train": place * 5_000_000},
            corpus_bytes={"train": place * 10**10},
            published=published,
        )
        for place, (name, published) in enumerate(PUBLISHED.items())
    ]
    return Figures("The Pile", 1, "d", "0.1.0", tuple(sources))


RUNS = {
    "full": RUN,
    "hostile": hostile_run(),
    "published": published_run(),
    "empty": Figures("Nothing yet", 0, "", ""),
    "no records": replace(RUN, sources=(BOOKS,), tokenizer=None, shards=()),
    "all zero": replace(RUN, sources=(replace(BOOKS, published=Published(0, 0, 0, 0)),)),
}


@pytest.fixture(params=list(RUNS))
def page(request: pytest.FixtureRequest) -> str:
    """Return the page of each run in turn."""
    return render(RUNS[request.param])


def test_the_page_is_balanced_html(page: str) -> None:
    """Every element is closed in order, and one document is all there is."""
    parsed = Page(page)
    assert parsed.open == []
    assert page.startswith("<!doctype html>\n<html lang=")
    assert [len(parsed.attributes(tag)) for tag in ("html", "head", "body", "h1")] == [1] * 4


def test_the_page_loads_nothing(page: str) -> None:
    """No address is loaded: links lead within the page, no element or rule names a resource."""
    parsed = Page(page)
    assert not {"link", "img", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in parsed.elements
    }
    assert all("src" not in attributes for _, attributes in parsed.elements)
    links = [str(value["href"]) for _, value in parsed.elements if "href" in value]
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(
        r"url\(|@import|https?://", "".join(re.findall(r"<style>.*?</style>", page, re.DOTALL))
    )


def test_nothing_of_a_document_becomes_markup(page: str) -> None:
    """One script, one style, no handlers, no inline styles: hostile text stays text."""
    parsed = Page(page)
    assert len(parsed.attributes("script")) == len(parsed.attributes("style")) == 1
    names = {name for _, attributes in parsed.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or name == "style"]


def test_the_policy_allows_this_style_and_script_alone(page: str) -> None:
    """The content security policy holds the digests of what the page contains."""
    policy = next(
        str(meta["content"]) for meta in Page(page).attributes("meta") if "http-equiv" in meta
    )
    assert policy.startswith("default-src 'none';")
    for tag in ("style", "script"):
        content = page.split(f"<{tag}>")[1].split(f"</{tag}>", maxsplit=1)[0]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_the_page_can_be_read_aloud_and_navigated(page: str) -> None:
    """Tables have captions and row headings, drawings a label, contents lead to sections."""
    parsed = Page(page)
    tables = len(parsed.attributes("table"))
    assert len(parsed.attributes("caption")) == tables
    for drawing in parsed.attributes("svg"):
        assert drawing.get("aria-hidden") == "true" or (
            drawing["role"] == "img" and drawing["aria-label"]
        )
    anchors = [str(link["href"])[1:] for link in parsed.attributes("a")]
    assert anchors == [section["id"] for section in parsed.attributes("section")]


def test_the_page_can_be_written_as_utf8(page: str) -> None:
    """No surrogate, and no character that hides or reorders text, is left in it."""
    page.encode()
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", page
    )


def test_hostile_text_is_shown_not_obeyed() -> None:
    """A reader sees the markup of a document as text, and its hidden characters by code point."""
    shown = words(render(hostile_run()))
    assert "</pre><script>alert(1)</script><img src=" in shown
    assert "U+202E gnp U+0000 U+D800" in shown


def turned_round(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the same counts in the opposite order."""
    return dict(reversed(tuple(counts.items())))


def test_same_figures_same_bytes() -> None:
    """Neither a second call nor the order of a mapping changes a byte."""
    turned = replace(
        WEB,
        rejected=turned_round(WEB.rejected),
        cleaned=turned_round(WEB.cleaned),
        duplicates=turned_round(WEB.duplicates),
    )
    assert render(RUN) == render(RUN) == render(replace(RUN, sources=(turned, BOOKS)))


def test_the_hash_seed_does_not_matter() -> None:
    """Other processes with other hash seeds render the same page."""
    program = (
        "import json, sys; from pile.report.figures import from_json; "
        "from pile.report.page import render; "
        "sys.stdout.buffer.write(render(from_json(json.load(sys.stdin))).encode())"
    )
    for seed in ("1", "2"):
        made = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(to_json(RUN)).encode(),
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        )
        assert made.stdout == render(RUN).encode()


def test_the_page_states_the_figures() -> None:
    """Numbers are grouped or scaled, the exact size stands in the title."""
    page = render(RUN)
    shown = words(page)
    assert "1,060 were read, 1,000 became documents, 60 were rejected" in shown
    assert "no_text 45 75.0 % Nothing is left." in shown
    assert "2020/a.warc.gz ends early at byte 7" in shown
    assert "Nothing was rejected of Books." in shown
    assert "↵↵␣␣" in shown
    assert 'title="7,372,800 bytes"' in page
    assert f'title="{"ab" * 32}"' in page


def test_our_figures_stand_beside_the_published() -> None:
    """Documents, text, mean and epochs, ours and theirs, the ratio, and the remark."""
    assert (
        "Web pages 1,000 2,000 0.500 3.91 MiB 7.81 MiB 0.500 4.00 4.00 2 1.5 Printed in error."
        in words(render(RUN))
    )


def test_figures_printed_in_error_are_marked() -> None:
    """The ratio is to what the release really holds; sums stand below."""
    wrong = replace(
        WEB, published=Published(2_000, 1_024_000, 0.5, 1.5, "An archive's.", 8_192_000)
    )
    shown = words(render(replace(RUN, sources=(wrong,))))
    assert "0.500 3.91 MiB 0.98 MiB† 0.500 4.00 0.50† 2 1.5 An archive's." in shown
    assert "These sources 1,000 2,000 0.500 3.91 MiB 0.98 MiB 0.500 4.00 0.50" in shown
    assert PUBLISHED["wikipedia_en"].true_bytes / PUBLISHED["wikipedia_en"].documents // 1024 == 2


def test_records_that_do_not_balance_are_named() -> None:
    """A source that lost records in silence is called out at the top of the page."""
    short = replace(WEB, records=2_000)
    shown = words(render(replace(RUN, sources=(short, BOOKS))))
    assert "Records are unaccounted for in: Web pages." in shown
    assert "accounted for: " not in shown


def test_shares_are_drawn_beside_those_of_the_pile() -> None:
    """Of two sources, each bar's label states its share and the one it has in the Pile."""
    other = replace(WEB, pile_set_name="Other", corpus_bytes={"train": 22_118_400}, published=None)
    page = render(replace(RUN, sources=(WEB, other)))
    assert 'aria-label="Web pages: 25.0 % of the corpus, 100.0 % of the Pile"' in page
    assert 'aria-label="Other: 75.0 % of the corpus"' in page


def test_the_parts_of_a_stacked_bar_fill_it() -> None:
    """Rejections by reason, the most frequent first, are as wide as their share."""
    bar = (
        render(RUN).split('aria-label="Web pages: no_text 45, too_short 15"')[1].split("</svg>")[0]
    )
    assert re.findall(r'x="([\d.]+)" y="3" width="([\d.]+)"', bar) == [("0", "75"), ("75", "25")]


def test_histograms_have_one_bar_for_each_power_of_two() -> None:
    """A bar names the sizes it spans and how many documents they hold."""
    page = render(RUN)
    assert "<title>2.00 KiB to 4.00 KiB: 400</title>" in page
    assert page.count('class="histogram"') == 1
    assert "most between 4.00 KiB and 8.00 KiB" in page
