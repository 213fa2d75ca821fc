"""Figures of several processes."""

from tagline.serve.workers.figures import Figures, SharedFigures

PATHS = ["/v1/predict", "other"]


def counted(n):
    figures = Figures(PATHS)
    figures.in_flight = 1
    for _ in range(n):
        figures.requests["/v1/predict", 200] += 1
        figures.texts[("reviews",)] += 3
        figures.seconds["/v1/predict"].observe(0.002)
        figures.batches.observe(3)
    return figures


def test_figures_add_up(tmp_path):
    shared = [SharedFigures(tmp_path, worker) for worker in (1, 2)]
    for n, one in enumerate(shared, 2):
        one.write(counted(n))
    for one in shared:
        total = Figures(PATHS)
        one.add_all(total)
        assert total.to_json() == counted(5).to_json().replace("[1,", "[2,", 1)


def test_a_worker_goes_on_from_the_figures_of_the_one_it_replaces(tmp_path):
    SharedFigures(tmp_path, 1).write(counted(4))
    replacement, other = Figures(PATHS), Figures(PATHS)
    SharedFigures(tmp_path, 1).restore(replacement)
    SharedFigures(tmp_path, 2).restore(other)
    assert replacement.requests == counted(4).requests
    assert replacement.in_flight == 0  # what the other one was answering is lost
    assert other.to_json() == Figures(PATHS).to_json()
