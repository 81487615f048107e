"""The data folder belongs to one at a time, and only to a release that knows its layout."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from kit.embedded import DataDirectory, EmbeddedError
from kit.embedded.accounts import Account, open_the_way

HOLDER = """
import sys
from pathlib import Path
from kit.embedded.data_directory import DataDirectory
with DataDirectory(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_is_created_for_us_alone_and_opens_again(tmp_path: Path) -> None:
    for _ in range(2):
        with DataDirectory(tmp_path / "new" / "data") as data:
            assert stat.S_IMODE(data.path.stat().st_mode) == 0o700
            assert stat.S_IMODE(data.folder("media").stat().st_mode) == 0o700


def test_a_second_user_is_told_who_the_first_is_and_gets_in_after_its_death(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(EmbeddedError, match=rf"in use by another `signoff up` \(process {holder.pid}\): stop"):
            DataDirectory(tmp_path).acquire()
        holder.kill()
        holder.wait()
    with DataDirectory(tmp_path):
        pass


def test_another_layout_is_refused_and_the_lock_given_back(tmp_path: Path) -> None:
    (tmp_path / "VERSION").write_text("99\n")
    for _ in range(2):
        with pytest.raises(EmbeddedError, match="has layout 99, this release knows layout 1: run the release"):
            DataDirectory(tmp_path).acquire()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(EmbeddedError, match=r"already holds other files \(letter.txt\): name a new or empty folder"):
        DataDirectory(tmp_path).acquire()


def test_what_the_disk_refuses_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"file: (File exists|Not a directory): put that right, or name another"):
        DataDirectory(tmp_path / "file").acquire()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs a server as somebody else")
def test_the_way_for_the_server_lets_one_group_through_ours_and_nobody_list_any(tmp_path: Path) -> None:
    above, data = tmp_path / "above", tmp_path / "above" / "data"
    above.mkdir(mode=0o700)
    data.mkdir(mode=0o700)
    account = Account(uid=4242, gid=4243)
    open_the_way(account, target=data / "postgres", own=data)
    assert stat.S_IMODE(above.stat().st_mode) == 0o701
    assert (stat.S_IMODE(data.stat().st_mode), data.stat().st_gid) == (0o710, 4243)
