"""pipeline.toml, as frozen settings.

All that stands above ``[run]`` decides the bytes of the output and goes into fingerprints; what
stands in ``[run]`` never does. Every error names the file, its line, the table, the key, and the
nearest valid one.
"""

import os
import re
import sysconfig
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)

from pile.cleaning.settings import Clean
from pile.downloads import addresses
from pile.mixing.mixture import MOST_EPOCHS, check_shares
from pile.places import nearest, place_of
from pile.settings import (
    Corpus,
    Decontaminate,
    Dedup,
    Lines,
    Mix,
    Quality,
    Report,
    Run,
    Settings,
    Shards,
    Tokenizer,
)
from sources.option_checks import OptionError
from sources.registry import SOURCES
from sources.source import Options, Source
from sources.upstream.attempts import redacted

SCHEMA = 1
MOST_UINT16 = 65_500
"""Ids from which shards are int32."""

LOCAL = "local"

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class ConfigError(Exception):
    """A configuration that cannot be used; the message says where, why, and what would do."""


class SourceTable(Settings):
    """``[sources.<name>]``: whether, how often, and from which raw files a source is read.

    ``options`` holds the source's own keys over its defaults. ``reader`` is the source that reads
    the files; it is the table's own name unless the files are the user's (``reader = "local"``).
    """

    name: Slug
    reader: str
    enabled: bool = True
    epochs: Annotated[float, Field(gt=0, le=MOST_EPOCHS)] = 1.0
    files: tuple[Annotated[str, AfterValidator(addresses.without_password)], ...] = ()
    pile_set_name: str
    licence: str
    options: dict[str, Any] = Field(default_factory=dict)

    @property
    def source(self) -> Source:
        """The source that reads this table's raw files."""
        return SOURCES[self.reader]

    @property
    def all_options(self) -> Options:
        """The source's defaults, overruled by this table."""
        return {**self.source.defaults, **self.options}


class Config(Settings):
    """A whole pipeline.toml; relative paths in it start at its folder."""

    path: Path
    corpus: Corpus = Corpus()
    sources: tuple[SourceTable, ...] = ()
    clean: Clean = Clean()
    quality: Quality = Quality()
    lines: Lines = Lines()
    decontaminate: Decontaminate = Decontaminate()
    dedup: Dedup = Dedup()
    mix: Mix = Mix()
    tokenizer: Tokenizer = Tokenizer()
    shards: Shards = Shards()
    report: Report = Report()
    run: Run = Run()

    @property
    def work(self) -> Path:
        """The work directory."""
        return self.resolve(self.run.work)

    @property
    def enabled(self) -> tuple[SourceTable, ...]:
        """The sources of this run, by name."""
        return tuple(table for table in self.sources if table.enabled)

    @property
    def contact(self) -> str:
        """How upstreams can reach the user: from the config, else the environment; may be empty."""
        return self.run.contact or os.environ.get("PILE_CONTACT", "").strip()

    @property
    def mirrors(self) -> tuple[tuple[str, str], ...]:
        """Beginnings of addresses and where they are asked for instead, the longest first."""
        places = {start: expand(place, self.path) for start, place in self.run.mirrors.items()}
        return addresses.ordered(places, self.path.parent)

    def resolve(self, name: str) -> Path:
        """Return a path of the config, its variables replaced, from the config's folder."""
        return Path(os.path.normpath(self.path.parent / expand(name, self.path)))

    @model_validator(mode="after")
    def _parts_agree(self) -> "Config":
        names = [table.name for table in self.sources]
        where = "[dedup] priority" if self.dedup.scope == "all" else "[dedup.keep]"
        for table, named in (
            (where, self.dedup.named),
            ("[clean.sources]", tuple(self.clean.sources)),
            ("[lines] sources", self.lines.sources),
            ("[decontaminate] sources", self.decontaminate.sources),
        ):
            for name in sorted(set(named) - set(names)):
                raise ValueError(f"{table} names {name!r}, no source here{nearest(name, names)}")
        self.quality.check({table.name for table in self.enabled})
        called = [table.pile_set_name for table in self.enabled]
        for twice in sorted({one for one in called if called.count(one) > 1}):
            raise ValueError(f"two sources share the pile_set_name {twice!r}; give each its own")
        trained = 0 if self.tokenizer.file else self.tokenizer.vocabulary
        if "nanogpt" in self.shards.sides and trained >= MOST_UINT16:
            raise ValueError(
                f"[shards] sides names 'nanogpt', which reads uint16 alone, and [tokenizer] "
                f"vocabulary = {trained} needs int32: leave one of them out"
            )
        self._check_mix()
        return self

    def _check_mix(self) -> None:
        check_shares(self.mix.shares, {table.name: table.epochs for table in self.enabled})
        if self.mix.unit == "tokens" and not self.tokenizer.file:
            raise ValueError(
                "[mix] unit = 'tokens' counts with a tokenizer that is there before the corpus is: give "
                "[tokenizer] file = \"20B_tokenizer.json\", or count in 'bytes' (about 4 a token)"
            )
        if self.mix.near_duplicates and self.dedup.method != "minhash":
            raise ValueError(
                f"[mix] near_duplicates compares signatures, and [dedup] method = {self.dedup.method!r} "
                "makes none: set it to 'minhash'"
            )


def load(path: Path) -> Config:
    """Read a pipeline.toml; raises `ConfigError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(
            f"{path}: no such file; name one with -c, e.g. -c pipeline.toml"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    return _build(path.absolute(), text, tables)


def expand(text: str, path: Path) -> str:
    """Replace ``~``, and ``${NAME}`` by the environment.

    ``${PYTHON_STDLIB}`` is the folder of this Python's own library. Raises `ConfigError`.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name in os.environ:
            return os.environ[name]
        if name == "PYTHON_STDLIB":
            return sysconfig.get_path("stdlib")
        raise ConfigError(f"{path}: ${{{name}}} is used, but the environment has no {name}; set it")

    return os.path.expanduser(re.sub(r"\$\{(\w+)\}", value, text))  # noqa: PTH111 - a pattern


def _build(path: Path, text: str, tables: dict[str, Any]) -> Config:
    schema = tables.pop("schema", SCHEMA)
    if schema != SCHEMA:
        raise ConfigError(f"{path}: schema = {schema!r}; this version reads schema = {SCHEMA}")
    given = tables.pop("sources", {})
    if not isinstance(given, dict) or not all(isinstance(table, dict) for table in given.values()):
        raise ConfigError(
            f"{path}: [sources] holds one table a source, e.g. [sources.wikipedia_en]"
        )
    sources = tuple(_source_table(path, text, name, given[name]) for name in sorted(given))
    try:
        return Config.model_validate(
            {"path": path, "sources": sources, **_tuples(tables)}, strict=True
        )
    except ValidationError as error:
        raise ConfigError(_explain(path, text, error, ())) from None


def _source_table(path: Path, text: str, name: str, given: dict[str, Any]) -> SourceTable:
    where = ("sources", name)
    reader = given.get("reader", name)
    if not isinstance(reader, str):
        place = place_of(path, text, where, "reader")
        raise ConfigError(f"{place}: [sources.{name}] reader = {reader!r} is not a text")
    if reader not in SOURCES:
        raise ConfigError(
            f"{place_of(path, text, where, '')}: there is no source {reader!r}{nearest(reader, SOURCES)}; "
            f'your own files are read with reader = "{LOCAL}"'
        )
    table = {"name": name, "reader": reader, **_facts(name, reader), **given}
    if reader != LOCAL and "licence" in given:
        place = place_of(path, text, where, "licence")
        raise ConfigError(
            f"{place}: [sources.{name}] licence: {reader} states the licence of each document; "
            f'only files read with reader = "{LOCAL}" take one'
        )
    own = {key: table.pop(key) for key in sorted(set(table) - set(SourceTable.model_fields))}
    for key, value in own.items():
        problem = _problem_of(key, value, SOURCES[reader])
        if problem:
            raise ConfigError(f"{place_of(path, text, where, key)}: [sources.{name}] {problem}")
    for key, problem in _unmeant(_tuples(own), SOURCES[reader]):
        raise ConfigError(f"{place_of(path, text, where, key)}: [sources.{name}] {problem}")
    try:
        return SourceTable.model_validate({**_tuples(table), "options": _tuples(own)})
    except ValidationError as error:
        raise ConfigError(_explain(path, text, error, where)) from None


def _facts(name: str, reader: str) -> dict[str, str]:
    """Name and licence of a component as the Pile gives them; the user's own may say otherwise.

    A component's table with files of the user's is that component, whoever reads it.
    """
    of = SOURCES.get(name, SOURCES[reader]) if reader == LOCAL else SOURCES[reader]
    return {"pile_set_name": of.pile_set_name or name, "licence": of.licence}


def _problem_of(key: str, value: Any, source: Source) -> str:
    """Return why a source takes no such option, or not of this kind; nothing if it does."""
    if key not in source.defaults:
        keys = [*source.defaults, *(set(SourceTable.model_fields) - {"name", "options"})]
        return f"has no key {key!r}{nearest(key, keys)}"
    default = source.defaults[key]
    kinds = {tuple: (list,), float: (float, int)}.get(type(default), (type(default),))
    if type(value) not in kinds:
        return f"{key} = {value!r} is not {_a_kind(default)}, like its default {default!r}"
    if key == "fidelity" and value not in source.fidelities:
        return f"fidelity = {value!r} is none{nearest(str(value), source.fidelities)}"
    return ""


def _unmeant(own: Options, source: Source) -> Iterator[tuple[str, str]]:
    """Yield each option that cannot be meant, also a default beside which another cannot be."""
    options = {**source.defaults, **own}
    # What the user wrote comes first.
    for key in sorted(source.checks.keys() & options.keys(), key=lambda key: (key not in own, key)):
        try:
            source.checks[key](options[key], options)
        except OptionError as error:
            near = nearest(error.word, error.valid) if error.valid else ""
            yield key, f"{key} = {_as_written(options[key])!r}: {error}{near}"


def _a_kind(default: object) -> str:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return kinds.get(type(default), "a list")


def _as_written(value: object) -> object:
    """Return a value as TOML gives it."""
    return list(value) if isinstance(value, tuple) else value


def _tuples(table: Mapping[str, Any]) -> dict[str, Any]:
    """Turn TOML arrays into tuples, and whole numbers stay what they are."""
    return {key: _immutable(value) for key, value in table.items()}


def _immutable(value: object) -> object:
    if isinstance(value, list):
        return tuple(_immutable(inner) for inner in value)
    if isinstance(value, dict):
        return {key: _immutable(inner) for key, inner in value.items()}
    return value


def _explain(path: Path, text: str, error: ValidationError, where: tuple[str, ...]) -> str:
    found = error.errors()
    inside = {one["loc"][:-1] for one in found}
    # Of a list with a wrong item it is said that it is too short as well: what is right is counted.
    meant = [one for one in found if one["type"] != "too_short" or one["loc"] not in inside]
    return "\n".join(_explain_one(path, text, one, where) for one in meant)


def _explain_one(path: Path, text: str, error: Any, where: tuple[str, ...]) -> str:
    is_key = error["loc"][-1:] == ("[key]",)  # a key is wrong, not its value
    location = error["loc"][:-1] if is_key else error["loc"]
    while location and isinstance(location[-1], int):
        location = location[:-1]  # the place in a list: the key has the line
    *table, key = (*where, *map(str, location)) or ("",)
    if error["loc"] == ():
        return f"{path}: {error['msg'].removeprefix('Value error, ')}"
    place, name = place_of(path, text, tuple(table), key), ".".join(table) or "top level"
    if error["type"] == "extra_forbidden":
        return f"{place}: [{name}] has no key {key!r}{nearest(key, _valid_keys(tuple(table)))}"
    message = error["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if error["type"] == "literal_error" and isinstance(error["input"], str):
        message += nearest(error["input"], re.findall(r"'([^']+)'", error["ctx"]["expected"]))
    if len(error["loc"]) == 1 and not table:
        return f"{place}: [{key}] {message}"
    value = redacted(error["input"]) if "://" in str(error["input"]) else error["input"]
    shown = redacted(key) if "://" in key else key
    return f"{place}: [{name}] {shown}{'' if is_key else f' = {value!r}'}: {message}"


def _valid_keys(table: tuple[str, ...]) -> list[str]:
    is_source = table[:1] == ("sources",)
    model: type[BaseModel] = SourceTable if is_source else Config
    for name in table[2:] if is_source else table:
        field = model.model_fields.get(name)
        # What is no field is the name of one of many tables, as in [clean.sources.<name>].
        model = _table_in(field.annotation) if field else model
    return sorted(set(model.model_fields) - {"path", "name", "options"})


def _table_in(annotation: object) -> type[BaseModel]:
    """Return the table that a field holds, alone or by name; one without keys if it holds none."""
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return Settings
