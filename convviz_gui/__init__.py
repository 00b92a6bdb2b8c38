"""ConvViz: look inside trained image networks.

The engine (`convviz_gui.engine`) and the command line (`convviz_gui.cli`) are Qt-free; the window
(`convviz_gui.gui`) never imports torch; `convviz_gui.worker` is the one bridge between them.
"""

__version__ = "0.1.0"
