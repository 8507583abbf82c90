import json
import subprocess

import pytest

from sagan_tf.evaluation import Scores, format_table, provenance, summarize


def scores(fid):
    rows = [
        {"class": "cat", "images": 50, "real_images": 60, "fid": 2 * fid},
        {"class": "dog", "images": 50, "real_images": 40, "fid": fid, "recognized": 0.5},
    ]
    attention = {"attention_8": {"gate": 0.5, "distance": 0.25}}
    return Scores(100, 2000, {"fid": fid, "precision": 0.9}, rows, attention)


def test_mean_and_deviation_of_the_sample():
    found = summarize([scores(1.0), scores(2.0), scores(6.0)])
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    fid = found["scores"]["fid"]
    assert fid == {"mean": 3.0, "std": pytest.approx(7**0.5), "values": [1.0, 2.0, 6.0]}
    assert found["classes"][0] == {"class": "cat", "images": 50, "real_images": 60, "fid": 6.0}
    assert found["classes"][1]["recognized"] == 0.5
    assert found["attention"] == {"attention_8": {"gate": 0.5, "distance": 0.25}}
    assert (found["num_real_images"], found["num_images"]) == (100, 2000)
    alone = summarize([scores(1.0)])["scores"]["fid"]
    assert alone == {"mean": 1.0, "std": None, "values": [1.0]}


def test_the_table_shows_all_that_was_found():
    first, second = summarize([scores(1.0), scores(3.0)]), Scores(50, 50, {"fid": 12.3}, [])
    assert format_table({"generated": first, "real": summarize([second])}) == (
        "                   generated   real\n"
        "images                 2,000     50\n"
        "real images              100     50\n"
        "fid          2.0000 ± 1.4142  12.30\n"
        "precision    0.9000 ± 0.0000\n"
        "\n"
        "class  images  real images     fid  recognized\n"
        "cat        50           60  4.0000\n"
        "dog        50           40  2.0000      0.5000\n"
        "\n"
        "               gate  distance\n"
        "attention 8  0.5000    0.2500"
    )


def test_provenance_names_versions_and_the_revision():
    found = provenance()
    assert set(found["versions"]) >= {"python", "sagan-tf", "tensorflow", "keras", "numpy"}
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True)
    revision = (found["git_revision"] or "").removesuffix("-modified")
    assert revision == (head.stdout.strip() if head.returncode == 0 else "")
