"""HackerNews stories with the chains of comments below them, as text.

Items are JSON objects as HackerNews gives them, looked up by number one at a time; nothing is taken
for granted about them. See `sources.hackernews` for what the text is like.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sources.formats.html_markdown import markdown
from sources.formats.markdown_wrap import wrapped

LONGEST_DOCUMENT = 64 << 20
"""Characters of one document; the longest honest ones have 1 MiB."""
MOST_ANSWERS = 100_000
"""Answers to one item; the honest ones with the most have 5,000."""

Item: TypeAlias = Mapping[str, object]
LookUp: TypeAlias = Callable[[object], Item | None]
"""Gives the item of a number, or None where there is none."""


class NoDocument(Exception):  # noqa: N818 - says what a story gives
    """A story that gives no document, and the reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Thread:
    """A story with its comments, and how many there are in the text."""

    text: str
    comments: int


def judge(item: Item) -> None:
    """Raise `NoDocument` for what is no living story with points and comments."""
    if item.get("dead") is True:
        raise NoDocument("dead")
    if "type" not in item:
        raise NoDocument("incomplete")
    if item["type"] != "story":
        raise NoDocument("not_a_story")
    if count(item, "score") < 1:
        raise NoDocument("low_score")
    if count(item, "descendants") < 1:
        raise NoDocument("no_comments")


def count(item: Item, key: str) -> int:
    """Return a number that an item states; raises `NoDocument` if it does not."""
    value = item.get(key)
    if not isinstance(value, int):
        raise NoDocument("incomplete")
    return value


def published(story: Item, look_up: LookUp) -> Thread:
    """Return a story as the Pile has it; raises `NoDocument`, also over a comment."""
    header = f"{_text(story, 'title')} - {_text(story, 'by')}\n"
    if "url" in story:
        header = f"\n{header}{_text(story, 'url')}\n"
    if "text" in story:
        header = f"\n{header}{_text(story, 'text')}\n"
    if not isinstance(story.get("kids"), list):
        raise NoDocument("incomplete")

    def is_live(comment: Item | None) -> bool:
        if comment is None:
            raise NoDocument("missing_comment")
        return _is_live(comment)

    return _thread(header, story, _Walk(look_up, is_live, _wrapped_markdown))


def corrected(story: Item, look_up: LookUp) -> Thread:
    """Return a story as it was meant; raises `NoDocument` if it has no comments."""
    header = f"{_text(story, 'title')} - {_text(story, 'by')}\n"
    if story.get("url"):
        header += f"{_text(story, 'url')}\n"
    if story.get("text"):
        header += _unwrapped_markdown(_text(story, "text"))

    def is_whole(comment: Item | None) -> bool:
        return comment is not None and _is_live(comment) and isinstance(comment.get("by"), str)

    thread = _thread(header, story, _Walk(look_up, is_whole, _unwrapped_markdown))
    if not thread.comments:
        raise NoDocument("no_comments")
    return thread


@dataclass(frozen=True, slots=True)
class _Walk:
    """How a story's comments are found, which of them count, and how their HTML becomes text."""

    look_up: LookUp
    counts: Callable[[Item | None], bool]
    markdown_of: Callable[[str], str]


def _thread(header: str, story: Item, walk: _Walk) -> Thread:
    chains: list[str] = []
    comments = size = 0
    for number in _kids(story):
        chain: list[str] = []
        for comment in _chain([number], walk):
            author = _text(comment, "by", "incomplete_comment")
            html = _text(comment, "text", "incomplete_comment")
            chain.append(f"{author}\n{_converted(html, walk)}")
            size += len(chain[-1])
            if size > LONGEST_DOCUMENT:
                raise NoDocument("too_large")
        if chain:
            chains.append("~~~\n".join(chain))
            comments += len(chain)
    body = "------\n".join(chains)
    return Thread(f"{header}======\n{body}", comments)


def _chain(numbers: Sequence[object], walk: _Walk) -> Iterator[Item]:
    """Yield of some items the one with the most answers, then of these, and so on.

    Of equals the first counts. A chain that turns back ends.
    """
    seen: set[object] = set()
    while (comment := _most_answered(numbers, walk)) is not None:
        if comment.get("id") in seen:
            return
        seen.add(comment.get("id"))
        yield comment
        numbers = _kids(comment)


def _most_answered(numbers: Sequence[object], walk: _Walk) -> Item | None:
    best = None
    for number in numbers:
        comment = walk.look_up(number)
        if walk.counts(comment) and comment is not None:
            best = comment if best is None or len(_kids(comment)) > len(_kids(best)) else best
    return best


def _is_live(comment: Item) -> bool:
    return comment.get("text") is not None and comment.get("dead") is not True


def _text(item: Item, key: str, otherwise: str = "incomplete") -> str:
    value = item.get(key)
    if not isinstance(value, str):
        raise NoDocument(otherwise)
    return value


def _kids(item: Item) -> Sequence[object]:
    kids = item.get("kids")
    if not isinstance(kids, list):
        return ()
    if len(kids) > MOST_ANSWERS:
        raise NoDocument("too_large")
    return kids


def _converted(html: str, walk: _Walk) -> str:
    try:
        return walk.markdown_of(html)
    except ValueError as error:  # MarkupError, or the number of no character
        raise NoDocument("unreadable_markup") from error


def _wrapped_markdown(html: str) -> str:
    return wrapped(markdown(html))


def _unwrapped_markdown(html: str) -> str:
    return markdown(html).strip("\n") + "\n"
