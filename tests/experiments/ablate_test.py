"""Variants that are trained at several seeds and compared, on tiny runs of the real digits."""

import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from sagan_tf.evaluation import compare_variants
from sagan_tf.files import read_json, read_json_lines, write_json
from sagan_tf.models.model_folder import read_config
from tests.experiments.programs import ROOT, SMALL, call, error_line, run, run_process
from tests.tiny import contents, tiny

VARY = "--vary=attention_layer=self_attention,residual"
SCORED = ("--metrics=fid,prdc", "--num_images=100")
TINY = (*SMALL, "--steps=2", "--checkpoint_every=1", "--log_every=1", *SCORED)
NAMES = ("fid", "precision", "recall", "density", "coverage", "recognized")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return f"--cache_dir={tmp_path_factory.mktemp('cache')}"


@pytest.fixture(scope="module")
def alone(cache, tmp_path_factory):
    """A comparison at one seed, by a process of its own: its folder, and what it printed."""
    directory = tmp_path_factory.mktemp("alone") / "ablation"
    flags = (VARY, "--seeds=1", f"--output={directory}", cache, *TINY)
    result = run_process("ablate", *flags)
    assert result.returncode == 0, result.stderr
    return directory, result.stdout


@pytest.fixture(scope="module")
def ablation(alone, cache, tmp_path_factory):
    """The same, which has gone on to two seeds."""
    directory = tmp_path_factory.mktemp("both") / "ablation"
    shutil.copytree(alone[0], directory)
    run("ablate", VARY, "--seeds=2", f"--output={directory}", cache, *TINY)
    return directory


def again(directory, cache, capsys):
    """The table that the same command prints, and what it prints before."""
    run("ablate", VARY, "--seeds=2", f"--output={directory}", cache, *TINY)
    before, title, table = capsys.readouterr().out.partition("\n2 seeds, digits (train), by 64 ")
    assert title
    return table, before


@pytest.mark.slow
def test_one_seed_has_neither_deviation_nor_interval(alone):
    directory, output = alone
    table = output.partition("\n1 seed, digits (train), by 64 features of classifier ")[2]
    lines = [line.split() for line in table.splitlines()[2:]]
    assert " ".join(lines[0]) == (
        "attention_layer self_attention residual residual minus self_attention"
    )
    assert [line[0] for line in lines[1:7]] == list(NAMES)
    assert {len(line) for line in lines[1:7]} == {4}
    assert "±" not in table and "[" not in table and "interval" not in table
    assert table.endswith(f"{directory / 'scores.json'}\n{directory / 'scores.png'}\n")
    for scores in read_json(directory / "scores.json")["variants"].values():
        assert {score["std"] for score in scores.values()} == {None}
    difference = read_json(directory / "scores.json")["variants"]["residual"]["fid"]["difference"]
    assert (difference["low"], difference["high"]) == (None, None)
    assert Image.open(directory / "scores.png").size == (4 * 320, 2 * 320)


@pytest.mark.slow
def test_more_seeds_leave_the_runs_that_are_there(alone, ablation):
    for path, content in contents(alone[0]).items():
        place = path.relative_to(alone[0])
        if len(place.parts) > 1:
            assert (ablation / place).read_bytes() == content, place
    folders = {path.relative_to(ablation).as_posix() for path in ablation.glob("*/*")}
    layers = ("self_attention", "residual")
    assert folders == {f"{layer}/seed_{seed}" for layer in layers for seed in (0, 1)}
    for layer in layers:
        for seed in (0, 1):
            folder = ablation / layer / f"seed_{seed}"
            config, state = read_config(folder / "preset")
            assert (config.model.attention_layer, config.recipe.seed) == (layer, seed)
            assert (state["step"], config.model.base_channels) == (2, 4)
            assert [each["step"] for each in read_json_lines(folder / "metrics.jsonl")] == [1, 2]
            # Who does not attend has no map to show.
            assert (folder / "attention.png").exists() == (layer == "self_attention")


@pytest.mark.slow
def test_the_comparison_is_that_of_the_reports(ablation):
    found = read_json(ablation / "scores.json")
    reports = {
        layer: [read_json(ablation / layer / f"seed_{seed}" / "scores.json") for seed in (0, 1)]
        for layer in found["values"]
    }
    assert list(reports) == ["self_attention", "residual"]
    # Which weights were scored is known of each, and they are four models.
    assert len({report["weights"] for each in reports.values() for report in each}) == 4
    rows = {
        layer: [
            {name: report["generated"]["scores"][name]["mean"] for name in NAMES} for report in each
        ]
        for layer, each in reports.items()
    }
    assert found["variants"] == compare_variants(rows)
    for report in (*reports["residual"], *reports["self_attention"]):
        assert (report["features"], report["protocol"]) == (found["features"], found["protocol"])
    about = {"vary": "attention_layer", "seeds": 2, "seed": 0, "steps": 2, "base_channels": 4}
    assert about.items() <= found.items()


@pytest.mark.slow
def test_a_run_is_scored_as_evaluate_does(ablation, cache, tmp_path):
    folder, output = ablation / "residual" / "seed_1", tmp_path / "scores.json"
    run("evaluate", f"--model={folder}", f"--output={output}", cache, *SCORED)
    report, other = read_json(folder / "scores.json"), read_json(output)
    assert {name: other[name] for name in report} == report


@pytest.mark.slow
def test_the_same_command_gives_the_same_table(ablation, cache, tmp_path, capsys):
    directory = tmp_path / "ablation"
    shutil.copytree(ablation, directory)
    results = [(directory / name).read_bytes() for name in ("scores.json", "scores.png")]
    table, before = again(directory, cache, capsys)
    assert before.count("Its scores are in ") == 4
    assert table.count("±") == 2 * len(NAMES) + 1 and table.count("[") == len(NAMES)
    for name in ("scores.json", "scores.png"):
        (directory / name).unlink()
    # One was stopped halfway, one before it was scored, and one was scored by other features.
    halfway = directory / "self_attention" / "seed_0"
    shutil.rmtree(halfway / "checkpoints" / "step_0000002")
    shutil.rmtree(halfway / "preset")
    (halfway / "scores.json").unlink()
    (directory / "residual" / "seed_0" / "scores.json").unlink()
    path = directory / "residual" / "seed_1" / "scores.json"
    report = read_json(path)
    report["features"]["fingerprint"] = "another"
    report["generated"]["scores"]["fid"]["mean"] = 0.0
    write_json(path, report)
    repeated, before = again(directory, cache, capsys)
    assert repeated == table
    for step, folder in ((1, halfway), (2, directory / "residual" / "seed_0")):
        assert f"Going on from {folder / 'checkpoints' / f'step_000000{step}'}\n" in before
    assert f"{path} is of other features, and is written anew\n" in before
    assert before.count("Its scores are in ") == 1
    assert [(directory / name).read_bytes() for name in ("scores.json", "scores.png")] == results


@pytest.mark.slow
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "difference"),
    [
        (["--steps=3"], "steps=2 there, 3 here"),
        (["--base_channels=8"], "base_channels=4 there, 8 here"),
        (["--seed=1"], "seed=0 there, 1 here"),
        (["--seeds=1"], "seeds=2 there, 1 here"),
        (
            ["--num_images=120", "--truncation=0.5"],
            "num_images=100 there, 120 here; truncation=1.0",
        ),
        (["--vary=base_channels=4,8"], "vary=attention_layer there, base_channels here"),
        (
            ["--vary=attention_layer=residual,self_attention"],
            "values=['self_attention', 'residual'] there, ['residual', 'self_attention'] here",
        ),
    ],
)
def test_another_comparison_in_the_same_folder_is_refused(ablation, flags, difference):
    before = contents(ablation)
    small = [flag for flag in TINY if "base_channels" not in flag or "vary" not in flags[0]]
    line = error_line("ablate", VARY, "--seeds=2", f"--output={ablation}", *small, *flags)
    assert line.startswith(f"{ablation} holds another comparison (") and difference in line
    assert line.endswith("): choose another directory")
    assert contents(ablation) == before


def test_models_to_begin_with_are_known_by_their_weights(tmp_path):
    output, origins = tmp_path / "ablation", [str(tmp_path / name) for name in "ab"]
    for number, path in enumerate(origins):
        sagan = tiny(10)
        sagan.generator.to_image.layer.bias.assign([float(number)])
        sagan.save_preset(path)

    def check(ablate):
        config, _ = ablate.training_flags.chosen_config()
        runs = ablate.list_runs(config, *ablate.FLAGS.vary, output)
        # A path as a value leads nowhere else.
        assert {run.folder.parent.parent for run in runs} == {output}
        assert len({run.folder for run in runs}) == 4
        digests = ablate.digests_of_origins(runs, output)
        assert list(digests) == origins and len(set(digests.values())) == 2
        # What was there when the comparison began may be gone.
        write_json(output / "ablation.json", {"origins": digests})
        shutil.rmtree(origins[0])
        assert ablate.digests_of_origins(runs, output) == digests

    vary = f"--vary=init_from={','.join(origins)}"
    call("ablate", check, vary, "--seeds=2", f"--output={output}", *TINY)


@pytest.mark.usefixtures("at_once")
def test_the_folder_of_a_run_is_refused(tmp_path):
    (tmp_path / "config.json").touch()
    line = error_line("ablate", VARY, f"--output={tmp_path}")
    assert line == f"{tmp_path} holds a model or a run: choose another directory"
    (tmp_path / "config.json").unlink()
    (tmp_path / "ablation.json").write_text("[]")
    assert "does not hold the settings" in error_line("ablate", VARY, f"--output={tmp_path}")


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "--vary is missing. Setting to vary and two or more of its values, such as"),
        (["--vary=base_chanels=4,8"], "Unknown setting: base_chanels. Did you mean base_channels"),
        (["--vary=base_channels"], "--vary must be a setting and two or more of its values, as"),
        (["--vary=base_channels=4"], "--vary must be a setting and two or more of its values"),
        (["--vary=base_channels=0,4"], "base_channels must be at least 1. Received: 0"),
        (["--vary=base_channels=4,x"], "base_channels must be an integer. Received: x"),
        (["--vary=beta_1=0,1"], "beta_1 must be in [0, 1). Received: 1"),
        (["--vary=loss=hinge,hing"], "Unknown loss: hing. Did you mean hinge"),
        (["--vary=flip=true,3"], "flip must be true or false. Received: 3"),
        (["--vary=base_channels=4,4"], "4 is there twice: variants must differ"),
        (["--vary=attention_resolutions=8,(8,)"], "(8,) is there twice: variants must differ"),
        (["--vary=attention_resolutions=(),"], "a value is empty: () is for no items"),
        (
            ["--vary=attention_resolutions=none,(8,)"],
            "--vary: none and (8,) make the same model here, and variants must differ",
        ),
        (
            [VARY, "--attention_resolutions=()"],
            "--vary: self_attention and residual make the same model here",
        ),
        (
            ["--vary=attention_resolutions=(),(5,)"],
            "--attention_resolutions must be among [8, 16], the resolutions of the generator's",
        ),
        (["--vary=base_channels=1,4"], "Attention needs at least 8 channels, but the generator"),
        (
            ["--vary=accumulation_steps=1,3"],
            "A batch of 32 images does not divide among 1 replicas with accumulation_steps=3",
        ),
        (["--vary=steps_per_loop=1,2"], "Unknown setting: steps_per_loop"),
        (["--vary=seed=1,2"], "--vary=seed compares nothing: --seeds says how many seeds there"),
        (["--vary=init_digest=a,b"], "--vary=init_digest compares nothing: it is filled in when"),
        (["--vary=penalty_weight=1,2"], "--vary: 1.0 and 2.0 make the same model here"),
        (["--vary=image_size=16,32"], "--vary=image_size compares nothing: variants are scored"),
        (["--vary=dataset=digits,cifar10"], "--vary=dataset compares nothing: variants are scored"),
        (["--vary=steps=1,2", "--steps=3"], "--steps and --vary=steps exclude each other"),
        ([VARY, "--seeds=0"], "--seeds=0: 0 is not a positive integer"),
        ([VARY, "--seeds=many"], "--seeds must be an integer. Received: many"),
        ([VARY, "--seed=2147483647"], "--seed must be in [0, 2147483648). Received: 2147483648"),
        ([VARY, "--steps=0"], "--steps must be at least 1. Received: 0"),
        ([VARY, "--metrics=fidd"], "Unknown metric: fidd. Did you mean fid"),
        ([VARY, "--dataset=./no/such/folder"], "image folder no/such/folder does not exist"),
        ([VARY, "--output=/dev/null/a"], "--output=/dev/null/a cannot be written: Not a directory"),
        ([VARY, "--strategy=tpu"], "--strategy=tpu needs --tpu=NAME"),
        (
            [VARY, "--preset=sagan_digits"],
            "Unknown preset: sagan_digits. Did you mean sagan_di",
        ),
    ],
)
def test_wrong_input_is_named(tmp_path, flags, message):
    assert message in error_line("ablate", f"--output={tmp_path / 'new'}", *flags)
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("at_once")
def test_a_cluster_is_refused(tmp_path, monkeypatch):
    config = '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}'
    monkeypatch.setenv("TF_CONFIG", config)
    line = error_line("ablate", VARY, f"--output={tmp_path}")
    assert line == "ablate.py trains on one host, but TF_CONFIG names a cluster: unset it"


def test_what_cannot_be_scored_is_not_trained(cache, tmp_path):
    flags = (VARY, f"--output={tmp_path / 'new'}", cache, *SMALL, "--num_images=5000")
    line = error_line("ablate", *flags)
    assert "has 1797 images, fewer than the 5000 to compare with" in line
    assert not (tmp_path / "new").exists()


@pytest.mark.soak
def test_kills_at_any_moment_change_nothing(ablation, cache, tmp_path):
    rng = np.random.default_rng()
    print(f"The moments are those of seed {rng.bit_generator.seed_seq.entropy}")
    directory = tmp_path / "ablation"
    flags = (VARY, "--seeds=2", f"--output={directory}", cache, *TINY)
    command = [sys.executable, str(ROOT / "experiments" / "ablate.py"), *flags]
    options = {"env": {**os.environ, "PYTHONPATH": str(ROOT)}, "stderr": subprocess.STDOUT}
    kills = 0
    for _ in range(40):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
            try:
                # The first is too soon to be done. Later ones leave time to come further.
                output, _ = process.communicate(timeout=rng.uniform(5, 60 if kills else 15))
                break
            except subprocess.TimeoutExpired:
                number = rng.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
                process.send_signal(int(number))
                kills += 1
                output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert kills
    for name in ("scores.json", "scores.png"):
        assert (directory / name).read_bytes() == (ablation / name).read_bytes()
