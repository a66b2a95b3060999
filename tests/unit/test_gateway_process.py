"""What a gateway process sets for itself before it serves."""

import os
import subprocess
import sys
from pathlib import Path


def test_python_looks_again_for_what_nobody_can_reach_once_everything_is_imported(tmp_path: Path) -> None:
    asked = "serving.close(), print(gc.isenabled())"
    code = f"import gc; gc.disable(); from gateway import app; app.main([], lambda serving: ({asked}))"
    environment = {**os.environ, "SHOUWANG_STATE": str(tmp_path)}

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)

    assert done.stdout == "True\n", done.stderr
