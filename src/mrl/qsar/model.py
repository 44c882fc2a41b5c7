"""`PropertyModel`: an ensemble of networks that predicts properties of molecules, and its file."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mrl.chem import Descriptors, nearest_neighbours
from mrl.errors import ColumnError, ReadError
from mrl.files import AnyPath
from mrl.formatting import PREVIEW_ROWS, format_number, html_preview, html_table
from mrl.messages import did_you_mean, format_count, format_names
from mrl.nn import one_thread, read_tensors, write_tensors
from mrl.progress import Progress
from mrl.qsar.inputs import BITS, InputScaling, compute_inputs
from mrl.qsar.network import Ensemble
from mrl.qsar.options import FitOptions
from mrl.qsar.targets import Target
from mrl.qsar.uncertainty import expected_errors
from mrl.qsar.validation import Metric, Validation
from mrl.ragged import Rejects, Tabular, arrow_table, as_text

MODEL_FILE = "property_model.safetensors"
_FORMAT, _VERSION = "mrl-property-model", 1


@dataclass(frozen=True, eq=False, repr=False)
class Predictions(Tabular):
    """Predicted properties of n molecules; NaN in the rows that are not molecules.

    Attributes
    ----------
    targets : tuple of str
        Names of the T targets.
    values : ndarray of float64, shape (n,) for one target, else (n, T)
        Numbers in the units of the labels; for classes the probability of class 1. The mean of the networks.
    uncertainty : ndarray of float64, shape of `values`
        Of numbers the expected size (root mean square) of the error, in the units of the labels; of classes the
        standard deviation of the networks' probabilities.
    similarity : ndarray of float64, shape (n,)
        Tanimoto similarity (ECFP4) to the nearest molecule that the model was trained on.
    ok : ndarray of bool, shape (n,)
        Which rows have predictions.
    rejects : Rejects
        The others, with reasons.

    Examples
    --------
    >>> one = np.ones(1)
    >>> predictions = Predictions(("y",), 0.5 * one, 0.1 * one, one, one > 0, Rejects())
    >>> len(predictions), predictions["y"]
    (1, array([0.5]))
    """

    targets: tuple[str, ...]
    values: NDArray[np.float64]
    uncertainty: NDArray[np.float64]
    similarity: NDArray[np.float64]
    ok: NDArray[np.bool_]
    rejects: Rejects

    def __len__(self) -> int:
        return len(self.ok)

    def __getitem__(self, target: str) -> NDArray[np.float64]:
        """Return the values of one target, shape (n,); raise a ColumnError if there is no such target."""
        return self.values.reshape(len(self), -1)[:, self._place(target)]

    def uncertainty_of(self, target: str) -> NDArray[np.float64]:
        """Return the uncertainty of `target`, shape (n,); raise a ColumnError if there is no such target.

        Examples
        --------
        >>> nan = np.array([np.nan])
        >>> Predictions(("y",), nan, np.array([0.1]), nan, np.array([False]), Rejects()).uncertainty_of("y")
        array([0.1])
        """
        return self.uncertainty.reshape(len(self), -1)[:, self._place(target)]

    def to_arrow(self) -> Any:
        """Return the columns that ``mrl predict`` writes as an Arrow table, which polars, DuckDB and others take.

        Returns
        -------
        pyarrow.Table
            Of n rows: ``... predicted`` and ``... uncertainty`` of each target, and ``similarity``; NaN in the
            rows that have no predictions.

        Examples
        --------
        >>> one = np.ones(1)
        >>> Predictions(("y",), 0.5 * one, 0.1 * one, one, one > 0, Rejects()).to_arrow().to_pydict()
        {'y predicted': [0.5], 'y uncertainty': [0.1], 'similarity': [1.0]}
        """
        columns: dict[str, NDArray[np.float64]] = {}
        for name in self.targets:
            columns |= {f"{name} predicted": self[name], f"{name} uncertainty": self.uncertainty_of(name)}
        return arrow_table(columns | {"similarity": self.similarity})

    def __repr__(self) -> str:
        names = ", ".join(self.targets)
        return f"Predictions({names}: {format_count(len(self), 'row')}, {format_count(len(self.rejects), 'reject')})"

    def _repr_html_(self) -> str:
        shown: dict[str, Sequence[object]] = {}
        for name in self.targets:
            shown[name] = self[name][:PREVIEW_ROWS].tolist()
            shown[f"uncertainty of {name}"] = self.uncertainty_of(name)[:PREVIEW_ROWS].tolist()
        shown["similarity to the training data"] = self.similarity[:PREVIEW_ROWS].tolist()
        table = html_preview(shown, len(self), caption=repr(self))
        return table + self.rejects._repr_html_() if self.rejects else table

    def _place(self, target: str) -> int:
        if target not in self.targets:
            suggestion = did_you_mean(target, self.targets)
            raise ColumnError(
                f"no target {target!r}{suggestion}; the targets are {format_names(self.targets)}", column=target
            )
        return self.targets.index(target)


@dataclass(frozen=True, eq=False)
class PropertyModel:
    """An ensemble of networks over fingerprints and descriptors; made by `mrl.qsar.fit`.

    Parameters
    ----------
    targets : tuple of Target
        What it predicts, T targets.
    ensemble : Ensemble
        The networks.
    scaling : InputScaling
        Which numbers of a molecule the networks see.
    error_sizes : ndarray of float64, shape (T, 3)
        How the expected error depends on the spread of the networks and on the distance from the training molecules.
    fingerprints : ndarray of uint64, shape (n, 32)
        Of the molecules it was trained on, packed (ECFP4).
    metrics : tuple of Metric
        Its cross-validation.
    about : dict
        How it was made: rows, split, options, descriptors.
    validation : Validation, optional
        The cross-validation row by row; None in a model that was loaded.

    Examples
    --------
    >>> from mrl.qsar import FitOptions, fit
    >>> smiles = ["C" * n + "O" for n in range(1, 13)]
    >>> model = fit(smiles, {"y": range(12)}, split="random", options=FitOptions(folds=2, members=1))
    >>> predictions = model.predict(["CCCO", "C("])
    >>> predictions.ok.tolist(), predictions.similarity.tolist(), predictions.rejects[0].reason[:6]
    ([True, False], [1.0, nan], 'syntax')
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> model.save(folder)
    >>> again = PropertyModel.load(folder)
    >>> again
    PropertyModel(y: regression; 2 networks, trained on 12 molecules)
    >>> bool((again.predict(["CCCO"]).values == predictions.values[:1]).all())
    True
    """

    targets: tuple[Target, ...]
    ensemble: Ensemble
    scaling: InputScaling
    error_sizes: NDArray[np.float64]
    fingerprints: NDArray[np.uint64]
    metrics: tuple[Metric, ...]
    about: dict[str, Any]
    validation: Validation | None = None

    def predict(self, smiles: Any, *, n_jobs: int = 1, progress: Progress = None) -> Predictions:
        """Predict the properties of molecules, about 500 molecules a second and process.

        Parameters
        ----------
        smiles : column of str
            n texts: list, tuple, NumPy array, Series, Arrow array, or `Text`. Those that are not molecules, or that
            have a descriptor which is not a finite number, have NaN.
        n_jobs : int
            Number of processes, on which the result does not depend.
        progress : callable, bool or None
            See `featurize`.

        Returns
        -------
        Predictions
            Row by row as `smiles`; a row does not depend on the other ones.

        Raises
        ------
        RowError
            A value is not a str.
        """
        text = as_text(smiles)
        n, width = len(text), len(self.targets)
        values, uncertainty = np.full((n, width), np.nan), np.full((n, width), np.nan)
        similarity = np.full(n, np.nan)
        inputs = compute_inputs(text, self.about["descriptors"], n_jobs=n_jobs, progress=progress)
        rows = np.flatnonzero(inputs.ok)
        if len(rows):
            known = inputs.take(rows)
            is_class = np.array([target.kind == "classification" for target in self.targets])
            with one_thread():
                found = self.ensemble.predict(self.scaling.transform(known), is_class)
            values[rows], spread = combine(found)
            similarity[rows] = nearest_neighbours(known.fingerprints, self.fingerprints)[1][:, 0]
            uncertainty[rows] = expected_errors(self.error_sizes, spread, similarity[rows])
        if width == 1:
            values, uncertainty = values[:, 0], uncertainty[:, 0]
        names = tuple(target.name for target in self.targets)
        return Predictions(names, values, uncertainty, similarity, inputs.ok, inputs.rejects)

    def save(self, path: AnyPath) -> None:
        """Write the model to a file, completely or not at all; the same model gives the same bytes.

        Its fingerprints of the training molecules are in it, the molecules are not. No pickle.

        Parameters
        ----------
        path : str or path
            A ``.safetensors`` file, or a folder, in which it is called ``property_model.safetensors``; missing folders
            are created.
        """
        packed = torch.from_numpy(self.fingerprints.view(np.uint8).reshape(len(self.fingerprints), -1))
        tensors = {f"ensemble.{name}": tensor for name, tensor in self.ensemble.state_dict().items()}
        tensors |= {f"scaling.{name}": torch.from_numpy(array) for name, array in vars(self.scaling).items()}
        document = {
            "targets": [dataclasses.asdict(target) for target in self.targets],
            "metrics": [
                {**vars(metric), "values": [None if value != value else value for value in metric.values]}
                for metric in self.metrics
            ],
            "about": self.about,
        }
        tensors |= {"fingerprints": packed, "error_sizes": torch.from_numpy(self.error_sizes)}
        write_tensors(_file(path), tensors, document, format=_FORMAT, version=_VERSION)

    @classmethod
    def load(cls, path: AnyPath) -> Self:
        """Return the model in a file that `save` wrote.

        Parameters
        ----------
        path : str or path
            The file, or its folder.

        Returns
        -------
        PropertyModel

        Raises
        ------
        ReadError
            The file is damaged, or is of another program or version; a ValueError.
        FileNotFoundError
            There is no such file.
        """
        file = _file(path)
        document, tensors = read_tensors(file, format=_FORMAT, version=_VERSION)
        try:
            return cls(**_parse(document, tensors))
        except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
            reason = f"its parts do not fit together ({type(error).__name__}: {error}); fit the model again"
            raise ReadError(
                f"{os.fspath(file)} is not a valid {_FORMAT} file: {reason}", path=os.fspath(file)
            ) from None

    def _repr_html_(self) -> str:
        rows = []
        for target in self.targets:
            found = [metric for metric in self.metrics if metric.target == target.name]
            values = ", ".join(f"{one.name} {format_number(one.mean)} ± {format_number(one.spread)}" for one in found)
            rows.append((target.name, target.kind, max((one.n for one in found), default=0), values))
        header = ("target", "kind", "labels", "cross-validation, mean and spread over the folds")
        return html_table(rows, header, caption=repr(self))

    def __repr__(self) -> str:
        targets = ", ".join(f"{target.name}: {target.kind}" for target in self.targets[:3])
        more = f" and {len(self.targets) - 3} more" if len(self.targets) > 3 else ""
        networks = format_count(len(self.ensemble.mean), "network")
        return (
            f"PropertyModel({targets}{more}; {networks}, trained on {format_count(len(self.fingerprints), 'molecule')})"
        )


def combine(found: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation over the networks (E, n, T); of one network the latter is NaN."""
    rows = np.ascontiguousarray(np.moveaxis(found, 0, -1))  # so that a row is summed in the same order in any batch
    spread = rows.std(axis=-1, ddof=1) if len(found) > 1 else np.full(found.shape[1:], np.nan)
    return rows.mean(axis=-1), spread


def _file(path: AnyPath) -> Path:
    return Path(path) if Path(path).suffix == ".safetensors" else Path(path) / MODEL_FILE


def _parse(document: dict[str, Any], tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Return the fields of a model; raise unless all sizes agree. Nothing is allocated by a size in the document."""
    targets = tuple(Target(**target) for target in document["targets"])
    about = document["about"]
    names = about["descriptors"]
    Descriptors(names)  # a ValueError if this RDKit does not have one of them
    if not targets or any(target.kind not in ("regression", "classification") for target in targets):
        raise ValueError("targets")
    options = FitOptions(**about["options"])
    held = {name: tensors.pop(f"scaling.{name}").numpy() for name in ("environments", "mean", "scale")}
    scaling = InputScaling(**held)
    expected = {"environments": np.int64, "mean": np.float32, "scale": np.float32}
    if any(held[name].dtype != dtype or held[name].ndim != 1 for name, dtype in expected.items()):
        raise ValueError("scaling")
    environments = scaling.environments
    if len(environments) and (environments.min() < 0 or environments.max() >= BITS):
        raise ValueError("environments outside the fingerprint")
    if len({*names}) != len(names) or not len(names) == len(scaling.mean) == len(scaling.scale):
        raise ValueError("descriptors")
    packed = tensors.pop("fingerprints")
    if packed.dtype != torch.uint8 or packed.ndim != 2 or packed.shape[1] != BITS // 8 or not len(packed):
        raise ValueError("fingerprints")
    error_sizes = tensors.pop("error_sizes").numpy()
    if error_sizes.dtype != np.float64 or error_sizes.shape != (len(targets), 3) or not (error_sizes >= 0).all():
        raise ValueError("error sizes")
    state = {name.removeprefix("ensemble."): tensor for name, tensor in tensors.items()}
    if any(tensor.dtype != torch.float32 for tensor in state.values()):
        raise ValueError("weights are not float32")
    if len(state) != 2 * options.layers + 4:  # before as many layers are made as the document says
        raise ValueError("layers")
    sizes = (scaling.width, *[options.hidden] * options.layers, len(targets))
    ensemble = Ensemble(options.networks, sizes)
    ensemble.load_state_dict(state, assign=True)
    metrics = tuple(
        Metric(**{**one, "values": tuple(float("nan") if value is None else value for value in one["values"])})
        for one in document["metrics"]
    )
    return {
        "targets": targets,
        "ensemble": ensemble.requires_grad_(False),
        "scaling": scaling,
        "error_sizes": error_sizes,
        "fingerprints": packed.numpy().view(np.uint64),
        "metrics": metrics,
        "about": about,
    }
