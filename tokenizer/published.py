"""How many tokens GPT-2's and GPT-NeoX-20B's tokenizers make of the Pile's validation set.

From the paper on GPT-NeoX-20B (arXiv 2204.06745), whose tables give both counts for each component,
with and without tokens that are all white space. The rows add up to the totals printed there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of a component by either tokenizer: all, and those that are not all white space."""

    gpt2: int
    neox: int
    gpt2_words: int
    neox_words: int

    @property
    def ratio(self) -> float:
        """Tokens by GPT-NeoX-20B's tokenizer for each by GPT-2's."""
        return self.neox / self.gpt2

    @property
    def gpt2_space_share(self) -> float:
        """Share of GPT-2's tokens that are all white space."""
        return 1 - self.gpt2_words / self.gpt2

    @property
    def neox_space_share(self) -> float:
        """Share of GPT-NeoX-20B's tokens that are all white space."""
        return 1 - self.neox_words / self.neox


PUBLISHED_TOKENS: dict[str, Tokens] = {
    "ArXiv": Tokens(41_020_155, 34_704_315, 38_932_524, 33_561_364),
    "BookCorpus2": Tokens(2_336_388, 2_365_633, 2_233_367, 2_262_609),
    "Books3": Tokens(42_819_036, 43_076_832, 40_895_236, 41_198_424),
    "DM Mathematics": Tokens(7_699_527, 7_413_775, 7_214_874, 6_929_066),
    "Enron Emails": Tokens(480_500, 433_867, 374_978, 373_498),
    "EuroParl": Tokens(3_519_584, 2_808_275, 3_482_120, 2_780_405),
    "FreeLaw": Tokens(21_098_168, 18_687_364, 17_766_692, 17_434_708),
    "Github": Tokens(42_986_216, 33_021_839, 29_338_176, 27_558_966),
    "Gutenberg (PG-19)": Tokens(6_729_187, 6_428_946, 5_838_580, 5_827_408),
    "HackerNews": Tokens(2_578_933, 2_551_720, 2_312_116, 2_299_848),
    "NIH ExPorter": Tokens(776_688, 739_558, 776_619, 739_543),
    "OpenSubtitles": Tokens(5_431_529, 5_446_485, 5_428_118, 5_445_721),
    "OpenWebText2": Tokens(31_993_480, 30_813_744, 30_849_218, 29_723_143),
    "PhilPapers": Tokens(1_879_206, 1_750_928, 1_872_347, 1_743_627),
    "Pile-CC": Tokens(53_415_704, 53_392_389, 51_305_080, 51_281_909),
    "PubMed Abstracts": Tokens(8_708_180, 8_215_529, 8_676_790, 8_185_417),
    "PubMed Central": Tokens(56_874_247, 43_534_166, 44_508_570, 40_722_151),
    "StackExchange": Tokens(22_708_643, 19_000_198, 17_414_955, 16_712_814),
    "USPTO Backgrounds": Tokens(10_217_886, 9_727_223, 9_882_473, 9_601_385),
    "Ubuntu IRC": Tokens(3_341_287, 2_771_066, 3_220_797, 2_659_225),
    "Wikipedia (en)": Tokens(12_614_087, 12_692_048, 11_874_878, 11_986_567),
    "YoutubeSubtitles": Tokens(3_883_103, 3_311_907, 3_589_042, 3_046_451),
}
"""Counts by component, under the name that the corpus gives it."""
