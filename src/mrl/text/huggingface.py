r"""Vocabularies as tokenizers of HuggingFace, with the same ids for every text, and back.

What is exported consists of declared parts and needs no code of ours to run: a split at the pattern (with ``[\s\S]`` at
its end, so that text which it does not match goes by character), and a table of words. In a closed alphabet each byte
is shown by one character, and pieces are cut into the longest words that fit.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Self

from mrl.errors import VocabError
from mrl.text._oniguruma import ANY, printed, read_alike
from mrl.text.constants import SPECIAL_TOKENS, UNK, UNKNOWN
from mrl.text.tokenizer import Tokenizer
from mrl.text.tokens import TokenList

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

__all__ = ["Exchangeable"]

_LONGEST_PIECE = 2**31 - 1
# The characters by which HuggingFace's byte-level tokenizers show bytes: themselves where visible, else from U+0100 on.
_VISIBLE = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
_SHOWN = {byte: chr(byte) for byte in _VISIBLE} | {
    byte: chr(0x100 + i) for i, byte in enumerate(sorted({*range(0x100)} - _VISIBLE))
}
_SPLITS = {("Isolated", False), ("Isolated", True), ("Removed", True)}  # those whose matches are pieces


class Exchangeable(Tokenizer):
    """The part of a vocabulary that deals with tokenizers of HuggingFace; see `Vocab`."""

    def to_huggingface(self) -> PreTrainedTokenizerFast:
        r"""Make a tokenizer of HuggingFace that gives the same ids for every text, wherever it is saved and loaded.

        Its ``decode(ids, skip_special_tokens=True)`` spells what `decode` does, U+FFFD for id 3 included: therefore it
        has no ``unk_token``, which HuggingFace would leave out. It does not stop at ``eos``. Names of specials in a
        text are text. Where `encode` refuses a text (`SelfiesVocab`), it gives id 3.

        HuggingFace may look through a text from each of its characters: a pattern such as ``\[[^\]]+]`` takes quadratic
        time where brackets are never closed, and in a closed alphabet a long piece takes cubic time in its length. It
        panics where a pattern such as ``(?:a|aa)+b`` would take exponential time.

        Returns
        -------
        transformers.PreTrainedTokenizerFast
            With ``bos`` and ``eos`` around each text and padding on the right. Tokens are named by what they spell; in
            a closed alphabet with one character for each byte, and specials as ``‹bos›``.

        Raises
        ------
        VocabError
            If HuggingFace cannot express it exactly: methods or transforms in Python, a pattern with look-around,
            anchors, flags, ``\w``, ``\d`` or ``\s``, two tokens that spell the same.
        ImportError
            If ``transformers`` is not installed (``pip install 'mrl[transformers]'``).

        Examples
        --------
        >>> from mrl.text import RegexVocab
        >>> tokenizer = RegexVocab(["C", "[nH]"], r"\[[^\]]+]").to_huggingface()
        >>> tokenizer("C[nH][Si]")["input_ids"]
        [0, 4, 5, 3, 1]
        >>> tokenizer.decode([0, 4, 5, 3, 1, 2], skip_special_tokens=True)
        'C[nH]�'
        """
        return _exported(self)

    @classmethod
    def from_huggingface(cls, tokenizer: PreTrainedTokenizerFast) -> Self:
        """Read a tokenizer of HuggingFace as a vocabulary with the same ids.

        What `to_huggingface` made becomes an equal vocabulary. Any other has to be word-level behind a split at a
        pattern, with ``bos``, ``eos``, ``pad``, ``unk`` (by whatever names) as ids 0 to 3. Text that its pattern leaves
        out, which it drops or makes one unknown token, goes by character here; names of specials in a text are text.

        Parameters
        ----------
        tokenizer : transformers.PreTrainedTokenizerFast
            From ``to_huggingface``, ``AutoTokenizer.from_pretrained``, or built.

        Returns
        -------
        Vocab
            Of the class that was exported, else a `RegexVocab`; it is `cls` or a subclass of it.

        Raises
        ------
        VocabError
            If no vocabulary would give the same ids; the message says why.
        ImportError
            If ``transformers`` is not installed (``pip install 'mrl[transformers]'``).

        Examples
        --------
        >>> from mrl.text import CharacterVocab, Vocab
        >>> Vocab.from_huggingface(CharacterVocab(["C", "O"]).to_huggingface())
        CharacterVocab(6 tokens)
        """
        if not isinstance(tokenizer, _packages()[1].PreTrainedTokenizerFast):
            raise VocabError(f"the tokenizer is a {type(tokenizer).__name__}; expected a PreTrainedTokenizerFast")
        vocab = _original(tokenizer) or _word_level(tokenizer)
        if not isinstance(vocab, cls):
            raise VocabError(
                f"the tokenizer is that of a {type(vocab).__name__}, not {cls.__name__}; use Vocab.from_huggingface"
            )
        return vocab


def _packages() -> tuple[Any, Any]:
    try:
        import tokenizers
        import transformers
    except ImportError:
        raise ImportError(
            "to exchange tokenizers with HuggingFace, install its packages: pip install 'mrl[transformers]'"
        ) from None
    return tokenizers, transformers


# --- ours to theirs --------------------------------------------------------------------------------------------------


def _exported(vocab: Any) -> Any:
    tokenizers, transformers = _packages()
    pre, decoders = tokenizers.pre_tokenizers, tokenizers.decoders
    if vocab._overridden() is not None:
        raise VocabError(
            f"{type(vocab).__name__} cannot be a tokenizer of HuggingFace, which runs no Python: {vocab.engine_reason}"
        )
    closed = vocab._closed() is not None
    specials, ids = _words(vocab, closed)
    bos, eos, pad, unk = specials
    splits = [pre.Split(tokenizers.Regex(pattern), "isolated") for pattern in _splits(vocab._rule())]
    unknown = decoders.Replace(tokenizers.Regex(rf"\A{unk}\z"), _shown(UNKNOWN.encode()) if closed else UNKNOWN)
    if closed:
        splits.append(pre.ByteLevel(add_prefix_space=False, use_regex=False))
        model = tokenizers.models.WordPiece(
            ids, unk_token=unk, continuing_subword_prefix="", max_input_chars_per_word=_LONGEST_PIECE
        )
    else:
        model = tokenizers.models.WordLevel(ids, unk_token=unk)
    backend = tokenizers.Tokenizer(model)
    backend.pre_tokenizer = pre.Sequence(splits)
    backend.decoder = decoders.Sequence([unknown, decoders.ByteLevel() if closed else decoders.Fuse()])
    backend.post_processor = tokenizers.processors.TemplateProcessing(
        single=f"{bos} $A {eos}", pair=f"{bos} $A {eos} {bos} $B {eos}", special_tokens=[(bos, 0), (eos, 1)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token=bos,
        eos_token=eos,
        pad_token=pad,
        padding_side="right",
        split_special_tokens=True,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        mrl={"kind": type(vocab).__dict__.get("kind"), "rules": vocab.rules(), "tokens": vocab.itos[UNK + 1 :]},
    )


def _words(vocab: Any, closed: bool) -> tuple[list[str], dict[str, int]]:
    """The names of the specials, and the id of each word: of what a token spells."""
    # In a closed alphabet pieces are looked through for words, where no text may show the name of a special.
    specials = [f"‹{name}›" for name in SPECIAL_TOKENS] if closed else SPECIAL_TOKENS
    words = [*specials, *(_shown(raw) if closed else raw.decode() for raw in vocab._token_bytes[UNK + 1 :])]
    ids = {word: i for i, word in enumerate(words)}
    for i, word in enumerate(words):
        if ids[word] != i:
            raise VocabError(
                f"the tokens {vocab.itos[i]!r} and {vocab.itos[ids[word]]!r} of this {type(vocab).__name__} both spell "
                f"{word!r}, which can have one id only in a tokenizer of HuggingFace; make a vocabulary without one of "
                "them"
            )
    return specials, ids


def _shown(raw: bytes) -> str:
    return "".join(map(_SHOWN.__getitem__, raw))


def _splits(pattern: str | None) -> list[str]:
    """The patterns at which a text is split, one after the other."""
    if pattern is None:
        return [ANY]
    letters = [
        rf"(?<=\A{special[:i]}){letter}(?={special[i + 1 :]}\z)"
        for special in SPECIAL_TOKENS
        if re.fullmatch(pattern, special)
        for i, letter in enumerate(special)
    ]
    splits = [f"{printed(pattern)}|{ANY}"]
    return [*splits, "|".join(letters)] if letters else splits  # a piece that spells a special goes by character


# --- theirs to ours --------------------------------------------------------------------------------------------------


def _original(tokenizer: Any) -> Any:
    """The vocabulary that was exported as this tokenizer, if there is one and nothing was changed since."""
    try:
        origin = tokenizer.init_kwargs["mrl"]
        vocab: Any = TokenList.kinds[origin["kind"]]._restored(origin["tokens"], origin["rules"], {})
        same = _state(_exported(vocab)) == _state(tokenizer)
    except Exception:  # a constructor may stumble in any way over what a file says
        return None
    return vocab if same else None


def _state(tokenizer: Any) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    return {key: value for key, value in state.items() if key not in ("padding", "truncation")}  # of the last call


def _word_level(tokenizer: Any) -> Any:
    """A vocabulary with the same words behind the same split."""
    state, words = _state(tokenizer), tokenizer.get_vocab()
    model, itos = state["model"], sorted(words, key=words.__getitem__)
    if model["type"] != "WordLevel":
        raise _refused(f"its model is {model['type']}; expected WordLevel, one word for each piece")
    if state["normalizer"]:
        raise _refused(
            f"it changes texts before they are cut, by {state['normalizer']['type']}; expected no normalizer"
        )
    pattern = _pattern(state["pre_tokenizer"] or {})
    specials = [tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id, words.get(model["unk_token"])]
    if specials != [0, 1, 2, 3]:
        raise _refused(f"its ids of bos, eos, pad and unk are {specials}; expected 0, 1, 2, 3, since ids never change")
    if [words[word] for word in itos] != list(range(len(itos))):
        raise _refused("its ids are not the numbers from 0 on, each of them once")
    if added := [token["content"] for token in state["added_tokens"] if token["content"] not in itos[: UNK + 1]]:
        raise _refused(f"it looks for {added} before it cuts; expected no added tokens besides the specials")
    if named := [word for word in itos[UNK + 1 :] if word in SPECIAL_TOKENS]:
        raise _refused(f"its words {named} have the names of specials")
    vocab: Any = TokenList.kinds["regex"]._restored(itos[UNK + 1 :], {"pattern": pattern}, {})
    texts = ["", *itos[UNK + 1 :]]
    for text, theirs, ours in zip(
        texts, tokenizer(texts)["input_ids"], vocab.encode(texts, on_unknown="unk"), strict=True
    ):
        if theirs != ours.tolist():
            raise _refused(f"it makes the ids {theirs} of {text!r}; expected {ours.tolist()}")
    return vocab


def _pattern(split: dict[str, Any]) -> str:
    """The pattern whose matches are the pieces."""
    if split.get("type") == "Sequence" and len(split["pretokenizers"]) == 1:
        split = split["pretokenizers"][0]
    pattern: str | None = split.get("pattern", {}).get("Regex") if split.get("type") == "Split" else None
    if pattern is None or (split["behavior"], split["invert"]) not in _SPLITS:
        raise _refused(
            f"it cuts texts by {split or 'nothing'}; expected Split with a Regex whose matches are the pieces"
        )
    if (end := read_alike(pattern)) != len(pattern):
        raise _refused(f"re may read its pattern {pattern!r} otherwise from position {end} on")
    printed(pattern)
    return pattern


def _refused(why: str) -> VocabError:
    return VocabError(f"no vocabulary gives the same ids as this tokenizer: {why}")
