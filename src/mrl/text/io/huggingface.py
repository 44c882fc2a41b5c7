r"""Vocabularies as tokenizers of HuggingFace, with the same ids for every text, and back.

An exported tokenizer consists of declared parts and runs no code of mrl: a split at the pattern (with ``[\s\S]`` at its
end, so that text which the pattern does not match is split by character), and a table of words. With byte fallback,
each byte is shown as one character, and pieces are cut into the longest words that fit.
"""

from __future__ import annotations

import json
import re
import string
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from mrl.errors import VocabError
from mrl.kernels import UNK
from mrl.ragged import Ragged
from mrl.text.compile.engine import CompiledEngine
from mrl.text.constants import SPECIAL_TOKENS, UNKNOWN
from mrl.text.io.file import VocabContent
from mrl.text.io.oniguruma import ANY, portable_prefix, to_portable

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_LONGEST_PIECE = 2**31 - 1
# The characters by which HuggingFace's byte-level tokenizers show bytes: themselves where visible, else from U+0100 on.
_VISIBLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
_SHOWN = {byte: chr(byte) for byte in _VISIBLE} | {
    byte: chr(0x100 + i) for i, byte in enumerate(sorted({*range(0x100)} - _VISIBLE))
}
_SPLITS = {("Isolated", False), ("Isolated", True), ("Removed", True)}  # those whose matches are pieces


class Exchangeable(Protocol):
    """What `import_tokenizer` needs of a vocabulary."""

    def encode(self, strings: Any, *, on_unknown: Any) -> Ragged:
        """Return the ids of many texts."""

    def to_huggingface(self) -> PreTrainedTokenizerFast:
        """Return the tokenizer that has the same ids."""


def _packages() -> tuple[Any, Any]:
    try:
        import tokenizers
        import transformers
    except ImportError:
        raise ImportError(
            "to exchange tokenizers with HuggingFace, install its packages: pip install 'mrl[transformers]'"
        ) from None
    return tokenizers, transformers


# --- from mrl to HuggingFace -----------------------------------------------------------------------------------------


def export_tokenizer(engine: CompiledEngine, content: VocabContent) -> PreTrainedTokenizerFast:
    """Return a tokenizer that gives the same ids as an engine for every text.

    Raises
    ------
    VocabError
        HuggingFace cannot express it exactly.
    ImportError
        ``transformers`` is not installed.
    """
    tokenizers, transformers = _packages()
    pre, decoders = tokenizers.pre_tokenizers, tokenizers.decoders
    byte_fallback = engine.segmentation.byte_fallback
    specials, ids = _words(engine)
    bos, eos, pad, unk = specials[: UNK + 1]
    splits = [pre.Split(tokenizers.Regex(pattern), "isolated") for pattern in _splits(engine)]
    unknown = decoders.Replace(tokenizers.Regex(rf"\A{unk}\z"), _shown(UNKNOWN.encode()) if byte_fallback else UNKNOWN)
    if byte_fallback:
        splits.append(pre.ByteLevel(add_prefix_space=False, use_regex=False))
        model = tokenizers.models.WordPiece(
            ids, unk_token=unk, continuing_subword_prefix="", max_input_chars_per_word=_LONGEST_PIECE
        )
    else:
        model = tokenizers.models.WordLevel(ids, unk_token=unk)
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre.Sequence(splits)
    backend.decoder = decoders.Sequence([unknown, decoders.ByteLevel() if byte_fallback else decoders.Fuse()])
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{bos} $A {eos}", pair=f"{bos} $A {eos} {bos} $B {eos}", special_tokens=[(bos, 0), (eos, 1)]
    )
    tokenizer: PreTrainedTokenizerFast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        padding_side="right",
        split_special_tokens=True,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        mrl=content.entries(),
        **_roles(engine, specials[UNK + 1 :]),
    )
    return tokenizer


def _roles(engine: CompiledEngine, shown: list[str]) -> dict[str, Any]:
    """Return the control tokens as arguments: those with a role of their own, and the others."""
    names = dict(zip(engine.segmentation.control, shown, strict=True))
    roles: dict[str, Any] = {f"{name}_token": names.pop(name) for name in ("mask", "cls", "sep") if name in names}
    return roles | ({"additional_special_tokens": list(names.values())} if names else {})


def _words(engine: CompiledEngine) -> tuple[list[str], dict[str, int]]:
    """Return the names of the special tokens, and the id of each word, which is the text of a token."""
    # With byte fallback, pieces are searched for words: no text may contain the name of a special token.
    byte_fallback = engine.segmentation.byte_fallback
    control = set(engine.segmentation.control)
    words = []
    for i, (token, raw) in enumerate(zip(engine.tokens, engine.names, strict=True)):
        if i <= UNK or token in control:
            words.append(f"‹{token}›" if byte_fallback else token)
        else:
            words.append(_shown(raw) if byte_fallback else raw.decode())
    at = {token: i for i, token in enumerate(engine.tokens)}
    specials = [words[at[name]] for name in (*SPECIAL_TOKENS, *engine.segmentation.control)]
    ids = {word: i for i, word in enumerate(words)}
    for i, word in enumerate(words):
        if ids[word] != i:
            raise VocabError(
                f"the tokens {engine.tokens[i]!r} and {engine.tokens[ids[word]]!r} both stand for the text {word!r}, "
                "which can have only one id in a tokenizer of HuggingFace; build a vocabulary without one of them"
            )
    return specials, ids


def _shown(raw: bytes) -> str:
    return "".join(map(_SHOWN.__getitem__, raw))


def _splits(engine: CompiledEngine) -> list[str]:
    """Return the patterns at which a text is split, one after the other."""
    pattern, names = engine.segmentation.pattern, engine.segmentation.split_names
    joined = _alternatives(engine) if engine.merges else ""
    if pattern is None:
        return [f"{joined}{ANY}"]
    letters = [
        rf"(?<=\A{_quoted(name[:i])}){_quoted(letter)}(?={_quoted(name[i + 1 :])}\z)"
        for name in names
        if len(name) > 1 and re.fullmatch(pattern, name)
        for i, letter in enumerate(name)
    ]
    splits = [f"{joined}{to_portable(pattern)}|{ANY}"]
    return [*splits, "|".join(letters)] if letters else splits  # such a name is split by character


def _quoted(text: str) -> str:
    return "".join("\\" + character if character in string.punctuation else character for character in text)


def _alternatives(engine: CompiledEngine) -> str:
    """Return a pattern that matches the longest token of several pieces, and ends with a bar.

    It is the trie of these tokens: at each node its branches come first, and then its end, if a token ends there and
    the next character does not make its last piece longer.
    """
    root: dict[str, Any] = {}
    for text, pieces in engine.merges.items():
        node = root
        for character in text:
            node = node.setdefault(character, {})
        node[""] = engine.piece_ends.followers(pieces[-1])
    return f"{_branches(root)}|"


def _branches(node: dict[str, Any]) -> str:
    ways = [f"{_quoted(character)}{_branches(after)}" for character, after in sorted(node.items()) if character]
    if "" in node:
        ways.append(f"(?![{''.join(map(_quoted, node['']))}])" if node[""] else "")
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


# --- from HuggingFace to mrl -----------------------------------------------------------------------------------------


V = TypeVar("V", bound=Exchangeable)
Restore: TypeAlias = Callable[[VocabContent], V]


def import_tokenizer(tokenizer: PreTrainedTokenizerFast, restore: Restore[V]) -> V:
    """Return the vocabulary that gives the same ids as a tokenizer: the one that was exported, or one of its words.

    Raises
    ------
    VocabError
        No vocabulary gives the same ids.
    ImportError
        ``transformers`` is not installed.
    """
    if not isinstance(tokenizer, _packages()[1].PreTrainedTokenizerFast):
        raise VocabError(f"the tokenizer is a {type(tokenizer).__name__}; expected a PreTrainedTokenizerFast")
    return _original(tokenizer, restore) or _word_level(tokenizer, restore)


def _original(tokenizer: Any, restore: Restore[V]) -> V | None:
    """Return the vocabulary that was exported as this tokenizer; None if it was not, or was changed since."""
    try:
        vocab = restore(VocabContent(**tokenizer.init_kwargs["mrl"]))
        same = _state(vocab.to_huggingface()) == _state(tokenizer)
    except Exception:  # a constructor may fail in any way on the content of a file
        return None
    return vocab if same else None


def _state(tokenizer: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return {key: value for key, value in state.items() if key not in ("padding", "truncation")}  # of the last call


def _word_level(tokenizer: Any, restore: Restore[V]) -> V:
    """Return a vocabulary with the same words and the same split."""
    state, words = _state(tokenizer), tokenizer.get_vocab()
    model, itos = state["model"], sorted(words, key=words.__getitem__)
    if model["type"] != "WordLevel":
        raise _not_equal(f"its model is {model['type']}; expected WordLevel, one word for each piece")
    if state["normalizer"]:
        raise _not_equal(f"it changes texts first, by {state['normalizer']['type']}; expected no normalizer")
    pattern = _pattern(state["pre_tokenizer"] or {})
    specials = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, words.get(model["unk_token"])]
    if specials != [0, 1, 2, 3]:
        raise _not_equal(f"its ids of bos, eos, pad and unk are {specials}; expected 0, 1, 2, 3, which are fixed")
    if [words[word] for word in itos] != list(range(len(itos))):
        raise _not_equal("its ids are not the numbers from 0 on, each of them once")
    if added := [token["content"] for token in state["added_tokens"] if token["content"] not in itos[: UNK + 1]]:
        raise _not_equal(f"it looks for {added} before it splits; expected no added tokens besides the special ones")
    if named := [word for word in itos[UNK + 1 :] if word in SPECIAL_TOKENS]:
        raise _not_equal(f"its words {named} have the names of special tokens")
    vocab = restore(VocabContent("regex", {"pattern": pattern}, itos[UNK + 1 :]))
    texts = ["", *itos[UNK + 1 :]]
    for text, theirs, ours in zip(
        texts, tokenizer(texts)["input_ids"], vocab.encode(texts, on_unknown="unk"), strict=True
    ):
        if theirs != ours.tolist():
            raise _not_equal(f"it makes the ids {theirs} of {text!r}; expected {ours.tolist()}")
    return vocab


def _pattern(split: dict[str, Any]) -> str:
    """Return the pattern whose matches are the pieces."""
    if split.get("type") == "Sequence" and len(split["pretokenizers"]) == 1:
        split = split["pretokenizers"][0]
    pattern: str | None = split.get("pattern", {}).get("Regex") if split.get("type") == "Split" else None
    if pattern is None or (split["behavior"], split["invert"]) not in _SPLITS:
        raise _not_equal(
            f"it splits texts by {split or 'nothing'}; expected Split with a Regex whose matches are the pieces"
        )
    if (end := portable_prefix(pattern)) != len(pattern):
        raise _not_equal(f"re may read its pattern {pattern!r} differently from position {end} on")
    to_portable(pattern)
    return pattern


def _not_equal(why: str) -> VocabError:
    return VocabError(f"no vocabulary gives the same ids as this tokenizer: {why}")
