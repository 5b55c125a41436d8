"""The plain way: a window with the images of a folder, thumbnails, and the first image."""

import os
import sys
import time

from PyQt5.QtCore import QSize, Qt, QTimer
from PyQt5.QtGui import QIcon, QPixmap
from PyQt5.QtWidgets import QApplication, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QWidget

app = QApplication(sys.argv)
window = QWidget()
window.resize(1600, 1000)
layout = QHBoxLayout(window)
names, shown = QListWidget(), QLabel(alignment=Qt.AlignCenter)
names.setIconSize(QSize(64, 64))
layout.addWidget(names, 1)
layout.addWidget(shown, 4)
window.show()
app.processEvents()
started = time.time()
paths = sorted(
    os.path.join(root, name)  # noqa: PTH118
    for root, _, files in os.walk(sys.argv[1])
    for name in files
    if name.lower().endswith((".jpg", ".jpeg", ".png"))
)
for path in paths:
    names.addItem(QListWidgetItem(os.path.basename(path)))  # noqa: PTH119
for row in range(20):
    names.item(row).setIcon(QIcon(QPixmap(paths[row])))
names.setCurrentRow(0)
shown.setPixmap(QPixmap(paths[0]))


def done():
    print(started, time.time())
    app.quit()


shown.repaint()
QTimer.singleShot(0, done)
app.exec()
