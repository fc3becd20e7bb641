"""What the Pile published of its 22 components (arXiv 2101.00027, Table 1, and its replication code)."""

from collections.abc import Mapping
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
