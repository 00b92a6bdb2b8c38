"""`python -m convviz_gui.cli`."""

import sys

from convviz_gui.cli import main

if __name__ == "__main__":
    sys.exit(main())
