"""`detrdesk models`: the arguments of its commands, and those that edit the catalog."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from engine.cli.exit_codes import DONE, INTERRUPTED, SOME_FAILED, USAGE

if TYPE_CHECKING:
    from engine.models.catalog.catalog import Catalog
    from engine.models.catalog.entry import Defaults

Number = Callable[[str], float]


def add_models_arguments(parser: argparse.ArgumentParser, threshold: Number, top_k: Number) -> None:
    """Add the commands and their options; imports nothing heavy.

    Args:
        parser: Of `detrdesk models`.
        threshold: Parses a threshold.
        top_k: Parses a number of detections.
    """
    names = "list,show,add,remove,rename,set,download,convert,check,fast,unpickle"
    commands = parser.add_subparsers(dest="action", metavar=f"{{{names}}}", prog="detrdesk models")
    listing = commands.add_parser("list", help="list all models (the default)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    show = commands.add_parser("show", help="show what is known about a model, without loading it")
    show.add_argument("name", metavar="NAME", help="name or checkpoint folder")
    show.add_argument("--json", action="store_true", help="print JSON")
    add = commands.add_parser("add", help="add a model under a name, and convert it for this processor")
    add.add_argument(
        "place", metavar="FOLDER|FILE.onnx|OWNER/NAME", help="checkpoint, ONNX file or repository on the hub"
    )
    add.add_argument("--revision", default="", help="branch, tag or commit on the hub")
    add.add_argument("--name", help="its name (default: that of its folder or file)")
    _add_no_convert(add)
    _add_defaults(add, threshold, top_k)
    change = commands.add_parser("set", help="change a model's default threshold, top k and classes")
    change.add_argument("name", metavar="NAME")
    _add_defaults(change, threshold, top_k)
    change.add_argument("--clear", action="store_true", help="remove the defaults that are not given")
    rename = commands.add_parser("rename", help="rename a model")
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("new", metavar="NEW")
    remove = commands.add_parser("remove", help="remove a model from the list; its files stay")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--delete-files", action="store_true", help="also delete its files, if they were downloaded")
    download = commands.add_parser(
        "download", help="download a model from the hub, add it, and convert it for this processor"
    )
    download.add_argument("model", metavar="OWNER/NAME", help="its id or page on the hub, or its name")
    download.add_argument("--revision", default="", help="branch, tag or commit (default: main)")
    download.add_argument("--name", help="its name (default: that of the repository)")
    _add_no_convert(download)
    convert = commands.add_parser("convert", help="convert a model for this processor, so that it runs faster")
    convert.add_argument("name", metavar="NAME", help="name or checkpoint folder")
    check = commands.add_parser("check", help="compare the detections and times of the runtimes")
    check.add_argument("name", metavar="NAME", help="name, checkpoint folder or ONNX file")
    check.add_argument("images", nargs="*", metavar="IMAGE", help="images (default: the bundled ones)")
    check.add_argument("--runs", type=top_k, default=3, metavar="N", help="runs of each runtime (default: 3)")
    check.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    _add_fast(commands.add_parser("fast", help="measure faster, less exact precisions of a model, and choose one"))
    unpickle = commands.add_parser("unpickle", help="convert pytorch_model.bin to safetensors in an isolated process")
    unpickle.add_argument("name", metavar="FOLDER", help="checkpoint folder, or its name")


def run_models(given: argparse.Namespace) -> int:
    """Run one of the commands and return its exit code."""
    from engine.errors import EngineError
    from engine.storage.atomic import WriteError

    try:
        return _run(given)
    except WriteError as error:
        return _say(error.message, SOME_FAILED)
    except EngineError as error:
        return _say(error.message, USAGE)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(given: argparse.Namespace) -> int:
    if given.action == "check":
        from engine.cli.models_check import run_check

        return run_check(given)
    if given.action == "fast":
        from engine.cli.models_fast import run_fast

        return run_fast(given)
    if given.action == "download":
        from engine.cli.models_download import run_download

        return run_download(given)
    if given.action == "convert":
        from engine.cli.models_convert import run_convert

        return run_convert(given)
    if given.action in ("show", "list", None):
        from engine.cli.models_show import run_list, run_show

        return run_show(given) if given.action == "show" else run_list(getattr(given, "json", False))
    from engine.models.catalog.catalog import Catalog

    actions = {"add": _add, "set": _set, "rename": _rename, "remove": _remove, "unpickle": _unpickle}
    return actions[given.action](Catalog(), given)


def _add(catalog: Catalog, given: argparse.Namespace) -> int:
    """Add a model that can be read, and convert it; one on the hub is read after its download."""
    from engine.models.catalog.entry import Defaults, place_of

    kind, place = place_of(given.place)
    defaults = _chosen_defaults(given, Defaults())
    if kind != "hub":
        _warn_of_labels(_names_in(place), defaults.labels)
    name = catalog.add(given.place, given.name, defaults if defaults != Defaults() else None, given.revision)
    print(name, flush=True)
    if kind == "hub" and not catalog.entry(name).path.exists():
        return _say(f"it is not downloaded yet; download it with: detrdesk models download {place}", DONE)
    if not given.convert:
        return DONE
    from engine.cli.models_convert import convert_added

    return convert_added(name)


def _names_in(place: str) -> Collection[str]:
    from pathlib import Path
    from shlex import quote

    from engine.errors import ModelError
    from engine.models.reading import read_model

    try:
        return read_model(Path(place)).names.values()
    except ModelError as error:
        if error.code == "pickle_refused":
            _say(f"detrdesk models unpickle {quote(place)}", USAGE)
        raise


def _set(catalog: Catalog, given: argparse.Namespace) -> int:
    from engine.models.card import card_of
    from engine.models.catalog.entry import Defaults

    name = catalog.name_of(given.name)
    catalog.set_defaults(name, _chosen_defaults(given, Defaults() if given.clear else catalog.defaults(name)))
    card = card_of(catalog, name)
    if card.problem is None:
        _warn_of_labels(card.names.values(), card.defaults.labels)
    return DONE


def _rename(catalog: Catalog, given: argparse.Namespace) -> int:
    from engine.settings import load_settings

    new = catalog.rename(given.name, given.new)
    if load_settings().model == given.name:
        _say(f"the settings still call the default model {given.name}; change it there to {new}", DONE)
    return DONE


def _remove(catalog: Catalog, given: argparse.Namespace) -> int:
    if given.delete_files:
        from engine.models.downloaded import remove_with_files

        remove_with_files(catalog, given.name)
        return DONE
    entry = catalog.remove(given.name)
    if entry is not None and entry.path.exists():
        _say(f"its files stay: {entry.path}", DONE)
    return DONE


def _unpickle(catalog: Catalog, given: argparse.Namespace) -> int:
    from engine.models.checkpoint.unpickle import unpickle

    print(unpickle(catalog.path(catalog.name_of(given.name))))
    return DONE


def _chosen_defaults(given: argparse.Namespace, former: Defaults) -> Defaults:
    from dataclasses import replace

    return replace(
        former,
        threshold=former.threshold if given.threshold is None else given.threshold,
        top_k=former.top_k if given.top_k is None else given.top_k,
        labels=former.labels if given.labels is None else frozenset(given.labels),
    )


def _warn_of_labels(names: Collection[str], wanted: frozenset[str] | None) -> None:
    unknown = sorted((wanted or frozenset()) - set(names))
    if unknown:
        _say(f"warning: the model has no class {', '.join(unknown)}", DONE)


def _add_defaults(parser: argparse.ArgumentParser, threshold: Number, top_k: Number) -> None:
    parser.add_argument("--threshold", type=threshold, help="keep scores greater than this, 0 to 1")
    parser.add_argument("--top-k", type=top_k, metavar="N", help="keep at most the N best detections of an image")
    parser.add_argument("--labels", nargs="+", metavar="CLASS", help="keep only these classes")


def _add_no_convert(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-convert", dest="convert", action="store_false", help="do not convert it now")


def _add_fast(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name, checkpoint folder or ONNX file")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="images, folders or lists to measure with")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--int8", dest="precisions", action="store_const", const=["int8"], help="only int8")
    which.add_argument("--bf16", dest="precisions", action="store_const", const=["bf16"], help="only bf16")
    which.add_argument("--off", action="store_true", help="use f32 again")
    parser.add_argument("--use", action="store_true", help="choose the given precision, else the fastest")


def _say(message: str, code: int) -> int:
    print(f"detrdesk: {message}", file=sys.stderr)
    return code
