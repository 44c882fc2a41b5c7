"""Fields: the parts of a sample, each computed from columns for many rows at once."""

from mrl.data.fields.field import Field, Part
from mrl.data.fields.masks import MaskedTokens
from mrl.data.fields.numbers import Numbers
from mrl.data.fields.prompts import PromptedTokens
from mrl.data.fields.selection import RowSelection, id_array, select_rows
from mrl.data.fields.tokens import Augment, AugmentedTokens, Tokens, token_field
from mrl.data.fields.vectors import Vectors

__all__ = [
    "Augment",
    "AugmentedTokens",
    "Field",
    "MaskedTokens",
    "Numbers",
    "Part",
    "PromptedTokens",
    "RowSelection",
    "Tokens",
    "Vectors",
    "id_array",
    "select_rows",
    "token_field",
]
