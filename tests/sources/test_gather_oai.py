"""A harvest by OAI-PMH is every answer in its order, or the failure is clear."""

import itertools
import json
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sources.fetch import Patience, UpstreamError, fetch
from sources.source import RawFile

# Test folders are no packages, so that what two of them share is found by its folder.
sys.path.append(str(Path(__file__).parent.parent / "servers"))
from web_upstream import Asked, Reply, WebUpstream, serving_web

HEAD = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><responseDate>2026</responseDate>'
SIZE = 10
"""Records of the list; an answer has three."""


@pytest.fixture(scope="module")
def server() -> Iterator[WebUpstream]:
    """One upstream for all tests of this file."""
    with serving_web() as upstream:
        yield upstream


@pytest.fixture
def upstream(server: WebUpstream, monkeypatch: pytest.MonkeyPatch) -> WebUpstream:
    """Give the upstream with a clean record, reached without any proxy."""
    monkeypatch.setenv("NO_PROXY", "*")
    server.answer = honest
    server.asked.clear()
    return server


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    """Where a harvest goes."""
    return tmp_path / "harvest.partial"


@pytest.fixture
def waits() -> list[float]:
    """Seconds that were waited for, without waiting."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    """Patience that takes no time."""
    return Patience(read_timeout=3.0, sleep=waits.append)


def raw(upstream: WebUpstream, query: str = "verb=ListRecords&metadataPrefix=oai_dc") -> RawFile:
    """Plan a harvest."""
    return RawFile(f"{upstream.url}/oai?{query}", "harvest.jsonl", form="oai")


def listed(first: int, size: int | None = SIZE, token: str = "at/") -> str:
    """Return the answer with the records from ``first`` on; spaces and slashes are in its token."""
    numbers = range(first, min(first + 3, SIZE))
    records = "".join(f"<record><header>r{n} é</header></record>" for n in numbers)
    following = f"{token} {first + 3}" if first + 3 < SIZE else ""
    stated = f' completeListSize="{size}"' if size is not None else ""
    ending = f'<resumptionToken cursor="{first}"{stated}>{following}</resumptionToken>'
    return f"{HEAD}<ListRecords>{records}{ending}</ListRecords></OAI-PMH>"


def failing(code: str) -> Reply:
    """Answer with an error of the protocol."""
    return Reply(f'{HEAD}<error code="{code}">words</error></OAI-PMH>'.encode())


def place(asked: Asked) -> int:
    """Return the record that a request wants to go on with."""
    query = parse_qs(urlsplit(asked.path).query)
    if "resumptionToken" not in query:
        assert query == {"verb": ["ListRecords"], "metadataPrefix": ["oai_dc"]}
        return 0
    assert set(query) == {"verb", "resumptionToken"}
    return int(query["resumptionToken"][0].removeprefix("at/ "))


def honest(asked: Asked) -> Reply:
    """Answer as a repository does."""
    return Reply(listed(place(asked)).encode())


def but(at: int, *replies: Reply) -> Callable[[Asked], Reply]:
    """Answer the requests for one place so at first, and all others honestly."""
    waiting = list(replies)
    return lambda asked: waiting.pop(0) if waiting and place(asked) == at else honest(asked)


def whole() -> list[str]:
    """Return the answers of a whole harvest."""
    return [listed(first) for first in range(0, SIZE, 3)]


def answers(partial: Path) -> list[str]:
    """Return the answers that a harvest holds."""
    return [json.loads(line)["answer"] for line in partial.read_bytes().splitlines()]


def test_a_harvest_follows_the_tokens_to_the_end(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """A line for each answer, as it came; its URL does not show the token."""
    fetch(raw(upstream), partial, patience=patience)
    assert answers(partial) == whole()
    urls = [json.loads(line)["url"] for line in partial.read_bytes().splitlines()]
    assert urls[0] == raw(upstream).url
    assert set(urls[1:]) == {f"{upstream.url}/oai?verb=ListRecords&resumptionToken=..."}
    again = partial.with_name("again")
    fetch(raw(upstream), again, patience=patience)
    assert again.read_bytes() == partial.read_bytes()


def test_a_harvest_that_was_cut_goes_on_with_its_token(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """What is on disk is not asked for again."""
    upstream.answer = but(6, *[Reply(status="500 No")] * 99)
    with pytest.raises(UpstreamError):
        fetch(raw(upstream), partial, patience=patience)
    upstream.answer = honest
    upstream.asked.clear()
    assert fetch(raw(upstream), partial, patience=patience).resumed_from > 0
    assert [place(asked) for asked in upstream.asked] == [6, 9]
    assert answers(partial) == whole()


def test_a_forgotten_token_means_to_start_over(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """A repository that forgets every time is left for later."""
    upstream.answer = but(6, failing("badResumptionToken"))
    fetch(raw(upstream), partial, patience=patience)
    assert answers(partial) == whole()
    assert [place(asked) for asked in upstream.asked] == [0, 3, 6, 0, 3, 6, 9]
    partial.unlink()
    upstream.answer = but(6, *[failing("badResumptionToken")] * 3)
    with pytest.raises(UpstreamError, match="forgot") as caught:
        fetch(raw(upstream), partial, patience=patience)
    assert caught.value.retry_later


def test_a_list_without_records_is_an_empty_file(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """No records match is an answer, not a failure; in the midst of a list it is one."""
    upstream.answer = lambda _: failing("noRecordsMatch")
    assert fetch(raw(upstream), partial, patience=patience).size == 0
    upstream.answer = but(3, failing("noRecordsMatch"))
    with pytest.raises(UpstreamError, match="noRecordsMatch"):
        fetch(raw(upstream), partial, patience=patience)


@pytest.mark.parametrize("code", ["badArgument", "cannotDisseminateFormat", "badResumptionToken"])
def test_an_error_of_the_protocol_is_told(
    upstream: WebUpstream, partial: Path, patience: Patience, code: str
) -> None:
    """What will not pass is not asked for again."""
    upstream.answer = lambda _: failing(code)
    with pytest.raises(UpstreamError, match=code):
        fetch(raw(upstream), partial, patience=patience)
    assert len(upstream.asked) == 1


def test_retry_after_is_kept(
    upstream: WebUpstream, partial: Path, patience: Patience, waits: list[float]
) -> None:
    """A repository says how long to wait by 503."""
    upstream.answer = but(3, Reply(status="503 Later", headers={"Retry-After": "17"}))
    fetch(raw(upstream), partial, patience=patience)
    assert answers(partial) == whole()
    assert waits == [17.0]


BOMB = '<!DOCTYPE o [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + listed(
    0
).replace("r0", "&b;")


@pytest.mark.parametrize(
    "body",
    [
        "<html><body>Sign in</body></html>",
        listed(0)[:-20],
        f"{HEAD}</OAI-PMH>",
        listed(0).replace("2.0", "1.0"),
        "",
        "\0",
        '<!DOCTYPE o [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + "<o>&a;</o>",
    ],
)
def test_what_is_no_answer_is_asked_for_again(
    upstream: WebUpstream, partial: Path, patience: Patience, body: str
) -> None:
    """It is never written, whatever its status."""
    upstream.answer = but(0, Reply(body.encode()), Reply(body.encode()))
    fetch(raw(upstream), partial, patience=patience)
    assert answers(partial) == whole()


def test_an_answer_in_another_encoding_is_none(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """The protocol wants UTF-8."""
    upstream.answer = lambda _: Reply(listed(0).encode("latin-1"))
    with pytest.raises(UpstreamError, match="UTF-8"):
        fetch(raw(upstream), partial, patience=patience)
    assert partial.read_bytes() == b""


def test_entities_are_not_expanded(
    upstream: WebUpstream, partial: Path, patience: Patience
) -> None:
    """An answer may hold some, and stays as long as it is."""
    upstream.answer = but(0, Reply(BOMB.encode()))
    fetch(raw(upstream), partial, patience=patience)
    assert answers(partial) == [BOMB, *whole()[1:]]


@pytest.mark.parametrize(("size", "complete"), [(None, True), (10, True), (4, True), (50, False)])
def test_a_list_that_is_too_short_is_no_harvest(
    upstream: WebUpstream, partial: Path, patience: Patience, size: int | None, complete: bool
) -> None:
    """The size that the repository states is checked at the end; what is there is not kept then."""
    upstream.answer = lambda asked: Reply(listed(place(asked), size).encode())
    if complete:
        fetch(raw(upstream), partial, patience=patience)
        return
    with pytest.raises(UpstreamError, match="10 of 50 records"):
        fetch(raw(upstream), partial, patience=patience)
    assert partial.read_bytes() == b""


@pytest.mark.parametrize("length", [1, 2, 3, 7, 20])
@pytest.mark.parametrize("tail", [0, 5])
def test_tokens_that_come_again_end_the_harvest(
    upstream: WebUpstream, partial: Path, patience: Patience, length: int, tail: int
) -> None:
    """A list that never ends is no list, in however large a circle it leads, and wherever it enters it."""
    count = itertools.count()

    def circling(_: Asked) -> Reply:
        number = next(count)
        at = number if number < tail else tail + (number - tail) % length
        return Reply(listed(0, token=f"{at}/").encode())

    upstream.answer = circling
    with pytest.raises(UpstreamError, match="for the second time"):
        fetch(raw(upstream), partial, patience=patience)
    assert len(upstream.asked) <= 4 * (length + tail)
    assert partial.stat().st_size == 0


@pytest.mark.parametrize("query", ["", "verb=Identify"])
def test_only_lists_are_harvested(
    upstream: WebUpstream, partial: Path, patience: Patience, query: str
) -> None:
    """Another request is refused before it is sent."""
    with pytest.raises(UpstreamError, match="verb=ListRecords"):
        fetch(raw(upstream, query), partial, patience=patience)
    assert upstream.asked == []


def test_seeded_faults_give_the_harvest_or_a_clear_failure(
    upstream: WebUpstream, tmp_path: Path, patience: Patience
) -> None:
    """Whatever mix of faults comes, in however many calls: never a wrong file."""
    ended = {True: 0, False: 0}
    for seed in range(60):
        draw = random.Random(seed)

        def answer(asked: Asked, draw: random.Random = draw) -> Reply:
            found = honest(asked)
            faults = (Reply(found.body, cut=50), Reply(b"<html/>"), Reply(status="500 No"))
            faults = (*faults, failing("badResumptionToken") if place(asked) else found)
            return draw.choice(faults) if draw.random() < 0.45 else found

        upstream.answer = answer
        partial = tmp_path / f"{seed}.partial"
        for _ in range(3):
            try:
                fetch(raw(upstream), partial, patience=patience)
            except UpstreamError:
                assert whole()[: len(answers(partial))] == answers(partial)
                ended[False] += 1
            else:
                assert answers(partial) == whole()
                ended[True] += 1
                break
    assert min(ended.values()) >= 3
