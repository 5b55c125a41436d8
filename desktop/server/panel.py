"""The server's tab: the switch, host and port, key, snippets, answered requests."""

from __future__ import annotations

from pathlib import Path

from PyQt5.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt5.QtGui import QShowEvent
from PyQt5.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from desktop.server.address import ServerAddress
from desktop.server.key_row import KeyRow
from desktop.server.request_table import RequestTable
from desktop.server.snippet_view import SnippetView
from desktop.server.snippets import ExampleRequest
from desktop.state.server import EVERYONE, THIS_COMPUTER, Phase, ServerState, Totals
from desktop.state.viewer import ViewerState
from desktop.style.i18n import tr, tr_count
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, number_font
from desktop.style.toggle import Toggle

_TABLE_HEIGHT = 16 * GRID


class ServerPanel(QWidget):
    """Shows the server's state.

    While the server is off, it explains the switch; while it is on, it shows snippets and the answered requests.

    Signals:
        shown: The tab was opened.
        switched(bool): The switch.
        host_chosen(str), port_chosen(int): The address to listen on; port 0 chooses a free one.
        key_copied(str), copy_asked(str): A text is to be copied.
        key_renewal_asked: The button.
        inbox_switched(bool): The check box.
        inbox_emptying_asked: The button.
    """

    shown = pyqtSignal()
    switched = pyqtSignal(bool)
    host_chosen = pyqtSignal(str)
    port_chosen = pyqtSignal(int)
    key_copied = pyqtSignal(str)
    key_renewal_asked = pyqtSignal()
    copy_asked = pyqtSignal(str)
    inbox_switched = pyqtSignal(bool)
    inbox_emptying_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("serverPanel")
        self._server = ServerState()
        self._viewed = ViewerState()
        self.toggle = self._make_toggle()
        self._phase, self._problem = hint_label(""), QLabel()
        self._host, self._port = self._make_host(), self._make_port()
        self._key, self._address, self._snippet = self._make_key(), ServerAddress(), SnippetView()
        self._address.copy_asked.connect(self.copy_asked)
        self._snippet.copy_asked.connect(self.copy_asked)
        self._inbox, self._emptying = self._make_inbox(), QPushButton(tr("Remove from the list"))
        self._emptying.setObjectName("emptyInbox")
        self._emptying.clicked.connect(self.inbox_emptying_asked)
        self._table, self._totals = RequestTable(), hint_label("")
        self._totals.setObjectName("serverTotals")
        self._lay_out()

    def show_server(self, state: ServerState) -> None:
        """Show whether the server runs, its address and the answered requests."""
        self._server = state
        self.toggle.show_checked(state.wanted)
        self._phase.setText(_phase(state))
        self._problem.setText(state.problem)
        self._problem.setVisible(bool(state.problem))
        self._show_place(state)
        self._key.show_server(state)
        self._address.show_server(state)
        with QSignalBlocker(self._inbox):
            self._inbox.setChecked(state.inbox_open)
        self._table.show_requests(state.answered)
        self._table.setVisible(bool(state.answered))
        self._totals.setText(_totals(state.totals) if state.answered else _no_requests(state))
        self._totals.setVisible(bool(self._totals.text()))
        self._show_snippet()

    def show_state(self, state: ViewerState) -> None:
        """Show snippets with this model and filter, and how many images clients sent."""
        self._viewed = state
        self._emptying.setVisible(state.inbox_size > 0)
        self._show_snippet()

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that it will be needed."""
        super().showEvent(event)
        self.shown.emit()

    def _show_snippet(self) -> None:
        server, viewed = self._server, self._viewed
        self._snippet.setVisible(bool(server.address))
        if server.address:
            source = viewed.image.source if viewed.image is not None else None
            image = str(Path(source.location).absolute()) if source and source.kind == "path" else "image.jpg"
            key = "" if server.key is None else server.key.text
            chosen = viewed.chosen
            self._snippet.show_request(
                ExampleRequest(server.address, key, image, viewed.model, chosen.threshold, chosen.top_k)
            )

    def _show_place(self, state: ServerState) -> None:
        with QSignalBlocker(self._host), QSignalBlocker(self._port):
            if self._host.count() != len(state.hosts):
                self._host.clear()
                for host in state.hosts:
                    self._host.addItem(_host_name(host), host)
            self._host.setCurrentIndex(state.hosts.index(state.host))
            if self._port.value() != state.port:
                self._port.setValue(state.port)

    def _make_toggle(self) -> Toggle:
        toggle = Toggle(tr("API server"))
        toggle.setObjectName("serverToggle")
        toggle.setAccessibleName(tr("API server"))
        toggle.setToolTip(tr("Let programs use this computer's models over HTTP"))
        toggle.toggled.connect(self.switched)
        return toggle

    def _make_host(self) -> QComboBox:
        host = QComboBox()
        host.setObjectName("serverHost")
        host.setAccessibleName(tr("Who may connect"))
        host.setToolTip(tr("Who may connect; other computers need the key"))
        host.currentIndexChanged.connect(lambda at: self.host_chosen.emit(host.itemData(at)))
        return host

    def _make_port(self) -> QSpinBox:
        port = QSpinBox()
        port.setObjectName("serverPortSpin")
        port.setAccessibleName(tr("Port"))
        port.setToolTip(tr("The port to listen on; 0 picks a free one"))
        port.setRange(0, 65535)
        port.setSpecialValueText(tr("free port"))
        port.setFont(number_font())
        port.setKeyboardTracking(False)
        port.valueChanged.connect(self.port_chosen)
        return port

    def _make_key(self) -> KeyRow:
        key = KeyRow()
        key.copy_asked.connect(self.key_copied)
        key.renewal_asked.connect(self.key_renewal_asked)
        return key

    def _make_inbox(self) -> QCheckBox:
        inbox = QCheckBox(tr("Show clients' images in the list"))
        inbox.setObjectName("inboxCheck")
        inbox.setAccessibleName(tr("Show clients' images in the list"))
        inbox.setToolTip(tr("The last 200 images that clients send appear in the list on the left, with their answers"))
        inbox.toggled.connect(self.inbox_switched)
        return inbox

    def _lay_out(self) -> None:
        self._problem.setObjectName("serverProblem")
        self._problem.setProperty("danger", True)
        self._problem.setWordWrap(True)
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._table.setMinimumHeight(_TABLE_HEIGHT)
        place, inbox = QHBoxLayout(), QHBoxLayout()
        place.addWidget(self._host, 1)
        place.addWidget(self._port)
        inbox.addWidget(self._inbox, 1)
        inbox.addWidget(self._emptying)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID)
        layout.addWidget(self.toggle)
        layout.addWidget(self._phase)
        layout.addWidget(self._problem)
        layout.addLayout(place)
        for widget in (self._key, self._address, self._snippet):
            layout.addWidget(widget)
        layout.addLayout(inbox)
        layout.addStretch(1)
        scrolled = QScrollArea()
        scrolled.setFrameShape(QFrame.Shape.NoFrame)
        scrolled.setWidgetResizable(True)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setWidget(page)
        self._totals.setContentsMargins(GRID, 0, GRID, 0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(GRID)
        whole.addWidget(scrolled, 2)
        whole.addWidget(self._totals)
        whole.addWidget(self._table, 1)


def _host_name(host: str) -> str:
    return {THIS_COMPUTER: tr("This computer only"), EVERYONE: tr("Everyone in the network")}.get(host, host)


def _phase(state: ServerState) -> str:
    return {
        Phase.OFF: tr("Switch it on to let other programs use this computer's models over HTTP."),
        Phase.STARTING: tr("Starting…"),
        Phase.ON: tr("On: requests use the model that is selected above."),
        Phase.STOPPING: tr("Finishing running requests…"),
    }[state.phase]


def _totals(totals: Totals) -> str:
    parts = [
        tr_count("{count:,} request", "{count:,} requests", totals.requests),
        tr_count("{count:,} image", "{count:,} images", totals.images),
        tr_count("{count:,} token", "{count:,} tokens", totals.tokens),
    ]
    if totals.failed:
        parts.append(tr_count("{count:,} failed", "{count:,} failed", totals.failed))
    return tr(", ").join(parts)


def _no_requests(state: ServerState) -> str:
    return tr("No requests yet: run the snippet above.") if state.phase == Phase.ON else ""
