"""The server's address: a link, and a QR code for a phone."""

from __future__ import annotations

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from desktop.server.qr_code import QrCode
from desktop.server.snippets import phone_address
from desktop.state.server import THIS_COMPUTER, ServerState
from desktop.style.i18n import tr
from desktop.style.icons import icon
from desktop.style.parts import hint_label
from desktop.style.theme import GRID, current_theme


class ServerAddress(QWidget):
    """Hidden while the server is off.

    Signals:
        copy_asked(str): The address is to be copied.
    """

    copy_asked = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._address = ""
        self._link = QLabel()
        self._link.setObjectName("serverAddress")
        self._link.setAccessibleName(tr("Address of the server"))
        self._link.setOpenExternalLinks(True)
        self._link.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._docs = QLabel()
        self._docs.setOpenExternalLinks(True)
        self._docs.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self._hint = hint_label("")
        self.code = QrCode()
        copy = QToolButton()
        copy.setObjectName("copyAddress")
        copy.setIcon(icon("copy"))
        copy.setAccessibleName(tr("Copy the address"))
        copy.setToolTip(tr("Copy the address"))
        copy.clicked.connect(lambda: self.copy_asked.emit(self._address))
        row, phone = QHBoxLayout(), QHBoxLayout()
        row.addWidget(self._link)
        row.addWidget(copy)
        row.addStretch(1)
        row.addWidget(self._docs)
        phone.setSpacing(2 * GRID)
        phone.addWidget(self.code)
        phone.addWidget(self._hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID // 2)
        layout.addLayout(row)
        layout.addLayout(phone)

    def show_server(self, state: ServerState) -> None:
        """Show the address and its code."""
        self.setVisible(bool(state.address))
        if not state.address:
            return
        self._address = state.address
        self._link.setText(_link(f"{state.address}/", state.address))
        self._docs.setText(_link(f"{state.address}/docs", tr("Documentation")))
        local = state.host == THIS_COMPUTER
        self.code.setVisible(not local)
        self.code.show_text("" if local else phone_address(state.address, "" if state.key is None else state.key.text))
        self._hint.setText(
            tr("For phones and other computers, choose “Everyone in the network”.")
            if local
            else tr("Read this code with a phone in the same network: it opens the page, with the key.")
        )


def _link(address: str, text: str) -> str:
    return f'<a href="{address}" style="color: {current_theme().link}">{text}</a>'
