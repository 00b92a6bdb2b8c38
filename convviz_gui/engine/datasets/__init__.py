"""Datasets: folders, archives and tables of photos with labels and splits. Finding them opens no picture."""

from convviz_gui.engine.datasets.dataset import list_dataset, listing_of
from convviz_gui.engine.datasets.folder import UNREAD, list_folder
from convviz_gui.engine.datasets.listing import Listing, natural

__all__ = ["UNREAD", "Listing", "list_dataset", "list_folder", "listing_of", "natural"]
