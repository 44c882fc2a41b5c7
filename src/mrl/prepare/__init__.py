"""From files of any size to a corpus, on one machine or on a cluster, stopped at any moment."""

from mrl.prepare.engines import Engine
from mrl.prepare.preparing import Phase, prepare_corpus, prepare_phase
from mrl.prepare.ray import RayEngine
from mrl.prepare.recipe import Inputs, Recipe, SplitRule
from mrl.prepare.status import Report, Status

__all__ = [
    "Engine",
    "Inputs",
    "Phase",
    "RayEngine",
    "Recipe",
    "Report",
    "SplitRule",
    "Status",
    "prepare_corpus",
    "prepare_phase",
]
