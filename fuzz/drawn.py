#!/usr/bin/env python3
"""Runs a drawn program (supervisor/tests/fidelity/*/random_*.c) natively and simulated, round by round, and shows with
how few steps the first rounds that differ still do: fuzz/drawn.py PROGRAM.c [FIRST_ROUND [ROUNDS [SIMRUN]]]"""
import difflib
import pathlib
import subprocess
import sys
import tempfile

STEPS = 400
SHOWN = 3


def said(command, folder):
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    return done.stdout.decode(errors="replace").splitlines() + [f"status {done.returncode}"]


def both(program, simrun, round_, steps, folder):
    command = [program, str(round_), *map(str, steps)]
    inside = [simrun, "--quiet", "--no-store", "--seed", "1", "--", *command]
    return said(command, folder), said(inside, folder)


def reduced(differs, steps):
    """Fewer steps that differ: what comes after them is of no interest, and larger parts are left out first."""
    low, high = 1, len(steps)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if differs(steps[:middle]) else (middle + 1, high)
    steps = steps[:high]
    size = max(1, len(steps) // 2)
    while size:
        at = 0
        while at < len(steps):
            rest = steps[:at] + steps[at + size :]
            if rest and differs(rest):
                steps = rest
            else:
                at += size
        size //= 2
    return steps


def main():
    source = pathlib.Path(sys.argv[1]).resolve()
    first, rounds = (int(argument) for argument in (sys.argv[2:4] + ["0", "1000"][len(sys.argv[2:4]) :]))
    simrun = str(pathlib.Path(sys.argv[4] if len(sys.argv) > 4 else "target/debug/simrun").resolve())
    with tempfile.TemporaryDirectory() as folder:
        program = folder + "/program"
        subprocess.run(["cc", "-O1", "-w", "-pthread", "-D_GNU_SOURCE", "-o", program, source], check=True)
        shown = 0
        for round_ in range(first, first + rounds):
            def differs(steps):
                native, simulated = both(program, simrun, round_, steps, folder)
                return native != simulated

            steps = list(range(STEPS))
            if differs(steps):
                steps = reduced(differs, steps)
                print("round", round_, *steps)
                native, simulated = both(program, simrun, round_, steps, folder)
                print(*difflib.unified_diff(native, simulated, "native", "simulated", n=99, lineterm=""), sep="\n")
                shown += 1
                if shown == SHOWN:
                    break
        sys.exit(shown > 0)


main()
