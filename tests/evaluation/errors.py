"""What functions say of arguments that they refuse."""

import pytest


def message(function, *arguments, error=ValueError, **options):
    """The one line that an error says."""
    with pytest.raises(error, match=r"\A.+\Z") as caught:
        function(*arguments, **options)
    return str(caught.value)
