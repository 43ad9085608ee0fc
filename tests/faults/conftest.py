import pytest

from tests.faults.parts import Parts
from tests.faults.sink import open_sink


@pytest.fixture
def sink():
    with open_sink() as one:
        yield one


@pytest.fixture
def parts(transactional_db, tmp_path, sink):
    """Processes on the database of the test that send to the sink; whatever still runs at the end is killed."""
    one = Parts(tmp_path, sink.port)
    yield one
    one.end()
