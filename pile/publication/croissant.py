"""Croissant 1.1: the corpus described in JSON-LD for catalogues and loaders.

The vocabulary is that of https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html. The date of
publication, which it recommends, is left to whoever publishes: nothing here tells the time.
"""

from pile.ledger import Part
from pile.publication.facts import Facts
from sources.source import Json

_CONTEXT: dict[str, Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{
        term: f"cr:{term}"
        for term in (
            *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract"),
            *("field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray"),
            *("isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet"),
            *("references", "regex", "repeated", "replace", "samplingRate", "separator"),
            *("source", "subField", "transform"),
        )
    },
}

_FORMATS = {".zst": "application/jsonlines", ".parquet": "application/x-parquet"}

_PROVENANCE = {
    "id": "The document's id, unique within its source but for copies",
    "source": "The source by the name of its table in the recipe",
    "pile_set_name": "The source by the name that the corpus gives it",
    "origin": "The raw file that the document comes from, and the place in it",
    "licence": "What the document may be used under, as far as its source says",
    "epoch": "The number of this copy of the document, from 0",
}


def croissant(facts: Facts) -> dict[str, Json]:
    """Return the description of a corpus whose files lie beside it."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": facts.title,
        "description": f"A text corpus of {facts.documents:,} documents from {len(facts.sources)} "
        f"sources: {', '.join(source.pile_set_name for source in facts.sources)}.",
        "version": f"1.0.0+{facts.fingerprint}",
        "license": list(facts.licences),
        "isLiveDataset": False,
        "distribution": [
            *(_file(part) for part in facts.files),
            *_sets(facts),
        ],
        "recordSet": [
            _records("documents", "One document a line, in the order of training.", _LINES),
            _records("provenance", "Row n tells of line n of the same file.", _provenance_fields()),
        ],
    }


def _file(part: Part) -> Json:
    ending = part.name[part.name.rindex(".") :]
    return {
        "@type": "cr:FileObject",
        "@id": part.name,
        "name": part.name,
        "contentUrl": part.name,
        "contentSize": f"{part.size} B",
        "encodingFormat": _FORMATS[ending],
        "sha256": part.sha256,
    }


def _sets(facts: Facts) -> list[Json]:
    splits = [split.name for split in facts.splits]
    return [
        {
            "@type": "cr:FileSet",
            "@id": name,
            "name": name,
            "includes": [f"{prefix}{split}/*{ending}" for split in splits],
            "encodingFormat": _FORMATS[ending],
        }
        for name, prefix, ending in (
            ("document-files", "", ".zst"),
            ("provenance-files", "provenance/", ".parquet"),
        )
    ]


def _records(name: str, description: str, fields: list[Json]) -> Json:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": description,
        "field": fields,
    }


def _field(name: str, description: str, kind: str, source: dict[str, Json]) -> Json:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": description,
        "dataType": kind,
        "source": source,
    }


_LINES: list[Json] = [
    _field(
        f"documents/{name}",
        description,
        "sc:Text",
        {"fileSet": {"@id": "document-files"}, "extract": {"jsonPath": path}},
    )
    for name, path, description in (
        ("text", "$.text", "The document's text"),
        ("pile_set_name", "$.meta.pile_set_name", "The source that it comes from"),
    )
]


def _provenance_fields() -> list[Json]:
    return [
        _field(
            f"provenance/{name}",
            description,
            "cr:Int32" if name == "epoch" else "sc:Text",
            {"fileSet": {"@id": "provenance-files"}, "extract": {"column": name}},
        )
        for name, description in _PROVENANCE.items()
    ]
