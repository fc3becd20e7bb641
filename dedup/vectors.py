"""Machine vectors for the kernels: 64 bytes looked at, or 16 SHA-1 blocks hashed, at once.

Numba turns loops over arrays into vector code only where it sees through them. What it does not
see through is written here in LLVM's own terms, which LLVM lowers to whatever vectors the
processor has. All take an array and a place in it, and check neither: callers keep `PAD` readable
bytes behind whatever they point at.
"""

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

PAD = 128
"""Bytes that must be readable behind the last byte that a kernel is given."""

SLACK = 8
"""Places that must be writable behind the last word."""

LANES = 16
"""SHA-1 blocks that are hashed side by side: 32 bits each in a vector of 512."""

_I8, _I32, _I64, _I128 = (ir.IntType(bits) for bits in (8, 32, 64, 128))
_BYTES = ir.VectorType(_I8, 64)
_WORDS = ir.VectorType(_I32, LANES)
_LONGS = ir.VectorType(_I64, LANES)
_WIDE = ir.VectorType(_I32, 4 * LANES)

# Whitespace of `str.split`, in UTF-8: (least, greatest) of one byte, then what may follow which.
_ASCII_BLANKS = ((0x09, 0x0D), (0x1C, 0x20))
_ASCII_ALNUM = ((0x30, 0x39), (0x41, 0x5A), (0x61, 0x7A))
_PAIRS = (((0xC2,), ((0x85, 0x85), (0xA0, 0xA0))),)
_TRIPLES = (
    ((0xE1, 0x9A), ((0x80, 0x80),)),
    ((0xE2, 0x80), ((0x80, 0x8A), (0xA8, 0xA9), (0xAF, 0xAF))),
    ((0xE2, 0x81), ((0x9F, 0x9F),)),
    ((0xE3, 0x80), ((0x80, 0x80),)),
)
_LEADS = ((0xC2, 0xC2), (0xE1, 0xE3))

Ranges = Sequence[tuple[int, int]]


@intrinsic
def ascii_blanks(typing: Any, text: Any, at: Any) -> Any:
    """Return which of 64 bytes are ASCII whitespace, one bit a byte, the first lowest."""
    return _mask_of(text, at, lambda builder, load: _within(builder, load(0), _ASCII_BLANKS))


@intrinsic
def blank_leads(typing: Any, text: Any, at: Any) -> Any:
    """Return which of 64 bytes may begin whitespace of two or three bytes."""
    return _mask_of(text, at, lambda builder, load: _within(builder, load(0), _LEADS))


@intrinsic
def blank_pairs(typing: Any, text: Any, at: Any) -> Any:
    """Return at which of 64 bytes whitespace of two bytes begins."""
    return _mask_of(text, at, lambda builder, load: _sequences(builder, load, _PAIRS))


@intrinsic
def blank_triples(typing: Any, text: Any, at: Any) -> Any:
    """Return at which of 64 bytes whitespace of three bytes begins."""
    return _mask_of(text, at, lambda builder, load: _sequences(builder, load, _TRIPLES))


@intrinsic
def other_than_alnum(typing: Any, text: Any, at: Any) -> Any:
    """Return which of 64 bytes are no ASCII letters or digits, one bit a byte, the first lowest."""
    return _mask_of(
        text, at, lambda builder, load: builder.not_(_within(builder, load(0), _ASCII_ALNUM))
    )


@intrinsic
def lowest_bit(typing: Any, mask: Any) -> Any:
    """Return the number of the lowest bit that is set; 64 if none is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


@intrinsic
def count_bits(typing: Any, mask: Any) -> Any:
    """Return how many bits are set."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.uint64(types.uint64), generate


@intrinsic
def eight_bytes(typing: Any, text: Any, at: Any) -> Any:
    """Return 8 bytes as a number, the first lowest."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place = _pointer(context, builder, signature, arguments)
        return builder.load(
            builder.bitcast(builder.gep(array, [place]), _I64.as_pointer()), align=1
        )

    return types.uint64(text, types.int64), generate


@intrinsic
def copy_sixteen(typing: Any, text: Any, at: Any, to: Any, place: Any) -> Any:
    """Copy 16 bytes from a place in one array to a place in another."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, start = _pointer(context, builder, signature, arguments)
        target = context.make_array(signature.args[2])(context, builder, arguments[2]).data
        sixteen = _I128.as_pointer()
        copied = builder.load(builder.bitcast(builder.gep(source, [start]), sixteen), align=1)
        there = builder.bitcast(builder.gep(target, [arguments[3]]), sixteen)
        builder.store(copied, there, align=1)
        return context.get_dummy_value()

    return types.void(text, types.int64, to, types.int64), generate


@intrinsic
def message_row(typing: Any, text: Any, at: Any, left: Any, block: Any, lane: Any) -> Any:
    """Write a message's next 64 bytes as the row of a lane: 16 words, most significant byte first.

    ``left`` bytes of the message are left. The byte after the last is 0x80, others behind it 0.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place = _pointer(context, builder, signature, arguments)
        there = builder.bitcast(builder.gep(array, [place]), _BYTES.as_pointer())
        found = builder.load(there, align=1)
        clipped = _clipped(builder, arguments[2])
        number = ir.Constant(_BYTES, list(range(64)))
        limit = _splat(builder, builder.trunc(clipped, _I8), _BYTES)
        marks = builder.select(
            builder.icmp_signed("==", number, limit),
            ir.Constant(_BYTES, [0x80] * 64),
            ir.Constant(_BYTES, [0] * 64),
        )
        padded = builder.select(builder.icmp_signed("<", number, limit), found, marks)
        order = ir.Constant(ir.VectorType(_I32, 64), [at ^ 3 for at in range(64)])
        swapped = builder.bitcast(builder.shuffle_vector(padded, padded, order), _WORDS)
        rows = context.make_array(signature.args[3])(context, builder, arguments[3]).data
        row = builder.gep(rows, [builder.mul(arguments[4], ir.Constant(_I64, LANES))])
        builder.store(swapped, builder.bitcast(row, _WORDS.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(text, types.int64, types.int64, block, types.int64), generate


@intrinsic
def compress(typing: Any, block: Any, state: Any) -> Any:
    """Take one block of each lane, its rows in ``block``, into the 5 words of SHA-1's ``state``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows, words = (
            builder.bitcast(
                context.make_array(kind)(context, builder, argument).data, _WORDS.as_pointer()
            )
            for kind, argument in zip(signature.args, arguments, strict=True)
        )
        message = _transposed(builder, [_word(builder, rows, at) for at in range(LANES)])
        before = [_word(builder, words, at) for at in range(5)]
        after = _rounds(builder, message, before)
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            place = builder.gep(words, [ir.Constant(_I64, at)])
            builder.store(builder.add(old, new), place, align=4)
        return context.get_dummy_value()

    return types.void(block, state), generate


@intrinsic
def fold_affine(typing: Any, hashes: Any, span: Any, factors: Any, terms: Any, row: Any) -> Any:
    """Take the least ``a h + b mod 2^32`` of the hashes from span[0] up to span[1] into a row.

    ``factors``, ``terms`` and ``row`` hold the 16 numbers of as many permutations.
    """

    def permuted(builder: Any, hashed: Any, factor: Any, term: Any) -> Any:
        return builder.add(builder.mul(_splat(builder, hashed, _WORDS), factor), term)

    return types.void(hashes, span, factors, terms, row), _fold(_WORDS, _WORDS, permuted)


@intrinsic
def fold_affine_wide(
    typing: Any, hashes: Any, span: Any, factors: Any, terms: Any, row: Any
) -> Any:
    """Do what `fold_affine` does for 64 permutations: each hash is read once for four vectors."""

    def permuted(builder: Any, hashed: Any, factor: Any, term: Any) -> Any:
        return builder.add(builder.mul(_splat(builder, hashed, _WIDE), factor), term)

    return types.void(hashes, span, factors, terms, row), _fold(_WIDE, _WIDE, permuted)


@intrinsic
def fold_legacy(typing: Any, hashes: Any, span: Any, factors: Any, terms: Any, row: Any) -> Any:
    """Take the least ``((a h + b) mod 2^64) mod (2^61 - 1)``, low half, as `fold_affine` does."""

    def permuted(builder: Any, hashed: Any, factor: Any, term: Any) -> Any:
        wide = _splat(builder, builder.zext(hashed, _I64), _LONGS)
        product = builder.add(builder.mul(wide, factor), term)
        prime = ir.Constant(_LONGS, [(1 << 61) - 1] * LANES)
        upper = builder.lshr(product, ir.Constant(_LONGS, [61] * LANES))
        folded = builder.add(builder.and_(product, prime), upper)
        less = builder.sub(folded, prime)
        over = builder.icmp_unsigned(">=", folded, prime)
        return builder.trunc(builder.select(over, less, folded), _WORDS)

    return types.void(hashes, span, factors, terms, row), _fold(_LONGS, _WORDS, permuted)


def _fold(kind: Any, held_as: Any, permuted: Callable[[Any, Any, Any, Any], Any]) -> Any:
    """Return the code that takes the least of permuted hashes into a row of as many numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        arrays = [
            context.make_array(of)(context, builder, argument).data
            for of, argument in zip(signature.args, arguments, strict=True)
            if isinstance(of, types.Array)
        ]
        hashes, *permutations, row = arrays
        factor, term = (
            builder.load(builder.bitcast(array, kind.as_pointer()), align=4)
            for array in permutations
        )
        place = builder.bitcast(row, held_as.as_pointer())
        low, high = (builder.extract_value(arguments[1], at) for at in (0, 1))
        least = cgutils.alloca_once_value(builder, builder.load(place, align=4))
        with cgutils.for_range_slice(builder, low, high, ir.Constant(_I64, 1)) as (at, _):
            found = permuted(builder, builder.load(builder.gep(hashes, [at])), factor, term)
            held = builder.load(least)
            smaller = builder.icmp_unsigned("<", found, held)
            builder.store(builder.select(smaller, found, held), least)
        builder.store(builder.load(least), place, align=4)
        return context.get_dummy_value()

    return generate


def _mask_of(text: Any, at: Any, found: Callable[[Any, Any], Any]) -> Any:
    """Return an intrinsic's signature and code: the mask of what is found from a place on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, place = _pointer(context, builder, signature, arguments)

        def load(further: int) -> Any:
            there = builder.gep(array, [builder.add(place, ir.Constant(_I64, further))])
            return builder.load(builder.bitcast(there, _BYTES.as_pointer()), align=1)

        return builder.bitcast(found(builder, load), _I64)

    return types.uint64(text, types.int64), generate


def _within(builder: Any, found: Any, ranges: Ranges) -> Any:
    """Say of every byte whether one of the ranges holds it."""
    held = None
    for low, high in ranges:
        shifted = builder.sub(found, ir.Constant(_BYTES, [low] * 64))
        width = ir.Constant(_BYTES, [high - low] * 64)
        inside = builder.icmp_unsigned("<=", shifted, width)
        held = inside if held is None else builder.or_(held, inside)
    return held


def _sequences(builder: Any, load: Any, known: Any) -> Any:
    """Say of every byte whether one of some sequences of bytes begins there."""
    found = None
    for firsts, lasts in known:
        matches = _within(builder, load(len(firsts)), lasts)
        for further, byte in enumerate(firsts):
            matches = builder.and_(matches, _within(builder, load(further), ((byte, byte),)))
        found = matches if found is None else builder.or_(found, matches)
    return found


def _rounds(builder: Any, message: list[Any], state: list[Any]) -> list[Any]:
    """Return SHA-1's state after its 80 rounds (FIPS 180-4, 6.1.2), before it is added."""
    a, b, c, d, e = state
    schedule = list(message)
    for number in range(80):
        if number >= 16:
            mixed = schedule[number - 3]
            for back in (8, 14, 16):
                mixed = builder.xor(mixed, schedule[number - back])
            schedule.append(_rotated(builder, mixed, 1))
        chosen, constant = _chosen(builder, number, b, c, d)
        total = builder.add(_rotated(builder, a, 5), chosen)
        total = builder.add(total, builder.add(e, schedule[number]))
        total = builder.add(total, ir.Constant(_WORDS, [constant] * LANES))
        a, b, c, d, e = total, a, _rotated(builder, b, 30), c, d
    return [a, b, c, d, e]


def _chosen(builder: Any, number: int, b: Any, c: Any, d: Any) -> tuple[Any, int]:
    """Return a round's logical function of three words, and its constant."""
    if number < 20:
        return builder.xor(d, builder.and_(b, builder.xor(c, d))), 0x5A827999
    if 40 <= number < 60:
        either = builder.and_(d, builder.or_(b, c))
        return builder.or_(builder.and_(b, c), either), 0x8F1BBCDC
    parity = builder.xor(builder.xor(b, c), d)
    return parity, 0x6ED9EBA1 if number < 40 else 0xCA62C1D6


def _rotated(builder: Any, words: Any, by: int) -> Any:
    """Return words rotated to the left."""
    left = builder.shl(words, ir.Constant(_WORDS, [by] * LANES))
    right = builder.lshr(words, ir.Constant(_WORDS, [32 - by] * LANES))
    return builder.or_(left, right)


def _transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Turn 16 rows of 16 words into columns: in four steps, of blocks half as large each time."""
    for size in (8, 4, 2, 1):
        turned: list[Any] = [None] * LANES
        for at in range(LANES):
            if at & size:
                continue
            low = [i if not i & size else LANES + (i ^ size) for i in range(LANES)]
            high = [i | size if not i & size else LANES + i for i in range(LANES)]
            pair = rows[at], rows[at | size]
            for place, order in ((at, low), (at | size, high)):
                chosen = ir.Constant(ir.VectorType(_I32, LANES), order)
                turned[place] = builder.shuffle_vector(*pair, chosen)
        rows = turned
    return rows


def _word(builder: Any, words: Any, at: int) -> Any:
    """Load the vector number ``at``."""
    return builder.load(builder.gep(words, [ir.Constant(_I64, at)]), align=4)


def _clipped(builder: Any, left: Any) -> Any:
    """Return a count of bytes left, brought within -1 and 64."""
    for comparison, limit in (("<", -1), (">", 64)):
        bound = ir.Constant(_I64, limit)
        left = builder.select(builder.icmp_signed(comparison, left, bound), bound, left)
    return left


def _splat(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector of one value."""
    first = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(first, first, zeros)


def _pointer(context: Any, builder: Any, signature: Any, arguments: Any) -> tuple[Any, Any]:
    """Return the address of an intrinsic's first argument, an array, and its second, a place."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return array, arguments[1]
