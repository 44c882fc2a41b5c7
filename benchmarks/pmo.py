"""How high molecules score after how few calls: Practical Molecular Optimization (arXiv:2206.12411).

    mrl train zinc250k.smi.gz -o prior/ --hidden 320 --steps 4000
    python benchmarks/pmo.py run --model prior/ --tasks all --seeds 0 1 2 --budget 10000 -o build/pmo
    python benchmarks/pmo.py table build/pmo

Each run is written to a file of its own as soon as it is done, and one that is interrupted goes on where it was. The
table has the mean and the standard deviation of what is there, beside published numbers.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from datetime import date
from pathlib import Path

from mrl.errors import MoleculeError
from mrl.files import write_atomic
from mrl.loop import TASKS, ImproveOptions, improve, task

TWO_DEFINITIONS = ("isomers_c7h8n2o2", "isomers_c9h10n2o2pf2cl", "sitagliptin_mpo", "zaleplon_mpo")
ONE_DEFINITION = tuple(name for name in TASKS if name not in TWO_DEFINITIONS)

METHODS = ("screening", "REINVENT", "Graph GA", "GP BO", "Mol GA", "Genetic GFN", "f-RAG*", "GenMol*", "InVirtuoGen*")
# Published area under the curve of the ten best, mean of 3 or 5 runs: the benchmark's leaderboard; arXiv:2411.12078,
# table 1; the InVirtuoGen repository. Methods with a * score all of ZINC250k before they count calls.
PUBLISHED = {
    "albuterol_similarity": (0.483, 0.882, 0.838, 0.898, 0.896, 0.949, 0.977, 0.937, 0.983),
    "amlodipine_mpo": (0.535, 0.635, 0.661, 0.583, 0.688, 0.761, 0.749, 0.810, 0.819),
    "celecoxib_rediscovery": (0.351, 0.713, 0.630, 0.723, 0.680, 0.802, 0.778, 0.826, 0.845),
    "deco_hop": (0.590, 0.666, 0.619, 0.629, 0.649, 0.733, 0.936, 0.960, 0.985),
    "fexofenadine_mpo": (0.666, 0.784, 0.760, 0.722, 0.825, 0.856, 0.856, 0.894, 0.900),
    "median1": (0.205, 0.356, 0.294, 0.301, 0.257, 0.379, 0.340, 0.398, 0.386),
    "median2": (0.200, 0.276, 0.273, 0.297, 0.301, 0.294, 0.323, 0.359, 0.363),
    "mestranol_similarity": (0.409, 0.618, 0.579, 0.627, 0.591, 0.708, 0.671, 0.982, 0.989),
    "osimertinib_mpo": (0.764, 0.837, 0.831, 0.787, 0.844, 0.860, 0.866, 0.876, 0.864),
    "perindopril_mpo": (0.445, 0.537, 0.538, 0.493, 0.547, 0.595, 0.681, 0.718, 0.740),
    "qed": (0.938, 0.941, 0.940, 0.937, 0.941, 0.942, 0.939, 0.942, 0.943),
    "ranolazine_mpo": (0.411, 0.760, 0.728, 0.735, 0.804, 0.819, 0.820, 0.821, 0.859),
    "scaffold_hop": (0.471, 0.560, 0.517, 0.548, 0.527, 0.615, 0.576, 0.628, 0.936),
    "thiothixene_rediscovery": (0.317, 0.534, 0.479, 0.559, 0.519, 0.583, 0.584, 0.692, 0.737),
    "troglitazone_rediscovery": (0.249, 0.441, 0.390, 0.410, 0.427, 0.511, 0.448, 0.867, 0.747),
    "valsartan_smarts": (0.000, 0.178, 0.000, 0.000, 0.000, 0.135, 0.627, 0.822, 0.920),
    "isomers_c7h8n2o2": (0.168, 0.852, 0.862, 0.680, 0.878, 0.969, 0.955, 0.942, 0.974),
    "isomers_c9h10n2o2pf2cl": (0.106, 0.642, 0.719, 0.469, 0.865, 0.897, 0.850, 0.833, 0.901),
    "sitagliptin_mpo": (0.022, 0.021, 0.433, 0.186, 0.582, 0.634, 0.601, 0.584, 0.669),
    "zaleplon_mpo": (0.072, 0.358, 0.346, 0.221, 0.519, 0.552, 0.486, 0.584, 0.694),
}


def run(arguments: argparse.Namespace) -> None:
    import torch

    from mrl.lm import SequenceModel, sample
    from mrl.text import Vocab

    torch.set_num_threads(arguments.threads)
    settings = json.loads(arguments.options)
    names = {"all": TASKS, "one-definition": ONE_DEFINITION}.get(arguments.tasks[0], tuple(arguments.tasks))
    stages = sorted({min(stage, arguments.budget) for stage in [*arguments.stages, arguments.budget]})
    for stage, seed, name in itertools.product(stages, arguments.seeds, names):
        folder = arguments.out / f"{name}-{seed}"
        file = folder / "result.json"
        if not file.exists() or json.loads(file.read_text())["stage"] < stage:
            vocab = Vocab.load(arguments.model / "vocab.json")
            model = SequenceModel.load(arguments.model / "model.safetensors", vocab)
            whole = {"stop_at": 1.0, "patience": arguments.budget}  # no call of the budget is left over
            options, start = ImproveOptions(**{**whole, **settings}), []
            if not options.samples:  # the first molecules are the model's all the same
                samples = sample(model, 400, seed=seed)
                texts = samples.decode(vocab)
                start = list(valid(text for text, done in zip(texts, samples.finished, strict=True) if done))[:150]
            earlier = [json.loads(file.read_text())["seconds"]] if file.exists() else []
            began = time.process_time()

            def show(one, label=f"{name} {seed}") -> None:
                if one.number % 10 == 0:
                    print(f"{label}: {one}, {one.seconds:.0f} s, {one.from_model} of the best by the model", flush=True)

            result = improve(
                model,
                task(name),
                vocab=vocab,
                budget=stage,
                seed=seed,
                start=start,
                out=folder,
                options=options,
                on_round=show,
            )
            best = result.best()
            facts = {
                "task": name,
                "seed": seed,
                "budget": arguments.budget,
                "stage": stage,
                "calls": result.calls,
                "auc": result.history.auc(arguments.budget),
                "top10": statistics.fmean(call.score for call in best),
                "best": [list(call) for call in best],
                "seconds": round(sum(earlier) + time.process_time() - began),
                "options": settings,
                "date": date.today().isoformat(),
            }
            write_atomic(file, json.dumps(facts, indent=1))
            print(f"{name} {seed}: {result}, {facts['seconds']} s", flush=True)


def valid(texts):
    from mrl.chem import canon_smile

    for text in texts:
        try:
            yield canon_smile(str(text))
        except MoleculeError:
            continue


def table(arguments: argparse.Namespace) -> None:
    found: dict[str, list[dict]] = {}
    for file in sorted(arguments.out.glob("*/result.json")):
        facts = json.loads(file.read_text())
        found.setdefault(facts["task"], []).append(facts)
    print(f"AUC of the ten best, {date.today().isoformat()}; spread: standard deviation over seeds\n")
    print("| task | mrl | spread | seeds | calls | CPU minutes | " + " | ".join(METHODS) + " |")
    print("|---|" + "---|" * (5 + len(METHODS)))
    ours, theirs = 0.0, [0.0] * len(METHODS)
    for name in PUBLISHED:
        numbers = " | ".join(f"{value:.3f}" for value in PUBLISHED[name])
        runs = found.get(name, [])
        if not runs:
            continue
        aucs = [facts["auc"] for facts in runs]
        spread = f"{statistics.stdev(aucs):.3f}" if len(aucs) > 1 else ""
        calls = statistics.fmean(facts["calls"] for facts in runs)
        minutes = statistics.fmean(facts["seconds"] for facts in runs) / 60
        mean = statistics.fmean(aucs)
        mark = " (two definitions)" if name in TWO_DEFINITIONS else ""
        print(f"| {name}{mark} | {mean:.3f} | {spread} | {len(runs)} | {calls:,.0f} | {minutes:.0f} | {numbers} |")
        if not mark:
            ours += mean
            theirs = [total + value for total, value in zip(theirs, PUBLISHED[name], strict=True)]
    done = sum(name in found for name in ONE_DEFINITION)
    print(
        f"| **sum of {done} with one definition** | **{ours:.3f}** | | | | | "
        + " | ".join(f"{total:.3f}" for total in theirs)
        + " |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run", help="run tasks, and write each result to a file")
    one.add_argument("--model", type=Path, required=True, help="folder of a model that was trained on ZINC250k only")
    one.add_argument("--tasks", nargs="+", default=["one-definition"], help="names, 'all', or 'one-definition'")
    one.add_argument("--seeds", nargs="+", type=int, default=[0])
    one.add_argument("--budget", type=int, default=10000)
    one.add_argument("--stages", nargs="*", type=int, default=[], help="stop all runs here first, then go on with each")
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--options", default="{}", help="other ImproveOptions, as JSON")
    one.add_argument("-o", "--out", type=Path, default=Path("build/pmo"))
    one.set_defaults(do=run)
    other = commands.add_parser("table", help="print a table of the results in a folder")
    other.add_argument("out", type=Path, nargs="?", default=Path("build/pmo"))
    other.set_defaults(do=table)
    arguments = parser.parse_args()
    arguments.do(arguments)


if __name__ == "__main__":
    main()
