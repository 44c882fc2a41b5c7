"""Language models of molecules: an LSTM and a transformer that are trained, sampled, and fine-tuned to a property."""

from mrl.lm.config import ModelConfig, SequenceConfig, TransformerConfig
from mrl.lm.finetuning import FinetuneRound, finetune
from mrl.lm.fitting import History, TrainingStep, fit
from mrl.lm.likelihood import log_likelihood
from mrl.lm.lstm import LanguageModel, LSTMState
from mrl.lm.model import SequenceModel, State, accelerator
from mrl.lm.options import FinetuneOptions, FitOptions
from mrl.lm.samples import Samples
from mrl.lm.sampling import encode_prompts, sample
from mrl.lm.transformer import KeyValueCache, Transformer
from mrl.nn import one_thread

__all__ = [
    "FinetuneOptions",
    "FinetuneRound",
    "FitOptions",
    "History",
    "KeyValueCache",
    "LSTMState",
    "LanguageModel",
    "ModelConfig",
    "Samples",
    "SequenceConfig",
    "SequenceModel",
    "State",
    "TrainingStep",
    "Transformer",
    "TransformerConfig",
    "accelerator",
    "encode_prompts",
    "finetune",
    "fit",
    "log_likelihood",
    "one_thread",
    "sample",
]
