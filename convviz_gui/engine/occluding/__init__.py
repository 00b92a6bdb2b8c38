"""Occlusion: windows over the input, what they are filled with, and the score behind each, by one of two ways.

`whole` takes the network through once for each window. `following` keeps what every layer gave for the picture as it is
and computes anew only what a window can reach of it, layer by layer (Nakandala et al., SIGMOD 2019).
"""
