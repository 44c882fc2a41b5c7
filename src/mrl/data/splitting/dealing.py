"""Which rows go into which part, where groups stay whole or classes keep their shares."""

from __future__ import annotations

import numpy as np

from mrl.data.columns import Rows64
from mrl.data.order.randomness import shuffled_positions


def deal_groups(groups: list[Rows64], targets: list[int], seed: int) -> list[Rows64]:
    """Deal whole groups, the largest first, to the part that is furthest below its size."""
    missing = list(targets)
    parts: list[list[Rows64]] = [[] for _ in targets]
    order = shuffled_positions(np.arange(len(groups)), len(groups), f"groups {seed}")
    for group in sorted(order.tolist(), key=lambda g: -len(groups[g])):  # stable: ties stay in random order
        part = missing.index(max(missing))
        parts[part].append(groups[group])
        missing[part] -= len(groups[group])
    return [_sorted_rows(part) for part in parts]


def deal_stratified(groups: list[Rows64], codes: Rows64, targets: list[int], seed: int) -> list[Rows64]:
    """Deal whole groups so that sizes and the proportions of classes are met as nearly as they allow.

    The largest groups first, each to the part where the squared distance from the wanted number of rows of each class
    (each class and the size weighing alike) grows least; then single groups are moved while that makes it smaller.
    """
    n, k = len(codes), int(codes.max(initial=-1)) + 1
    counts = (
        np.stack([np.append(np.bincount(codes[rows], minlength=k), len(rows)) for rows in groups])
        if n
        else np.zeros((0, 1))
    )
    total = counts.sum(axis=0)
    share = np.array(targets) / max(n, 1)
    wanted = np.outer(share, total)
    weights = 1 / np.maximum(total, 1) ** 2
    weights[-1] *= max(k, 1)
    have = np.zeros_like(wanted)
    home = np.full(len(groups), -1)
    order = shuffled_positions(np.arange(len(groups)), len(groups), f"groups {seed}")
    order = order[np.argsort(-counts[order, -1], kind="stable")]
    never = np.where(np.array(targets) > 0, 0.0, np.inf)
    for _ in range(10):
        moved = False
        for group in order.tolist():
            count, old = counts[group], home[group]
            if old >= 0:
                have[old] -= count
            # of |have + count - wanted|^2 - |have - wanted|^2
            growth = ((2 * (have - wanted) + count) * count * weights).sum(axis=1) + never
            new = int(growth.argmin())
            if old >= 0 and (growth[new] >= growth[old] - 1e-12 or not have[old, -1]):
                new = old
            moved |= new != old
            home[group] = new
            have[new] += count
        if not moved:
            break
    return [_sorted_rows([groups[g] for g in np.flatnonzero(home == part)]) for part in range(len(targets))]


def deal_classes(classes: list[Rows64], targets: list[int], seed: int) -> list[Rows64]:
    """Cut each class, shuffled, in the proportions of the whole, rounded up or down so that the sizes are met.

    Which class is rounded up for which part is a matrix of zeros and ones with given sums of rows and columns; the
    classes with most to give go first, each to the parts that lack most (Gale 1957, doi:10.2140/pjm.1957.7.1073).
    """
    n = sum(targets)
    counts = [[len(rows) * target // n for target in targets] for rows in classes]
    missing = [target - sum(count[part] for count in counts) for part, target in enumerate(targets)]
    spare = [len(rows) - sum(count) for rows, count in zip(classes, counts, strict=True)]
    order = shuffled_positions(np.arange(len(classes)), len(classes), f"classes {seed}")
    for code in sorted(order.tolist(), key=lambda c: -spare[c]):
        for part in sorted(range(len(targets)), key=lambda p: -missing[p])[: spare[code]]:
            counts[code][part] += 1
            missing[part] -= 1
    cuts = []
    for code, rows in enumerate(classes):
        shuffled = rows[shuffled_positions(np.arange(len(rows)), len(rows), f"class {seed} {code}")]
        cuts.append(np.split(shuffled, np.cumsum(counts[code])[:-1]))
    return [_sorted_rows([cut[part] for cut in cuts]) for part in range(len(targets))]


def _sorted_rows(parts: list[Rows64]) -> Rows64:
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.int64)
