"""An export as a whole: counts, cancel, failures, and what is left on the disk."""

from __future__ import annotations

import errno
import itertools
import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.errors import EngineError, ImageError
from engine.export.format import ExportFormat
from engine.export.formats import (
    ANNOTATED_JPEG,
    ANNOTATED_PNG,
    COCO_DATASET,
    COCO_RESULTS,
    CROPS,
    CSV,
    EXPORT_FORMATS,
    LABELME,
    PASCAL_VOC,
    YOLO,
)
from engine.export.item import Choice, ExportItem
from engine.export.job import export_items
from engine.export.names import ExportName
from engine.image.source import Source
from engine.storage.atomic import WriteError
from tests.children import child_environment, needs_modes
from tests.engine.export.session import CLASSES, Session, item_of, target_in

EACH = pytest.mark.parametrize("known", EXPORT_FORMATS, ids=lambda known: known.key)


def files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@EACH
def test_each_format_writes_the_session_and_tells(known: ExportFormat, session: Session, tmp_path: Path) -> None:
    told: list[int] = []
    target = target_in(tmp_path / "出", known)
    summary = export_items(known, session.items(), target, CLASSES, progress=told.append)
    assert told == [1, 2, 3]
    assert summary.files == len(files_in(tmp_path / "出"))
    assert (summary.images, summary.detections, summary.without_area) == (3, 6, 0)
    assert (summary.skipped, summary.was_cancelled) == ((), False)


@EACH
def test_exporting_again_gives_the_same_bytes(known: ExportFormat, session: Session, tmp_path: Path) -> None:
    target = target_in(tmp_path / "出", known)
    session.export(known, target)
    first = {name: (tmp_path / "出" / name).read_bytes() for name in files_in(tmp_path / "出")}
    session.export(known, target)
    assert {name: (tmp_path / "出" / name).read_bytes() for name in files_in(tmp_path / "出")} == first


@EACH
def test_no_file_of_an_image_is_lost_or_overwritten(known: ExportFormat, tmp_path: Path) -> None:
    """Same names in several folders, with other endings, and pasted: exported into the images' own folder."""
    for name in ("a/1.png", "a/1.jpg", "b/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (200, 120), "red").save(tmp_path / name)
    session = Session(tmp_path, (*Session.make(tmp_path).sources, *[Source("bytes", "图一", "图一")] * 2))
    before = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
    red = Image.new("RGB", (200, 120), "red")
    items = [replace(item, pixels=lambda: red) for item in session.items()]
    summary = export_items(known, items, target_in(tmp_path, known).parent / target_name(known), CLASSES)
    after = files_in(tmp_path)
    assert summary.images == 8
    assert summary.files == len(after) - len(before)
    assert all((tmp_path / name).read_bytes() == data for name, data in before.items())


def target_name(known: ExportFormat) -> str:
    return target_in(Path(), known).name if known.key in {"coco", "coco-results", "csv"} else ""


def test_a_file_name_is_the_file_of_the_only_image(session: Session, tmp_path: Path) -> None:
    first = next(session.items())
    summary = export_items(ANNOTATED_JPEG, [first], tmp_path / "我的.JPEG", CLASSES)
    assert files_in(tmp_path)[-1] == "我的.JPEG"
    assert summary.files == 1
    with pytest.raises(EngineError, match=r"我的\.JPEG is one file"):
        export_items(ANNOTATED_JPEG, session.items(), tmp_path / "我的.JPEG", CLASSES)


def test_a_folder_whose_name_ends_like_a_file(session: Session, tmp_path: Path) -> None:
    (tmp_path / "out.xml").mkdir()
    assert session.export(PASCAL_VOC, tmp_path / "out.xml").files == 3


def test_a_file_where_a_folder_is_needed_is_named(session: Session, tmp_path: Path) -> None:
    (tmp_path / "出").write_bytes(b"old")
    for known in (CROPS, YOLO):
        with pytest.raises(EngineError, match=f"{tmp_path / '出'} is a file"):
            session.export(known, tmp_path / "出")
    with pytest.raises(EngineError, match=f"{tmp_path / '出'} cannot be written"):
        session.export(CSV, tmp_path / "出" / "a.csv")
    assert (tmp_path / "出").read_bytes() == b"old"


def test_a_folder_where_a_file_is_needed_is_named(session: Session, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=f"{tmp_path} cannot be written: {os.strerror(errno.EISDIR)}"):
        session.export(COCO_DATASET, tmp_path)


def test_no_images_at_all(tmp_path: Path) -> None:
    for known in EXPORT_FORMATS:
        summary = export_items(known, [], target_in(tmp_path / known.key, known), CLASSES)
        assert (summary.images, summary.detections) == (0, 0)


@EACH
def test_images_that_cannot_be_opened_are_reported_and_the_rest_goes_on(
    known: ExportFormat, session: Session, tmp_path: Path
) -> None:
    def broken() -> Image.Image:
        raise ImageError("image_truncated", "The image is truncated.")

    items = [replace(item, pixels=broken) if at == 1 else item for at, item in enumerate(session.items())]
    summary = export_items(known, items, target_in(tmp_path / "出", known), CLASSES)
    if known in (ANNOTATED_PNG, ANNOTATED_JPEG, CROPS):
        assert [(each.name, each.reason.code) for each in summary.skipped] == [("街道/图一.jpg", "image_truncated")]
        assert summary.images == 2
    else:
        assert (summary.images, summary.skipped) == (3, ())


def test_a_class_that_is_unknown_leaves_a_gap_in_the_image_ids(session: Session, tmp_path: Path) -> None:
    items = [
        replace(item, shown=replace(item.shown, names={})) if at == 0 else item
        for at, item in enumerate(session.items())
    ]
    for known, key in ((COCO_DATASET, '"id": 2, "file_name"'), (COCO_RESULTS, '"image_id": 2')):
        summary = export_items(known, items, tmp_path / f"{known.key}.json", CLASSES)
        assert summary.skipped[0].reason.code == "export_class_unknown"
        assert key in (tmp_path / f"{known.key}.json").read_text("utf-8")


def test_boxes_without_area_are_reported(session: Session, tmp_path: Path) -> None:
    items = [
        replace(item, shown=replace(item.shown, boxes=np.array([[5, 5, 5, 9], [1, 1, 9, 9]], np.float32)))
        for item in session.items()
    ]
    summary = export_items(CSV, items, tmp_path / "a.csv", CLASSES)
    assert (summary.detections, summary.without_area) == (3, 3)


@EACH
def test_a_cancelled_export_leaves_no_half_file(known: ExportFormat, session: Session, tmp_path: Path) -> None:
    asked = itertools.count()
    target = target_in(tmp_path / "出", known)
    session.export(known, target)
    whole = {name: (tmp_path / "出" / name).read_bytes() for name in files_in(tmp_path / "出")}
    summary = export_items(known, session.items(Choice.SHOWN), target, CLASSES, cancelled=lambda: next(asked) == 2)
    assert summary.was_cancelled
    assert not [name for name in files_in(tmp_path / "出") if name.endswith(".part")]
    if known in (COCO_DATASET, COCO_RESULTS, CSV):
        assert (summary.files, summary.images, summary.detections) == (0, 0, 0)
        assert target.read_bytes() == whole[target.name]
    else:
        assert (summary.images, summary.detections) == (2, 6)


def test_an_image_with_the_name_of_yolos_own_file_is_reported(tmp_path: Path) -> None:
    items = [item_of(Source("path", "Classes.jpg", "/d/Classes.jpg"))]
    summary = export_items(YOLO, items, tmp_path, CLASSES)
    assert [(each.name, each.reason.code) for each in summary.skipped] == [("Classes.jpg", "export_name_taken")]
    assert (tmp_path / "classes.txt").read_text("utf-8").splitlines()[-1] == "猫"


@pytest.mark.parametrize("known", [COCO_DATASET, CSV], ids=lambda known: known.key)
def test_many_images_take_no_more_memory_than_a_few(known: ExportFormat, tmp_path: Path) -> None:
    def many() -> Iterator[ExportItem]:
        item = item_of(Source("path", "图.jpg", "/data/图.jpg"))
        yield from (replace(item, name=ExportName(f"{at}.jpg", f"{at}")) for at in range(3_000))

    tracemalloc.start()
    summary = export_items(known, many(), tmp_path / "a", CLASSES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert summary.detections == 9_000
    assert peak < 1_500_000, "500 bytes an image: its name, no detections"


LIMITED = """
import resource, signal, sys, tempfile
from pathlib import Path
from typing import Any
from engine.errors import EngineError
from engine.export.formats import EXPORT_FORMATS
from tests.engine.export.session import CLASSES, item_of
from engine.export.job import export_items
from engine.image.source import Source
from engine.storage.atomic import WriteError
from tests.children import obey_modes
target, limit, by_modes = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "True"
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
items = [item_of(Source("path", "a.jpg", "/d/a.jpg"))] * 1000
(known,) = [each for each in EXPORT_FORMATS if each.key == sys.argv[1]]
if by_modes:
    with tempfile.TemporaryDirectory() as folder:  # what is imported late is imported while everything can be read
        export_items(known, items[:1], Path(folder) / target.name, CLASSES)
    obey_modes()
if limit: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try: export_items(known, items, target, CLASSES)
except EngineError as error: print(error.message)
"""


def run(*arguments: object) -> str:
    command = [sys.executable, "-c", LIMITED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=child_environment(), timeout=60)
    assert not done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_a_full_disk_is_reported_with_the_path_and_the_old_file_stays(tmp_path: Path) -> None:
    """FAULTS 31."""
    (tmp_path / "a.json").write_bytes(b"old")
    told = run("coco", tmp_path / "a.json", 50_000, False)
    assert told == f"{tmp_path / 'a.json'} cannot be written: File too large."
    assert files_in(tmp_path) == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"old"


@needs_modes
@pytest.mark.parametrize(("key", "name"), [("voc", "a.xml"), ("csv", "")])
def test_a_read_only_folder_is_reported_with_the_path(tmp_path: Path, key: str, name: str) -> None:
    """FAULTS 31."""
    folder = tmp_path / "只读"
    folder.mkdir()
    folder.chmod(0o555)
    target = folder if name else folder / "a.csv"
    told = run(key, target, 0, True)
    folder.chmod(0o755)
    assert told == f"{folder / name if name else target} cannot be written: Permission denied."
    assert files_in(folder) == []


def test_labelme_of_one_image_leads_to_it_from_another_folder(session: Session, tmp_path: Path) -> None:
    item = next(session.items())
    export_items(LABELME, [item], tmp_path / "别处" / "一.json", CLASSES)
    read = json.loads((tmp_path / "别处" / "一.json").read_text("utf-8"))
    assert read["imagePath"] == "../图像 集/仓库/图一.jpg"


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EILSEQ, errno.ENAMETOOLONG])
def test_a_name_that_the_target_cannot_hold_costs_that_image_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """As `12:30:00.jpg` on exFAT."""
    make = tempfile.mkstemp

    def picky(*args: Any, **options: Any) -> Any:
        if ":" in options.get("prefix", ""):
            raise OSError(code, os.strerror(code))
        return make(*args, **options)

    monkeypatch.setattr(tempfile, "mkstemp", picky)
    names = ("1.jpg", "12:30:00.jpg", "2.jpg")
    items = [item_of(Source("path", name, f"/d/{name}")) for name in names]
    summary = export_items(YOLO, items, tmp_path, CLASSES)
    assert [(each.name, each.reason.code) for each in summary.skipped] == [("12:30:00.jpg", "export_name_refused")]
    assert summary.images == 2


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_takes_nothing_ends_the_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(WriteError):
        export_items(YOLO, [item_of(Source("path", "1.jpg", "/d/1.jpg"))], tmp_path, CLASSES)
