"""Drawn weld: its class, its set-up, and the folder of its files."""

from dataclasses import dataclass

# Names and codes as in the data set's manifest.csv and in the last field of its run ids.
CLASSES = (
    "Good",
    "Excessive_Penetration",
    "Burnthrough",
    "Porosity",
    "Porosity_w_Excessive_Penetration",
    "Undercut",
    "Overlap",
    "Lack_of_Fusion",
    "Excessive_Convexity",
    "Spatter",
    "Warping",
    "Crater_Cracks",
)
FPS = 31
N_STILLS = 5


@dataclass(frozen=True)
class DrawnWeld:
    """The recipe of one run: equal recipes give equal bytes.

    Attributes:
        run_id: Id `MM-DD-YY-NNNN-CC`; CC is the class code.
        label: Class, one of `CLASSES`.
        session: Recording date, `MM-DD-YY`.
        configuration: Folder that holds the run.
        joint: Kind of joint: `butt`, `fillet` or `plane_plate`.
        steel: Grade, `FE410` or `BSK46`.
        thickness_mm: Plate thickness, 3 or 7.
        split: Split in the manifest of the data set, `TRAIN` or `TEST`.
        lead_in_s: Dark time before the arc.
        arc_s: Time the arc burns.
        lead_out_s: Dark time after the arc.
        is_handwritten: Whether the paper label is written by hand rather than printed.
        width: Frame width [px]; the height is 5/8 of it.
        still_width: Width of the photographs [px]; the height is 9/20 of it.
        seed: Seed of the shop; each run draws from it and its own id.
    """

    run_id: str
    label: str
    session: str
    configuration: str
    joint: str
    steel: str
    thickness_mm: int
    current_a: int
    voltage_v: float
    gas_bar: float
    speed_cpm: int
    split: str
    lead_in_s: float
    arc_s: float
    lead_out_s: float
    is_handwritten: bool
    width: int
    still_width: int
    seed: int

    @property
    def folder(self) -> str:
        """Where the run lies, relative to the root of the shop."""
        return f"{self.configuration}/{self.run_id}"

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.lead_in_s + self.arc_s + self.lead_out_s
