"""Goal-directed generation: scores as data, and models that are improved towards them within a budget of calls."""

from mrl.loop.scores.functions import BatchFunction, Command, Failed, Imported, Property
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
from mrl.loop.tasks import TASKS, task

__all__ = [
    "TASKS",
    "BatchFunction",
    "Command",
    "Component",
    "DoubleSigmoid",
    "Failed",
    "Gaussian",
    "Identity",
    "Imported",
    "Linear",
    "Property",
    "Score",
    "Scored",
    "Sigmoid",
    "Step",
    "Transform",
    "ValueMap",
    "task",
]
