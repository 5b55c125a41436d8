"""`detrdesk models`: which models there are, and what is known of them."""

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
    """The commands and their options; imports nothing heavy.

    Args:
        parser: Of `detrdesk models`.
        threshold: Reads a threshold.
        top_k: Reads a number of detections.
    """
    commands = parser.add_subparsers(
        dest="action", metavar="{list,show,add,remove,rename,set,download,check,fast,convert}", prog="detrdesk models"
    )
    listing = commands.add_parser("list", help="every model (this is done without a command, too)")
    listing.add_argument("--json", action="store_true", help="print JSON")
    show = commands.add_parser("show", help="all that is known of a model, without loading it")
    show.add_argument("name", metavar="NAME", help="name or checkpoint folder")
    show.add_argument("--json", action="store_true", help="print JSON")
    add = commands.add_parser("add", help="give a model a name")
    add.add_argument("place", metavar="FOLDER|FILE.onnx|OWNER/NAME", help="checkpoint, ONNX file or model on the hub")
    add.add_argument("--revision", default="", help="branch, tag or commit on the hub")
    add.add_argument("--name", help="what to call it (default: as its folder or file)")
    _add_defaults(add, threshold, top_k)
    change = commands.add_parser("set", help="change a model's default threshold, top k and classes")
    change.add_argument("name", metavar="NAME")
    _add_defaults(change, threshold, top_k)
    change.add_argument("--clear", action="store_true", help="forget those that are not given")
    rename = commands.add_parser("rename", help="call a model by another name")
    rename.add_argument("name", metavar="NAME")
    rename.add_argument("new", metavar="NEW")
    remove = commands.add_parser("remove", help="forget a model; its files stay")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("--delete-files", action="store_true", help="delete its files, if they were downloaded")
    download = commands.add_parser("download", help="bring a model from the hub and give it a name")
    download.add_argument("model", metavar="OWNER/NAME", help="its id or page on the hub, or its name here")
    download.add_argument("--revision", default="", help="branch, tag or commit (default: main)")
    download.add_argument("--name", help="what to call it")
    check = commands.add_parser("check", help="compare what the runtimes find, and how long they take")
    check.add_argument("name", metavar="NAME", help="name, checkpoint folder or ONNX file")
    check.add_argument("images", nargs="*", metavar="IMAGE", help="images (default: the bundled ones)")
    check.add_argument("--runs", type=top_k, default=3, metavar="N", help="times each is measured (default: 3)")
    check.add_argument("--device", help="auto, cpu, cuda, cuda:N or mps (default: auto)")
    _add_fast(commands.add_parser("fast", help="measure faster, slightly different precisions of a model; choose one"))
    convert = commands.add_parser("convert", help="make safetensors of a pytorch_model.bin, safely")
    convert.add_argument("name", metavar="FOLDER", help="checkpoint folder, or its name here")


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
    if given.action in ("show", "list", None):
        from engine.cli.models_show import run_list, run_show

        return run_show(given) if given.action == "show" else run_list(getattr(given, "json", False))
    from engine.models.catalog.catalog import Catalog

    actions = {"add": _add, "set": _set, "rename": _rename, "remove": _remove, "convert": _convert}
    return actions[given.action](Catalog(), given)


def _add(catalog: Catalog, given: argparse.Namespace) -> int:
    """What cannot be used is not added; what is on the hub is looked at when it is downloaded."""
    from engine.models.catalog.entry import Defaults, place_of

    kind, place = place_of(given.place)
    defaults = _chosen_defaults(given, Defaults())
    if kind != "hub":
        _warn_of_labels(_names_in(place), defaults.labels)
    name = catalog.add(given.place, given.name, defaults if defaults != Defaults() else None, given.revision)
    print(name)
    if kind == "hub" and not catalog.entry(name).path.exists():
        _say(f"it is not here yet; bring it with: detrdesk models download {place}", DONE)
    return DONE


def _names_in(place: str) -> Collection[str]:
    from pathlib import Path
    from shlex import quote

    from engine.errors import ModelError
    from engine.models.reading import read_model

    try:
        return read_model(Path(place)).names.values()
    except ModelError as error:
        if error.code == "pickle_refused":
            _say(f"detrdesk models convert {quote(place)}", USAGE)
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


def _convert(catalog: Catalog, given: argparse.Namespace) -> int:
    from engine.models.checkpoint.convert_pickle import convert_pickle

    print(convert_pickle(catalog.path(catalog.name_of(given.name))))
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
    parser.add_argument("--top-k", type=top_k, metavar="N", help="keep at most the N best of an image")
    parser.add_argument("--labels", nargs="+", metavar="CLASS", help="keep these classes alone")


def _add_fast(parser: argparse.ArgumentParser) -> None:
    """Here, for the module of the command imports the engine."""
    parser.add_argument("name", metavar="NAME", help="name, checkpoint folder or ONNX file")
    parser.add_argument("images", nargs="*", metavar="IMAGE", help="images, folders or lists to measure with")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--int8", dest="precisions", action="store_const", const=["int8"], help="int8 alone")
    which.add_argument("--bf16", dest="precisions", action="store_const", const=["bf16"], help="bf16 alone")
    which.add_argument("--off", action="store_true", help="let the model compute in f32 again")
    parser.add_argument("--use", action="store_true", help="choose what was named, or else the fastest")


def _say(message: str, code: int) -> int:
    print(f"detrdesk: {message}", file=sys.stderr)
    return code
