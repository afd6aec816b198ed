"""Following logs: complete lines, once, with the name of the function."""

from pathlib import Path

from local.logs import LogFollower


def test_lines_come_once_and_complete(tmp_path: Path) -> None:
    log = tmp_path / "pytake-local-webhook.log"
    log.write_text("from an earlier run\n")
    follower = LogFollower(tmp_path)
    with log.open("a") as file:
        file.write("one\ntwo\nthr")
    assert follower.new_lines() == ["pytake-local-webhook: one", "pytake-local-webhook: two"]
    with log.open("a") as file:
        file.write("ee\n")
    assert follower.new_lines() == ["pytake-local-webhook: three"]
    assert follower.new_lines() == []


def test_a_file_that_appears_or_starts_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path)
    (tmp_path / "a.log").write_text("first run, long line\n")
    assert follower.new_lines() == ["a: first run, long line"]
    (tmp_path / "a.log").write_text("second\n")
    assert follower.new_lines() == ["a: second"]


def test_what_sam_says_is_left_out(tmp_path: Path) -> None:
    follower = LogFollower(tmp_path)
    (tmp_path / "deployment.log").write_text("Building layer\n")
    assert follower.new_lines() == []
