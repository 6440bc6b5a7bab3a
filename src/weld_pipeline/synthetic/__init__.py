"""Drawn welds, in the layouts of real data sets, for machines without footage.

Nothing here is a measurement: numbers reached on drawn welds show that the code works, never how well it does on steel.
"""
