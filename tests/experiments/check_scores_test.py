import pytest

from experiments.check_scores import rows
from sagan_tf.data import find_dataset
from sagan_tf.evaluation import Classifier


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    source = find_dataset("digits")
    features = Classifier.trained_on(source, 16, 1, cache_dir=tmp_path_factory.mktemp("cache"))
    return rows(source, features)


@pytest.mark.parametrize(
    ("change", "worse"),
    [
        ("noise of deviation 0.2", "+fid +kid"),
        ("noise of deviation 0.5", "+fid +kid -precision -density -coverage"),
        ("blur of deviation 1", "+fid +kid -precision -recall -density -coverage -diversity"),
        ("blur of deviation 2", "+fid +kid -is -precision -recall -density -recognized"),
        ("no 5 to 9", "+fid +kid -is -recall -coverage"),
        ("a tenth, 10 times", "+fid +kid -recall -coverage -diversity"),
        ("wrong labels", "-recognized"),
        ("copies of the first half", "-nearest_ratio"),
    ],
)
def test_each_change_is_noticed(table, change, worse):
    before, after = table["as it is"], table[change]
    for sign, name in ((word[0], word[1:]) for word in worse.split()):
        assert after[name] > before[name] if sign == "+" else after[name] < before[name], name


def test_more_of_it_is_worse(table):
    for kind, deviations in (("noise", ("0.2", "0.5")), ("blur", ("1", "2"))):
        less, more = (table[f"{kind} of deviation {deviation}"] for deviation in deviations)
        assert more["fid"] > less["fid"]
        assert more["coverage"] < less["coverage"]
