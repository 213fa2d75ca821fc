"""``tagline report``."""

import shutil


def test_the_report_is_written_again(call, run_folder, here):
    shutil.copytree(run_folder, here / "run")
    before = (here / "run" / "report.html").read_text()
    (here / "run" / "report.html").unlink()
    status, out, _ = call("report", "run", "-q")
    assert (status, out) == (0, "run/report.html\n")
    assert (here / "run" / "report.html").read_text() == before
