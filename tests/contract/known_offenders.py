"""What breaks a rule of tests/contract and is known: as `package: rule`, until the last offence of its kind is mended.

    python tests/contract/known_offenders.py [PACKAGE ...]    # print all offences, known ones too
    python tests/contract/known_offenders.py --prune          # remove the entries that are no longer needed

An entry that is no longer needed fails the test of its rule.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

KNOWN: set[str] = set()


def check(rule: str, offences: Iterable[tuple[str, str]]) -> None:
    """Fail for each offence (package, text) that is not known, and for each entry of `KNOWN` without an offence."""
    found = list(offences)
    unknown = [text for package, text in found if f"{package}: {rule}" not in KNOWN]
    assert not unknown, "\n".join([f"{rule}:", *unknown])
    useless = {entry for entry in KNOWN if entry.endswith(f": {rule}")} - {f"{package}: {rule}" for package, _ in found}
    assert not useless, f"mended; run `python {Path(__file__).name} --prune`, or remove from KNOWN: {sorted(useless)}"


def main(arguments: list[str]) -> None:
    from every_rule import EVERY_RULE

    found = {rule: list(offences()) for rule, offences in EVERY_RULE.items()}
    if "--prune" in arguments:
        needed = {f"{package}: {rule}" for rule, offences in found.items() for package, _ in offences}
        path = Path(__file__)
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r'    "(.+: .+)",\n', lambda m: m[0] * (m[1] in needed), text), encoding="utf-8")
        return
    for rule, offences in found.items():
        for package, text in offences:
            if package in arguments or not arguments:
                print(f"{rule}: {text}")


if __name__ == "__main__":
    main(sys.argv[1:])
