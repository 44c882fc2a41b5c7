"""The reference language model: a small LSTM that is trained on molecules, sampled, and fine-tuned to a property."""

from mrl.lm.finetuning import Round, finetune
from mrl.lm.model import LanguageModel, ModelConfig, accelerator
from mrl.lm.options import FinetuneOptions
from mrl.lm.sampling import sample
from mrl.lm.training import Step, train
from mrl.nn import one_thread

__all__ = [
    "FinetuneOptions",
    "LanguageModel",
    "ModelConfig",
    "Round",
    "Step",
    "accelerator",
    "finetune",
    "one_thread",
    "sample",
    "train",
]
