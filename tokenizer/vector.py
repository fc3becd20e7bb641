"""What Numba lacks: 64 bytes at a time, unaligned words, bit positions, prefetching.

Each intrinsic is a few lines of LLVM's portable language, which LLVM turns into AVX-512, AVX2 or
NEON as the machine has it. Little-endian machines only. None of them checks bounds: a caller keeps
`MARGIN` readable bytes after what it asks for.
"""

from typing import Any, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils

from tokenizer.jit import intrinsic

MARGIN = 128
"""Bytes that must be readable after the end of a text."""

Built: TypeAlias = tuple[Any, Any]
"""The signature of an intrinsic, and the function that writes its code."""

_PREFETCH = "llvm.prefetch.p0"
_I8, _I32, _I64 = ir.IntType(8), ir.IntType(32), ir.IntType(64)
_BLOCK = ir.VectorType(_I8, 64)


def _address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Return the address of an element of a contiguous array."""
    pointer = context.make_array(array_type)(context, builder, value=array).data
    return builder.gep(pointer, [index])


def _splat(value: int) -> Any:
    return ir.Constant(_BLOCK, [value & 0xFF] * 64)


def _between(builder: Any, block: Any, first: int, count: int) -> Any:
    """Return which bytes are among the ``count`` from ``first`` on."""
    return builder.icmp_unsigned("<", builder.sub(block, _splat(first)), _splat(count))


@intrinsic
def block_masks(_typing: Any, text: Any, _start: Any) -> Built:
    """Return masks of 64 bytes: letters, digits, white space, spaces, apostrophes, high, leading.

    Bit i tells about byte ``start + i``. The first five are of ASCII. High bytes belong to other
    characters than ASCII's, and leading ones begin them.
    """

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, text, *arguments)
        block = builder.load(builder.bitcast(address, _BLOCK.as_pointer()), align=1)
        lower = builder.or_(block, _splat(0x20))
        space = builder.icmp_unsigned("==", block, _splat(0x20))
        found = [
            _between(builder, lower, ord("a"), 26),
            _between(builder, block, ord("0"), 10),
            builder.or_(space, _between(builder, block, ord("\t"), 5)),
            space,
            builder.icmp_unsigned("==", block, _splat(ord("'"))),
            builder.icmp_signed("<", block, _splat(0)),
            builder.icmp_unsigned(">=", block, _splat(0xC0)),
        ]
        masks = [builder.bitcast(mask, _I64) for mask in found]
        return context.make_tuple(builder, _signature.return_type, masks)

    seven: Any = types.UniTuple(types.uint64, 7)
    return seven(text, types.intp), codegen


@intrinsic
def from_u0300(_typing: Any, text: Any, _start: Any) -> Built:
    """Return which of 64 bytes begin a character from U+0300 on: all before it is in NFC."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, text, *arguments)
        block = builder.load(builder.bitcast(address, _BLOCK.as_pointer()), align=1)
        return builder.bitcast(builder.icmp_unsigned(">=", block, _splat(0xCC)), _I64)

    return types.uint64(text, types.intp), codegen


@intrinsic
def equal_mask(_typing: Any, text: Any, _start: Any, _byte: Any) -> Built:
    """Return which of 64 bytes are a given one."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        text_value, start, byte = arguments
        address = _address(context, builder, text, text_value, start)
        block = builder.load(builder.bitcast(address, _BLOCK.as_pointer()), align=1)
        wanted = _filled(builder, _BLOCK, byte)
        return builder.bitcast(builder.icmp_unsigned("==", block, wanted), _I64)

    return types.uint64(text, types.intp, types.int64), codegen


@intrinsic
def load_byte(_typing: Any, text: Any, _place: Any) -> Built:
    """Return the byte at a place of a byte array."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.zext(builder.load(_address(context, builder, text, *arguments)), _I64)

    return types.int64(text, types.intp), codegen


@intrinsic
def load_word(_typing: Any, text: Any, _place: Any) -> Built:
    """Return the 8 bytes from a place of a byte array on, as one number."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = _address(context, builder, text, *arguments)
        return builder.load(builder.bitcast(address, _I64.as_pointer()), align=1)

    return types.uint64(text, types.intp), codegen


@intrinsic
def at(_typing: Any, array: Any, _index: Any) -> Built:
    """Return an element of an array; the index is not negative."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.load(_address(context, builder, array, *arguments))

    return array.dtype(array, types.intp), codegen


@intrinsic
def put(_typing: Any, array: Any, _index: Any, _value: Any) -> Built:
    """Set an element of an array; the index is not negative."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        array_value, index, value = arguments
        builder.store(value, _address(context, builder, array, array_value, index))
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), codegen


@intrinsic
def lowest_bit(_typing: Any, _mask: Any) -> Built:
    """Return the place of the lowest set bit of a mask that is not 0."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), codegen


@intrinsic
def count_bits(_typing: Any, _mask: Any) -> Built:
    """Return how many bits of a mask are set."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.ctpop(arguments[0])

    return types.int64(types.uint64), codegen


@intrinsic
def highest_bit(_typing: Any, _mask: Any) -> Built:
    """Return the place of the highest set bit of a mask that is not 0."""

    def codegen(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1))
        return builder.sub(ir.Constant(_I64, 63), zeros)

    return types.int64(types.uint64), codegen


@intrinsic
def signed(_typing: Any, _mask: Any) -> Built:
    """Return a mask as a number that can be an index."""

    def codegen(_context: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
        return arguments[0]

    return types.int64(types.uint64), codegen


@intrinsic
def unsigned(_typing: Any, _number: Any) -> Built:
    """Return a number as a mask of its 64 bits."""

    def codegen(_context: Any, _builder: Any, _signature: Any, arguments: Any) -> Any:
        return arguments[0]

    return types.uint64(types.int64), codegen


@intrinsic
def prefetch(_typing: Any, array: Any, _index: Any) -> Built:
    """Ask for the cache line of an element that will be read soon."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        address = builder.bitcast(_address(context, builder, array, *arguments), cgutils.voidptr_t)
        kind = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, kind, kind, kind])
        declared = builder.module.globals.get(_PREFETCH)
        function = declared or ir.Function(builder.module, function_type, _PREFETCH)
        builder.call(function, [address, kind(0), kind(3), kind(1)])
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def matches(_typing: Any, array: Any, _place: Any, _first: Any, _second: Any) -> Built:
    """Compare four numbers with ``first``, ``first``, ``second``, ``second``: four bits tell which agree."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        array_value, place, first, second = arguments
        four = ir.VectorType(_I64, 4)
        address = _address(context, builder, array, array_value, place)
        found = builder.load(builder.bitcast(address, four.as_pointer()), align=8)
        wanted: Any = ir.Constant(four, ir.Undefined)
        for lane, value in enumerate((first, first, second, second)):
            wanted = builder.insert_element(wanted, value, ir.IntType(32)(lane))
        agree = builder.icmp_unsigned("==", found, wanted)
        return builder.zext(builder.bitcast(agree, ir.IntType(4)), _I64)

    return types.uint64(array, types.intp, types.uint64, types.uint64), codegen


@intrinsic
def spread(_typing: Any, ids: Any, _place: Any, _packed: Any) -> Built:
    """Write the four 16-bit numbers of ``packed`` to ``ids``, 32 bits each."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        ids_value, place, packed = arguments
        wide = ir.VectorType(ir.IntType(32), 4)
        numbers = builder.zext(builder.bitcast(packed, ir.VectorType(ir.IntType(16), 4)), wide)
        target = _address(context, builder, ids, ids_value, place)
        builder.store(numbers, builder.bitcast(target, wide.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(ids, types.intp, types.uint64), codegen


@intrinsic
def settle_16(_typing: Any, array: Any, _place: Any, _changed: Any, _values: Any) -> Built:
    """Change three of 16 numbers of 32 bits; return the least, and which of the 16 is the first that is.

    Which are changed is counted from the first of the 16, and may be none of them. Numbers are written
    and read 16 at a time: a processor that has to put one together from several writes waits for them.
    """

    def codegen(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = ir.VectorType(_I32, 16)
        array_value, place, changed, values = arguments
        address = builder.bitcast(
            _address(context, builder, array, array_value, place), wide.as_pointer()
        )
        numbers = builder.load(address, align=4)
        counted = ir.Constant(wide, list(range(16)))
        for number in range(3):
            which = _filled(builder, wide, builder.extract_value(changed, number))
            value = _filled(builder, wide, builder.extract_value(values, number))
            numbers = builder.select(builder.icmp_unsigned("==", counted, which), value, numbers)
        builder.store(numbers, address, align=4)
        least = _least(builder, numbers, 16)
        same = builder.icmp_unsigned(
            "==", numbers, _filled(builder, wide, builder.zext(least, _I64))
        )
        which = builder.bitcast(same, ir.IntType(16))
        found = builder.cttz(builder.zext(which, _I64), ir.Constant(ir.IntType(1), 1))
        pair = [builder.zext(least, _I64), found]
        return context.make_tuple(builder, signature.return_type, pair)

    pair: Any = types.Tuple((types.uint64, types.int64))
    three = types.UniTuple(types.int64, 3), types.UniTuple(types.uint64, 3)
    return pair(array, types.intp, *three), codegen


def _filled(builder: Any, kind: Any, number: Any) -> Any:
    """Return a vector of the lowest bits of a number, in every lane."""
    undefined = ir.Constant(kind, ir.Undefined)
    one = builder.insert_element(undefined, builder.trunc(number, kind.element), _I32(0))
    zeros = ir.Constant(ir.VectorType(_I32, kind.count), [0] * kind.count)
    return builder.shuffle_vector(one, undefined, zeros)


@intrinsic
def value_of(_typing: Any, array: Any, _place: Any, _key: Any) -> Built:
    """Return the number eight places after the one of eight that is ``key``, or all ones; 32 bits each."""

    def codegen(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        array_value, place, key = arguments
        eight = ir.VectorType(_I32, 8)
        address = _address(context, builder, array, array_value, place)
        keys = builder.load(builder.bitcast(address, eight.as_pointer()), align=4)
        wanted = _filled(builder, eight, key)
        found = builder.zext(builder.bitcast(builder.icmp_unsigned("==", keys, wanted), _I8), _I64)
        which = builder.cttz(
            builder.or_(found, ir.Constant(_I64, 0x80)), ir.Constant(ir.IntType(1), 1)
        )
        value = builder.load(
            builder.gep(address, [builder.add(which, ir.Constant(_I64, 8))]), align=4
        )
        none = builder.icmp_unsigned("==", found, ir.Constant(_I64, 0))
        return builder.zext(builder.select(none, ir.Constant(_I32, 0xFFFF_FFFF), value), _I64)

    return types.uint64(array, types.intp, types.uint64), codegen


def _least(builder: Any, numbers: Any, lanes: int) -> Any:
    """Return the least of a vector's numbers of 32 bits: halves are compared until one is left."""
    while lanes > 1:
        lanes //= 2
        low, high = (
            builder.shuffle_vector(
                numbers,
                ir.Constant(numbers.type, ir.Undefined),
                ir.Constant(ir.VectorType(_I32, lanes), list(range(first, first + lanes))),
            )
            for first in (0, lanes)
        )
        numbers = builder.select(builder.icmp_unsigned("<", low, high), low, high)
    return builder.extract_element(numbers, _I32(0))
