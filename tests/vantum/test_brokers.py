from pathlib import Path

from vantum.brokers import FILESYSTEM, broker_options


def test_the_file_based_broker_has_one_folder_for_both_directions(tmp_path: Path) -> None:
    queue = tmp_path / "queue"
    assert broker_options(FILESYSTEM, tmp_path) == {
        "data_folder_in": str(queue),
        "data_folder_out": str(queue),
        "control_folder": str(queue / "control"),
        "polling_interval": 0.1,
    }
    assert queue.is_dir()


def test_a_publisher_does_not_wait_long_for_a_server_that_is_away(tmp_path: Path) -> None:
    assert broker_options("redis://localhost", tmp_path)["socket_connect_timeout"] == 2.0
    assert broker_options("amqp://localhost", tmp_path)["connect_timeout"] == 2.0
    assert list(tmp_path.iterdir()) == []
