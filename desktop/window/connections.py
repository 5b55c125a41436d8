"""Connections from the signals of panels to what the user can do, one function a room."""

from __future__ import annotations

from desktop.batch.bar import BatchBar
from desktop.results.detections_panel import DetectionsPanel
from desktop.review.bar import ReviewBar
from desktop.review.labelling import Labelling
from desktop.server.control import ServerControl
from desktop.settings.preferences import PreferenceStore
from desktop.viewer.viewer import Viewer
from desktop.window.actions import FileActions
from desktop.window.panels import Panels


def connect_panels(panels: Panels, viewer: Viewer, files: FileActions) -> None:
    """Connect toolbar, list of images, canvas and messages."""
    controls, choosing = panels.controls, viewer.choosing
    controls.model_chosen.connect(viewer.model_choice.set_model)
    controls.folder_chosen.connect(viewer.model_choice.use_folder)
    controls.threshold_chosen.connect(choosing.set_threshold)
    controls.top_k_chosen.connect(choosing.set_top_k)
    controls.detect_asked.connect(viewer.browsing.detect_again)
    controls.cancel_asked.connect(viewer.browsing.cancel)
    panels.display.display_chosen.connect(panels.view.set_display)
    panels.view.selection_changed.connect(choosing.select)
    panels.sources.source_chosen.connect(viewer.browsing.show_row)
    panels.welcome.open_asked.connect(files.open_files)
    panels.welcome.samples_asked.connect(files.open_samples)
    panels.json.copy_asked.connect(files.copy_json)
    panels.messages.dismissed.connect(viewer.dismiss_message)


def connect_results(panel: DetectionsPanel, panels: Panels, viewer: Viewer) -> None:
    """Connect histogram, classes, suppression, tiles and table."""
    choosing = viewer.choosing
    panel.threshold_chosen.connect(choosing.set_threshold)
    panel.empty_page.threshold_chosen.connect(choosing.set_threshold)
    panel.refine.refinement_chosen.connect(choosing.set_refinement)
    panel.classes.refinement_chosen.connect(choosing.set_refinement)
    panel.tiling.tiling_chosen.connect(viewer.model_choice.set_tiling)
    panel.table.rows_selected.connect(choosing.select)
    panel.table.row_entered.connect(panels.view.centre_on)


def connect_review(bar: ReviewBar, viewer: Viewer, labelling: Labelling) -> None:
    """Connect the bar that decides."""
    reviewing = viewer.reviewing
    bar.accept_asked.connect(reviewing.accept)
    bar.reject_asked.connect(reviewing.reject)
    bar.relabel_asked.connect(labelling.relabel_selected)
    bar.forget_asked.connect(reviewing.forget)
    bar.reviewed_asked.connect(reviewing.accept_all_and_go_on)
    bar.note_changed.connect(reviewing.set_note)


def connect_batch(bar: BatchBar, viewer: Viewer) -> None:
    """Connect the bar of detecting in all images, and show the present state in it."""
    viewer.batch.progressed.connect(bar.show_batch)
    viewer.batch.finished.connect(bar.show_batch)
    bar.show_batch(viewer.batch.state)
    bar.paused.connect(viewer.batch.pause)
    bar.resumed.connect(viewer.batch.resume)
    bar.cancelled.connect(viewer.batch.cancel)
    bar.dismissed.connect(lambda: bar.show_batch(None))
    bar.source_chosen.connect(viewer.browsing.show)


def connect_server(
    panels: Panels, server: ServerControl, store: PreferenceStore, viewer: Viewer, files: FileActions
) -> None:
    """Connect the server's tab and the status bar, and show the present state in them."""
    panel = panels.server

    def copy_key(key: str) -> None:
        files.copy_text(key)
        server.hide_key()

    for shows in (panel, panels.status):
        server.changed.connect(shows.show_server)
        shows.show_server(server.state)
    panel.shown.connect(server.prepare)
    panel.switched.connect(server.switch)
    panel.host_chosen.connect(server.set_host)
    panel.host_chosen.connect(lambda host: store.change_settings(host=host))
    panel.port_chosen.connect(server.set_port)
    panel.port_chosen.connect(lambda port: store.change_settings(port=port))
    panel.key_copied.connect(copy_key)
    panel.key_renewal_asked.connect(server.renew_key)
    panel.copy_asked.connect(files.copy_text)
    panel.inbox_switched.connect(server.open_inbox)
    panel.inbox_emptying_asked.connect(viewer.browsing.empty_inbox)
