"""Recordings of robotic welding in the layout of the Intel data set: runs, videos, sensor logs, stills."""
