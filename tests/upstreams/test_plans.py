"""Each source's plan against a stand-in of its upstream: found, asked for with manners, and fetched."""

import tarfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from s3_upstream import serving_s3
from standin import Host, Reply, Standin
from stores import cloud_storage, s3_bucket
from worlds import SECRETS, World, articles, arxiv_bucket, hosts

from sources.fetch import Patience, UpstreamError, fetch, get
from sources.registry import SOURCES
from sources.source import Options, Source, nothing_to_download
from sources.upstream import s3
from sources.upstream.guest import Guest

DOWNLOADING = sorted(
    name for name, source in SOURCES.items() if source.plan is not nothing_to_download
)
LISTED = sorted({*DOWNLOADING} - {"dm_mathematics", "enron_emails", "europarl", "nih_exporter"})
"""Sources whose plan asks upstream what there is; the others know."""

ARXIV = "https://arxiv.s3.amazonaws.com/"
"""How the host of arXiv's bucket is called where paces are stated."""

SWIFT = Patience(sleep=lambda _: None)


@pytest.fixture(params=DOWNLOADING)
def source(request: pytest.FixtureRequest) -> Source:
    """Every source that downloads."""
    return SOURCES[request.param]


def options_of(source: Source, world: World) -> Options:
    """Return a source's defaults, narrowed to what the world holds."""
    return {**source.defaults, **world.options.get(source.name, {})}


def guest_of(source: Source, standin: Standin) -> Guest:
    """Return who asks: led to the stand-in, which may see the keys as upstream may."""
    here = urlsplit(standin.url).netloc
    keys = tuple(replace(key, hosts=(*key.hosts, here)) for key in source.keys)
    return Guest(keys=keys, mirrors=tuple(standin.mirrors().items()))


def asks(guest: Guest) -> Callable[[str], bytes]:
    """Return what a plan asks with."""
    return partial(get, guest=guest, patience=SWIFT)


def test_what_is_planned_is_upstream_and_comes_whole(
    source: Source, world: World, standin: Standin, tmp_path: Path
) -> None:
    """The plan names all that upstream has and nothing else, and each file comes to the byte."""
    guest = guest_of(source, standin)
    planned = list(source.plan(options_of(source, world), asks(guest)))
    expected = world.raws[source.name]
    assert sorted(raw.name for raw in planned) == sorted(expected)
    for number, raw in enumerate(planned):
        path = tmp_path / str(number)
        fetched = fetch(raw, path, guest=guest, patience=SWIFT)
        assert path.read_bytes() == expected[raw.name]
        assert fetched.size == len(expected[raw.name])
    assert standin.asked
    assert {ask.host for ask in standin.asked} <= set(standin.hosts)


def test_a_plan_is_the_same_every_time(source: Source, world: World, standin: Standin) -> None:
    """It depends on options and listings alone."""
    found = [
        list(source.plan(options_of(source, world), asks(guest_of(source, standin))))
        for _ in range(2)
    ]
    assert found[0] == found[1]


def test_every_host_of_a_plan_has_a_pace(source: Source, world: World, standin: Standin) -> None:
    """Those that list and those that files come from."""
    asked: list[str] = []

    def noted(url: str) -> bytes:
        asked.append(url)
        return asks(guest_of(source, standin))(url)

    asked += [raw.url for raw in source.plan(options_of(source, world), noted)]
    hosts = {urlsplit(url.replace("s3://arxiv/", ARXIV)).hostname for url in asked}
    assert hosts <= set(source.paces)


@pytest.mark.parametrize("name", LISTED)
@pytest.mark.parametrize("answer", [b"", b"<html>We have moved.</html>", b"{}", b"\xff\x00"])
def test_a_listing_of_another_form_is_told_by_its_address(
    name: str, answer: bytes, world: World
) -> None:
    """A moved upstream never passes for one that holds nothing."""
    source = SOURCES[name]
    options = {**options_of(source, world), **({"last": 0} if name == "hackernews" else {})}
    with pytest.raises(ValueError, match="s3://arxiv|" + "|".join(source.paces)):
        list(source.plan(options, lambda _: answer))


@pytest.mark.parametrize(("name", "status"), [("github", "401"), ("uspto_backgrounds", "403")])
def test_an_upstream_that_wants_a_key_gives_nothing_without(
    name: str,
    status: str,
    world: World,
    standin: Standin,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a listing nor a file; the refusal is told."""
    source = SOURCES[name]
    guest = guest_of(source, standin)
    planned = list(source.plan(options_of(source, world), asks(guest)))
    (key,) = source.keys
    monkeypatch.delenv(key.name)
    monkeypatch.setenv("PILE_KEYRING", "/nonexistent")
    with pytest.raises(UpstreamError, match=status):
        list(source.plan(options_of(source, world), asks(guest)))
    with pytest.raises(UpstreamError, match=status):
        fetch(planned[0], tmp_path / "x", guest=guest, patience=SWIFT)


@pytest.mark.parametrize(
    ("name", "there"), [("github", "codeload.github.com"), ("uspto_backgrounds", "data.uspto.gov")]
)
def test_a_key_stays_with_its_host(
    name: str, there: str, world: World, standin: Standin, tmp_path: Path
) -> None:
    """Where an upstream redirects to, its key does not follow; nor into any address."""
    source = SOURCES[name]
    guest = guest_of(source, standin)
    for number, raw in enumerate(source.plan(options_of(source, world), asks(guest))):
        fetch(raw, tmp_path / str(number), guest=guest, patience=SWIFT)
    seen = [ask for ask in standin.asked if ask.host == there]
    assert len(seen) == len(world.raws[name])
    for ask in seen:
        assert not set(SECRETS.values()) & {*ask.headers.values(), *ask.query.values(), ask.path}
        assert "authorization" not in ask.headers


def planned_names(name: str, standin: Standin, **options: Any) -> list[str]:
    """Return the names of what a source plans."""
    source = SOURCES[name]
    chosen = {**source.defaults, **options}
    return [raw.name for raw in source.plan(chosen, asks(guest_of(source, standin)))]


def test_a_search_is_followed_from_page_to_page(world: World, standin: Standin) -> None:
    """To the count, or to the end of what there is."""
    archives = {f"o/r{number:03}.tar.gz": b"" for number in range(230)}
    standin.hosts = hosts(replace(world, raws={**world.raws, "github": archives}), standin)
    assert planned_names("github", standin, count=150) == sorted(archives)[:150]
    assert planned_names("github", standin, count=1000) == sorted(archives)
    assert [ask.query["page"] for ask in standin.asked] == ["1", "2", "1", "2", "3"]


def _many_articles(count: int) -> Host:
    return s3_bucket({f"PMC{n}.1/PMC{n}.1.xml": b"" for n in range(1, count + 1)}, page=10)


def _books(count: int) -> Host:
    return cloud_storage({"deepmind-gutenberg": {f"train/{n}.txt": b"" for n in range(count)}}, 10)


def _snapshots(count: int) -> Host:
    days = [f"2026-01-{day:02}" for day in range(1, count + 1)]
    return s3_bucket({f"bulk-data/opinions-{day}.csv.bz2": b"" for day in days}, page=10)


@pytest.mark.parametrize(
    ("name", "host", "play"),
    [
        ("pubmed_central", "pmc-oa-opendata.s3.amazonaws.com", _many_articles),
        ("gutenberg_pg19", "storage.googleapis.com", _books),
        ("freelaw", "com-courtlistener-storage.s3-us-west-2.amazonaws.com", _snapshots),
    ],
)
@pytest.mark.parametrize("count", [9, 10, 11, 31])
def test_a_bucket_is_listed_to_its_end(
    name: str, host: str, play: Callable[[int], Host], count: int, standin: Standin
) -> None:
    """Whether the last page is full or not; the newest snapshot may be on it."""
    standin.hosts = {host: play(count)}
    names = planned_names(name, standin)
    if name == "freelaw":
        assert names == [f"opinions-2026-01-{count:02}.csv.bz2"]
    else:
        assert len(set(names)) == count
    assert len(standin.asked) == -(-count // 10)


def test_chosen_articles_come_with_their_checksums(world: World, standin: Standin) -> None:
    """Each article's record in the bucket states the MD5 of its newest version."""
    source = SOURCES["pubmed_central"]
    options = {**source.defaults, "articles": ("PMC9000002",)}
    (raw,) = source.plan(options, asks(guest_of(source, standin)))
    assert raw.name == "PMC9000/PMC9000002.2.xml"
    assert raw.checksum is not None
    assert raw.checksum.startswith("md5:")


def test_a_host_that_does_not_know_is_an_error(world: World, standin: Standin) -> None:
    """A page that is gone ends the plan; it is no empty listing."""
    standin.hosts["irclogs.ubuntu.com"] = lambda _: Reply(b"gone", 404)
    with pytest.raises(UpstreamError, match="404"):
        planned_names("ubuntu_irc", standin)


def test_the_inventory_of_a_bucket_tells_what_its_listing_does(
    world: World, standin: Standin
) -> None:
    """In a few requests, whatever the number of articles."""
    listed = planned_names("pubmed_central", standin)
    standin.asked.clear()
    assert planned_names("pubmed_central", standin, listing="inventory") == listed
    assert [ask.path.rpartition("/")[2] for ask in standin.asked if ask.path] == [
        "manifest.json",
        "0.csv.gz",
        "1.csv.gz",
    ]


def test_ranges_of_a_bucket_come_as_tars(world: World, standin: Standin, tmp_path: Path) -> None:
    """All versions of a range's articles and their records, without a listing beforehand."""
    source, guest = SOURCES["pubmed_central"], guest_of(SOURCES["pubmed_central"], standin)
    options = {**source.defaults, "listing": "ranges", "prefix": "PMC9000", "records": True}
    (raw,) = source.plan(options, asks(guest))
    assert standin.asked == []
    fetch(raw, tmp_path / "x", guest=guest, patience=SWIFT)
    held = articles(world.raws["pubmed_central"])
    wanted = {key for key in held if "PMC9000" in key and key.endswith((".xml", ".json"))}
    assert len(wanted) == 8
    with tarfile.open(tmp_path / "x") as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        assert {name: file.read() for name, file in found.items() if file} == {
            key: held[key] for key in wanted
        }


def test_update_files_follow_the_baseline(world: World, standin: Standin) -> None:
    """In the order in which they are to be applied."""
    names = planned_names("pubmed_abstracts", standin, updates=True)
    assert names == ["pubmed26n0001.xml.gz", "pubmed26n1335.xml.gz"]


def test_arxiv_is_planned_and_fetched_from_a_bucket_that_is_paid_for(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Manifest and archives alike, by S3 itself, and only for who may spend."""
    source = SOURCES["arxiv"]
    thrifty, guest = (
        Guest(mirrors=(("s3://arxiv/", "s3://open/"),), spend=spend) for spend in (False, True)
    )
    monkeypatch.setattr(s3, "client", s3.client.__wrapped__)
    with serving_s3() as bucket:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", bucket.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
        for key, content in arxiv_bucket(world.raws["arxiv"]).items():
            bucket.put(key, content)
        bucket.requester_pays = True
        with pytest.raises(UpstreamError, match="spend_usd"):
            list(source.plan(source.defaults, asks(thrifty)))
        (raw,) = source.plan(source.defaults, asks(guest))
        fetch(raw, tmp_path / "x", guest=guest, patience=SWIFT)
    assert (tmp_path / "x").read_bytes() == world.raws["arxiv"][raw.name]
