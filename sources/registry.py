"""The sources that can be read, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from sources.source import Source

SOURCES: Mapping[str, Source] = MappingProxyType({})
