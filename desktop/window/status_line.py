"""The status bar: image size, tokens, device, runtime, times, conversion, server."""

from __future__ import annotations

from PyQt5.QtWidgets import QLabel, QProgressBar, QStatusBar, QWidget

from desktop.state.server import Phase, ServerState
from desktop.state.viewer import Stage, ViewerState
from desktop.style.i18n import error_text, tr, tr_count
from desktop.style.theme import GRID
from engine.detect.detection import Detections, token_count


class StatusLine(QStatusBar):
    """Shows facts about the image and its detections, and what is under way."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        self._size, self._tokens, self._device, self._timing, self._warning = (QLabel() for _ in range(5))
        self._tokens.setObjectName("tokenLabel")
        self._tokens.setAccessibleName(tr("Tokens"))
        self._warning.setObjectName("warningLabel")
        self._server = QLabel()
        self._server.setObjectName("serverLabel")
        self._server.setAccessibleName(tr("Server"))
        self._conversion = QLabel()
        self._conversion.setObjectName("conversionLabel")
        self._conversion.setAccessibleName(tr("Conversion"))
        self._stage = QLabel()
        self._stage.setObjectName("stageLabel")
        self._progress = QProgressBar()
        self._progress.setRange(0, 0)
        self._progress.setTextVisible(False)
        self._progress.setFixedSize(10 * GRID, GRID // 2)
        for label in (self._warning, self._size, self._tokens, self._device, self._timing):
            label.setContentsMargins(GRID, 0, GRID, 0)
            self.addWidget(label)
        self.addPermanentWidget(self._conversion)
        self.addPermanentWidget(self._stage)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._server)

    def show_state(self, state: ViewerState) -> None:
        """Show the facts of the image, and what the user waits for."""
        image, found = state.image, state.detections
        self._size.setText(f"{image.pixels.width} × {image.pixels.height}" if image else "")
        tokens = token_count(*image.pixels.size) if image else 0
        self._tokens.setText(_tokens(tokens, state.session_tokens) if image else "")
        self._device.setText(f"{found.device}, {found.runtime}" if found else "")
        self._timing.setText(_timing(found) if found else "")
        warnings = image.warnings if image else ()
        self._warning.setText(tr("The file is damaged") if warnings else "")
        self._warning.setToolTip("\n".join(map(error_text, warnings)))
        for label in (self._warning, self._size, self._tokens, self._device, self._timing):
            label.setVisible(bool(label.text()))
        percent = state.conversion
        self._conversion.setText(
            "" if percent is None else tr("Converting for this processor, {percent} %", percent=percent)
        )
        self._conversion.setVisible(percent is not None)
        self._stage.setText("" if state.stage is None else _stage(state.stage, state))
        at, of = state.tile or (0, 0)
        self._progress.setRange(0, of)
        self._progress.setValue(at)
        self._progress.setVisible(state.stage is not None)

    def show_server(self, state: ServerState) -> None:
        """Show whether the server answers, and on which port."""
        self._server.setText(_server(state))


def _server(state: ServerState) -> str:
    if state.phase == Phase.ON:
        return tr("server on, port {port}", port=state.real_port)
    return {
        Phase.OFF: tr("server off"),
        Phase.STARTING: tr("server starting"),
        Phase.STOPPING: tr("server stopping"),
    }[state.phase]


def _tokens(tokens: int, session: int) -> str:
    return tr_count(
        "{count:,} token (session {session:,})", "{count:,} tokens (session {session:,})", tokens, session=session
    )


def _timing(found: Detections) -> str:
    timing = found.timing
    if not timing.model:
        return tr("decode {decode:.0f} ms, known from earlier", decode=timing.decode)
    return tr(
        "decode {decode:.0f} + model {model:.0f} + rest {rest:.0f} ms",
        decode=timing.decode,
        model=timing.model,
        rest=timing.preprocess + timing.postprocess,
    )


def _stage(stage: Stage, state: ViewerState) -> str:
    if state.tile is not None:
        return tr("Detecting, tile {at:,} of {of:,}…", at=state.tile[0], of=state.tile[1])
    return {
        Stage.LISTING: tr("Looking for images…"),
        Stage.OPENING: tr("Opening…"),
        Stage.LOADING_MODEL: tr("Loading {model}…", model=state.model),
        Stage.DETECTING: tr("Detecting…"),
    }[stage]
