#!/usr/bin/env python3
"""Checks how the kernels were compiled: one binary must run on every processor, and fast.

Usage: scripts/check_kernels.py BUILD [--neon]

BUILD is a folder of a release build, such as .build/release. On x86-64 it is an error if

- a weak function of a kernel module is also defined elsewhere: the linker keeps one of the two, so that code for
  AVX-512 or AVX2 could run on every processor;
- a function outside the AVX-512 module uses zmm registers, or one outside it and the AVX2 module ymm registers;
- the loop of a register tile keeps a sum in memory (a spill).

--neon compiles the kernels for 64-bit Arm too, by way of LLVM IR and the toolchain's clang, and looks for spills there.
Nothing is run.

Exit status: 0; 1 if something was found; 64 for wrong arguments; 66 if a file is missing.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The sums of a register tile: at least so many multiply-adds are in its loop.
TILE_LOOPS = {"KernelsAVX512": ("zmm", 16), "KernelsAVX2": ("ymm", 12), "KernelsNEON": ("v", 24)}


def output(*command):
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except FileNotFoundError:
        sys.exit(f"check_kernels: {command[0]} is not installed")
    except subprocess.CalledProcessError as error:
        sys.exit(f"check_kernels: {' '.join(map(str, command))} failed:\n{error.stderr.strip()}")


def demangled(names):
    """Readable names, in the same order."""
    names = list(names)
    if not names:
        return []
    try:
        text = subprocess.run(["swift", "demangle", "-simplified"], input="\n".join(names), check=True,
                              capture_output=True, text=True).stdout
        return text.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return names


# Symbols

def symbols(objects):
    """The kind and name of the functions and objects that object files define."""
    for line in output("nm", "--defined-only", *objects).splitlines():
        parts = line.split()
        if len(parts) == 3:
            yield parts[1], parts[2]


def shared_weak_functions(build):
    """The weak functions of kernel modules that another module defines too."""
    modules = {
        folder.name.removesuffix(".build"): sorted(folder.rglob("*.o"))
        for folder in sorted(build.glob("*.build"))
    }
    modules = {name: objects for name, objects in modules.items() if objects}
    kernels = [name for name in modules if is_kernel_module(name)]
    if not kernels:
        sys.exit(f"check_kernels: {build} has no kernel modules; expected the folder of a release build")
    defined = {name: set() for name in modules}
    weak = {name: set() for name in kernels}
    for name, objects in modules.items():
        for kind, symbol in symbols(objects):
            # W: a weak function; V: a weak object. Upper case: global.
            if kind in "TtW":
                defined[name].add(symbol)
            if kind == "W" and name in weak:
                weak[name].add(symbol)
    faults = []
    for module in kernels:
        for symbol in sorted(weak[module]):
            others = [name for name in modules if name != module and symbol in defined[name]]
            if others:
                faults.append((module, symbol, others))
    return kernels, faults


def is_kernel_module(name):
    return re.fullmatch(r"Kernels[A-Z]\w*", name) is not None and not name.endswith("Tests")


# Instructions

def functions(disassembly):
    """The name and the lines (address, text) of each function of objdump's output."""
    name, lines = None, []
    for line in disassembly.splitlines():
        start = re.match(r"^[0-9a-f]+ <(.+)>:$", line)
        if start:
            if name:
                yield name, lines
            name, lines = start.group(1), []
            continue
        instruction = re.match(r"^\s*([0-9a-f]+):\s+(.+)$", line)
        if instruction:
            lines.append((int(instruction.group(1), 16), instruction.group(2)))
    if name:
        yield name, lines


def foreign_registers(program):
    """Functions of the program that use registers that only some processors have."""
    text = output("objdump", "-d", "--no-show-raw-insn", str(program))
    faults, counted = [], {"zmm": 0, "ymm": 0}
    for name, lines in functions(text):
        for register, modules in [("zmm", ["KernelsAVX512"]), ("ymm", ["KernelsAVX2", "KernelsAVX512"])]:
            if not any("%" + register in line for _, line in lines):
                continue
            counted[register] += 1
            if not any(module in name for module in modules):
                faults.append((name, register))
    return counted, faults


def tile_loops(lines, register, count):
    """The innermost loops with at least `count` multiply-adds: their number, and those that use the stack.

    The transforms of Winograd's convolution have additions, and are no such loops."""
    multiply_add = re.compile(r"^(vfmadd|fmla)")
    other = re.compile(r"^(v(add|sub|mul)p[sd]|f(add|sub|mul)\s+v)")
    if register == "v":
        # clang's assembly has v16.4s, and the stack is [sp].
        on_stack = re.compile(r"\bq\d+.*\[(sp|x29)|\[(sp|x29).*\bq\d+")
    else:
        on_stack = re.compile(rf"\(%r[sb]p\).*%{register}|%{register}.*\(%r[sb]p\)")
    places = {address: i for i, (address, _) in enumerate(lines)}
    loops = []
    for i, (_, text) in enumerate(lines):
        jump = re.match(r"^(j\w+|b\.\w+|b|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\S+,)\s+(?:0x)?([0-9a-f]+)", text)
        target = places.get(int(jump.group(2), 16)) if jump else None
        if target is not None and target <= i:
            loops.append((target, i))
    found, spilling = 0, []
    for first, last in loops:
        if any(first <= a and b <= last and (a, b) != (first, last) for a, b in loops):
            continue
        body = [text for _, text in lines[first:last + 1]]
        if any(map(other.match, body)) or sum(map(bool, map(multiply_add.match, body))) < count:
            continue
        found += 1
        spills = [text for text in body if on_stack.search(text)]
        if spills:
            spilling.append(spills)
    return found, spilling


def neon_object(build, folder):
    """The kernels compiled for 64-bit Arm. Swift writes LLVM IR for this machine, which is the same but for its
    target: SIMD types are LLVM's, and nothing depends on the processor."""
    sources = sorted((ROOT / "Sources/KernelSources").glob("*.swift"))
    ir = folder / "neon.ll"
    # As for AVX2: with fused multiply-adds, and the same tile.
    output("swiftc", "-emit-ir", "-parse-as-library", "-Ounchecked", "-wmo", "-module-name", "KernelsNEON",
           "-package-name", package_name(build), "-D", "KERNELS_NEON", "-I", str(build / "Modules"), "-Xcc",
           "-march=x86-64-v3", *map(str, sources), "-o", str(ir))
    text = ir.read_text()
    text = re.sub(r'"(target-features|target-cpu|tune-cpu)"="[^"]*"', "", text)
    text = re.sub(r"^target triple.*$", 'target triple = "aarch64-unknown-linux-gnu"', text, flags=re.M)
    text = re.sub(
        r"^target datalayout.*$",
        'target datalayout = "e-m:e-i8:8:32-i16:16:32-i64:64-i128:128-n32:64-S128-Fn32"', text, flags=re.M)
    ir.write_text(text)
    target = folder / "neon.o"
    output("clang", "--target=aarch64-unknown-linux-gnu", "-O2", "-c", "-x", "ir", str(ir), "-o", str(target))
    return target


def package_name(build):
    """The name that SwiftPM gave the package: it follows the folder's name, and modules of another one are closed."""
    plan = build.parent / (build.name + ".yaml")
    names = re.findall(r'"-package-name","([^"]+)"', plan.read_text()) if plan.exists() else []
    # Most modules are ours.
    return max(set(names), key=names.count) if names else ROOT.name.lower()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--neon", action="store_true")
    try:
        arguments = parser.parse_args()
    except SystemExit as error:
        sys.exit(64 if error.code else 0)
    build = arguments.build
    if not build.is_dir():
        print(f"check_kernels: {build} is not a folder", file=sys.stderr)
        sys.exit(66)

    failed = False

    def fail(text):
        nonlocal failed
        failed = True
        print("check_kernels: " + text, file=sys.stderr)

    modules, shared = shared_weak_functions(build)
    for (module, _, others), name in zip(shared, demangled(symbol for _, symbol, _ in shared)):
        fail(f"{module} defines a weak function that is also in {', '.join(others[:3])}: {name}")
    print(f"weak functions: none of {', '.join(modules)} is defined elsewhere" if not shared
          else f"weak functions: {len(shared)} are defined elsewhere")

    program = build / "vqvae"
    if program.exists():
        counted, foreign = foreign_registers(program)
        for (_, register), name in zip(foreign, demangled(name for name, _ in foreign)):
            fail(f"a function outside the modules for it uses {register} registers: {name}")
        print(f"registers: {counted['zmm']} functions with zmm, {counted['ymm']} with ymm, {len(foreign)} of them "
              "outside their modules")

    with tempfile.TemporaryDirectory() as folder:
        objects = {name: sorted((build / f"{name}.build").rglob("*.o")) for name in modules}
        if arguments.neon:
            objects["KernelsNEON"] = [neon_object(build, pathlib.Path(folder))]
        for module, (register, count) in TILE_LOOPS.items():
            if not objects.get(module):
                continue
            total, spilling = 0, 0
            for path in objects[module]:
                disassembler = "llvm-objdump" if register == "v" else "objdump"
                text = output(disassembler, "-d", "--no-show-raw-insn", str(path))
                for name, lines in functions(text):
                    found, spills = tile_loops(lines, register, count)
                    total += found
                    spilling += len(spills)
                    for loop in spills:
                        fail(f"a tile loop of {demangled([name])[0]} uses the stack: {loop[0]}")
            print(f"tile loops of {module}: {total}, {spilling} with spills")
            if total == 0:
                fail(f"no tile loop was found in {module}")

    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
