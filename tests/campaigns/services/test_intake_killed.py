from pathlib import Path

from tests.campaigns.killed_import import WHOLE, kill_and_go_on


def test_a_killed_process_loses_and_doubles_no_row_of_its_import(tmp_path: Path) -> None:
    assert kill_and_go_on({"DATA_DIR": str(tmp_path), "DATABASE_URL": ""}) == WHOLE
