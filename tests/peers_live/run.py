#!/usr/bin/env python3
"""The daemon among real peers over real connections: what they send arrives as readings, what it sends they understand.

    cargo test --workspace --no-run
    python3 tests/peers_live/run.py --bin target/debug

Makes a virtual environment with the packages of requirements.txt in a temporary folder (or uses --venv) and starts itself
there. Beside them it needs mosquitto, rtl_433, gpsd and gpsfake. Every check waits for what it expects, at most half a
minute; the first that fails ends the run.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="folder of the program vedette")
    parser.add_argument("--venv", type=pathlib.Path, help="virtual environment to make or use")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        venv = arguments.venv or pathlib.Path(folder) / "venv"
        python = venv / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--requirement", HERE / "requirements.txt"], check=True)
        environment = {**os.environ, "PATH": f"{venv / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin"}
        command = [python, HERE / "checks.py", arguments.bin.resolve(), folder]
        sys.exit(subprocess.run(command, env=environment).returncode)


if __name__ == "__main__":
    main()
