"""What a user reads of each source besides its facts: options, fidelities, open substitutes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Explained:
    """A source in words: what is downloaded by default, and what its readings differ in.

    ``fidelities`` has an entry for each value of the option ``fidelity``, or only that of
    ``published`` where the source has no such option; ``differs`` is what is known to differ from the
    release. ``options`` explains every option but ``fidelity``. ``substitute`` is openly licensed
    text of the same kind.
    """

    downloads: str
    fidelities: Mapping[str, str]
    differs: str
    options: Mapping[str, str] = field(default_factory=dict)
    substitute: str = ""


NOTHING = "Nothing: its upstream does not allow it, or is gone."

_BOOKS = (
    "common-pile/pre_1929_books, common-pile/library_of_congress, common-pile/doab,"
    " common-pile/project_gutenberg, common-pile/biodiversity_heritage_library"
)
_COUNT = "how many of the listed files are taken, the first ones; 0 takes all"
_LICENCES = "licences to keep, by SPDX identifier, with or without version; empty keeps all"
_SECONDS = "processor time that pandoc may take for one document"
_HEAP = (
    "heap in MiB that pandoc may take for one document; 256 keeps it below 400 MB, a larger one reads"
    " giant tables and macros too"
)

EXPLAINED: Mapping[str, Explained] = MappingProxyType(
    {
        "pile_cc": Explained(
            "WARC files of one Common Crawl, about 1 GB each, one by default.",
            {
                "published": "English by CLD2 on the raw HTML; jusText 2.2.0's paragraphs, as libxml2 of"
                " 2020 parsed pages",
                "corrected": "HTML5 rules; nothing lost below 257 levels",
            },
            "the quality filter's model was never published: one is [trained anew](quality.md) if asked for",
            {
                "crawls": "which crawls, as CC-MAIN-YYYY-WW, one behind the other; the Pile's are 69",
                "blocks": "numbers of blocks of 1,000 of all their files, from 0; empty takes all files",
                "first": "how many of these files are passed over",
                "count": "how many files are taken from there; 0 takes all, as the Pile did of 22 blocks",
            },
            "common-pile/cccc",
        ),
        "pubmed_central": Explained(
            "The XML of each open-access article in NLM's bucket, some 8 million versions.",
            {"published": "the package's `.nxml` through pandoc, `:::` lines removed"},
            "pandoc of 2020 cannot be had; tables and figures differ by its version",
            {
                "articles": "PMCIDs, as PMC13900; empty takes what prefix says",
                "prefix": "how the PMCIDs begin that are taken, as PMC1390",
                "listing": "how the articles are found: bucket (1,000 a request) or inventory (S3's"
                " last, a few large files); or ranges, some thousand tars of all versions, for a plan of all",
                "records": "whether the bucket's record of each article is fetched too, for licences",
                "licences": _LICENCES,
                "fallback": "whether what pandoc fails on is read as plain text, marked in its meta",
                "cpu_seconds": _SECONDS,
                "heap_mib": _HEAP,
            },
            "common-pile/pubmed",
        ),
        "books3": Explained(
            NOTHING,
            {"published": "`epub2txt-all` as then", "corrected": "as `bookcorpus2`"},
            "none known",
            substitute=_BOOKS,
        ),
        "openwebtext2": Explained(
            "Nothing by itself, as Reddit's dumps are closed; but the pages of a list of your own"
            " (.urls.jsonl, which `pile urls` makes of a dump you hold).",
            {
                "published": "pages of a summed score of 3, filtered by address; lines that are exactly `Advertisement` removed",
                "corrected": "such lines in any case and at the end",
            },
            "newspaper4k instead of newspaper3k; many pages of then are gone",
            {"min_score": "least sum of the scores of a page's submissions"},
            "common-pile/cccc",
        ),
        "arxiv": Explained(
            "arXiv's bulk archives of sources, about 500 MB each, at the price of their transfer.",
            {
                "published": "main file of each paper through pandoc, `\\input` unresolved",
                "corrected": "included files in their places; plain text of what pandoc fails on",
            },
            "pandoc (paper: 1.19.2.4), charset guesses",
            {
                "first": "first month, as YYMM, or archive, as YYMM_NNN",
                "last": "last month or archive",
                "cpu_seconds": _SECONDS,
                "heap_mib": _HEAP,
            },
            "common-pile/arxiv_papers, common-pile/arxiv_abstracts",
        ),
        "github": Explained(
            "An archive of each repository named, or found by a search.",
            {"published": "rules on names, ratio of digits, length of lines; 16 % of what is left"},
            "text is told by bytes, not by libmagic; each file's own meta",
            {
                "repositories": "OWNER/NAME, or OWNER/NAME@REF; empty takes what search finds",
                "search": "what repositories are looked for, as GitHub's search takes it",
                "count": "how many of those found are taken, the most starred first; 0 takes all",
                "max_characters": "characters that a file must stay below; 0 sets no bound",
                "keep": "the part of the documents that is kept, each by a draw of its own; 1.0 keeps all",
                "licences": "SPDX identifiers that a repository's licences must be among; empty keeps all",
            },
            "common-pile/stackv2_edu",
        ),
        "freelaw": Explained(
            "CourtListener's newest table of opinions, and volumes of the Caselaw Access Project.",
            {
                "published": "the last non-empty of three fields",
                "published-2021": "the last non-empty of seven fields, as in the authors' version 2",
                "corrected": "CourtListener's order of quality",
            },
            "CAP cases are read as `xml_harvard`",
            {
                "snapshot": "day of the table, as YYYY-MM-DD; newest, or none",
                "volumes": "volumes of CAP, as us/410",
            },
            "common-pile/caselaw_access_project",
        ),
        "stackexchange": Explained(
            "The 7z archives of all sites, or of some, from one of archive.org's items.",
            {
                "published": "answers accepted or of score 3, the three best; questions complete by"
                " `AnswerCount`",
                "corrected": "accepted answer first; incomplete questions too",
            },
            "none on four real sites",
            {
                "item": "name of the item at archive.org",
                "sites": "sites, as coffee.stackexchange.com; empty takes all",
            },
            "common-pile/stackexchange",
        ),
        "uspto_backgrounds": Explained(
            "The Patent Office's weekly files of grants, about 1,300 since 2002 and 1,350 before.",
            {
                "published": "heading with upper-case BACKGROUND; 2002 to 2004 with hexadecimal entities",
                "corrected": "any case, entities as characters",
            },
            "one bad patent is rejected, not its whole week",
            {"first": "first day of grant, as YYYY-MM-DD", "last": "last day of grant"},
            "common-pile/uspto",
        ),
        "pubmed_abstracts": Explained(
            "NLM's yearly baseline of 1,334 files, if wanted with the updates behind it.",
            {
                "published": "records with any PMC id dropped, cited ones included",
                "corrected": "only the record's own PMC id counts; section labels kept",
            },
            "articles on one line are read too",
            {
                "updates": "whether update files are applied: later records and deletions count",
                "count": _COUNT,
            },
        ),
        "gutenberg_pg19": Explained(
            "DeepMind's collection, a text a book.",
            {"published": "train books unchanged"},
            "none",
            {"part": "train, validation or test", "count": _COUNT},
            "common-pile/project_gutenberg",
        ),
        "opensubtitles": Explained(
            NOTHING,
            {
                "published": "quotes round sentences, dashes and slashes stripped in that order",
                "corrected": "stripped in any order; no empty sentences",
            },
            "malformed XML is rejected",
            substitute="common-pile/youtube",
        ),
        "wikipedia_en": Explained(
            "Wikimedia's dump of current articles, as bzip2 of many streams.",
            {
                "published": "the 2020 cleaning: category lines and `__NOTOC__` stay",
                "corrected": "these removed too",
            },
            "none on 1,023 real pages",
            {"dump": "day of the dump, as YYYYMMDD, or latest", "count": _COUNT},
            "common-pile/wikimedia",
        ),
        "dm_mathematics": Explained(
            "One archive of generated questions and answers.",
            {"published": "slices of 8,194 characters", "corrected": "cut behind answers"},
            "order of files",
            {"levels": "folders that are read, in this order"},
        ),
        "ubuntu_irc": Explained(
            "A log a day and channel, hundreds of thousands of small files.",
            {
                "published": "channel and week of the year, *without the year*",
                "corrected": "channel and ISO week",
            },
            "charset of 2020 unknown: option `encoding`",
            {
                "encoding": "how the published reading decodes logs: utf-8 or iso-8859-1",
                "first": "first day, as YYYY-MM-DD",
                "last": "last day",
                "channels": "channels, as #ubuntu; empty takes all",
            },
            "common-pile/ubuntu_irc",
        ),
        "bookcorpus2": Explained(
            NOTHING,
            {
                "published": "html2text 2020.1.16 and ftfy, all HTML of the archive",
                "corrected": "only the spine",
            },
            "none known",
            substitute=_BOOKS,
        ),
        "europarl": Explained(
            "One archive of proceedings in 21 languages.",
            {
                "published": "all 21 languages, tags at line starts",
                "corrected": "tags wherever they stand; option `languages`",
            },
            "unknown mark-up rejects a file; it ended the original's run",
            {"languages": "languages by their two letters, as en; empty takes all"},
        ),
        "hackernews": Explained(
            "Items by number, ten thousand to a file, a request each.",
            {
                "published": "first chain of replies by most children, wrapped at 78",
                "corrected": "no wrapping; no story lost over a comment",
            },
            "none known",
            {
                "first": "number of the first item",
                "last": "number of the last item; the Pile's is 24531712, and 0 stands for the newest",
            },
        ),
        "youtube_subtitles": Explained(
            NOTHING,
            {
                "published": "minutes in CPython's set order, languages mixed",
                "corrected": "minutes in order",
            },
            "the shuffle of languages was unseeded: track order here",
            substitute="common-pile/youtube",
        ),
        "philpapers": Explained(
            NOTHING,
            {"published": "`pdf_filter` exactly", "corrected": "hyphens and accents kept"},
            "PDFium instead of PDFBox",
            substitute="common-pile/doab, common-pile/peS2o, common-pile/arxiv_papers",
        ),
        "nih_exporter": Explained(
            "A zip of abstracts a fiscal year.",
            {
                "published": "20 prefixes, each once, in order",
                "corrected": "prefixes until none is left",
            },
            "which of two equal rows stays",
            {"first": "first fiscal year", "last": "last fiscal year"},
        ),
        "enron_emails": Explained(
            "One archive of mailboxes.",
            {
                "published": "the body of every file, stripped",
                "corrected": "charsets decoded; no empty bodies",
            },
            "files without headers are rejected",
        ),
        "local": Explained(
            "Nothing: it reads your own files.",
            {"published": "texts as they stand in your files"},
            "none known",
            {
                "text_key": "key of the text in JSON, or column of it in Parquet",
                "id_key": "key of the id; empty numbers records by their place",
                "html": "which text of HTML files is taken: all, or main, what is no boilerplate",
            },
        ),
    }
)
"""Each source by its name."""
