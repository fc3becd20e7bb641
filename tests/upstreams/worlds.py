"""What lies upstream: raw files by source and by the names that a plan gives them, and their hosts.

A `World` is made of the made-up examples, packed as upstream packs them, or of a folder of real raw
files. ``hosts`` puts its files where upstream has them, among others that no plan is to take.
"""

import gzip
import hashlib
import io
import json
import re
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from apis import (
    Weekly,
    archive_org,
    codeload,
    firebase,
    github,
    open_data_portal,
    reporter,
    signed_files,
)
from sites import listed_site, plain_site
from standin import Host, Standin
from stores import cloud_storage, s3_bucket

from sources import dm_mathematics, enron_emails
from sources.source import Option

EXAMPLES = Path(__file__).parents[2] / "examples" / "raw"
SECRETS = {"GITHUB_TOKEN": "made-up-token", "USPTO_API_KEY": "made-up-key"}
CRAWL = "CC-MAIN-2020-24"
WARCS = f"{CRAWL}/segments/1590347385193.5/warc"
DUMP = "20261101"
ITEM = "stackexchange_20251231"

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class World:
    """Raw files by source and planned name, and the options that a plan finds them with."""

    raws: Mapping[str, Files]
    options: Mapping[str, Mapping[str, Option]]


def zipped(files: Files) -> bytes:
    """Pack a zip, the same every time."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return packed.getvalue()


def tarred(files: Files) -> bytes:
    """Pack a tar.gz, the same every time."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            archive.addfile(entry, io.BytesIO(files[name]))
    return gzip.compress(packed.getvalue(), mtime=0)


def item_lines(items: Mapping[int, bytes], first: int, last: int) -> bytes:
    """Return the items from ``first`` to ``last``, one a line."""
    found = (items.get(number, b"null") for number in range(first, last + 1))
    return b"".join(item.strip().replace(b"\n", b" ") + b"\n" for item in found)


def example(place: str) -> bytes:
    """Return one of the made-up raw files."""
    return (EXAMPLES / place).read_bytes()


def made_up() -> World:
    """Return the examples, packed and named as upstream packs and names them."""
    irc = {
        f"2008/04/{day}/#ubuntu-lighthouse.txt": example(
            f"ubuntu_irc/2008/04/{day}/#ubuntu-lighthouse.txt"
        )
        for day in ("21", "22")
    }
    return World(
        {
            "pile_cc": {f"{WARCS}/{CRAWL}-00000.warc.gz": example("pile_cc/CC-MAIN-demo.warc.gz")},
            "pubmed_central": _example_articles(),
            "arxiv": {"arXiv_src_2006_001.tar": example("arxiv/arXiv_src_2611_001.tar")},
            "github": {"made-up/teapot.tar.gz": example("github/made-up/teapot.tar.gz")},
            "freelaw": {
                "opinions-2026-11-01.csv.bz2": example("freelaw/opinions-2026-11-01.csv.bz2"),
                "cap/made-up-7.zip": zipped(
                    {"json/0118-01.json": example("freelaw/cap_demo.json")}
                ),
            },
            "stackexchange": {
                "demo.stackexchange.com.7z": example("stackexchange/demo.stackexchange.com.7z")
            },
            "uspto_backgrounds": {
                "pftaps19760113_wk02.zip": example("uspto_backgrounds/pftaps19760113_wk02.zip"),
                "pg020101.zip": example("uspto_backgrounds/pg020101.zip"),
                "ipg200107.zip": zipped(
                    {"ipg200107.xml": example("uspto_backgrounds/ipg200107.xml")}
                ),
            },
            "pubmed_abstracts": {
                "pubmed26n0001.xml.gz": example("pubmed_abstracts/pubmed26n0001.xml.gz")
            },
            "gutenberg_pg19": {
                f"train/{n}.txt": example(f"gutenberg_pg19/train/{n}.txt") for n in (10001, 10002)
            },
            "wikipedia_en": {
                f"enwiki-{DUMP}-pages-articles-multistream1.xml-p1p41242.bz2": example(
                    "wikipedia_en/enwiki-demo-pages-articles.xml.bz2"
                )
            },
            "dm_mathematics": {
                "mathematics_dataset-v1.0.tar.gz": example(
                    "dm_mathematics/mathematics_dataset.tar.gz"
                )
            },
            "ubuntu_irc": irc,
            "europarl": {"europarl.tgz": example("europarl/europarl.tgz")},
            "hackernews": {
                "items/000000001-000000130.jsonl": item_lines(_example_items(), 1, 130),
            },
            "nih_exporter": {
                "RePORTER_PRJABS_C_FY2013.zip": example("nih_exporter/RePORTER_PRJABS_C_FY2013.zip")
            },
            "enron_emails": {
                "enron_mail_20150507.tar.gz": example("enron_emails/enron_mail.tar.gz")
            },
        },
        {
            "freelaw": {"volumes": ("made-up/7",)},
            "ubuntu_irc": {"first": "2008-04-21", "last": "2008-04-22"},
            "hackernews": {"last": 130},
            "nih_exporter": {"first": 2013, "last": 2013},
        },
    )


def _example_articles() -> dict[str, bytes]:
    """Take the articles out of the packages, as the bucket has them."""
    found = {}
    for number in (1, 2):
        package = EXAMPLES / f"pubmed_central/PMC000000{number}.tar.gz"
        with tarfile.open(package) as archive:
            (member,) = [one for one in archive.getmembers() if one.name.endswith(".nxml")]
            content = archive.extractfile(member)
            assert content is not None
            found[f"PMC9000/PMC900000{number}.2.xml"] = content.read()
    return found


def _example_items() -> dict[int, bytes]:
    """Return the items of the examples by their numbers, the first of each."""
    items: dict[int, bytes] = {130: example("hackernews/item/130.json")}
    for line in gzip.decompress(example("hackernews/items-0001.jsonl.gz")).splitlines():
        try:
            item = json.loads(line)
        except ValueError:
            continue
        if isinstance(item, dict):
            items.setdefault(item["id"], line)
    return items


def hosts(world: World, standin: Standin) -> dict[str, Host]:
    """Return every upstream, holding what the world holds, and what plans must leave out."""
    raws = world.raws
    weekly = [_weekly(name, content) for name, content in sorted(raws["uspto_backgrounds"].items())]
    weekly.append(Weekly("PTGRXML", "2020-01-07", "readme.pdf", b"no patents"))
    archives = {name.removesuffix(".tar.gz"): raw for name, raw in raws["github"].items()}
    node = "ia800000.us.archive.org"
    found: dict[str, Host] = {
        "api.github.com": github(
            archives, SECRETS["GITHUB_TOKEN"], f"{standin.elsewhere}codeload.github.com/"
        ),
        "codeload.github.com": codeload(archives),
        "api.uspto.gov": open_data_portal(
            weekly, SECRETS["USPTO_API_KEY"], f"{standin.elsewhere}data.uspto.gov/"
        ),
        "data.uspto.gov": signed_files(weekly),
        "archive.org": archive_org(
            {ITEM: {**raws["stackexchange"], "Sites.7z.txt": b""}}, f"{standin.elsewhere}{node}/"
        ),
        node: plain_site({f"{ITEM}/{name}": raw for name, raw in raws["stackexchange"].items()}),
        "hacker-news.firebaseio.com": firebase(_items(raws["hackernews"])),
        "reporter.nih.gov": reporter(
            {int(_number(name)): raw for name, raw in raws["nih_exporter"].items()}
        ),
        "storage.googleapis.com": cloud_storage(
            {
                "deepmind-gutenberg": {
                    **raws["gutenberg_pg19"],
                    "validation/3.txt": b"left out",
                    "metadata.csv": b"10001,A title,1890,http://www.gutenberg.org/ebooks/10001\n",
                },
                "mathematics-dataset": raws["dm_mathematics"],
            }
        ),
        "irclogs.ubuntu.com": listed_site(_irc(raws["ubuntu_irc"])),
        "www.statmt.org": plain_site(
            {f"europarl/v7/{name}": raw for name, raw in raws["europarl"].items()}
        ),
        "www.cs.cmu.edu": plain_site(
            {f"~enron/{name}": raw for name, raw in raws["enron_emails"].items()}
        ),
    }
    return {**found, **_bucket_hosts(raws)}


def settle(world: World, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> World:
    """Put a world upstream, also where only one true file has the size and digest that are known."""
    standin.hosts = hosts(world, standin)
    for module in (dm_mathematics, enron_emails):
        (raw,) = world.raws[module.SOURCE.name].values()
        monkeypatch.setattr(module, "SIZE", len(raw))
        monkeypatch.setattr(module, "SHA256", hashlib.sha256(raw).hexdigest())
    return world


def _bucket_hosts(raws: Mapping[str, Files]) -> dict[str, Host]:
    opinions = {
        f"bulk-data/{name}": raw for name, raw in raws["freelaw"].items() if "/" not in name
    }
    older = {
        f"bulk-data/opinions-2026-{month:02}-01.csv.bz2": b"an older one" for month in range(1, 4)
    }
    courts = {"bulk-data/dockets-2026-11-01.csv.bz2": b"no opinions", **older, **opinions}
    volumes = {
        "/".join(name.removeprefix("cap/").rsplit("-", 1)): raw
        for name, raw in raws["freelaw"].items()
        if "/" in name
    }
    return {
        "data.commoncrawl.org": plain_site(_crawl(raws["pile_cc"])),
        "pmc-oa-opendata.s3.amazonaws.com": s3_bucket(articles(raws["pubmed_central"])),
        "arxiv": s3_bucket(arxiv_bucket(raws["arxiv"])),
        "com-courtlistener-storage.s3-us-west-2.amazonaws.com": s3_bucket(courts),
        "storage.courtlistener.com": plain_site(courts),
        "static.case.law": plain_site(volumes),
        "ftp.ncbi.nlm.nih.gov": listed_site(_baseline(raws["pubmed_abstracts"])),
        "dumps.wikimedia.org": listed_site(_dump(raws["wikipedia_en"])),
    }


def _crawl(files: Files) -> dict[str, bytes]:
    placed = {f"crawl-data/{name}": raw for name, raw in files.items()}
    paths = [*sorted(placed), f"crawl-data/{WARCS}/{CRAWL}-99999.warc.gz"]
    listing = "".join(f"{path}\n" for path in paths).encode()
    return {**placed, f"crawl-data/{CRAWL}/warc.paths.gz": gzip.compress(listing, mtime=0)}


def articles(files: Files) -> dict[str, bytes]:
    """Place each article's version, and an older one, with their records and text."""
    placed = {"README.txt": b"about"}
    for name, raw in files.items():
        stem = PurePosixPath(name).stem
        pmcid, _, version = stem.rpartition(".")
        placed |= {f"{stem}/{stem}.xml": raw, f"{stem}/{stem}.txt": b"text"}
        placed[f"metadata/{stem}.json"] = _article_record(stem, raw)
        if int(version) > 1:
            placed[f"{pmcid}.1/{pmcid}.1.xml"] = b"an older version"
            placed[f"metadata/{pmcid}.1.json"] = _article_record(f"{pmcid}.1", b"an older version")
    return {**placed, **_inventory(placed)}


def _inventory(objects: Files) -> dict[str, bytes]:
    """Write what S3 writes of a bucket every day: a manifest, and tables in CSV."""
    place = "inventory-reports/pmc-oa-opendata/metadata/"
    rows = [
        f'"pmc-oa-opendata","{key}","2026-11-01T00:00:00.000Z","{hashlib.md5(raw).hexdigest()}"\n'
        for key, raw in objects.items()
        if key.startswith("metadata/")
    ]
    tables = {
        f"{place}data/{n}.csv.gz": gzip.compress("".join(rows[n::2]).encode(), mtime=0)
        for n in range(2)
    }
    manifest = {
        "sourceBucket": "pmc-oa-opendata",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, LastModifiedDate, ETag",
        "files": [
            {"key": key, "size": len(raw), "MD5checksum": hashlib.md5(raw).hexdigest()}
            for key, raw in tables.items()
        ],
    }
    day = f"{place}2026-11-01T01-00Z/manifest.json"
    return {**tables, day: json.dumps(manifest).encode(), f"{place}hive/x": b""}


def _article_record(stem: str, raw: bytes) -> bytes:
    pmcid, _, version = stem.rpartition(".")
    md5 = hashlib.md5(raw).hexdigest()
    return json.dumps(
        {
            "pmcid": pmcid,
            "version": int(version),
            "is_pmc_openaccess": True,
            "license_code": "CC BY",
            "xml_url": f"s3://pmc-oa-opendata/{stem}/{stem}.xml?md5={md5}",
            "pdf_url": None,
        }
    ).encode()


def arxiv_bucket(files: Files) -> dict[str, bytes]:
    """Place the archives and their manifest, with one that is younger than the Pile."""
    held = {
        **{f"src/{name}": raw for name, raw in files.items()},
        "src/arXiv_src_2611_001.tar": b"",
    }
    entries = "".join(
        f"<file><content_md5sum>{'0' * 32}</content_md5sum><filename>{name}</filename>"
        f"<md5sum>{hashlib.md5(raw).hexdigest()}</md5sum><num_items>5</num_items>"
        f"<seq_num>1</seq_num><size>{len(raw)}</size><yymm>{name[14:18]}</yymm></file>\n"
        for name, raw in sorted(held.items())
    )
    manifest = f"<?xml version='1.0' standalone='yes'?>\n<arXivSRC>\n{entries}</arXivSRC>\n"
    return {**held, "src/arXiv_src_manifest.xml": manifest.encode()}


def _baseline(files: Files) -> dict[str, bytes]:
    """Place the files of the baseline, and one that came after it, each beside its checksum."""
    placed = {"pubmed/baseline/README.txt": b"about"}
    later = {"updatefiles/pubmed26n1335.xml.gz": gzip.compress(b"<PubmedArticleSet/>", mtime=0)}
    for place, raw in {**{f"baseline/{name}": raw for name, raw in files.items()}, **later}.items():
        md5, name = hashlib.md5(raw).hexdigest(), PurePosixPath(place).name
        placed[f"pubmed/{place}"] = raw
        placed[f"pubmed/{place}.md5"] = f"MD5({name})= {md5}\n".encode()
    return placed


def _dump(files: Files) -> dict[str, bytes]:
    """Place a dump that is complete, and a younger one that is not."""
    job = {
        name: {"size": len(raw), "url": f"/enwiki/{DUMP}/{name}", **_digests(raw)}
        for name, raw in files.items()
    }
    index = f"enwiki-{DUMP}-pages-articles-multistream-index1.txt-p1p41242.bz2"
    job[index] = {"size": 5, "url": f"/enwiki/{DUMP}/{index}", **_digests(b"index")}
    return {
        **{f"enwiki/{DUMP}/{name}": raw for name, raw in files.items()},
        f"enwiki/{DUMP}/dumpstatus.json": _status("done", job),
        "enwiki/20261120/dumpstatus.json": _status("in-progress", {}),
        "enwiki/latest/index.html": b"links",
    }


def _digests(raw: bytes) -> dict[str, str]:
    return {"md5": hashlib.md5(raw).hexdigest(), "sha1": hashlib.sha1(raw).hexdigest()}


def _status(status: str, files: Mapping[str, Mapping[str, object]]) -> bytes:
    job = {"status": status, "updated": "2026-11-02 03:04:05", "files": files}
    return json.dumps({"version": "0.8", "jobs": {"articlesmultistreamdump": job}}).encode()


def _irc(files: Files) -> dict[str, bytes]:
    """Place each log beside the page that shows it."""
    return {**files, **{name.replace(".txt", ".html"): b"<html>" for name in files}}


def _items(files: Files) -> dict[int, bytes]:
    """Take the lines of items apart again; where a line is ``null`` there is none."""
    items = {}
    for name, raw in files.items():
        first = int(_number(name))
        lines = enumerate(raw.splitlines(), first)
        items |= {number: line for number, line in lines if line != b"null"}
    return items


def _weekly(name: str, content: bytes) -> Weekly:
    if name.startswith("pftaps"):
        return Weekly("PTGRAPS", f"{name[6:10]}-{name[10:12]}-{name[12:14]}", name, content)
    digits = _number(name)
    return Weekly("PTGRXML", f"20{digits[:2]}-{digits[2:4]}-{digits[4:6]}", name, content)


def _number(name: str) -> str:
    found = re.search(r"\d+", name)
    assert found is not None
    return found[0]
