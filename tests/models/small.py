"""The name under which other tests know `tests.tiny`."""

from tests.tiny import tiny as small

__all__ = ["small"]
