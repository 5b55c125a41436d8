"""The file of a session that is damaged, newer, locked, protected or has no room (FAULTS 31 and 32)."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.review.backups import backups
from engine.review.decision import Decision, Status
from engine.review.image_review import ImageReview
from engine.review.session import Session, Step
from tests.children import child_environment, needs_modes
from tests.engine.review.test_packing import some

IMAGE = "a" * 32
BLOCK = 4096


def decide(path: Path, count: int, note: str = "") -> ImageReview:
    """Open, add boxes to the image, put detections, close; the review that is kept then."""
    session = Session.open(path)
    review = session.image(IMAGE)
    for _ in range(count):
        added = Decision(session.next_id, Status.ADDED, "二维码", (1.0, 2.0, 3.0, 4.0))
        after = replace(review, decisions=(*review.decisions, added), note=note)
        session.do(Step(IMAGE, "add", review, after))
        session.put_detections(f"{added.id:032x}", "f" * 32, some(300))
        review = after
    session.close()
    return review


def review_in(path: Path) -> ImageReview:
    session = Session.open(path)
    review = session.image(IMAGE)
    session.close()
    return review


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "会话 50%?#" / "快递.detrdesk"


def test_a_damaged_session_is_renamed_and_its_backup_opened(path: Path) -> None:
    before = decide(path, 3)
    decide(path, 2)  # its opening makes the backup of what was before
    damaged = b"not SQLite" * 1000
    path.write_bytes(damaged)
    Path(f"{path}-wal").write_bytes(b"log")
    session = Session.open(path)
    assert session.image(IMAGE) == before
    assert (session.undo_text, session.next_id) == ("add", 4)
    assert not session.is_read_only
    assert session.notice is not None
    assert session.notice.code == "session_restored"
    aside = path.with_name(str(session.notice.params["aside"]))
    assert str(path) in session.notice.message
    assert aside.name.startswith("快递.detrdesk.damaged-20")
    assert aside.read_bytes() == damaged
    assert Path(f"{aside}-wal").read_bytes() == b"log"
    session.do(Step(IMAGE, "note", before, replace(before, note="goes on")))
    session.close()
    again = Session.open(path)
    assert again.notice is None
    assert again.image(IMAGE).note == "goes on"
    again.close()


def test_decisions_are_synced_and_what_can_be_made_again_is_not(path: Path) -> None:
    session = Session.open(path)
    levels = []
    for channel in (session.store.durable, session.store.derived):
        with channel.reading() as connection:
            levels.append(
                [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
            )
    session.close()
    assert levels == [["wal", 2], ["wal", 1]]


def test_two_damaged_files_of_a_day_are_both_kept(path: Path) -> None:
    path.parent.mkdir()
    for content in (b"one", b"two"):
        path.write_bytes(content)
        session = Session.open(path)
        assert session.notice is not None
        assert session.notice.code == "session_begun_anew"
        session.close()
    assert sorted(aside.read_bytes() for aside in path.parent.glob("*.damaged-*")) == [b"one", b"two"]


def test_a_damaged_backup_is_passed_over(path: Path) -> None:
    wanted = decide(path, 1)
    decide(path, 1)
    decide(path, 1)
    newest, older = backups(path)
    newest.write_bytes(newest.read_bytes()[:BLOCK])
    path.write_bytes(b"damaged")
    assert older.is_file()
    assert review_in(path) == wanted


def test_three_backups_are_kept_and_only_of_changes(path: Path) -> None:
    reviews = [decide(path, 1) for _ in range(6)]
    review_in(path)
    review_in(path)
    assert len(backups(path)) == 3
    assert [entry.name for entry in backups(path)[0].parent.iterdir() if entry.suffix != ".detrdesk"] == []
    for backup, review in zip(backups(path), reversed(reviews), strict=False):
        assert review_in(shutil.copyfile(backup, path.with_name(f"of {backup.name}"))) == review


def test_a_backup_leaves_detections_behind(path: Path) -> None:
    decide(path, 100)
    review_in(path)
    assert backups(path)[0].stat().st_size < path.stat().st_size / 5


def test_a_backup_that_cannot_be_made_is_reported(path: Path) -> None:
    review = decide(path, 1)
    (path.parent / "backups").write_bytes(b"a file in the way")
    session = Session.open(path)
    assert session.notice is not None
    assert session.notice.code == "session_no_backup"
    assert session.image(IMAGE) == review
    session.close()


def test_an_empty_file_is_a_new_session(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    session = Session.open(path)
    assert session.notice is None
    assert session.image(IMAGE) == ImageReview()
    session.close()


def test_a_file_that_was_cut_to_nothing_is_damaged(path: Path) -> None:
    review = decide(path, 1)
    review_in(path)
    path.write_bytes(b"")
    session = Session.open(path)
    assert session.image(IMAGE) == review
    assert session.notice is not None
    session.close()


def assert_opens_or_restores(path: Path, cut: int, whole: ImageReview, backup: ImageReview) -> None:
    """The session, cut after so many bytes, opens with everything, or with the backup and what was cut beside it."""
    os.truncate(path, cut)
    content = path.read_bytes()
    session = Session.open(path)
    try:
        if session.notice is None:
            assert session.image(IMAGE) == whole
        else:
            assert session.notice.code == "session_restored"
            assert session.image(IMAGE) == backup
            assert path.with_name(str(session.notice.params["aside"])).read_bytes() == content
        review = session.image(IMAGE)
        session.do(Step(IMAGE, "note", review, replace(review, note="goes on")))
    finally:
        session.close()


def cut_everywhere(path: Path, tmp_path: Path, step: int) -> None:
    backup = decide(path, 10)
    whole = decide(path, 10, "later")
    size = path.stat().st_size
    for cut in range(0, size, step):
        copy = Path(shutil.copytree(path.parent, tmp_path / f"cut {cut}")) / path.name
        assert_opens_or_restores(copy, cut, whole, backup)
        shutil.rmtree(copy.parent)


def test_cut_at_some_places(path: Path, tmp_path: Path) -> None:
    cut_everywhere(path, tmp_path, 6 * BLOCK)
    cut_everywhere(path.with_name("other.detrdesk"), tmp_path, 37_777)


@pytest.mark.soak
def test_cut_at_every_block(path: Path, tmp_path: Path) -> None:
    cut_everywhere(path, tmp_path, BLOCK)


@pytest.mark.parametrize("step", [8 * BLOCK + 24, pytest.param(BLOCK, marks=pytest.mark.soak)])
def test_a_cut_log_loses_only_its_end(path: Path, tmp_path: Path, step: int) -> None:
    """What a power cut leaves of the log: the steps up to some one are there, whole."""
    session = Session.open(path)
    review, known = ImageReview(), [ImageReview()]
    for at in range(40):
        after = replace(review, note=str(at))
        session.do(Step(IMAGE, "note", review, after))
        review = after
        known.append(after)
    crashed = tmp_path / "crashed"
    shutil.copytree(path.parent, crashed)
    session.close()
    log = crashed / f"{path.name}-wal"
    for cut in range(0, log.stat().st_size, step):
        copy = Path(shutil.copytree(crashed, tmp_path / f"cut {cut}")) / path.name
        os.truncate(f"{copy}-wal", cut)
        Path(f"{copy}-shm").unlink()
        session = Session.open(copy)
        assert session.notice is None
        reached = known.index(session.image(IMAGE))
        assert session.undo_text == ("note" if reached else "")
        session.close()
        shutil.rmtree(copy.parent)


def test_garbage_in_the_middle_is_found(path: Path) -> None:
    review = decide(path, 10)
    review_in(path)
    content = bytearray(path.read_bytes())
    content[BLOCK : 3 * BLOCK] = os.urandom(2 * BLOCK)
    path.write_bytes(content)
    session = Session.open(path)
    assert session.notice is not None
    assert session.image(IMAGE) == review
    session.close()


def test_a_newer_session_is_refused_and_untouched(path: Path) -> None:
    decide(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    content = path.read_bytes()
    entries = sorted(path.parent.rglob("*"))
    with pytest.raises(EngineError, match="newer detrdesk") as caught:
        Session.open(path)
    assert caught.value.code == "session_newer"
    assert str(path) in caught.value.message
    assert path.read_bytes() == content
    assert sorted(path.parent.rglob("*")) == entries


def test_a_newer_session_whose_version_is_in_the_log_is_refused(path: Path, tmp_path: Path) -> None:
    decide(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
        copy = Path(shutil.copytree(path.parent, tmp_path / "copy")) / path.name
    with pytest.raises(EngineError, match="newer detrdesk"):
        Session.open(copy)


def test_a_newer_session_that_was_killed_keeps_its_log(path: Path, tmp_path: Path) -> None:
    decide(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE state SET done = 7")
        copy = Path(shutil.copytree(path.parent, tmp_path / "copy")) / path.name
    log = Path(f"{copy}-wal")
    contents = copy.read_bytes(), log.read_bytes()
    with pytest.raises(EngineError, match="newer detrdesk"):
        Session.open(copy)
    assert (copy.read_bytes(), log.read_bytes()) == contents


@pytest.mark.parametrize("application_id", [0, 7])
def test_another_programs_database_is_refused_and_untouched(path: Path, application_id: int) -> None:
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
        connection.execute(f"PRAGMA application_id = {application_id}")
    content = path.read_bytes()
    with pytest.raises(EngineError, match="not a session") as caught:
        Session.open(path)
    assert caught.value.code == "session_foreign"
    assert path.read_bytes() == content


def test_a_session_without_one_of_its_tables_is_damaged(path: Path) -> None:
    decide(path, 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE decision")
    session = Session.open(path)
    assert session.notice is not None
    session.close()


def assert_only_reads(session: Session, review: ImageReview) -> None:
    assert session.is_read_only
    assert session.image(IMAGE) == review
    step = Step(IMAGE, "note", review, replace(review, note="x"))
    changes = (
        lambda: session.do(step),
        session.undo,
        session.redo,
        lambda: session.put_detections(IMAGE, "f", some()),
        lambda: session.note_image("a", IMAGE, "a", 1, 1),
        lambda: session.note_unreadable("a", "It is empty."),
        lambda: session.set_view({}),
    )
    for change in changes:
        with pytest.raises(EngineError) as caught:
            change()
        assert caught.value.code == "session_read_only"
    assert session.image(IMAGE) == review


def test_a_second_opening_is_read_only_and_sees_decisions(path: Path) -> None:
    decide(path, 1)
    first, second = Session.open(path), Session.open(path)
    try:
        assert second.notice is not None
        assert second.notice.code == "session_in_use"
        review = first.image(IMAGE)
        first.do(Step(IMAGE, "note", review, replace(review, note="meanwhile")))
        assert_only_reads(second, replace(review, note="meanwhile"))
        assert first.notice is None
        first.do(Step(IMAGE, "note", first.image(IMAGE), review))
    finally:
        second.close()
        first.close()
    assert review_in(path) == review


OPEN = """
import filelock, resource, signal, sys
from pathlib import Path
from tests.children import obey_modes
path, limit = Path(sys.argv[1]), int(sys.argv[3])
from engine.errors import EngineError
from engine.review.image_review import ImageReview
from engine.review.session import Session, Step
if sys.argv[2] == "True": obey_modes()
if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
done = 0
try:
    session = Session.open(path)
    print("read-only" if session.is_read_only else "writable", session.notice.code if session.notice else "")
    print(len(session.image("a" * 32).decisions), "decisions")
    for done in range(int(sys.argv[4])):
        before = session.image("b" * 32)
        session.do(Step("b" * 32, "note", before, ImageReview(note=f"{done} " + "x" * 2000)))
    done += 1
except EngineError as error: print(error.code, error.message)
if "session" in globals():
    print(session.image("b" * 32).note.split(" ")[0], session.undo_text, "in memory")
    session.close()
print(done, "done")
"""


def open_elsewhere(
    path: Path, *, by_modes: bool = False, limit: int = 0, steps: int = 1, before: tuple[str, ...] = ()
) -> list[str]:
    """What another process says that opens the session and writes notes."""
    command = [*before, sys.executable, "-X", "dev", "-c", OPEN, *map(str, (path, by_modes, limit, steps))]
    done = subprocess.run(command, capture_output=True, text=True, env=child_environment(), timeout=100)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    return done.stdout.splitlines()


def test_another_process_only_reads_until_the_first_ends(path: Path) -> None:
    decide(path, 2)
    session = Session.open(path)
    said = open_elsewhere(path)
    session.close()
    assert said[:2] == ["read-only session_in_use", "2 decisions"]
    assert said[2].startswith("session_read_only")
    assert open_elsewhere(path)[0] == "writable "


@pytest.fixture
def protected(path: Path, tmp_path: Path) -> Path:
    """A session in a read-only folder."""
    decide(path, 3)
    path.parent.chmod(0o555)
    return path


@needs_modes
def test_a_session_in_a_read_only_folder_can_be_read(protected: Path) -> None:
    entries = sorted(protected.parent.iterdir())
    said = open_elsewhere(protected, by_modes=True)
    assert said[:2] == ["read-only session_protected", "3 decisions"]
    assert said[2].startswith(f"session_read_only The session {protected}")
    assert sorted(protected.parent.iterdir()) == entries
    protected.parent.chmod(0o755)


@needs_modes
def test_a_write_protected_session_can_be_read(protected: Path) -> None:
    protected.with_name(f"{protected.name}.lock").unlink()
    protected.parent.chmod(0o777)
    protected.chmod(0o444)
    said = open_elsewhere(protected, by_modes=True)
    protected.chmod(0o644)
    assert said[:2] == ["read-only session_protected", "3 decisions"]


@needs_modes
def test_what_a_killed_process_left_in_a_read_only_folder_is_read_too(protected: Path) -> None:
    protected.parent.chmod(0o755)
    decide(protected, 1)
    session = Session.open(protected)
    review = session.image(IMAGE)
    session.do(Step(IMAGE, "reject", review, replace(review, decisions=review.decisions[:2])))
    copy = Path(shutil.copytree(protected.parent, protected.parent.with_name("killed"))) / protected.name
    session.close()
    Path(f"{copy}-shm").unlink()
    copy.parent.chmod(0o555)
    said = open_elsewhere(copy, by_modes=True)
    copy.parent.chmod(0o755)
    assert said[:2] == ["read-only session_protected", "2 decisions"]


@needs_modes
def test_a_read_only_folder_without_a_session_is_named(protected: Path) -> None:
    other = protected.with_name("other.detrdesk")
    said = open_elsewhere(other, by_modes=True)
    protected.parent.chmod(0o755)
    assert said[0].startswith("session_failed")
    assert str(other) in said[0]
    assert "Permission denied" in said[0]


def test_a_folder_in_the_files_place_is_named(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(EngineError) as caught:
        Session.open(path)
    assert str(path) in caught.value.message


def assert_nothing_half(path: Path, said: list[str], code: str) -> None:
    """A step that failed did not happen, here or there, and the one before did."""
    assert said[2].startswith(code)
    assert str(path) in said[2]
    done = int(said[-1].split()[0])
    last = str(done - 1) if done else ""
    assert said[3].split(" ")[0] == last
    session = Session.open(path)
    assert session.notice is None
    assert session.image("b" * 32).note.split(" ")[0] == last
    assert len(session.image(IMAGE).decisions) == 3
    review = session.image(IMAGE)
    session.do(Step(IMAGE, "note", review, replace(review, note="goes on")))
    session.close()


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_file_size_limit_loses_nothing(path: Path) -> None:
    decide(path, 3)
    said = open_elsewhere(path, limit=500_000, steps=2000)
    assert_nothing_half(path, said, "session_failed")


def test_deciding_goes_on_when_there_is_room_again(path: Path) -> None:
    session = Session.open(path)
    before = ImageReview(note="before")
    session.do(Step(IMAGE, "note", ImageReview(), before))
    session.undo()
    set_most_pages(session, 1)
    long = ImageReview(note="x" * 100_000)
    with pytest.raises(EngineError, match="disk is full") as caught:
        session.do(Step(IMAGE, "note", ImageReview(), long))
    assert caught.value.code == "session_disk_full"
    assert (session.image(IMAGE), session.undo_text, session.redo_text) == (ImageReview(), "", "note")
    set_most_pages(session, 1_000_000)
    session.do(Step(IMAGE, "note", ImageReview(), long))
    assert session.image(IMAGE) == long
    session.close()


def set_most_pages(session: Session, count: int) -> None:
    """What SQLite answers beyond is what it answers on a full disk."""
    with session.store.durable.reading() as connection:
        connection.execute(f"PRAGMA max_page_count = {count}").fetchall()


def test_a_link_and_its_target_are_one_session(path: Path, tmp_path: Path) -> None:
    review = decide(path, 1)
    link = tmp_path / "link.detrdesk"
    link.symlink_to(path)
    first, second = Session.open(link), Session.open(path)
    assert (first.is_read_only, second.is_read_only) == (False, True)
    assert first.image(IMAGE) == review
    second.close()
    first.close()


FILL = 'mount -t tmpfs -o size={size} none "$0" && cp -r "$1" "$0" && "${{@:2}}"; cp -r "$0/." "$1.after"'


@pytest.mark.skipif(not shutil.which("unshare") or not shutil.which("bash"), reason="needs a file system of its own")
def test_a_full_disk_loses_nothing(path: Path, tmp_path: Path) -> None:
    """On a tmpfs of 600 KB that only the other process sees."""
    decide(path, 3)
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    alone = ("unshare", "--user", "--map-root-user", "--mount")
    tried = subprocess.run([*alone, "mount", "-t", "tmpfs", "none", mounted], capture_output=True)
    if tried.returncode:
        pytest.skip("may not mount a file system")
    before = (*alone, "bash", "-c", FILL.format(size="600k"), str(mounted), str(path.parent))
    there = mounted / path.parent.name / path.name
    said = open_elsewhere(there, steps=2000, before=before)
    assert said[2].startswith("session_disk_full")
    assert str(there) in said[2]
    after = Path(f"{path.parent}.after") / path.parent.name / path.name
    assert_nothing_half(after, [line.replace(str(there), str(after)) for line in said], "session_disk_full")


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_without_shared_memory_a_session_opens_and_keeps_everything(path: Path) -> None:
    """WAL refused, as on network shares: DELETE with FULL instead, for what was made elsewhere too."""
    before = decide(path, 2)
    Path(f"{path}-shm").symlink_to(path.parent / "nowhere" / "shm")
    for count in (2, 0):
        after = decide(path, count)
    assert len(after.decisions) == len(before.decisions) + 2
    assert review_in(path) == after
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"


@pytest.mark.skipif(os.name != "posix", reason="flock")
def test_without_locks_a_session_opens_with_a_notice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_flock(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_flock)
    session = Session.open(path)
    assert not session.is_read_only
    assert session.notice is not None
    assert session.notice.code == "session_unlocked"
    session.close()
    assert len(decide(path, 1).decisions) == 1
