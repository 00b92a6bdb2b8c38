"""Receptive fields of every tensor in a forward pass, whatever the network's code looks like.

`sight.py` watches the operations, `sliding.py`, `rearranging.py` and `mixing.py` say what each does to what is seen,
`reach.py` and `union.py` are the arithmetic, `field.py` what comes out of it.

See A. Araujo, W. Norris, J. Sim, Computing receptive fields of convolutional neural networks, Distill, 2019.
"""
