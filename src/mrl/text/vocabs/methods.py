"""Columns of text to ids and back, row by row, by the methods that a subclass of `Vocab` overrides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, Literal

import numpy as np

from mrl.errors import TokenIdError, VocabError
from mrl.kernels import UNK
from mrl.ragged import Ragged, Text, as_text
from mrl.text.compile.engine import Encoded
from mrl.text.constants import UNKNOWN
from mrl.text.coverage import Coverage, UnknownToken, coverage_of


@dataclass(frozen=True)
class MethodEngine:
    """An `Engine` of Python methods.

    `reason` is why no compiled engine runs, `dtype` returns the type of the ids of the tokens that there are now,
    `token_bytes` the text of a token as UTF-8 (of special tokens, nothing), `control` are the control tokens, and the
    other functions are methods of `Vocab`.
    """

    reason: str
    dtype: Callable[[], np.dtype[Any]]
    tokenize: Callable[[str], list[str]]
    numericalize: Callable[[list[str]], list[int]]
    reconstruct: Callable[..., str]
    token_bytes: Callable[[str], bytes]
    control: Mapping[str, int]
    kind: Literal["python"] = "python"

    def encode(self, column: Any, threads: int = 1) -> Encoded:
        rows: list[list[int]] = []
        unknown: list[UnknownToken] = []
        for row, string in enumerate(as_text(column)):
            tokens = self.tokenize(string)
            if self.control and (spelled := [token for token in tokens if token in self.control]):
                raise VocabError(
                    f"row {row}: tokenize cuts {string!r} into {spelled[0]!r} and others, but that is the name of a "
                    "control token, which no text may spell; give the control token another name"
                )
            ids = self.numericalize(tokens)
            rows.append(ids)
            if UNK in ids:
                lengths = (len(self.token_bytes(token).decode(errors="replace")) for token in tokens)
                found = zip(tokens, accumulate(lengths, initial=0), ids, strict=False)
                unknown += [UnknownToken(row, token, position, string) for token, position, i in found if i == UNK]
        return Ragged.from_rows(rows, self.dtype()), unknown, len(unknown)

    def decode(self, ids: Ragged, unk: str, control: bool = False) -> Sequence[str]:
        # A method that a user wrote need not take `unk` and `control`.
        options: dict[str, Any] = ({} if unk == UNKNOWN else {"unk": unk}) | ({"control": True} if control else {})
        reconstruct = partial(self.reconstruct, **options)
        texts = []
        for row, item in enumerate(ids):
            try:
                texts.append(reconstruct(item))
            except TokenIdError as error:
                raise TokenIdError(f"row {row}: {error}", row=row, id=error.id) from None
        return texts

    def coverage(self, text: Text) -> Coverage:
        ids, unknown, _ = self.encode(text)
        return coverage_of(text, ids, ((one.row, one.token) for one in unknown))
