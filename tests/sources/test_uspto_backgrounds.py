"""USPTO Backgrounds: from weekly files of three forms to the background of each patent."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.formats import uspto_aps, uspto_records
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile
from sources.uspto_backgrounds import LICENCE, PRODUCTS, SOURCE

EXAMPLES = Path(__file__).parents[2] / "examples/raw/uspto_backgrounds"
CORRECTED = {"fidelity": "corrected"}
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
GRANT = (
    DECLARATION + "\n<us-patent-grant><us-bibliographic-data-grant><publication-reference>"
    "<document-id><doc-number>%s</doc-number></document-id></publication-reference>"
    "</us-bibliographic-data-grant><description>%s</description></us-patent-grant>\n"
)
ST32 = (
    DECLARATION + "\n<PATDOC><SDOBI><B100><B110><DNUM><PDAT>09000009</PDAT></DNUM></B110></B100>"
    "</SDOBI><SDODE><BRFSUM><BTEXT><H>BACKGROUND</H><PARA><PTEXT><PDAT>%s</PDAT></PTEXT></PARA></BTEXT></BRFSUM>"
    "</SDODE></PATDOC>\n"
)


def outcomes(path: Path, options: Mapping[str, Option] | None = None) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RawFile("", path.name), {**SOURCE.defaults, **(options or {})}))


def texts(found: list[Document | Rejected]) -> list[str]:
    """Return the texts of the documents."""
    return [outcome.text for outcome in found if isinstance(outcome, Document)]


def read_text(folder: Path, content: str, fidelity: str = "published") -> list[str]:
    """Return the texts that a file of this content gives."""
    path = folder / "file.xml"
    path.write_text(content, encoding="utf-8", newline="")
    return texts(outcomes(path, {"fidelity": fidelity}))


def aps(*lines: str) -> str:
    """Return a record of APS with these lines in its brief summary."""
    return "\n".join(["PATN", "WKU  090000014", "BSUM", *lines, "DETD", "PAR  Behind it.", ""])


def test_every_patent_has_an_outcome_in_file_order() -> None:
    """Three weekly files, one of each form."""
    found = [outcome for path in sorted(EXAMPLES.iterdir()) for outcome in outcomes(path)]
    assert [(o.origin, getattr(o, "reason", "")) for o in found] == [
        ("ipg200107.xml:1", ""),
        ("ipg200107.xml:2", "no_background"),
        ("ipg200107.xml:3", "empty"),
        ("ipg200107.xml:4", "not_a_grant"),
        ("pftaps19760113_wk02.zip:pftaps19760113_wk02.txt:1", ""),
        ("pftaps19760113_wk02.zip:pftaps19760113_wk02.txt:2", "no_background"),
        ("pftaps19760113_wk02.zip:pftaps19760113_wk02.txt:3", "no_background"),
        ("pftaps19760113_wk02.zip:pftaps19760113_wk02.txt:4", "no_number"),
        ("pg020101.zip:pg020101.xml:1", ""),
        ("pg020101.zip:pg020101.xml:2", "no_background"),
        ("pg020101.zip:pg020101.xml:3", "malformed"),
        ("pg020101.zip:pg020101rpt.txt", "no_patents"),
    ]


def test_a_grant_gives_the_paragraphs_below_its_background() -> None:
    """Line ends are deleted, and the section ends at the next heading."""
    grant = outcomes(EXAMPLES / "ipg200107.xml")[0]
    assert grant == Document(
        id="uspto_backgrounds/19000001",
        text="Two dogs on two leads walk round one tree, from either side, in therain.\n"
        "An umbrella of 1.5 m2 covers one of them—never the same.",
        origin="ipg200107.xml:1",
        licence=LICENCE,
        meta={
            "patent": "19000001",
            "kind": "B2",
            "date": "20200107",
            "title": "Umbrella for two dogs",
        },
    )


def test_corrected_reads_on_to_another_section_in_any_case() -> None:
    """Headings between stay; "Background of the Invention" counts too."""
    assert texts(outcomes(EXAMPLES / "ipg200107.xml", CORRECTED)) == [
        (
            "Two dogs on two leads walk round one tree, from either side, in the rain.\n"
            "An umbrella of 1.5 m2 covers one of them—never the same.\n"
            "Related Art\nHats for dogs are known."
        ),
        "Ladders lean.",
    ]


def test_entities_of_st32_are_garbled_as_published() -> None:
    """Most become the digits of their bytes, without "b"; corrected, they are characters."""
    path = EXAMPLES / "pg020101.zip"
    assert texts(outcomes(path)) == [
        (
            "A kettle boils at 100xc2x0 C., which its owner, the xe2x80x9cboilerxe2x80x9d,"
            " learns from onewhistle.\n"
            'If it has  less than 2 whistles and the xcex1-note is weak, it isn""t heard;'
            ' see "foo" and x2.\nTwo whistles are heard.'
        )
    ]
    assert texts(outcomes(path, CORRECTED)) == [
        (
            "A kettle boils at 100° C., which its owner, the “boiler”, learns from one whistle.\n"
            "If it has <2 whistles & the \N{GREEK SMALL LETTER ALPHA}-note is weak, it isn't heard; see &foo; and x2."
        )
    ]


@pytest.mark.parametrize(
    ("entity", "published", "corrected"),
    [
        ("&reg;", "(copyright)", "®"),
        ("&trade;", "(trademark)", "™"),
        ("&gt;", " greater than ", ">"),
        ("&lsqb;", "[", "["),
        ("&middot;", "xc2x7", "·"),
        ("&alpha;", "\N{GREEK SMALL LETTER ALPHA}", "\N{GREEK SMALL LETTER ALPHA}"),
        ("&psgr;", '"psgr"', "ψ"),
        ("&#x2014;", "—", "—"),
        ("&none;", '"none"', "&none;"),
        ("&bsol;", " ", "\\"),
    ],
)
def test_entities(tmp_path: Path, entity: str, published: str, corrected: str) -> None:
    """What HTML knows and the Pile's table did not came out well."""
    assert read_text(tmp_path, ST32 % f"a{entity}b") == [f"a{published}b"]
    assert read_text(tmp_path, ST32 % f"a{entity}b", "corrected") == [f"a{corrected}b"]


def test_stray_angle_brackets_are_words_as_published(tmp_path: Path) -> None:
    """The published reader mended XML; corrected, the bracket is one."""
    assert read_text(tmp_path, ST32 % "a <5 b", "corrected") == ["a <5 b"]
    assert read_text(tmp_path, ST32 % "a <5 b <URL:c>") == ["a less than 5 b c>"]


def test_of_a_heading_that_repeats_the_last_section_counts(tmp_path: Path) -> None:
    """The published reader kept sections by their headings."""
    body = "<heading>BACKGROUND</heading><p>a</p><heading>X</heading><p>b</p>"
    assert read_text(tmp_path, GRANT % (1, body + "<heading>BACKGROUND</heading><p>c</p>")) == ["c"]


def test_words_of_a_heading_count_only_before_its_markup(tmp_path: Path) -> None:
    """As published; ids repeat with a number."""
    body = "<heading><b>BACKGROUND</b></heading><p>a</p>"
    assert read_text(tmp_path, GRANT % (1, body)) == []
    assert read_text(tmp_path, GRANT % (1, body), "corrected") == ["a"]


def test_a_word_that_looks_like_a_tag_starts_a_paragraph_as_published() -> None:
    """Wherever on a line it stands; corrected, tags stand at a line's start."""
    path = EXAMPLES / "pftaps19760113_wk02.zip"
    published, corrected = texts(outcomes(path))[0], texts(outcomes(path, CORRECTED))[0]
    assert published.endswith(
        "they ring in the wind and are no\nber of drops is told apart by them."
    )
    assert corrected.endswith("and are no NUM ber of drops is told apart by them.")


@pytest.mark.parametrize(
    ("lines", "background"),
    [
        (["PAC  BACKGROUND", "PAR  a", "PAC  SUMMARY", "PAR  b"], "a"),
        (["PAC  BACKGROUND", "PAC  Field", "PAR  a", "PAC  SUMMARY", "PAR  b"], "Field\na"),
        (["PAC  BACKGROUND", "PAR  a", "      b", "TBL  c  d"], "a b\nc d"),
        (["PAC  BACKGROUND", "PAR  a", "      CNT x"], "a\nC N T   x"),
        (["PAC  BACKGROUND", "PA1  a", "PA1  b"], "a PA1 b"),
        (["PAC  BACKGROUND", "PAR  a", "PAR", "      b"], "a\n b"),
        (["PAC  BACKGROUND", "PAR  a", "GOVT", "PAR  b"], "a"),
        (["PAC  BACKGROUND", "PAR  a", "DCLM", "PAR  b"], "a DCLM\nb"),
        (["PAC  BACKGROUND"], ""),
        (["PAC  Background", "PAR  a"], None),
    ],
)
def test_brief_summaries_of_aps(lines: list[str], background: str | None) -> None:
    """As the published reader took them, with its flaws."""
    assert uspto_aps.published(aps(*lines)) == background


@given(
    st.lists(st.sampled_from(["PAC BACKGROUND", "PAR a", "  b", "NUM", "CTY", "PA1 c", "DETD", ""]))
)
@settings(max_examples=60, deadline=None)
def test_aps_readers_never_fail(lines: list[str]) -> None:
    """Whatever the order of tags, no word of the corrected reading is invented."""
    record = aps(*lines)
    uspto_aps.published(record)
    words = " ".join(part.text for part in uspto_aps.parts(record)).split()
    assert set(words) <= set(record.split())


def test_documents_are_cut_at_their_declarations(tmp_path: Path) -> None:
    """Also within a line; a byte order mark and space before the first are nothing."""
    body = "<heading>BACKGROUND</heading><p>a</p>"
    path = tmp_path / "ipg.xml"
    path.write_bytes(
        b"\xef\xbb\xbf" + ((GRANT % (7, body)).strip() * 2 + GRANT % (7, body)).encode()
    )
    found = outcomes(path)
    assert [o.id for o in found if isinstance(o, Document)] == [
        "uspto_backgrounds/7",
        "uspto_backgrounds/7/r2",
        "uspto_backgrounds/7/r3",
    ]


def test_a_patent_too_large_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By many lines or one; its neighbours are read."""
    monkeypatch.setattr(uspto_records, "MAX_RECORD", 600)
    body = "<heading>BACKGROUND</heading><p>a</p>"
    long_line = "<p>" + "x" * 700 + "</p>\n"
    many_lines = "<p>x</p>\n" * 100
    path = tmp_path / "ipg.xml"
    path.write_text(
        GRANT % (1, body)
        + GRANT % (2, "\n" + long_line)
        + GRANT % (3, many_lines)
        + GRANT % (4, body),
        encoding="utf-8",
    )
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["", "too_large", "too_large", ""]


def test_a_file_without_patents_is_refused(tmp_path: Path) -> None:
    """An error page's text is not an empty week."""
    path = tmp_path / "pftaps.txt"
    path.write_text("Too many requests\n", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="holds no patent"):
        outcomes(path)


def test_a_cut_zip_is_refused(tmp_path: Path) -> None:
    """Nothing of it passes for a shorter week."""
    cut = tmp_path / "pg020101.zip"
    cut.write_bytes((EXAMPLES / "pg020101.zip").read_bytes()[:-30])
    with pytest.raises(UnreadableFile, match="cut"):
        outcomes(cut)


def test_unsafe_members_are_rejected(tmp_path: Path) -> None:
    """Their content is not looked at."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../ipg.xml", GRANT % (1, ""))
    path = tmp_path / "ipg.zip"
    path.write_bytes(packed.getvalue())
    assert [getattr(o, "reason", "") for o in outcomes(path)] == ["unreadable_member"]


def test_entities_of_a_dtd_are_not_expanded(tmp_path: Path) -> None:
    """Neither files nor growth come of them."""
    dtd = '<!DOCTYPE us-patent-grant [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    body = "<heading>BACKGROUND</heading><p>&x;</p>"
    content = (GRANT % (1, body)).replace("<us-patent-grant>", dtd + "<us-patent-grant>")
    assert read_text(tmp_path, content) == ["&x;"]


def listing(url: str) -> bytes:
    """Answer as the portal does."""
    names = {"PTGRAPS": ["pftaps19760113_wk02.zip"], "PTGRXML": ["ipg200107.zip", "pg020101.zip"]}
    dates = {"pftaps19760113_wk02.zip": "1976-01-13", "ipg200107.zip": "2020-01-07"}
    product = url.removeprefix(PRODUCTS)
    files = [
        {
            "fileName": name,
            "fileSize": len(name),
            "fileDataFromDate": dates.get(name, "2002-01-01"),
            "fileDownloadURI": f"{PRODUCTS}files/{product}/{name}",
        }
        for name in [*names[product], "readme.pdf"]
    ]
    return json.dumps(
        {"count": 1, "bulkDataProductBag": [{"productFileBag": {"fileDataBag": files}}]}
    ).encode()


def test_plan_lists_the_weeks_in_order() -> None:
    """Both products, by date; other files of a product are left out."""
    planned = list(SOURCE.plan(SOURCE.defaults, listing))
    assert planned[1] == RawFile(
        f"{PRODUCTS}files/PTGRXML/pg020101.zip", "pg020101.zip", len("pg020101.zip")
    )
    assert [raw.name for raw in planned] == [
        "pftaps19760113_wk02.zip",
        "pg020101.zip",
        "ipg200107.zip",
    ]


def test_plan_can_be_bounded() -> None:
    """Both bounds count."""
    bounds = {**SOURCE.defaults, "first": "2002-01-01", "last": "2002-01-01"}
    assert [raw.name for raw in SOURCE.plan(bounds, listing)] == ["pg020101.zip"]


def test_plan_notices_a_listing_of_another_form() -> None:
    """An empty plan would look like no patents."""
    for answer in (b"<html>", b"{}", b'{"bulkDataProductBag": []}'):
        with pytest.raises(ValueError, match="its form may have changed"):
            list(SOURCE.plan(SOURCE.defaults, lambda _, answer=answer: answer))


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 86 are equal, of every form; what gave none is rejected."""
    expected: dict[str, list[str]] = {}
    with (golden / "uspto_backgrounds.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            expected.setdefault(Path(entry["file"]).name, []).append(entry["text"])
    rejected: Counter[str] = Counter()
    for path in sorted((samples / "uspto_backgrounds").iterdir()):
        found = outcomes(path)
        assert texts(found) == expected.get(path.name, [])
        rejected.update(o.reason for o in found if isinstance(o, Rejected))
    assert sum(map(len, expected.values())) == 86
    assert rejected == {"no_background": 27, "not_a_grant": 9, "empty": 1}
