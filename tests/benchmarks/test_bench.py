"""`make bench` works: a short run over real servers, with all that it prints."""

import pytest

from tests.benchmarks import __main__ as bench
from tests.benchmarks import scripts


@pytest.mark.alone
def test_a_short_run_measures_everything(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = "--connections 2 --seconds 0.3 --database sqlite --workers 1 --starts 1 --mails 20"
    status = bench.main(chosen.split())

    said = capsys.readouterr().out
    rows = [line.split(" | ") for line in said.splitlines()]
    measured = {row[0].removeprefix("| "): row for row in rows if row[0].removeprefix("| ") in scripts.MEASURED}
    assert list(measured) == scripts.MEASURED, said
    assert all(float(row[8]) > 0 for row in measured.values()), said
    assert "memory per worker" in said
    assert "mail: 20 of 20 queued messages delivered" in said
    assert status == 0, said


def test_an_operation_that_does_not_exist_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["--operations", "flow,page"])

    assert "no such operation: page" in capsys.readouterr().err
