"""What drawn pictures are made of: steel, beads, heights in the light, tables, lettering."""
