"""Goal-directed generation: scores as data, and models that are improved towards them within a budget of calls."""

from mrl.loop.improve.checkpoint import STATE_FILE
from mrl.loop.improve.history import Call, History, Round, auc_top
from mrl.loop.improve.improve import Run, improve
from mrl.loop.improve.options import ImproveOptions
from mrl.loop.scores.files import load_score, save_score
from mrl.loop.scores.functions import BatchFunction, Command, Imported, Property
from mrl.loop.scores.predicted import Predicted
from mrl.loop.scores.score import Component, Score, Scored
from mrl.loop.scores.transforms import (
    DoubleSigmoid,
    Gaussian,
    Identity,
    Linear,
    Sigmoid,
    Step,
    Transform,
    ValueMap,
)
from mrl.loop.scores.values import Estimate, Failed
from mrl.loop.tasks import TASKS, task

__all__ = [
    "STATE_FILE",
    "TASKS",
    "BatchFunction",
    "Call",
    "Command",
    "Component",
    "DoubleSigmoid",
    "Estimate",
    "Failed",
    "Gaussian",
    "History",
    "Identity",
    "Imported",
    "ImproveOptions",
    "Linear",
    "Predicted",
    "Property",
    "Round",
    "Run",
    "Score",
    "Scored",
    "Sigmoid",
    "Step",
    "Transform",
    "ValueMap",
    "auc_top",
    "improve",
    "load_score",
    "save_score",
    "task",
]
