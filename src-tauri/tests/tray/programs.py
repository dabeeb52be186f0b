"""Our programs, which all lie beside the app that is tested; what is not installed with it is on the PATH."""

import os
import pathlib
import shutil


def program(name):
    """One of ours."""
    path = pathlib.Path(os.environ["RUNNER_TRAY_APP"]).with_name(name)
    if path.exists():
        return path
    found = shutil.which(name)
    assert found, f"there is no {path}; run: cargo build --bins"
    return pathlib.Path(found)
