"""The program in the cage of `articles`: reads pages from standard input, writes their articles.

Each message is four bytes of length, then JSON. What a page may take is set once for memory, and for
each page anew for processor time; who takes more time is killed by the system, in C code as well.
Nothing here can reach a network.
"""

import json
import resource
import signal
import socket
import struct
import sys
import warnings
from typing import BinaryIO, NoReturn

LENGTH = struct.Struct(">I")

NO_MEMORY = 3
"""Exit status where a page alone is more than there is memory for."""


def main(memory: int, seconds: float) -> None:
    """Answer pages until the input ends, each within so many bytes and seconds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    socket.getaddrinfo = _no_network
    given, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    _load()
    try:
        while head := given.read(LENGTH.size):
            page = json.loads(given.read(LENGTH.unpack(head)[0]))
            signal.setitimer(signal.ITIMER_PROF, seconds)
            answer = _answer(page["url"], page["html"])
            signal.setitimer(signal.ITIMER_PROF, 0)
            _send(answers, answer)
    except MemoryError:
        sys.exit(NO_MEMORY)


def _load() -> None:
    """Import the extractor, and have it know public suffixes by heart."""
    warnings.simplefilter("ignore")
    import newspaper  # noqa: F401, PLC0415 - within the limits
    import tldextract  # noqa: PLC0415

    own = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.tldextract.TLD_EXTRACTOR = own


def _answer(url: str, html: str) -> dict[str, str]:
    from newspaper import Article  # noqa: PLC0415 - within the limits

    try:
        article = Article(url, fetch_images=False, memorize_articles=False)
        article.download(input_html=html, ignore_read_more=True).parse()
    except MemoryError:
        return {"problem": "article_memory", "message": ""}
    except Exception as error:  # noqa: BLE001 - as published: any exception loses the page
        return {"problem": "article_failed", "message": f"{type(error).__name__}: {error}"}
    return {"text": article.text, "title": article.title, "lang": article.meta_lang}


def _send(answers: BinaryIO, answer: dict[str, str]) -> None:
    # Half a surrogate pair, which some pages' references spell, goes as its escape.
    content = json.dumps(answer).encode("ascii")
    answers.write(LENGTH.pack(len(content)) + content)
    answers.flush()


def _no_network(*_arguments: object, **_more: object) -> NoReturn:
    raise OSError("no network here")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
