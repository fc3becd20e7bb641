"""What tests share: the folders of real raw files and of what the original code made of them."""

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings

# How long an example takes is for benchmarks to say: it decides no test.
settings.register_profile("pile", deadline=None)
settings.load_profile("pile")


def folder_from_environment(variable: str) -> Path:
    """Return the folder an environment variable names, or skip the test with a word."""
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set: it names a folder of real files")
    return Path(value).resolve()


@pytest.fixture(autouse=True)
def no_bucket_is_known() -> None:
    """Forget which buckets want signed requests: each test's upstream is another."""
    loaded = sys.modules.get("sources.upstream.s3")
    if loaded is not None:
        loaded.SIGNED.clear()


@pytest.fixture
def samples() -> Path:
    """Folder of real raw files, one folder a source."""
    return folder_from_environment("PILE_SAMPLES")


@pytest.fixture
def golden() -> Path:
    """Folder of documents that the Pile's original code made of the samples, one file a source."""
    return folder_from_environment("PILE_GOLDEN")
