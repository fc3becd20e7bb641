"""The report page."""

import base64
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile.report.budget import PAGE_BYTES
from pile.report.costs import Costs, StageCost
from pile.report.figures import (
    ClusterFigures,
    DuplicateFigures,
    Figures,
    FitFigures,
    PeerFigures,
    QuarantinedFile,
    SampleDocument,
    ShardFigures,
    SourceFigures,
    SplitFigures,
    TokenizerFigures,
    to_json,
)
from pile.report.numbers import MINUS
from pile.report.page import render
from pile.report.treemap import CANVASES, Tile, placed
from sources.published import KINDS, PILE_SET_NAMES, PUBLISHED
from sources.source import Published
from tokenizer.published import PUBLISHED_TOKENS

HOSTILE = "</pre></script><!--<script>-->\u2028<script>alert(1)</script><img src=\"http://evil.example/x\" onerror='x'>\u202egnp\0\ud800"

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
    clusters=(
        ClusterFigures(
            "web/1",
            2,
            (
                DuplicateFigures("web/7", "near", 0.8, 40, "a red house", "a blue house"),
                DuplicateFigures("web/8", "exact", 1.0, 0, "the same", "the same"),
            ),
        ),
    ),
    kind="web",
    epochs=2.0,
    once_documents=900,
    once_bytes=3_600_000,
    unmixed={"not_drawn": 7},
    fit=FitFigures(7_372_800, 1_998_200, 99_910),
    densities=(0,) * 13 + (800, 1_000),
    published_tokens=PUBLISHED_TOKENS["Pile-CC"],
    corpus_documents={"train": 1_790, "val": 10},
    corpus_bytes={"train": 7_300_000, "val": 72_800},
    tokens=2_000_000,
    published=Published(2_000, 8_192_000, 4.0, 1.5, remark="Printed in error."),
    lengths=(0,) * 11 + (400, 500, 100),
    samples=(
        SampleDocument(
            "web/1", "a.warc.gz:0", "CC0-1.0", "Once upon a time", ("Once", " upon", " a", " time")
        ),
    ),
)
BOOKS = SourceFigures(name="books", pile_set_name="Books", licence="none", access="local")
RUN = Figures(
    title="A small run",
    seed=1234,
    config_digest="abc123",
    pile_version="0.1.0",
    sources=(WEB, BOOKS),
    splits=(SplitFigures("train", 1_790, 7_300_000, 1_980_000), SplitFigures("val", 10, 72_800)),
    tokenizer=TokenizerFigures(
        "trained",
        512,
        250,
        6,
        ("\n\n  ", " " * 24),
        2_000_000,
        7_372_800,
        2,
        ("  a",),
        (
            PeerFigures(
                "20B.json",
                50_277,
                221,
                256,
                {"Web pages": FitFigures(1_000, 240, 12)},
                {"Web pages": FitFigures(1_000, 300, 10)},
            ),
        ),
    ),
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
        if tag not in {"meta", "br", "input"}:
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
    """Return the text of a page as one line, with plain signs for minus."""
    return " ".join(" ".join(Page(page).texts).split()).replace(MINUS, "-")


def hostile_run() -> Figures:
    """Return a run in which every string is hostile."""
    sample = SampleDocument(HOSTILE, HOSTILE, HOSTILE, HOSTILE, (HOSTILE, "", HOSTILE))
    gone = DuplicateFigures(HOSTILE, HOSTILE, 0.5, 3, HOSTILE, f"{HOSTILE} and more")
    fits = {HOSTILE: FitFigures(1, 1, 1)}
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
        clusters=(ClusterFigures(HOSTILE, 1, (gone,)),),
        kind=HOSTILE,
        unmixed={HOSTILE: 1},
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
        tokenizer=TokenizerFigures(
            HOSTILE,
            1,
            1,
            1,
            (HOSTILE,),
            1,
            1,
            1,
            (HOSTILE,),
            (PeerFigures(HOSTILE, 1, 1, 1, fits, fits),),
        ),
        skipped=(HOSTILE,),
        dedup={"method": HOSTILE},
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
            kind=KINDS[name],
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
        # A tile of a treemap is a drawing inside one that has a label.
        assert (
            "x" in drawing
            or drawing.get("aria-hidden") == "true"
            or (drawing["role"] == "img" and drawing["aria-label"])
        )
    skip, *anchors = [str(link["href"])[1:] for link in parsed.attributes("a")]
    assert skip == parsed.attributes("main")[0]["id"]
    assert anchors == [section["id"] for section in parsed.attributes("section")]
    for field in parsed.attributes("input"):
        assert field["id"] in [label["for"] for label in parsed.attributes("label")]


def test_the_page_can_be_written_as_utf8(page: str) -> None:
    """No surrogate, and no character that hides or reorders text, is left in it."""
    page.encode()
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]", page
    )


def test_hostile_text_is_shown_not_obeyed() -> None:
    """A reader sees the markup of a document as text, and its hidden characters by code point."""
    shown = words(render(hostile_run()))
    assert "</pre></script><!--<script>--> U+2028 <script>alert(1)</script><img src=" in shown
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
    assert "↵↵␣␣ ␣\N{MULTIPLICATION SIGN}24" in shown
    assert 'title="7,372,800 bytes"' in page
    assert f'title="{"ab" * 32}"' in page


def test_our_figures_stand_beside_the_published() -> None:
    """Mean length, documents, raw size, weight, epochs, effective size: ours, theirs, how far off."""
    assert (
        "Web pages 4.00 4.00 0.0 % 1,000 2,000 -50.0 % 3.91 MiB 7.81 MiB -50.0 % "
        "100.0 % 100.0 % 0.0 pt 2 1.5 7.03 MiB 11.7 MiB -40.0 %"
    ) in words(render(RUN))


def test_figures_printed_in_error_are_marked() -> None:
    """The deviation is from what the release really holds; sums stand below, remarks after them."""
    wrong = replace(
        WEB, published=Published(2_000, 1_024_000, 0.5, 1.5, "An archive's.", 8_192_000)
    )
    shown = words(render(replace(RUN, sources=(wrong,))))
    assert "4.00 0.50 † 0.0 % 1,000 2,000 -50.0 % 3.91 MiB 0.98 MiB † -50.0 %" in shown
    assert "These sources 4.00 0.50 0.0 % 1,000 2,000 -50.0 % 3.91 MiB 0.98 MiB -50.0 %" in shown
    assert "† Web pages: An archive's." in shown
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
    shares = "50.0 % before epochs, 25.0 % of the corpus, 100.0 % of the Pile"
    assert f'aria-label="Web pages: {shares}"' in page
    assert 'aria-label="Other: 50.0 % before epochs, 75.0 % of the corpus"' in page


def test_a_bar_of_rejections_is_as_long_as_their_share() -> None:
    """The largest share takes the width; reasons divide it, the most frequent first."""
    other = replace(WEB, pile_set_name="Other", records=2_120, documents=2_060)
    page = render(replace(RUN, sources=(WEB, other)))
    for label, parts in (
        ("Web pages: 5.7 % rejected", [("0%", "75%"), ("75%", "25%")]),
        ("Other: 2.8 % rejected", [("0%", "37.5%"), ("37.5%", "12.5%")]),
    ):
        drawn = page.split(f'aria-label="{label}; no_text 45, too_short 15"')[1].split("</svg>")[0]
        tints = re.findall(
            r'x="([\d.]+%)" y="18%" width="([\d.]+%)" height="64%" class="tint', drawn
        )
        assert tints == parts


def test_histograms_have_one_bar_for_each_power_of_two() -> None:
    """A bar names the sizes it spans and how many documents they hold."""
    page = render(RUN)
    assert "<title>2.00 KiB to 4.00 KiB: 400</title>" in page
    assert page.count('class="histogram"') == 2
    assert "<title>0.26 to 0.28: 800</title>" in page
    assert "most from 4.00 KiB to 8.00 KiB" in page


def test_duplicates_are_read_side_by_side() -> None:
    """Rates by kind, and of clusters what stays and what went, words that differ marked."""
    page = render(RUN)
    assert 'aria-label="Web pages: 10.0 % removed; exact 10, near 90"' in page
    assert "a <mark>blue</mark> house</pre>" in page
    assert "a <mark>red</mark> house</pre>" in page
    assert page.count("the same</pre>") == 1
    assert "both begin with the same 40 characters" in page


def test_tokens_are_elements_of_their_own() -> None:
    """The text of a sample is that of its tokens; one that completes no character is empty."""
    page = render(RUN)
    assert "<i>Once</i><i> upon</i><i> a</i><i> time</i></pre>" in page
    assert '<i class="part"></i>' in render(hostile_run())


def test_tokenizers_stand_beside_each_other() -> None:
    """White space as published, vocabularies' overlap, and tokens for the same text."""
    shown = words(render(RUN))
    assert "Web pages 5.0 % 4.0 % 4.0 % 1,998,200 53,415,704 53,392,389 1.000" in shown
    assert "20B.json 50,277 221 256 50.0 %" in shown
    assert "Web pages 0.300 0.240 1.250 3.3 % 5.0 % 0.98 KiB" in shown


def test_times_are_on_a_page_of_their_own() -> None:
    """Without costs the page tells no time; with them, by kind of stage, in dollars if a price is known."""
    stages = (
        StageCost("extract.a", 2, 2, 7200.0, 3600.0, 10**9, 10**6, 5),
        StageCost("extract.b", 0, 1, 0.0, 0.0, 0, 0, 1),
        StageCost("mix", 1, 1, 10.0, 9.0, 0, 10**6, 5),
    )
    assert "Time and cost" not in render(RUN)
    shown = words(render(RUN, Costs(stages, 0.05)))
    assert "1 h 0 min of processor time, 1 core-hours, 0.05 USD at 0.05 USD a core-hour" in shown
    assert "extract 1 h 0 min 99.8 % 2 h 0 min 3 6 954 MiB 977 KiB 0.28 0.05" in shown
    assert "Of 1 of 4 tasks no times are known" in shown
    assert "tells of no stage" in words(render(RUN, Costs(())))


def crowded(count: int, source: SourceFigures) -> Figures:
    """Return a run of sources with more samples than a page can show."""
    words_ = tuple(f" word{number}" for number in range(100))
    text = "".join(words_)
    samples = tuple(SampleDocument(f"s/{n}", "o", "l", text, words_) for n in range(count))
    return replace(
        RUN, sources=tuple(replace(source, pile_set_name=n, samples=samples) for n in "ABC")
    )


def test_the_page_stays_small() -> None:
    """Samples are taken one of each source in turn until the page is full, and it says so."""
    page = render(crowded(1_500, WEB))
    assert PAGE_BYTES * 0.98 < len(page.encode()) < PAGE_BYTES
    kept = [
        part.count("<article>") for part in page.split('id="samples"')[1].split("<details>")[1:]
    ]
    assert max(kept) - min(kept) <= 1
    assert f"{sum(kept):,} of 4,500 drawn documents are shown" in words(page)
    assert "drawn documents are shown" not in words(render(crowded(3, WEB)))


def test_a_page_of_large_tables_alone_stays_small_too() -> None:
    """Rows beyond a number are left out of a table, and then the largest sections; each says so."""
    shard = RUN.shards[0]
    many = replace(RUN, shards=tuple(replace(shard, name=f"{n}.bin") for n in range(30_000)))
    page = render(many)
    assert len(page.encode()) < PAGE_BYTES
    assert "the first 500 of 30,000, figures.json has all" in words(page)
    light = render(many, page_bytes=150_000)
    assert len(light.encode()) < 150_000
    assert "Too large for this page" in words(light)


def test_a_tile_says_what_fits_into_it() -> None:
    """A name is broken if it must be, its share below it; a tile too small says nothing but its hint."""
    page = render(RUNS["published"])
    wide = page.split('class="wide"')[1].split('class="middle"')[0]
    assert ">NIH ExPorter</text>" in wide
    assert ">PubMed</text>" in wide
    assert ">Abstracts</text>" in wide
    assert ">Open</text>" in wide
    assert ">Subtitles</text>" in wide
    assert ">PubMed Central</text>" not in wide
    assert "<title>PubMed Central: 0.4 %, academic</title>" in wide


TREES = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**13)), min_size=1, max_size=40)


@given(TREES)
def test_tiles_are_as_large_as_their_values(values: list[tuple[str, int]]) -> None:
    """They fill the canvas without overlap, each in proportion; nothing leaves it."""
    tiles = [Tile(str(n), "", value, group, "") for n, (group, value) in enumerate(values)]
    whole = sum(value for _, value in values)
    for canvas in CANVASES:
        area = canvas.width * canvas.height
        boxes = placed(tiles, canvas)
        assert len(boxes) == sum(value > 0 for _, value in values)
        for tile, box in boxes:
            assert box.width * box.height == pytest.approx(
                tile.value / whole * area, rel=1e-6, abs=1e-6
            )
            assert box.left >= -1e-6
            assert box.top >= -1e-6
            assert box.left + box.width <= canvas.width + 1e-6
            assert box.top + box.height <= canvas.height + 1e-6
        for (_, one), (_, other) in itertools.combinations(boxes, 2):
            across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
            down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
            assert min(across, down) <= 1e-6
