"""The sources that can be read, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sources import (
    arxiv,
    freelaw,
    gutenberg_pg19,
    local,
    pile_cc,
    pubmed_abstracts,
    pubmed_central,
    stackexchange,
    wikipedia_en,
)
from sources.source import Source

SOURCES: Mapping[str, Source] = MappingProxyType(
    {
        module.SOURCE.name: module.SOURCE
        for module in (
            arxiv,
            freelaw,
            gutenberg_pg19,
            local,
            pile_cc,
            pubmed_abstracts,
            pubmed_central,
            stackexchange,
            wikipedia_en,
        )
    }
)
"""Every source by name."""
