"""Cannot be loaded."""

from pathlib import Path

TEXT = Path("/nowhere/at/all").read_text()
