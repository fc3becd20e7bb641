"""Articles come out of a cage that no page breaks."""

from collections.abc import Iterator

import pytest

from sources.formats import articles
from sources.formats.articles import Article, ArticleError, Extractor
from sources.formats.page_charset import decoded

WORDS = "It is not known who turned the clock back, or why they would have wanted it to be so. "
PAGE = f"<html lang=en><title>Ebb</title><body><p>{WORDS * 4}</p></body></html>"
URL = "http://news.example/ebb"


@pytest.fixture(scope="module")
def extractor() -> Iterator[Extractor]:
    """One program for all pages."""
    with Extractor() as one:
        yield one


def test_an_article_has_text_title_and_language(extractor: Extractor) -> None:
    """The language as the page declares it."""
    assert extractor.article(URL, PAGE) == Article((WORDS * 4).strip(), "Ebb", "en")


@pytest.mark.parametrize(
    "page",
    [
        "",
        "\0",
        "<",
        "<div>" * 100_000,
        "<p>\ud800",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><p>&b;",
        '<meta http-equiv="refresh" content="0; url=http://192.0.2.1/">',
    ],
)
def test_odd_pages_have_no_text(extractor: Extractor, page: str) -> None:
    """Deep, empty, or broken; and nothing is fetched for them."""
    assert extractor.article(URL, page).text.replace("\ufffd", "") == ""


def test_a_page_that_takes_too_long_is_given_up() -> None:
    """By processor time; the next one is read as ever."""
    with Extractor(seconds=0.3) as impatient:
        with pytest.raises(ArticleError) as error:
            impatient.article(URL, "<p>a the of " * 300_000)
        assert error.value.reason == "article_time"
        assert impatient.article(URL, PAGE).title == "Ebb"


def test_a_page_that_takes_too_much_memory_is_given_up() -> None:
    """Whether Python or the parser finds none; the next one is read as ever."""
    with Extractor(memory=100 << 20) as poor:
        with pytest.raises(ArticleError) as error:
            poor.article(URL, "\U0001f600" * 3_900_000)
        assert error.value.reason == "article_memory"
        assert poor.article(URL, PAGE).title == "Ebb"


def test_a_language_without_its_library_fails(extractor: Extractor) -> None:
    """As the page does, and says why."""
    with pytest.raises(ArticleError, match="jieba") as error:
        extractor.article(URL, PAGE.replace("lang=en", "lang=zh"))
    assert error.value.reason == "article_failed"


def test_a_page_beyond_the_limit_is_not_tried(
    extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However it would go."""
    monkeypatch.setattr(articles, "MAX_HTML", 100)
    with pytest.raises(ArticleError) as error:
        extractor.article(URL, PAGE)
    assert error.value.reason == "too_large"


def test_a_program_that_does_not_start_is_the_machines_fault() -> None:
    """So the task fails, and no page is lost for it."""
    with Extractor(memory=1 << 20) as none, pytest.raises(OSError, match="article_program"):
        none.article(URL, PAGE)


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        (b"caf\xe9", "text/html; charset=iso-8859-1", "caf\u00e9"),
        (b"<meta charset=cp1251>\xe4\xe0", "text/html", "<meta charset=cp1251>\u0434\u0430"),
        (b"<meta charset=cp1251>\xc3\xa4", "text/html; charset=utf-8", "<meta charset=cp1251>\u00e4"),
        (b"caf\xc3\xa9", "text/html; charset=klingon", "caf\u00e9"),
        (b"<?xml version='1.0' encoding='latin1'?>\xe9", "", "<?xml version='1.0' encoding='latin1'?>\u00e9"),
        (b"a\xff", "text/html; charset=utf-8", "a\ufffd"),
    ],
)  # fmt: skip
def test_pages_are_decoded_as_they_say(content: bytes, content_type: str, text: str) -> None:
    """By header, then by themselves, then as UTF-8."""
    assert decoded(content, content_type) == text
