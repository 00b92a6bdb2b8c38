"""What is measured, by commands; nothing here is collected by pytest. Torch is set up as it is in the program."""

from convviz_gui.processor import wait_asleep

wait_asleep()
