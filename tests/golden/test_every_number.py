"""Every number of a real process, against a calculator that keeps the records and knows none of its code.

A random model and its traffic go over HTTP to a process that is killed twice: late, repeated and shuffled
records, times in the future, outcomes before their predictions, conflicts, revisions and orphans, infinities, new
categories, two versions of the same ids or not. Then each number of ``GET /v1/models/{m}`` is what numpy, scipy and
scikit-learn make of the records (exact to rounding, or within the bound that is published beside it), and
/metrics says the same. Provenance: nothing here was copied from a run of the program.
"""

import pytest
from tests.e2e.harness import Nursery
from tests.golden import comparing, random_traffic, whole_process

pytestmark = [pytest.mark.golden]


@pytest.fixture(scope="module")
def nursery(tmp_path_factory):
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


def agreed(scenario, nursery, folder, least):
    read = whole_process.sent(scenario, nursery, folder)
    found, _ = comparing.compare(scenario, read)
    told = "\n".join(map(str, found.disagreed[:20]))
    assert not found.disagreed, f"{len(found.disagreed)} of {found.compared.total()} disagree:\n{told}"
    assert found.compared.total() > least


@pytest.mark.parametrize(
    ("task", "seed"),
    [
        pytest.param("binary", 106, marks=pytest.mark.slow),
        pytest.param("multiclass", 202, marks=pytest.mark.slow),
        ("regression", 304),
    ],
)
def test_every_number_of_a_small_model_is_the_calculators(task, seed, nursery, tmp_path):
    scenario = random_traffic.scenario(seed, task=task, per_day=90, reference=600, recent=60)
    agreed(scenario, nursery, tmp_path, 1_000)
