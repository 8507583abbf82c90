import json
import subprocess

import numpy as np
import pytest

from sagan_tf.evaluation import Scores, format_table, provenance, summarize


def scores(fid, gate=0.5):
    rows = [
        {"class": "cat", "images": 50, "real_images": 60, "fid": 2 * fid},
        {"class": "dog", "images": 50, "real_images": 40, "fid": fid, "recognized": 0.5},
    ]
    attention = {"attention_8": {"gate": gate, "distance": 0.25}}
    return Scores(100, 2000, {"fid": fid, "precision": 0.9}, rows, attention)


def test_mean_and_deviation_of_the_sample():
    found = summarize([scores(1.0), scores(2.0), scores(6.0)])
    assert found["scores"]["fid"] == {
        "mean": 3.0,
        "std": pytest.approx(np.sqrt(7.0)),
        "values": [1.0, 2.0, 6.0],
    }
    assert found["classes"][0] == {"class": "cat", "images": 50, "real_images": 60, "fid": 6.0}
    assert found["classes"][1]["recognized"] == 0.5
    assert found["attention"] == {"attention_8": {"gate": 0.5, "distance": 0.25}}
    assert (found["num_real_images"], found["num_images"]) == (100, 2000)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_one_value_has_no_deviation():
    assert summarize([scores(1.0)])["scores"]["fid"] == {
        "mean": 1.0,
        "std": None,
        "values": [1.0],
    }


def test_the_table_shows_all_that_was_found():
    table = format_table(
        {
            "generated": summarize([scores(1.0), scores(3.0)]),
            "real": summarize([Scores(50, 50, {"fid": 0.0123}, [])]),
        }
    )
    lines = [line.split() for line in table.splitlines()]
    assert lines[0] == ["generated", "real"]
    assert ["images", "2,000", "50"] in lines
    assert ["real", "images", "100", "50"] in lines
    assert ["fid", "2.0000", "±", "1.4142", "0.0123"] in lines
    assert ["precision", "0.9000", "±", "0.0000"] in lines
    assert ["class", "images", "real", "images", "fid", "recognized"] in lines
    assert ["cat", "50", "60", "4.0000"] in lines
    assert ["attention", "8", "0.5000", "0.2500"] in lines
    assert all(line == line.rstrip() for line in table.splitlines())


def test_provenance_names_versions_and_the_revision():
    found = provenance()
    assert set(found["versions"]) >= {"python", "sagan-tf", "tensorflow", "keras", "numpy"}
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    if head.returncode:
        assert found["git_revision"] is None
    else:
        assert found["git_revision"].removesuffix("-modified") == head.stdout.strip()
