"""What the Pile published of its 22 components (arXiv 2101.00027, Table 1, and its replication code)."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from sources.source import Published

PILE_SET_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "pile_cc": "Pile-CC",
        "pubmed_central": "PubMed Central",
        "books3": "Books3",
        "openwebtext2": "OpenWebText2",
        "arxiv": "ArXiv",
        "github": "Github",
        "freelaw": "FreeLaw",
        "stackexchange": "StackExchange",
        "uspto_backgrounds": "USPTO Backgrounds",
        "pubmed_abstracts": "PubMed Abstracts",
        "gutenberg_pg19": "Gutenberg (PG-19)",
        "opensubtitles": "OpenSubtitles",
        "wikipedia_en": "Wikipedia (en)",
        "dm_mathematics": "DM Mathematics",
        "ubuntu_irc": "Ubuntu IRC",
        "bookcorpus2": "BookCorpus2",
        "europarl": "EuroParl",
        "hackernews": "HackerNews",
        "youtube_subtitles": "YoutubeSubtitles",
        "philpapers": "PhilPapers",
        "nih_exporter": "NIH ExPorter",
        "enron_emails": "Enron Emails",
    }
)
"""Slug of each component, in the order of Table 1, with the exact name the release gives it."""

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "pile_cc": "web",
        "pubmed_central": "academic",
        "books3": "books",
        "openwebtext2": "web",
        "arxiv": "academic",
        "github": "code and maths",
        "freelaw": "academic",
        "stackexchange": "web",
        "uspto_backgrounds": "academic",
        "pubmed_abstracts": "academic",
        "gutenberg_pg19": "books",
        "opensubtitles": "dialogue",
        "wikipedia_en": "web",
        "dm_mathematics": "code and maths",
        "ubuntu_irc": "dialogue",
        "bookcorpus2": "books",
        "europarl": "dialogue",
        "hackernews": "dialogue",
        "youtube_subtitles": "dialogue",
        "philpapers": "academic",
        "nih_exporter": "academic",
        "enron_emails": "dialogue",
    }
)
"""What kind of text each component is, much as the paper's first figure groups them."""

PUBLISHED: Mapping[str, Published] = MappingProxyType(
    {
        "pile_cc": Published(54_953_117, 243_872_121_726, 4.33, 1),
        "pubmed_central": Published(3_098_931, 96_929_951_580, 30.55, 2),
        "books3": Published(196_640, 108_404_259_563, 538.36, 1.5),
        "openwebtext2": Published(17_103_059, 67_396_380_547, 3.85, 2),
        "arxiv": Published(1_264_405, 60_353_358_395, 46.61, 2),
        "github": Published(19_021_454, 102_180_233_200, 5.25, 1),
        "freelaw": Published(3_562_015, 54_923_939_791, 15.06, 1.5),
        "stackexchange": Published(15_622_475, 34_571_286_358, 2.16, 2),
        "uspto_backgrounds": Published(5_883_037, 24_593_538_339, 4.08, 2),
        "pubmed_abstracts": Published(15_518_009, 20_684_050_384, 1.30, 2),
        "gutenberg_pg19": Published(28_602, 11_678_184_672, 398.73, 2.5),
        "opensubtitles": Published(446_612, 13_940_478_112, 30.48, 1.5),
        "wikipedia_en": Published(
            6_033_151,
            6_847_462_907,
            1.11,
            3,
            remark="The printed size is an archive's: the text is about 16.9 GiB, 2.94 KiB a document.",
            measured_bytes=18_150_000_000,
        ),
        "dm_mathematics": Published(
            1_014_997,
            8_316_165_951,
            8.00,
            2,
            remark="Every released document is a slice of 8,194 characters.",
        ),
        "ubuntu_irc": Published(
            10_605,
            5_923_631_555,
            545.48,
            2,
            remark="A document is a channel's week of the year in all years, not, as stated, of one.",
        ),
        "bookcorpus2": Published(17_868, 6_767_414_779, 369.87, 1.5),
        "europarl": Published(69_814, 4_923_130_035, 68.87, 2),
        "hackernews": Published(831_198, 4_185_091_916, 4.92, 2),
        "youtube_subtitles": Published(173_651, 4_010_420_381, 22.55, 2),
        "philpapers": Published(33_990, 2_553_543_227, 73.37, 2),
        "nih_exporter": Published(
            939_661, 2_034_579_138, 2.11, 2, remark="The paper's text counts 939,668 documents."
        ),
        "enron_emails": Published(517_401, 945_212_874, 1.78, 2),
    }
)
"""Figures of each component as printed, known errors in ``remark``."""


@dataclass(frozen=True, slots=True)
class ComponentFile:
    """A file of the Pile of 2020: its name, and the slug of its component, empty for a split of all."""

    name: str
    source: str


COMPONENT_FILES: Mapping[str, ComponentFile] = MappingProxyType(
    {
        "4906a6731a7d2d9182c40a13d681078ed537508cf75b1d32ad7f7c491b2f272a": ComponentFile(
            "pile_cc_filtered_deduped.jsonl.zst", "pile_cc"
        ),
        "dd2ecc79480bd5b78c29ea78af96941c69f6bda3d36a7d510019ccc4848fb867": ComponentFile(
            "PMC_extracts.tar.gz", "pubmed_central"
        ),
        "9043d1b93c35ff1a38a17e16c73c009d4617dcaab6da15adc0faf4779739a027": ComponentFile(
            "openwebtext2.jsonl.zst.tar", "openwebtext2"
        ),
        "084b894f513986076a7d97e5c323c7fa8ebef1733f151a7fbdb139c19c07b571": ComponentFile(
            "arxiv.jsonl.zst", "arxiv"
        ),
        "f7a66e8226baf075a42628d10d8eba234460da73b0ffd300736036db9be3b3c3": ComponentFile(
            "github.jsonl.zst.tar", "github"
        ),
        "4323250bed817466de868f752b7685350123cff1f1363e87dfb6f22585b97f96": ComponentFile(
            "github_small.jsonl.zst", "github"
        ),
        "7d7ba907cf397e8585bb3ef148b3e9678edbf142b2247460f907c16aecbaed2d": ComponentFile(
            "FreeLaw_Opinions.jsonl.zst", "freelaw"
        ),
        "f64f31d20db8d8692c1a019314a14974b4911a34ffef126feaf42da88860c666": ComponentFile(
            "stackexchange_dataset.tar", "stackexchange"
        ),
        "7a7d2c8e21df2ad0324810a8e675f4d8bdc5ee40b17914a6c0542ddfda1560fd": ComponentFile(
            "pile_uspto.jsonl.zst.tar", "uspto_backgrounds"
        ),
        "15c26a83ac2b11378b8e6ba5a16bab92428de29bacb85709834948cfcf1f029b": ComponentFile(
            "PUBMED_title_abstracts_2019_baseline.jsonl.zst", "pubmed_abstracts"
        ),
        "f3039709677292f899bb0a8fa2dbc6ae785f9e33ffd7613f94f4f722f2dfd95c": ComponentFile(
            "opensubtitles_out.tar", "opensubtitles"
        ),
        "87b78787f71297250bca644ab9d8e3992346eeb2e2ad91101487109e3d01e644": ComponentFile(
            "wikipedia-en.tar.gz", "wikipedia_en"
        ),
        "def638343403cb9ed60437d6b684c859dd23b72779f5cc5661b0a31e67c58576": ComponentFile(
            "mathematics_dataset-v1.0.tar.gz", "dm_mathematics"
        ),
        "b744a253c5406f32c7a9c76ba4cf7888fdeb4b5b6bdc368ca9359a0238b968c9": ComponentFile(
            "ubuntu_irc_weekly.jsonl.zst", "ubuntu_irc"
        ),
        "6111400e7b7f75ce91fed1b5fc0a3630b8263217bd01ce75f7d8701f26ac0e98": ComponentFile(
            "EuroParliamentProceedings_1996_2011.jsonl.zst", "europarl"
        ),
        "9fbc978c92a466b1653cd578700eeb8b417ddcf8c66c7c468d5c1d11ef82aed7": ComponentFile(
            "hn.jsonl.zst", "hackernews"
        ),
        "0b9130b8c92290eba360337fea90c2617721f65d955f785f8755cb5f4a8e319c": ComponentFile(
            "yt_subs.jsonl.zst", "youtube_subtitles"
        ),
        "e90529b9b3961328d1e34b60534a8e0f73d5ad1f104e22a217de53cd53c41fea": ComponentFile(
            "PhilArchive.jsonl.zst", "philpapers"
        ),
        "be7fc69b9a3652391b6567891b99277ac99e7dfd5892ba19cb312f909357c458": ComponentFile(
            "NIH_ExPORTER_awarded_grant_text.jsonl.zst", "nih_exporter"
        ),
        "6968dd2d6d9c4328ee3b77b263aad38401b77c326f693ce051c98a3f215bf583": ComponentFile(
            "enron_emails.jsonl.zst", "enron_emails"
        ),
        "264c875d8bbd355d8daa9d032b75fd8fb91606218bb84dd1155b203fcd5fab92": ComponentFile(
            "val.jsonl.zst", ""
        ),
        "0bb28c52d0b5596d389bf179ce2d43bf7f7ffae76b0d2d20b180c97f62e0975e": ComponentFile(
            "test.jsonl.zst", ""
        ),
    }
)
"""Files of the components as the Pile's own code fetched them, by SHA-256.

The archives of Books3 and BookCorpus2 are not among them: none may be passed on."""

OTHER_NAMES: Mapping[str, str] = MappingProxyType({"pile_uspto.tar": "pile_uspto.jsonl.zst.tar"})
"""Other names that files of `COMPONENT_FILES` went by."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """A raw file that has the content, or at least the name, of a published one."""

    name: str
    published: ComponentFile
    as_published: bool

    @property
    def note(self) -> str:
        """What a user should know."""
        if self.as_published:
            return f"{self.name}: this is {self.published.name} of 2020, as published"
        return f"{self.name}: same name as the {self.published.name} of 2020, other content"


def recognise(name: str, checksum: str | None) -> Recognised | None:
    """Return what a raw file is among the published ones, by ``sha256:digits`` or else by its name."""
    found = COMPONENT_FILES.get((checksum or "").removeprefix("sha256:"))
    if found is not None:
        return Recognised(name, found, as_published=True)
    last = PurePosixPath(name).name
    last = OTHER_NAMES.get(last, last)
    # Anyone's splits may be called val.jsonl.zst.
    components = (file for file in COMPONENT_FILES.values() if file.source)
    namesake = next((file for file in components if file.name == last), None)
    return Recognised(name, namesake, as_published=False) if namesake else None
