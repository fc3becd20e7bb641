"""PubMed Abstracts: from citations to title and abstract."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.pubmed_abstracts import BASELINE, SOURCE, UPDATES
from sources.source import Document, Option, RawFile, Rejected, UnreadableFile

EXAMPLE = Path(__file__).parents[2] / "examples/raw/pubmed_abstracts/pubmed26n0001.xml.gz"
RAW = RawFile(BASELINE + "pubmed26n0001.xml.gz", "pubmed26n0001.xml.gz")
CORRECTED = {"fidelity": "corrected"}

ARTICLE = """<PubmedArticle>
<MedlineCitation><PMID Version="1">7</PMID><Article>
<ArticleTitle>%s</ArticleTitle>
<Abstract><AbstractText>%s</AbstractText></Abstract>
</Article></MedlineCitation>
</PubmedArticle>"""


def outcomes(path: Path, options: Mapping[str, Option] | None = None) -> list[Document | Rejected]:
    """Read a file as the source does."""
    return list(SOURCE.read(path, RAW, {**SOURCE.defaults, **(options or {})}))


def read_xml(folder: Path, body: str, fidelity: str = "published") -> list[Document | Rejected]:
    """Read a file whose set of articles has this body."""
    path = folder / "file.xml"
    path.write_text(f"<PubmedArticleSet>{body}</PubmedArticleSet>", encoding="utf-8")
    return outcomes(path, {"fidelity": fidelity})


def texts(found: list[Document | Rejected]) -> list[str]:
    """Return the texts of the documents."""
    return [outcome.text for outcome in found if isinstance(outcome, Document)]


def reasons(found: list[Document | Rejected]) -> list[str]:
    """Return the reasons of the rejections."""
    return [outcome.reason for outcome in found if isinstance(outcome, Rejected)]


def test_every_record_has_an_outcome_in_file_order() -> None:
    """Records are numbered from 1; each deleted PMID counts as one."""
    found = outcomes(EXAMPLE)
    assert [outcome.origin for outcome in found] == [f"{RAW.name}:{n}" for n in range(1, 27)]
    assert Counter(reasons(found)) == {
        "in_pubmed_central": 3,
        "no_abstract": 2,
        "no_title": 1,
        "no_pmid": 1,
        "book_article": 1,
        "deleted_citation": 2,
    }
    assert set(reasons(found)) <= set(SOURCE.reasons)


def test_title_and_abstract_are_joined_by_a_newline() -> None:
    """Markup is looked through, labels and the copyright notice are left out."""
    assert texts(outcomes(EXAMPLE))[1] == (
        "Iron stores in amateur rowers: H2O intake is not the cause.\n"
        "Low iron stores are common among rowers. Ferritin was measured in 38 rowers before and"
        " after a season; water intake was weighed. Ferritin fell by 9 µg/L (95 % CI 4 to 14)."
        " Intake explained less than 1 % of the variance (R2 = 0.008). Advice to drink less is"
        " unfounded."
    )


def test_corrected_labels_the_sections() -> None:
    """Each labelled section begins with its label."""
    text = texts(outcomes(EXAMPLE, CORRECTED))[1]
    assert "\nBACKGROUND: Low iron stores are common among rowers. METHODS: Ferritin" in text
    assert "Copyright" not in text


def test_meta_is_what_the_release_has() -> None:
    """PMID as a number and the first language."""
    first = outcomes(EXAMPLE)[0]
    assert isinstance(first, Document)
    assert first.id == "pubmed_abstracts/99000001"
    assert first.meta == {"pmid": 99000001, "language": "eng"}


def test_an_article_that_cites_one_in_pubmed_central_is_dropped_only_as_published() -> None:
    """Corrected, an article's own ids decide; its neighbour that is in PubMed Central stays out."""
    for fidelity, kept in (("published", False), ("corrected", True)):
        found = outcomes(EXAMPLE, {"fidelity": fidelity})
        assert isinstance(found[5], Document) is kept
        assert isinstance(found[4], Rejected)


def test_an_empty_title_counts_only_as_published() -> None:
    """The published text begins with a newline then."""
    assert texts(outcomes(EXAMPLE))[5].startswith("\nThis record has a title element")
    assert isinstance(outcomes(EXAMPLE, CORRECTED)[9], Rejected)


def test_an_empty_abstract_counts_only_as_published(tmp_path: Path) -> None:
    """The published text ends with a newline then."""
    record = ARTICLE % ("Title.", "")
    assert texts(read_xml(tmp_path, record)) == ["Title.\n"]
    assert reasons(read_xml(tmp_path, record, "corrected")) == ["no_abstract"]


def test_ids_are_unique_though_numbers_repeat(tmp_path: Path) -> None:
    """Versions and repetitions of a PMID are told apart."""
    record = ARTICLE % ("Title.", "Abstract.")
    second = record.replace('Version="1"', 'Version="2"')
    found = read_xml(tmp_path, record + second + record)
    assert [outcome.id for outcome in found if isinstance(outcome, Document)] == [
        "pubmed_abstracts/7",
        "pubmed_abstracts/7/v2",
        "pubmed_abstracts/7/r2",
    ]


def test_the_first_pmid_is_the_articles_own(tmp_path: Path) -> None:
    """Comments name other PMIDs after it."""
    comment = "<CommentsCorrectionsList><CommentsCorrections><PMID>8</PMID></CommentsCorrections></CommentsCorrectionsList>"
    record = (ARTICLE % ("Title.", "Abstract.")).replace("</PMID>", f"</PMID>{comment}")
    (only,) = read_xml(tmp_path, record)
    assert isinstance(only, Document)
    assert only.id == "pubmed_abstracts/7"


def test_layout_in_lines_does_not_matter(tmp_path: Path) -> None:
    """An article on one line, which the published reader lost, is read like any other."""
    record = ARTICLE % ("Title.", "Abstract.")
    assert texts(read_xml(tmp_path, record.replace("\n", ""))) == texts(read_xml(tmp_path, record))


def test_the_form_before_2017_is_read(tmp_path: Path) -> None:
    """A citation stands for itself there, and NLM's note says what PubMed Central has."""
    citation = (ARTICLE % ("Title.", "Abstract.")).split("\n", 1)[1].rsplit("\n", 1)[0]
    noted = citation.replace(
        "</MedlineCitation>", '<OtherID Source="NLM">PMC123</OtherID></MedlineCitation>'
    )
    path = tmp_path / "medline.xml"
    path.write_text(f"<MedlineCitationSet>{citation}{noted}</MedlineCitationSet>", encoding="utf-8")
    found = outcomes(path)
    assert texts(found) == ["Title.\nAbstract."]
    assert reasons(found) == ["in_pubmed_central"]


@given(
    title=st.text(alphabet=st.characters(exclude_categories=["C"])),
    abstract=st.text(alphabet=st.characters(exclude_categories=["C"])),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_text_is_all_words_in_order(tmp_path: Path, title: str, abstract: str) -> None:
    """Whitespace of every kind becomes single spaces, and nothing else changes."""
    found = read_xml(tmp_path, ARTICLE % (escape(title), escape(abstract)))
    assert texts(found) == [" ".join(title.split()) + "\n" + " ".join(abstract.split())]


def test_a_number_that_is_none_is_no_pmid(tmp_path: Path) -> None:
    """Digits of other scripts, signs and monsters are refused."""
    for number in ("\N{ARABIC-INDIC DIGIT SEVEN}", "-7", "7.5", "7" * 5000, ""):
        record = (ARTICLE % ("T", "A")).replace(">7<", f">{number}<")
        assert reasons(read_xml(tmp_path, record)) == ["no_pmid"]


def test_hostile_xml_neither_grows_nor_reads_files(tmp_path: Path) -> None:
    """Entities stay names."""
    path = tmp_path / "hostile.xml"
    entities = '<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "why">'
    body = ARTICLE % ("&x;", "&y;&y;")
    path.write_text(
        f"<!DOCTYPE PubmedArticleSet [{entities}]><PubmedArticleSet>{body}</PubmedArticleSet>",
        encoding="utf-8",
    )
    assert texts(outcomes(path)) == ["&x;\n&y;&y;"]


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    """Neither cut compression nor cut XML passes for a shorter file."""
    whole = EXAMPLE.read_bytes()
    (tmp_path / "cut.xml.gz").write_bytes(whole[:-20])
    (tmp_path / "cut.xml").write_bytes(gzip.decompress(whole)[:5000])
    for name in ("cut.xml.gz", "cut.xml"):
        with pytest.raises(UnreadableFile, match="cut"):
            outcomes(tmp_path / name)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """A web page in place of a file is no empty file."""
    path = tmp_path / "page.xml"
    path.write_text("<html><body>gone</body></html>", encoding="utf-8")
    with pytest.raises(UnreadableFile, match="root is 'html'"):
        outcomes(path)


def listing(url: str) -> bytes:
    """Answer as the baseline folder does."""
    names = ["pubmed26n0002.xml.gz", "pubmed26n0001.xml.gz"]
    pages = {
        BASELINE: "".join(
            f'<a href="{name}">{name}</a> 2026-01-29 38M\n<a href="{name}.md5">{name}.md5</a>\n'
            for name in names
        )
        + '<a href="README.txt">README.txt</a>',
        **{f"{BASELINE}{name}.md5": f"MD5({name})= {name[11:13] * 16}\n" for name in names},
    }
    return pages[url].encode()


def test_an_unknown_fidelity_is_refused_by_name() -> None:
    """A slip in the settings says what may stand there."""
    with pytest.raises(ValueError, match="not one of published, corrected"):
        outcomes(EXAMPLE, {"fidelity": "publishd"})


def test_plan_lists_the_baseline_with_checksums() -> None:
    """Files come sorted, each with the MD5 beside it."""
    assert list(SOURCE.plan(SOURCE.defaults, listing)) == [
        RawFile(BASELINE + name, name, checksum=f"md5:{digits * 16}")
        for name, digits in (("pubmed26n0001.xml.gz", "01"), ("pubmed26n0002.xml.gz", "02"))
    ]


def test_plan_can_be_cut_short() -> None:
    """``count`` is how many of the first are wanted."""
    planned = list(SOURCE.plan({**SOURCE.defaults, "count": 1}, listing))
    assert [raw.name for raw in planned] == ["pubmed26n0001.xml.gz"]


def test_plan_notices_a_listing_of_another_form() -> None:
    """An empty plan would look like an empty PubMed."""
    with pytest.raises(ValueError, match="lists no file of PubMed"):
        list(SOURCE.plan(SOURCE.defaults, lambda _: b"<html>moved</html>"))
    with pytest.raises(ValueError, match="holds no MD5"):
        list(SOURCE.plan(SOURCE.defaults, lambda url: listing(BASELINE) * (url == BASELINE)))


def citation(number: int, title: str, version: int = 1) -> str:
    """Return a record with an abstract."""
    return (ARTICLE % (title, "Words.")).replace(
        '<PMID Version="1">7<', f'<PMID Version="{version}">{number}<'
    )


def together(folder: Path, *bodies: str, updates: bool = True) -> list[Document | Rejected]:
    """Read files of these records as the pipeline does, by groups."""
    assert SOURCE.grouping is not None
    options = {**SOURCE.defaults, "updates": updates}
    groups: dict[str, list[tuple[Path, RawFile]]] = {}
    for count, body in enumerate(bodies):
        path = folder / f"pubmed26n{count:04d}.xml"
        path.write_text(f"<PubmedArticleSet>{body}</PubmedArticleSet>", encoding="utf-8")
        raw = RawFile("", path.name)
        groups.setdefault(SOURCE.grouping.key(raw, options), []).append((path, raw))
    assert len(groups) == (1 if updates else len(bodies))
    return [item for key in sorted(groups) for item in SOURCE.grouping.read(groups[key], options)]


DELETION = "<DeleteCitation><PMID Version='1'>3</PMID></DeleteCitation>"


def test_updates_take_the_place_of_what_was_before(tmp_path: Path) -> None:
    """What comes last of each version counts; deletions hold until the citation comes back."""
    files = (
        citation(1, "one") + citation(2, "two") + citation(3, "three"),
        citation(1, "one, revised") + citation(2, "two, second version", 2) + DELETION,
        citation(1, "one, again") + citation(1, "one, at last"),
    )
    found = together(tmp_path, *files)
    assert texts(found) == [
        f"{title}\nWords." for title in ("two", "two, second version", "one, at last")
    ]
    assert reasons(found) == [
        *("superseded", "withdrawn", "superseded", "deleted_citation", "superseded"),
    ]
    back = together(tmp_path, *files, citation(3, "three is back"))
    assert texts(back)[-1] == "three is back\nWords."
    ids = [item.id for item in back if isinstance(item, Document)]
    assert len(set(ids)) == len(ids) == 4


def test_without_updates_each_file_is_for_itself(tmp_path: Path) -> None:
    """As in the published extraction, which read the baseline alone."""
    found = together(tmp_path, citation(1, "one"), citation(2, "two"), DELETION, updates=False)
    assert texts(found) == ["one\nWords.", "two\nWords."]


def test_an_update_that_cannot_be_read_changes_nothing(tmp_path: Path) -> None:
    """Its records supersede none; with nothing else, it is refused."""
    found = together(tmp_path, citation(1, "one"), citation(1, "newer") + "<cut")
    assert texts(found) == ["one\nWords."]
    assert reasons(found) == ["unreadable_file"]
    with pytest.raises(UnreadableFile):
        together(tmp_path, "<cut", "<cut")


def test_updates_are_planned_behind_the_baseline() -> None:
    """From the folder beside it."""

    def get(url: str) -> bytes:
        if url.endswith(".md5"):
            return b"MD5(x)= " + b"0f" * 16
        name = b"pubmed26n1335.xml.gz" if url == UPDATES else b"pubmed26n0001.xml.gz"
        return b'<a href="' + name + b'">'

    planned = list(SOURCE.plan({**SOURCE.defaults, "updates": True}, get))
    assert [raw.url for raw in planned] == [
        f"{BASELINE}pubmed26n0001.xml.gz",
        f"{UPDATES}pubmed26n1335.xml.gz",
    ]


@pytest.mark.real
def test_documents_equal_the_original_readers(samples: Path, golden: Path) -> None:
    """All 170 documents are equal, and only files that reader could not read give more."""
    expected: dict[str, list[tuple[object, str]]] = {}
    with (golden / "pubmed_abstracts.jsonl").open(encoding="utf-8") as lines:
        for entry in map(json.loads, lines):
            expected.setdefault(Path(entry["file"].replace("golden:", "")).name, []).append(
                (entry["meta"], entry["text"])
            )
    more = {}
    paths = [*sorted((samples / "pubmed_abstracts").glob("*.xml*")), golden / "pubmed_edge.xml"]
    for path in paths:
        found = [o for o in outcomes(path) if isinstance(o, Document)]
        by_pmid = sorted((dict(o.meta)["pmid"], dict(o.meta), o.text) for o in found)
        if path.name in expected:
            assert [(meta, text) for _, meta, text in by_pmid] == expected[path.name]
        elif found:
            more[path.name] = len(found)
    assert sum(map(len, expected.values())) == 170
    assert more == {
        "biopython_pubmed1.xml": 1,
        "biopython_pubmed2.xml": 2,
        "test_current_medline.xml.gz": 1,
        "medline16n0902.xml.gz": 187,
    }
