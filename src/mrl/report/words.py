"""What properties are called, and their units."""

from __future__ import annotations

from mrl.formatting import format_number as number
from mrl.formatting import format_percent as percent
from mrl.formatting import printable as visible

__all__ = ["name_and_unit", "number", "percent", "visible"]

_UNITS = {"molwt": "g/mol", "exact_mass": "Da", "tpsa": "Å²"}
_NAMES = {"qed": "QED", "logp": "logP", "tpsa": "TPSA", "molwt": "weight", "sa_score": "SA score"}


def name_and_unit(property: str) -> tuple[str, str]:
    """Say what a property is called and measured in.

    Parameters
    ----------
    property : str
        The name of its function.

    Returns
    -------
    tuple of str
        Its name, and its unit or ``""``.

    Examples
    --------
    >>> name_and_unit("molwt"), name_and_unit("exact_mass"), name_and_unit("qed")
    (('weight', 'g/mol'), ('exact mass', 'Da'), ('QED', ''))
    """
    return _NAMES.get(property, property.replace("_", " ")), _UNITS.get(property, "")
