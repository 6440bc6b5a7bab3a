"""Drawn welds: a small shop in the layout of the Intel Robotic Welding data set, for machines without footage.

Nothing here is a measurement: numbers reached on drawn welds show that the code works, never how well it does on steel.
"""
