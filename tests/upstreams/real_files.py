"""Real raw files by source and planned name, packed as upstream packs them.

They come from a folder with one subfolder a source; what is not there is played by the examples.
"""

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import py7zr
from worlds import CRAWL, DUMP, WARCS, Files, World, item_lines, made_up, tarred, zipped


def real(samples: Path) -> World:
    """Return a world of the real files there are, with options that find them."""
    base = made_up()
    found = {name: pack(samples / name) for name, pack in PACKED.items()}
    raws = {**base.raws, **{name: files for name, files in found.items() if files}}
    options = {
        **base.options,
        "pile_cc": {"count": len(raws["pile_cc"])},
        "freelaw": {"snapshot": "none", "volumes": ("cap/1",)} if found["freelaw"] else {},
        "ubuntu_irc": {"first": "2004-12-25", "last": "2004-12-25"},
        "hackernews": {"first": 8801, "last": 9000},
        "nih_exporter": {"first": 2014, "last": 2014},
    }
    return replace(base, raws=raws, options=options)


def below(folder: Path, pattern: str, place: str = "") -> dict[str, bytes]:
    """Return files by their paths below a folder, behind ``place``."""
    return {
        f"{place}{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.glob(pattern))
        if path.is_file()
    }


def first(folder: Path, names: Iterable[str]) -> list[bytes]:
    """Return the content of those files that are there."""
    return [(folder / name).read_bytes() for name in names if (folder / name).exists()]


def _warcs(folder: Path) -> Files:
    names = ("cc_whirlwind.warc.gz", "dolma_sample-0000.warc.gz", "jwarc_cc.warc.gz")
    found = enumerate(first(folder, names))
    return {f"{WARCS}/{CRAWL}-{number:05}.warc.gz": raw for number, raw in found}


def _articles(folder: Path) -> Files:
    found = first(folder, ("PMC5828200.nxml", "pone.0046493.nxml", "elife00013.xml"))
    return {f"PMC9000/PMC900000{n}.2.xml": raw for n, raw in enumerate(found)}


def _eprints(folder: Path) -> Files:
    found = enumerate(first(folder, ("minitest.tar", "minitest4.tar")), 1)
    return {f"arXiv_src_2006_{number:03}.tar": raw for number, raw in found}


def _opinions(folder: Path) -> Files:
    cases = below(folder, "cap_*.json", "json/")
    return {"cap/cap-1.zip": zipped(cases)} if cases else {}


def _sites(folder: Path) -> Files:
    return {
        f"{posts.parent.name}.7z": _seven_zip(posts)
        for posts in sorted(folder.glob("[cm]*/Posts.xml"))
    }


def _seven_zip(posts: Path) -> bytes:
    with tempfile.TemporaryFile() as packed:
        with py7zr.SevenZipFile(packed, "w") as archive:
            archive.write(posts, "Posts.xml")
        packed.seek(0)
        return packed.read()


def _patents(folder: Path) -> Files:
    found = {name[:9]: raw for name, raw in below(folder, "ipg0[68]*.small.xml").items()}
    green = first(folder, ("uspto_greenbook_US03932709.greenbook",))
    early = {f"pftaps197601{day}_wk02": raw for day, raw in enumerate(green, 13)}
    return {
        **{f"{name}.zip": zipped({f"{name}.xml": raw}) for name, raw in found.items()},
        **{f"{name}.zip": zipped({f"{name}.txt": raw}) for name, raw in early.items()},
    }


def _citations(folder: Path) -> Files:
    return below(folder, "pubmed21n*.xml.gz")


def _books(folder: Path) -> Files:
    return {f"train/{n}.txt": raw for n, raw in enumerate(first(folder, ("84-0.txt", "11.txt")))}


def _pages(folder: Path) -> Files:
    (raw,) = first(folder, ("wikipedia2vec_enwiki-pages-articles-sample.xml.bz2",)) or (b"",)
    name = f"enwiki-{DUMP}-pages-articles-multistream1.xml-p1p41242.bz2"
    return {name: raw} if raw else {}


def _questions(folder: Path) -> Files:
    files = below(folder, "*/train-easy/*add*.txt")
    return {"mathematics_dataset-v1.0.tar.gz": tarred(files)} if files else {}


def _logs(folder: Path) -> Files:
    found = first(folder, ("2004-12-25.train-c.raw.txt",))
    return {f"2004/12/{day}/#ubuntu.txt": raw for day, raw in enumerate(found, 25)}


def _proceedings(folder: Path) -> Files:
    files = {**below(folder, "en/*.txt", "txt/"), **below(folder, "fr/*.txt", "txt/")}
    return {"europarl.tgz": tarred(files)} if files else {}


def _items(folder: Path) -> Files:
    items = {
        int(path.stem): path.read_bytes() for path in sorted((folder / "firebase").glob("[0-9]*"))
    }
    return {"items/000008801-000009000.jsonl": item_lines(items, 8801, 9000)} if items else {}


def _abstracts(folder: Path) -> Files:
    name = "RePORTER_PRJABS_C_FY2014"
    found = first(folder, (f"derived/{name}.derived.csv",))
    return {f"{name}.zip": zipped({f"{name}.csv": raw}) for raw in found}


def _mails(folder: Path) -> Files:
    files = below(folder / "stiege_maildir", "**/*", "maildir/")
    return {"enron_mail_20150507.tar.gz": tarred(files)} if files else {}


PACKED: dict[str, Callable[[Path], Files]] = {
    "pile_cc": _warcs,
    "pubmed_central": _articles,
    "arxiv": _eprints,
    "freelaw": _opinions,
    "stackexchange": _sites,
    "uspto_backgrounds": _patents,
    "pubmed_abstracts": _citations,
    "gutenberg_pg19": _books,
    "wikipedia_en": _pages,
    "dm_mathematics": _questions,
    "ubuntu_irc": _logs,
    "europarl": _proceedings,
    "hackernews": _items,
    "nih_exporter": _abstracts,
    "enron_emails": _mails,
}
