"""The wheel has the weights, and the README's example runs."""

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

ROOT = pathlib.Path(__file__).parents[2]


def run_python(program, cwd, path):
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


@pytest.mark.slow
def test_an_installed_package_has_the_trained_weights(tmp_path):
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path), str(ROOT)], check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    program = """
import sagan_tf
print(sagan_tf.__file__)
print(sagan_tf.SAGAN.from_preset("sagan_digits_16").generate([3, 7], seed=0).shape)
"""
    program += """
from sagan_tf import data, evaluation
evaluation.Classifier.trained_on(data.find_dataset("digits"), 16, 1, cache_dir="cache")
"""
    path, shape = run_python(program, tmp_path, tmp_path / "site").splitlines()
    assert path.startswith(str(tmp_path))
    assert shape == "(2, 16, 16, 1)"
    assert not (tmp_path / "cache").exists()  # Nothing had to be trained.
    # The programs are in it.
    program = "import runpy, sys; sys.argv[1:] = ['sample', '--model=sagan_digits_16', "
    program += "'--output=x.png']; runpy.run_module('sagan_tf', run_name='__main__')"
    assert run_python(program, tmp_path, tmp_path / "site") == "x.png\n"


@pytest.mark.soak
def test_the_example_of_the_readme_runs(tmp_path):
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    example = text.split("```python\n")[1].split("```")[0]
    output = run_python(example, tmp_path, ROOT)
    assert "(2, 16, 16, 1)" in output
    assert "(2, 64, 16)" in output
    assert (tmp_path / "served" / "digits" / "1" / "saved_model.pb").exists()
