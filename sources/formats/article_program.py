"""What runs in the cage of `articles`: newspaper4k, page by page."""

import warnings
from collections.abc import Mapping


def load() -> None:
    """Import the extractor, and have it know public suffixes by heart."""
    warnings.simplefilter("ignore")
    import newspaper  # noqa: F401, PLC0415 - within the limits
    import tldextract  # noqa: PLC0415

    own = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.tldextract.TLD_EXTRACTOR = own


def answer(page: Mapping[str, str]) -> dict[str, str]:
    """Return the article of a page, ``url`` and ``html``, or the reason that there is none."""
    from newspaper import Article  # noqa: PLC0415 - within the limits

    try:
        article = Article(page["url"], fetch_images=False, memorize_articles=False)
        article.download(input_html=page["html"], ignore_read_more=True).parse()
    except MemoryError:
        return {"problem": "article_memory", "message": ""}
    except Exception as error:  # noqa: BLE001 - as published: any exception loses the page
        return {"problem": "article_failed", "message": f"{type(error).__name__}: {error}"}
    return {"text": article.text, "title": article.title, "lang": article.meta_lang}
