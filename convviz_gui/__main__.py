"""`python -m convviz_gui` opens the window."""

import sys

from convviz_gui.app import main

sys.exit(main())
