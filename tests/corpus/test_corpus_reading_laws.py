"""Rows in are rows out and rejects: on files that programs write, and on files made wrong on purpose."""

from __future__ import annotations

import faulthandler
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from molecule_files import FILES, ROWS, as_mol

from mrl.corpus import ReadOptions, Table, read, read_blocks
from mrl.errors import ColumnError, ReadError


def numbers(table: Table) -> list[int]:
    return sorted([*table.rows.tolist(), *(reject.row for reject in table.rejects)])


@pytest.mark.parametrize("name", FILES)
def test_every_row_of_a_file_is_read(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name](ROWS))
    table = read(path, others=True)
    assert (len(table), len(table.rejects)) == (len(ROWS), 0)
    assert table.rows.tolist() == list(range(len(ROWS)))


FIRST = ["CCO", "C[nH]", "aspirin", " C ", "C C", "", "#x", ">a", "[X", "C\0", "é", "CCl |$a$|"]


@given(
    st.lists(
        st.tuples(st.sampled_from(FIRST),
                  st.text("ab |\t\u00e9\u2028\x0b\x1c", max_size=4)),
        min_size=1, max_size=30,
    ),
    st.sampled_from(["\n", "\r\n", "\r"]),
)  # fmt: skip
@settings(deadline=None, max_examples=150)
def test_lines_of_a_list_are_rows_or_rejects(lines: list[tuple[str, str]], end: str) -> None:
    lines = [("CCO", "first"), *lines, ("CCO", "last")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.smi"
        path.write_bytes(end.join(f"{smiles} {name}" for smiles, name in lines).encode())
        table = read(path, id="name", options=ReadOptions(notation="text"))
    assert numbers(table) == list(range(len(lines)))
    for row, smiles, name in zip(table.rows.tolist(), table.smiles, table["name"], strict=True):
        whole = " ".join(lines[row]).strip()
        assert "".join(whole.split()).startswith("".join(smiles.split()))  # a blank is enough in front of a tail
        assert "cxsmiles" in table.columns or "|" in whole or whole.removeprefix(smiles).strip() == name.strip()


@pytest.mark.parametrize("size", [0, 1, 7])
@pytest.mark.parametrize("name", FILES)
def test_files_without_rows_are_errors(tmp_path: Path, name: str, size: int) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name](ROWS)[:size])
    try:
        assert len(read(path)) <= 1  # a list of a SMILES that was cut
    except (ReadError, ColumnError) as error:
        assert str(path) in str(error)  # noqa: PT017


MARKS = (b"\0", b'"', b",", b"\n", b"\r", b"\t", b"\xff", b"\xef\xbb\xbf", b">", b"$$$$\n", b"|", b"[", b"{")


def mutations(data: bytes, chance: random.Random) -> bytes:
    """Bytes with some changed, cut, repeated or moved."""
    found = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at, size = chance.randrange(len(found) + 1), chance.choice((1, 1, 2, 5, 40))
        match chance.randrange(6):
            case 0:
                found[at : at + size] = b""
            case 1:
                found[at:at] = chance.randbytes(size)
            case 2:
                found[at:at] = chance.choice(MARKS)
            case 3:
                found[at:at] = found[at : at + size]
            case 4 if at < len(found):
                found[at] ^= 1 << chance.randrange(8)
            case _:
                del found[max(at, 1) :]
    return bytes(found)


def attempts(seconds: float, seed: int) -> Iterator[tuple[str, bytes]]:
    chance = random.Random(seed)
    files = {name: make(ROWS) for name, make in FILES.items()} | {"t.mol": as_mol()}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for name, data in files.items():
            yield name, mutations(data, chance)


@pytest.mark.slow
def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    """MRL_FUZZ_SECONDS and MRL_FUZZ_SEED choose another length and other files."""
    seconds, seed = (float(os.environ.get(f"MRL_FUZZ_{name}", value)) for name, value in (("SECONDS", 10), ("SEED", 0)))
    count = refused = 0
    for name, data in attempts(seconds, int(seed)):
        path = tmp_path / name
        path.write_bytes(data)
        count += 1
        faulthandler.dump_traceback_later(120, exit=True)  # the file that hangs stays in the folder
        try:
            table = read(path, others=True, options=ReadOptions(on_label="reject"))
            blocks = list(read_blocks(path, others=True, options=ReadOptions(on_label="reject")))
        except (ReadError, ColumnError):
            refused += 1
        except BaseException:
            (tmp_path / f"failed-{name}").write_bytes(data)
            raise
        else:
            assert numbers(table) == list(range(len(table) + len(table.rejects))), data
            assert np.concatenate([block.rows for block in blocks]).tolist() == table.rows.tolist()
        finally:
            faulthandler.cancel_dump_traceback_later()
        path.unlink()
    print(f"{count} damaged files, {refused} of them refused")
    assert 0 < refused < count
