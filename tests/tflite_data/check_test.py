# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check.py must notice damage: check_test.py <tests/data>."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

CHECK = pathlib.Path(__file__).resolve().parent / "check.py"


def answer(data: pathlib.Path) -> tuple[int, str]:
    """Exit code and text of check.py."""
    done = subprocess.run([sys.executable, CHECK, data], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def change_model(data):
    """One bit of a model."""
    path = next((data / "tflite_ops" / "add").glob("*.tflite"))
    path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    return "is not the model that was run"


def change_value(data):
    """One element of an output."""
    path = data / "tflite_ops" / "relu.json"
    path.write_text(path.read_text().replace("127]", "126]", 1))
    return "relu.json: not the file that was recorded"


def remove_model(data):
    """A model is gone."""
    next((data / "tflite_ops" / "mul").glob("*.tflite")).unlink()
    return "missing"


def add_file(data):
    """A model that no case names."""
    (data / "tflite_ops" / "mul" / "stray.tflite").write_bytes(b"....TFL3")
    return "mul/stray.tflite: belongs to no case"


def change_range(data):
    """A value that its type does not hold."""
    path = data / "tflite_models" / "hello_world_int8.json"
    content = json.loads(path.read_text())
    content["runs"][0]["outputs"][0]["data"][0] = 128
    path.write_text(json.dumps(content))
    return "values that are not int8"


def change_shape(data):
    """A tensor with an element too few."""
    path = data / "tflite_models" / "micro_speech_quantized.json"
    content = json.loads(path.read_text())
    del content["runs"][0]["inputs"][0]["data"][0]
    path.write_text(json.dumps(content))
    return "1959 elements in shape"


def main() -> None:
    """Damages a copy in every way."""
    source = pathlib.Path(sys.argv[1])
    for damage in (change_model, change_value, remove_model, add_file, change_range, change_shape):
        with tempfile.TemporaryDirectory() as temporary:
            data = pathlib.Path(temporary) / "data"
            for part in ("tflite_ops", "tflite_models"):
                shutil.copytree(source / part, data / part)
            expected = damage(data)
            code, text = answer(data)
            if code == 0 or expected not in text:
                raise SystemExit(f"{damage.__name__}: expected '{expected}', got:\n{text}")
    print("every damage was noticed")


if __name__ == "__main__":
    main()
