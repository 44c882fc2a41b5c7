"""The reference language model: a small LSTM that learns molecules, samples them, and is fine-tuned to a property."""

from mrl.lm.finetuning import Round, finetune
from mrl.lm.model import LanguageModel, ModelConfig, accelerator
from mrl.lm.sampling import sample
from mrl.lm.threads import one_thread
from mrl.lm.training import Step, train

__all__ = ["LanguageModel", "ModelConfig", "Round", "Step", "accelerator", "finetune", "one_thread", "sample", "train"]
