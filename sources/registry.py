"""The sources that can be read, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sources import (
    arxiv,
    bookcorpus2,
    books3,
    dm_mathematics,
    enron_emails,
    europarl,
    freelaw,
    github,
    gutenberg_pg19,
    hackernews,
    local,
    nih_exporter,
    opensubtitles,
    openwebtext2,
    philpapers,
    pile_cc,
    pubmed_abstracts,
    pubmed_central,
    stackexchange,
    ubuntu_irc,
    uspto_backgrounds,
    wikipedia_en,
    youtube_subtitles,
)
from sources.source import Source

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        module.SOURCE.name: module.SOURCE
        for module in (
            arxiv,
            bookcorpus2,
            books3,
            dm_mathematics,
            enron_emails,
            europarl,
            freelaw,
            github,
            gutenberg_pg19,
            hackernews,
            local,
            nih_exporter,
            opensubtitles,
            openwebtext2,
            philpapers,
            pile_cc,
            pubmed_abstracts,
            pubmed_central,
            stackexchange,
            ubuntu_irc,
            uspto_backgrounds,
            wikipedia_en,
            youtube_subtitles,
        )
    }
)
"""Every source by name: the 22 components of the Pile, and `local` for the user's own files."""
