import pytest

from simulators.story import Story


@pytest.fixture
def story() -> Story:
    """One home, lived through by hand: see `simulators/story.py`."""
    return Story()
