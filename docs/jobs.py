"""What the reference has: packages, and jobs, each with the public names that serve it, by the modules of these."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from functools import cache
from pathlib import Path
from typing import NamedTuple

# In the order in which a project needs them: package, and what a reader finds there.
PACKAGES = {
    "corpus": "reading and writing files of molecules; rows on disk",
    "chem": "molecules: properties, cleaning, groups, evaluation, drawings",
    "features": "functions of molecules, computed in processes and cached",
    "text": "vocabularies: text to token ids and back",
    "ragged": "ragged arrays, columns of any library, rejected rows",
    "data": "datasets, batches, orders, loaders",
    "nn": "losses and scalers",
    "lm": "the reference language models",
    "qsar": "the reference property model and its metrics",
    "loop": "goal-directed generation: scores and improvement",
    "prepare": "files of any size to a corpus, on any executor",
    "summary": "what is in a table of molecules, as numbers",
    "report": "pages and figures",
    "processes": "pools of processes",
    "errors": "every exception",
}


class Job(NamedTuple):
    """What a user wants to do: a title, the guide about it, and modules, or single names, with what does it."""

    title: str
    guide: str
    modules: str


# In the order in which a project meets them. A name belongs to the job with the longest prefix of its module.
JOBS = (
    Job(
        "Read and write tables of molecules",
        "reading",
        "corpus.reading corpus.table corpus.sample corpus.writing ragged.tables",
    ),
    Job("See what is in a file", "reports", "summary report.data chem.evaluation.facts"),
    Job("Draw molecules", "reports", "chem.drawing report.gallery report.picture report.molecules"),
    Job(
        "Parse molecules and write SMILES",
        "clean",
        "chem.molecule chem.notation chem.canonical chem.randomize",
    ),
    Job("Clean molecules, merge duplicates", "clean", "chem.cleaning"),
    Job(
        "Split without leaks",
        "split",
        "data.splitting chem.scaffolds chem.similarity.cluster_groups chem.canonical.canonical_groups "
        "chem.evaluation.leakage ragged.labels.part_of ragged.labels.PART_NAMES ragged.labels.PART_OF_NAME "
        "ragged.labels.SPLIT_RULES",
    ),
    Job(
        "Compute properties, fingerprints, descriptors, functions of your own",
        "featurize",
        "chem.properties chem.fingerprints chem.descriptors chem.packing features",
    ),
    Job(
        "Predict measured values",
        "property_models",
        "qsar report.model nn.losses nn.scalers data.datasets.vectors data.fields.vectors ragged.labels",
    ),
    Job("Choose, learn and save a vocabulary", "vocabularies", "text"),
    Job(
        "Work with peptides, proteins, DNA, SELFIES",
        "sequences",
        "text.vocabs.sequences text.vocabs.selfies data.windows data.fields.windows",
    ),
    Job(
        "Train a language model, sample it, fine-tune it",
        "language_models",
        "lm report.demo data.datasets.text data.datasets.masked data.datasets.packed data.fields.masks "
        "data.fields.crops",
    ),
    Job("Generate under a condition", "language_models", "data.datasets.pairs data.fields.prompts"),
    Job("Judge what a generator writes", "evaluate", "chem.evaluation chem.similarity report.comparison"),
    Job("Search for molecules with a high score", "improve", "loop chem.design report.improvement"),
    Job("Work with R-groups, linkers, SAFE", "fragments", "chem.fragments chem.safe"),
    Job(
        "Make datasets and batches for a task of your own",
        "datasets",
        "data.datasets data.fields data.collate",
    ),
    Job("Choose the order of batches, resume a run", "batches", "data.order data.loader data.batch"),
    Job(
        "Use several processes, a GPU or many",
        "processes",
        "processes data.device nn.threads lm.model.accelerator",
    ),
    Job("Prepare and open data that is larger than memory", "corpora", "corpus.store prepare"),
    Job("Exchange columns with other libraries", "toolboxes", "ragged"),
    Job("Write figures and reports of your own", "reports", "report"),
    Job("Write files of models of your own", "formats", "nn.tensors nn.optimizers"),
    Job("Handle what is rejected, and errors", "errors", "errors ragged.rejects"),
)


def public_names(package: types.ModuleType) -> list[str]:
    """Return the public names of a package, submodules left out; without `__all__`, the classes that it defines."""
    defined = [
        name for name, value in vars(package).items() if inspect.isclass(value) and value.__module__ == package.__name__
    ]
    names = getattr(package, "__all__", defined)
    return [name for name in names if not isinstance(getattr(package, name), types.ModuleType)]


def serves(job: Job, name: str) -> int:
    """Return the length of the prefix by which a full name, without ``mrl.``, belongs to a job; 0 if it does not."""
    return max((len(prefix) for prefix in job.modules.split() if f"{name}.".startswith(f"{prefix}.")), default=0)


def job_of(package: types.ModuleType, name: str) -> Job:
    """Return the job that a public name serves."""
    full = f"{defining_module(package, name)}.{name}".removeprefix("mrl.")
    job = max(JOBS, key=lambda job: serves(job, full))
    if not serves(job, full):
        raise LookupError(f"{full} serves no job; add its module to a job in docs/jobs.py")
    return job


def defining_module(package: types.ModuleType, name: str) -> str:
    """Return the module that defines a public name; of a constant, the first one of the package that assigns it."""
    value = getattr(package, name)
    module = getattr(value, "__module__", "")
    if module and module.startswith("mrl.") and getattr(value, "__name__", "") == name:
        return str(module)
    return assignments(package.__name__).get(name, package.__name__)


@cache
def assignments(package: str) -> dict[str, str]:
    """Map the names that the modules of a package assign to their modules."""
    found: dict[str, str] = {}
    module = importlib.import_module(package)
    for folder in map(Path, getattr(module, "__path__", [])):
        for path in sorted(folder.rglob("*.py")):
            dotted = ".".join([package, *path.relative_to(folder).with_suffix("").parts])
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
                for target in targets:
                    for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                        if isinstance(one, ast.Name):
                            found.setdefault(one.id, dotted)
    return found
