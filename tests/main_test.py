"""`python -m sagan_tf` finds the programs; the wheel's are tested in tests/integration."""

import pytest

from sagan_tf import __main__ as main
from tests.experiments.programs import ROOT


def test_the_programs_are_those_of_the_folder():
    files = {path.stem for path in (ROOT / "experiments").glob("*.py")}
    shared = {"__init__", "own_images", "program", "published_statistics", "scoring"}
    shared |= {"settings_flags", "training_flags"}
    assert files == {*main.PROGRAMS} | shared


def test_a_wrong_name_is_answered_with_the_nearest(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["sagan_tf", "trian"])
    with pytest.raises(SystemExit, match="Unknown program: trian. Did you mean train?"):
        main.main()
    monkeypatch.setattr("sys.argv", ["sagan_tf"])
    main.main()
    assert capsys.readouterr().out.startswith("usage: python -m sagan_tf {train,fit,")
