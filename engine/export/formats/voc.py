"""Pascal VOC, one XML file per image, as in the devkit (http://host.robots.ox.ac.uk/pascal/VOC)."""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from engine.answer import shortest
from engine.detect.detection import Box, Detection
from engine.export.classes import ExportClasses
from engine.export.format import ExportFormat, FilePerImage, single_file
from engine.export.item import ExportItem

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _encode(item: ExportItem, path: Path, classes: ExportClasses) -> bytes:
    root = Element("annotation")
    image = PurePath(item.source.location if item.source.kind == "path" else item.name.file_name)
    _put(root, "folder", image.parent.name)
    _put(root, "filename", image.name)
    _put(root, "path", item.source.location)
    _put(SubElement(root, "source"), "database", "detrdesk")
    size = SubElement(root, "size")
    for tag, value in (("width", item.width), ("height", item.height), ("depth", 3)):
        _put(size, tag, value)
    _put(root, "segmented", 0)
    root.extend([_object(detection) for detection in item.shown])
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _object(detection: Detection) -> Element:
    node = Element("object")
    _put(node, "name", detection.label)
    _put(node, "pose", "Unspecified")
    _put(node, "truncated", 0)
    _put(node, "difficult", 0)
    _put(node, "confidence", shortest(detection.score))
    box = SubElement(node, "bndbox")
    for tag, value in zip(("xmin", "ymin", "xmax", "ymax"), _pixels(detection.box), strict=True):
        _put(box, tag, value)
    return node


def _pixels(box: Box) -> tuple[int, int, int, int]:
    """Return the first and last pixel of the box, counted from 1; a box of the whole image is 1, 1, width, height."""
    xmin, ymin = round(box[0]) + 1, round(box[1]) + 1
    xmax, ymax = max(round(box[2]), 1), max(round(box[3]), 1)
    return min(xmin, xmax), min(ymin, ymax), xmax, ymax


def _put(parent: Element, tag: str, value: object) -> None:
    """Append a child element with this text; characters that XML forbids become U+FFFD."""
    SubElement(parent, tag).text = _NOT_XML.sub("\ufffd", str(value))


PASCAL_VOC = ExportFormat("Pascal VOC", "voc", (".xml",), FilePerImage(".xml", single_file(_encode)))
