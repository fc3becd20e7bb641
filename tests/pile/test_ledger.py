"""Receipts, fingerprints and conservation."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pile import layout, ledger, store
from pile.ledger import ConservationError, Part, Quarantined, Receipt

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def write_part(folder: Path, name: str, content: bytes) -> Part:
    """Publish a part and describe it."""
    store.publish_bytes(folder / name, content)
    size, sha256 = store.digest(folder / name)
    return Part(name, size, sha256)


def test_a_receipt_comes_back_as_it_was(tmp_path: Path) -> None:
    """What is appended is what is read."""
    receipt = Receipt(
        "000001",
        (write_part(tmp_path, "a.parquet", b"abc"),),
        taken=5,
        given=3,
        rejected={"empty": 2},
        quarantined=(Quarantined("x.gz", "cut short"),),
        figures={"lengths": [1, 2]},
    )
    ledger.append(tmp_path, receipt)
    assert ledger.receipts(tmp_path) == {"000001": receipt}


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_a_receipt_without_its_part_does_not_count(tmp_path: Path, damage: str) -> None:
    """A deleted or shortened part makes its task undone, and no other."""
    for task in ("a", "b"):
        part = write_part(tmp_path, f"{task}.parquet", task.encode() * 9)
        ledger.append(tmp_path, Receipt(task, (part,)))
    if damage == "missing":
        (tmp_path / "a.parquet").unlink()
    else:
        (tmp_path / "a.parquet").write_bytes(b"a")
    assert list(ledger.receipts(tmp_path)) == ["b"]


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_receipt_is_as_if_never_written(tmp_path: Path, cut: int) -> None:
    """Whatever a crash leaves of the last line, the receipts before it stand."""
    for task in ("a", "b"):
        ledger.append(tmp_path, Receipt(task))
    path = layout.receipts(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    ledger.append(tmp_path, Receipt("c"))
    assert {"a", "c"} <= set(ledger.receipts(tmp_path)) <= {"a", "b", "c"}


@given(VALUES)
def test_equal_recipes_have_equal_fingerprints(value: object) -> None:
    """A fingerprint depends on the value, not on the order of keys."""
    turned = dict(reversed(value.items())) if isinstance(value, dict) else value
    assert ledger.fingerprint(value) == ledger.fingerprint(turned)  # type: ignore[arg-type]


def test_a_recipe_with_nan_has_no_fingerprint() -> None:
    """NaN equals nothing, so it can identify nothing."""
    with pytest.raises(ValueError, match="JSON"):
        ledger.fingerprint(float("nan"))


def test_records_that_do_not_add_up_are_refused() -> None:
    """In must be out plus rejected."""
    ledger.check_conservation("extract", Receipt("a", taken=5, given=3, rejected={"empty": 2}))
    with pytest.raises(ConservationError, match=r"took 5 records, gave 3 and rejected 1"):
        ledger.check_conservation("extract", Receipt("a", taken=5, given=3, rejected={"empty": 1}))


def test_a_manifest_does_not_depend_on_the_order_of_receipts() -> None:
    """The same receipts, in whatever order their tasks ended, give the same manifest."""
    receipts = [Receipt("b", taken=1, given=1), Receipt("a", taken=2, given=1, rejected={"x": 1})]
    assert ledger.manifest({}, receipts) == ledger.manifest({}, reversed(receipts))
    assert ledger.manifest({}, receipts)["tasks"] == ["a", "b"]
