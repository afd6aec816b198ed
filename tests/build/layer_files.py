"""What the files of a built layer show."""

from pathlib import Path

ELF_MACHINE = {"arm64": 183, "x86_64": 62}  # e_machine of the ELF header


def size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machines(layer: Path) -> set[int]:
    """Return the processors that the layer's native modules are for."""
    return {int.from_bytes(path.read_bytes()[18:20], "little") for path in layer.rglob("*.so")}
