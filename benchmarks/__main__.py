"""Run every comparison, each in a process of its own: `python -m benchmarks [--quick]`."""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run all modules of this folder that are comparisons; return the number that failed to run."""
    names = [path.stem for path in sorted(Path(__file__).parent.glob("[!_]*.py")) if path.stem != "common"]
    failed = [
        name
        for name in names
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *sys.argv[1:]], check=False).returncode
    ]
    if failed:
        print(f"did not run to the end: {', '.join(failed)}", file=sys.stderr)
    return len(failed)


if __name__ == "__main__":
    raise SystemExit(main())
