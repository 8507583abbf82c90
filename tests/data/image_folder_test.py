import re

import pytest

from sagan_tf.data import ImageFolder


def listing(folder, root):
    """(label, path relative to `root`) of all images, in order."""
    examples = [folder.read(index) for index in range(len(folder))]
    return [(label, name.removeprefix(f"{root}/")) for _, label, name in examples]


def test_classes_are_folders(make_folder):
    root = make_folder("dog/b.png", "dog/a.jpg", "cat/z.JPEG", "cat/c.PNG", "cat/x.JpG")
    folder = ImageFolder(root)
    assert folder.class_names == ("cat", "dog")
    assert folder.num_classes == 2
    assert folder.name == str(root)
    cats = [(0, f"cat/{name}") for name in ("c.PNG", "x.JpG", "z.JPEG")]
    assert listing(folder, root) == [*cats, (1, "dog/a.jpg"), (1, "dog/b.png")]
    assert folder.read(0).encoded == (root / "cat/c.PNG").read_bytes()


def test_images_may_lie_deeper_and_behind_links(make_folder):
    root = make_folder("cat/tabby/old/a.png", "cat/b.png", "elsewhere/deep/c.png")
    images = root / "images"
    images.mkdir()
    (images / "cat").symlink_to(root / "cat")
    (images / "dog").symlink_to(root / "elsewhere" / "deep")
    (root / "cat" / "loop").symlink_to(root / "cat")
    assert listing(ImageFolder(images), images) == [
        (0, "cat/b.png"),
        (0, "cat/tabby/old/a.png"),
        (1, "dog/c.png"),
    ]


def test_hidden_and_other_files_are_passed_over(make_folder):
    root = make_folder(
        "cat/a.png", "cat/.b.png", ".git/c.png", "cat/.thumbnails/d.png", "._cat/e.png", "f.png"
    )
    (root / "cat" / "notes.txt").write_text("notes")
    (root / "empty").mkdir()
    folder = ImageFolder(root)
    assert folder.class_names == ("cat",)
    assert listing(folder, root) == [(0, "cat/a.png")]


def test_splits_share_the_class_list(make_folder):
    root = make_folder("train/dog/a.png", "train/cat/b.png", "test/eel/c.png", "holdout/dog/d.png")
    folders = {split: ImageFolder(root, split) for split in ("train", "test", "holdout")}
    assert {folder.class_names for folder in folders.values()} == {("cat", "dog", "eel")}
    assert listing(folders["train"], root) == [(0, "train/cat/b.png"), (1, "train/dog/a.png")]
    assert listing(folders["test"], root) == [(2, "test/eel/c.png")]
    assert listing(folders["holdout"], root) == [(1, "holdout/dog/d.png")]
    assert folders["train"].name == f"{root}/train"


def test_a_split_may_have_any_name_and_a_class_that_of_a_split(make_folder):
    root = make_folder("holdout/dog/a.png", "rest/cat/b.png", "all/train/c.png", "all/x/d.png")
    assert listing(ImageFolder(root, "holdout"), root)[0] == (1, "holdout/dog/a.png")
    assert ImageFolder(root / "all").class_names == ("train", "x")


def test_unknown_split_lists_those_that_exist(make_folder):
    root = make_folder("test/cat/a.png", "holdout/cat/b.png")
    for split in ("validation", "train", "tset"):
        with pytest.raises(ValueError, match=f"Unknown split of .*: {split}.*Valid: holdout, test"):
            ImageFolder(root, split)


@pytest.mark.parametrize(
    ("names", "split", "message"),
    [
        ([], "train", "{root} holds no images. Expected {root}/<class>/*.jpg or"),
        (["a.png"], "train", "{root} holds images but no class folders. Expected"),
        (["train/a.png"], "train", "{root}/train holds images but no class folders."),
        (["test/a.png", "train/a.png"], "test", "{root}/test holds images but no class folders."),
        (["cat/a.png"], "test", "{root} has no splits, only classes, which are all `train`."),
    ],
)
def test_other_layouts_are_errors(make_folder, names, split, message):
    root = make_folder(*names)
    with pytest.raises(ValueError, match=rf"\A{re.escape(message.format(root=root))}.*\Z"):
        ImageFolder(root, split)


def test_a_missing_folder_and_a_file_are_errors(tmp_path):
    (tmp_path / "file").touch()
    for name, what in (("no", "does not exist"), ("file", "is not a folder")):
        with pytest.raises(ValueError, match=f"The image folder {tmp_path}/{name} {what}."):
            ImageFolder(tmp_path / name)


def test_home_is_expanded(make_folder, monkeypatch):
    monkeypatch.setenv("HOME", str(make_folder("pets/cat/a.png")))
    assert len(ImageFolder("~/pets")) == 1
