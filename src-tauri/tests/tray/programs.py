"""Our programs, which all lie beside the app that is tested."""

import os
import pathlib


def program(name):
    """One of ours; all lie beside the app."""
    path = pathlib.Path(os.environ["RUNNER_TRAY_APP"]).with_name(name)
    assert path.exists(), f"there is no {path}; run: cargo build --bins"
    return path
