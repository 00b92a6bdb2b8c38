"""Datasets: folders, archives and tables of photos with labels and splits. Finding them opens no picture."""

from convviz_gui.engine.datasets.apart import check_apart
from convviz_gui.engine.datasets.archive import list_archive
from convviz_gui.engine.datasets.dataset import list_dataset
from convviz_gui.engine.datasets.finding import finding, listing_of
from convviz_gui.engine.datasets.folder import list_folder
from convviz_gui.engine.datasets.listing import Listing
from convviz_gui.engine.datasets.names import UNREAD, natural
from convviz_gui.engine.datasets.search import Search
from convviz_gui.engine.datasets.table import list_table

__all__ = [
    "UNREAD", "Listing", "Search", "check_apart", "finding", "list_archive", "list_dataset", "list_folder",
    "list_table", "listing_of", "natural",
]  # fmt: skip
