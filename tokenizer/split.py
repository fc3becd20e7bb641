r"""GPT-2's words in UTF-8 text, 64 bytes at a time.

The pattern ``'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`` says
where words begin, given the class of each character:

- where the class changes, but not after a single plain space, which belongs to the word after it;
- at the last white space before anything else, as ``\s+(?!\S)`` leaves it over;
- after a contraction, which is one wherever an apostrophe begins a word.

If runs of spaces are tokens, text ends before each run of two or more and begins anew after it. Of a
run that leaves one over, such as 25 where the longest token is 24, the last space belongs to what follows.
Words are also cut where no token can lie (`tokenizer.joins`), before characters of three bytes or more.
All of this is arithmetic on masks, in which bit i tells about byte i of a block. Characters beyond
ASCII are looked up one by one and painted into the masks over all their bytes.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tokenizer.characters import DIGIT, LETTER, SPACE
from tokenizer.jit import lean
from tokenizer.joins import may_join
from tokenizer.vector import at, block_masks, count_bits, highest_bit, load_byte, lowest_bit, put

Bytes: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = Any
"""An unsigned 64-bit number; Numba knows its type, mypy does not."""

_ONE = np.uint64(1)
_NONE = np.uint64(0)
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


@lean
def decode(text: Bytes, place: int) -> tuple[int, int]:
    """Return the code point at a place of well-formed UTF-8, and the number of its bytes."""
    lead = load_byte(text, place)
    if lead < 0x80:
        return lead, 1
    second = load_byte(text, place + 1) & 0x3F
    if lead < 0xE0:
        return (lead & 0x1F) << 6 | second, 2
    third = load_byte(text, place + 2) & 0x3F
    if lead < 0xF0:
        return (lead & 0x0F) << 12 | second << 6 | third, 3
    fourth = load_byte(text, place + 3) & 0x3F
    return (lead & 0x07) << 18 | second << 12 | third << 6 | fourth, 4


@lean
def contraction(text: Bytes, place: int, end: int) -> int:
    """Return the length of the contraction whose apostrophe is at a place, or 0."""
    if place + 1 >= end:
        return 0
    first = load_byte(text, place + 1)
    if first in (115, 116, 109, 100):  # s t m d
        return 2
    if place + 2 >= end:
        return 0
    second = load_byte(text, place + 2)
    if second == 101 and (first == 114 or first == 118):  # re ve  # noqa: PLR1714 - faster so
        return 3
    return 3 if first == 108 and second == 108 else 0  # ll


@lean
def _below(count: int) -> Mask:
    """Return a mask of the lowest bits."""
    return _ALL if count >= 64 else (_ONE << np.uint64(count)) - _ONE


@lean
def _painted(
    text: Bytes, start: int, leading: Mask, classes: Bytes, joins: Bytes
) -> tuple[Mask, ...]:
    """Return masks of what is beyond ASCII: letters, digits, white space, where the latter begins, cuts."""
    letters = digits = spaces = space_starts = cuts = _NONE
    while leading:
        bit = lowest_bit(leading)
        leading &= leading - _ONE
        code_point, length = decode(text, start + bit)
        paint = ((_ONE << np.uint64(length)) - _ONE) << np.uint64(bit)
        if length > 2 and start + bit > 0 and not may_join(joins, text, start + bit):
            cuts |= _ONE << np.uint64(bit)
        kind = at(classes, code_point)
        if kind == LETTER:
            letters |= paint
        elif kind == DIGIT:
            digits |= paint
        elif kind == SPACE:
            spaces |= paint
            space_starts |= _ONE << np.uint64(bit)
    return letters, digits, spaces, space_starts, cuts


@lean
def _last_before_others(text: Bytes, start: int, space_starts: Mask, spaces: Mask) -> Mask:
    """Return which white space beyond ASCII is the last before something else."""
    found = _NONE
    while space_starts:
        bit = lowest_bit(space_starts)
        space_starts &= space_starts - _ONE
        _, length = decode(text, start + bit)
        if bit + length < 64 and not (spaces >> np.uint64(bit + length)) & _ONE:
            found |= _ONE << np.uint64(bit)
    return found


@lean
def _whole_characters(text: Bytes, start: int, high: Mask, leading: Mask) -> int:
    """Return at which byte of a full block the last character that lies in it whole begins."""
    if not high >> np.uint64(63):
        return 63
    last: int = highest_bit(leading)
    _, length = decode(text, start + last)
    if last + length <= 64:
        return last
    # The block cuts a character: the one before it is whole.
    before = last - 1
    while load_byte(text, start + before) & 0xC0 == 0x80:
        before -= 1
    return before


@lean
def _fix_contractions(
    text: Bytes, start: int, end: int, apostrophes: Mask
) -> tuple[Mask, Mask, Mask, Mask]:
    """Return which bytes begin no word and which do, after contractions: in this block, the next.

    The masks of the next block count from byte 64 of this one on.
    """
    clear = clear_next = begin = begin_next = _NONE
    while apostrophes:
        bit = lowest_bit(apostrophes)
        apostrophes &= apostrophes - _ONE
        length = contraction(text, start + bit, end)
        if length == 0:
            continue
        if bit + 1 < 64:
            clear |= _ONE << np.uint64(bit + 1)
        else:
            clear_next |= _ONE
        after = bit + length
        if after < 64:
            begin |= _ONE << np.uint64(after)
        else:
            begin_next |= _ONE << np.uint64(after - 64)
    return clear, clear_next, begin, begin_next


@lean
def _moved(here: Mask, beyond: Mask, taken: int) -> Mask:
    """Return what of two adjacent blocks' masks lies from byte ``taken`` of the first on."""
    if taken >= 64:
        return beyond
    if taken == 0:
        return here
    return here >> np.uint64(taken) | beyond << np.uint64(64 - taken)


@lean
def _classified(
    text: Bytes, start: int, left: int, classes: Bytes, joins: Bytes
) -> tuple[Any, ...]:
    """Return the bytes taken of a block, masks of its classes, last white space, and cuts.

    Masks are of letters, digits, white space, plain spaces and apostrophes. A block ends before a
    character that lies in it whole, so that what follows its last one is known; only the end of the
    document, after which all counts as white space, is taken as it is.
    """
    letters, digits, spaces, blanks, apostrophes, high, leading = block_masks(text, start)
    if left < 64:
        taken = left
        inside = whole = _below(left)
        letters &= inside
        digits &= inside
        blanks &= inside
        high &= inside
        spaces |= ~inside
    else:
        taken = _whole_characters(text, start, high, leading)
        whole = _below(taken) | _ONE << np.uint64(taken)
    lasts = spaces & ~high & ~(spaces >> _ONE)
    cuts = _NONE
    if leading & whole:
        wide_letters, wide_digits, wide_spaces, space_starts, cuts = _painted(
            text, start, leading & whole, classes, joins
        )
        letters |= wide_letters
        digits |= wide_digits
        if wide_spaces:
            spaces |= wide_spaces
            lasts = spaces & ~high & ~(spaces >> _ONE)
            lasts |= _last_before_others(text, start, space_starts & _below(taken), spaces)
    return taken, letters, digits, spaces, blanks, apostrophes, lasts, cuts


@lean
def _run_masks(blanks: Mask, before: Mask) -> tuple[Mask, Mask, Mask]:
    """Return which spaces are in runs of two or more, where runs begin, and what follows them.

    ``before`` holds what the byte before the block was: bit 0 a space, bit 1 one in a run.
    """
    run = blanks & (blanks << _ONE | before & _ONE | blanks >> _ONE)
    return _run_edges(run, before)


@lean
def _run_edges(run: Mask, before: Mask) -> tuple[Mask, Mask, Mask]:
    """Return runs, where they begin, and what follows them."""
    shifted = run << _ONE | before >> _ONE
    return run, run & ~shifted, shifted & ~run


@lean
def _without_left_over(runs: tuple[Mask, Mask, Mask], taken: int, longest: int, began: int) -> Mask:
    """Return runs without the last space of those of which tokens leave one over.

    ``runs`` are as `_run_edges` gives them. ``began`` is where the run began that goes on from the block
    before, counted from this block's start.
    """
    run, starts, ends = runs
    ends &= (_below(taken) | _ONE << np.uint64(taken)) & ~_ONE
    while ends:
        end = lowest_bit(ends)
        ends &= ends - _ONE
        earlier = starts & _below(end)
        length = end - (highest_bit(earlier) if earlier else began)
        if length > longest and length % longest == 1:
            run &= ~(_ONE << np.uint64(end - 1))
    return run


@lean
def split(
    text: Bytes,
    start: int,
    end: int,
    kinds: tuple[Bytes, Bytes],
    longest: int,
    starts: NDArray[np.int64],
) -> int:
    """Write where the words of ``text[start:end]`` begin, then ``end``; return how many words.

    ``kinds`` are the class of each character, and between which a token can lie (`tokenizer.joins`).
    ``starts`` has room for a word at each byte and one more. ``longest`` is the longest run of spaces that
    is a token: two or more spaces are a word of their own, unless it is 0.
    """
    classes, joins = kinds
    count = 0
    clear, begin = _NONE, _ONE  # which bytes begin no word, and which do, whatever their class
    letter = digit = space = single = before = _NONE  # of the byte before the block
    began = 0  # where the run of spaces began that goes on, less than 0, counted from the block
    while start < end:
        taken, letters, digits, spaces, blanks, apostrophes, found, cuts = _classified(
            text, start, end - start, classes, joins
        )
        run = run_start = run_end = _NONE
        if longest > 0:
            run, run_start, run_end = _run_masks(blanks, before)
            if began < 0 or count_bits(run) > longest:
                run = _without_left_over((run, run_start, run_end), taken, longest, began)
                run, run_start, run_end = _run_edges(run, before)
        singles = blanks & ~run
        changes = letters ^ (letters << _ONE | letter)
        changes |= digits ^ (digits << _ONE | digit)
        changes |= spaces ^ (spaces << _ONE | space)
        found |= changes & ~(~spaces & (singles << _ONE | single))
        found = (found & ~run) | run_start | run_end
        clear_next = begin_next = _NONE
        quotes = apostrophes & (found | begin) & _below(taken)
        if quotes:
            more_clear, clear_next, more_begin, begin_next = _fix_contractions(
                text, start, end, quotes
            )
            clear |= more_clear
            begin |= more_begin
        found = ((found & ~clear) | begin | cuts) & _below(taken)
        while found:
            put(starts, count, start + lowest_bit(found))
            count += 1
            found &= found - _ONE
        last = np.uint64(taken - 1)
        letter, digit = letters >> last & _ONE, digits >> last & _ONE
        space, single = spaces >> last & _ONE, singles >> last & _ONE
        before = blanks >> last & _ONE | (run >> last & _ONE) << _ONE
        if run >> last & _ONE:
            begun = run_start & _below(taken)
            began = (highest_bit(begun) if begun else began) - taken
        else:
            began = 0
        clear = _moved(clear, clear_next, taken)
        begin = _moved(begin, begin_next, taken)
        start += taken
    put(starts, count, end)
    return count
