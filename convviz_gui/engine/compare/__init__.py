"""Two results beside each other: what is compared of each, whether places correspond, one scale, and numbers.

Works on results of the open network and on result folders alike; knows neither torch nor Qt.
"""
