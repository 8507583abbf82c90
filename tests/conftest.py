"""Order of the tests."""

_LONG = ("resume_test.py", "trainer_replicas_test.py", "workers_test.py")


def pytest_collection_modifyitems(items):
    # Of two processes, the one that got the longest file last would end long after the other.
    items.sort(key=lambda item: item.path.name not in _LONG)
