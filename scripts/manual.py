#!/usr/bin/env python3
"""Writes the manual page of vqvae, in man's format, to standard output.

Usage: scripts/manual.py path/to/vqvae [FOLDER-OF-EXAMPLES]

Commands, options and exit codes are those that the program itself reports (--experimental-dump-help of
swift-argument-parser). Its generate-manual plugin is not used, because it knows no sections for files and
environment variables, and builds the whole package once more.
"""

import datetime
import json
import os
import re
import subprocess
import sys

FILES = [
    ("config.yaml", "in a run folder: the whole configuration of the run"),
    ("metrics.jsonl", "in a run folder: one JSON object a line, for each step and each validation"),
    ("checkpoints/last.safetensors", "in a run folder: the latest state; training resumes from it"),
    ("checkpoints/best.safetensors", "in a run folder: the state with the lowest validation error"),
    ("CONFIGS", "example configurations"),
]
ENVIRONMENT = [
    ("HOME", "replaces a leading ~ in the paths of a configuration"),
    ("TERM", "if it is dumb, progress is written as lines"),
    ("VQVAE_KERNELS", "the kernels to use instead of the fastest: avx512, avx2, neon, generic or openblas"),
    ("OPENBLAS_CORETYPE", "the kernels that OpenBLAS uses instead of those for this processor; read by OpenBLAS"),
]


def fail(what, expected, found, to_do):
    sys.exit(f"manual: {what}\n  expected: {expected}\n  found:    {found}\n  to do:    {to_do}")


def roff(text):
    """Escapes text, so that it appears as it is."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")


def line(text):
    """A line of text; a leading period would be a request."""
    text = roff(text)
    return "\\&" + text if text.startswith((".", "\\(aq")) else text


def paragraphs(text):
    """Paragraphs, and indented lines as a list: what is before the tab is its label."""
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        yield ".PP"
        for row in block.split("\n"):
            label, tab, rest = row.strip().partition("\t")
            yield from [".TP", f"\\fB{roff(label)}\\fR", line(rest)] if tab else [line(label)]


def flag(name):
    return f"\\fB{roff(('-' if name['kind'] != 'long' else '--') + name['name'])}\\fR"


def value(argument):
    return f"\\fI{roff(argument['valueName'])}\\fR"


def shown(command):
    return [a for a in command.get("arguments", []) if a.get("shouldDisplay", True)]


def synopsis(argument):
    text = flag(argument["preferredName"]) if argument["kind"] != "positional" else value(argument)
    if argument["kind"] == "option":
        text += " " + value(argument)
    if argument.get("isRepeating"):
        text += " ..."
    return f"[{text}]" if argument.get("isOptional") else text


def term(argument):
    if argument["kind"] == "positional":
        return value(argument)
    names = sorted(argument["names"], key=lambda name: name["kind"] == "long")
    return ", ".join(map(flag, names)) + (" " + value(argument) if argument["kind"] == "option" else "")


def arguments(command):
    for argument in shown(command):
        text = argument.get("abstract") or ""
        if argument.get("discussion"):
            text += " " + argument["discussion"]
        if argument.get("allValues"):
            text += f" One of: {', '.join(argument['allValues'])}."
        if argument.get("defaultValue"):
            text += f" By default {argument['defaultValue']}."
        yield from [".TP", term(argument), line(text.strip())]


def visible(command):
    return [c for c in command.get("subcommands", []) if c.get("shouldDisplay", True) and c["commandName"] != "help"]


def is_general(argument):
    return any(name["name"] in ("help", "version") for name in argument.get("names", []))


def commands(command, prefix):
    for sub in visible(command):
        name = f"{prefix} {sub['commandName']}"
        own = [a for a in shown(sub) if not is_general(a)]
        yield f".SS {roff(sub['commandName'])}"
        yield f"\\fB{roff(name)}\\fR " + " ".join(map(synopsis, own))
        yield ".PP"
        yield line(sub.get("abstract", ""))
        yield from paragraphs(sub["discussion"]) if sub.get("discussion") else []
        yield from arguments({"arguments": own})
        yield from commands(sub, name)


def table(rows):
    for label, text in rows:
        yield from [".TP", f"\\fB{roff(label)}\\fR", line(text)]


def ask(vqvae, *words):
    try:
        return subprocess.run([vqvae, *words], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        says = (getattr(error, "stderr", None) or str(error)).strip()
        fail(f"cannot run {vqvae} {' '.join(words)}", "exit status 0", says, "build it, with make")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: scripts/manual.py path/to/vqvae [FOLDER-OF-EXAMPLES]")
    vqvae = sys.argv[1]
    examples = sys.argv[2] if len(sys.argv) == 3 else "/usr/local/share/vqvae/configs"
    root = json.loads(ask(vqvae, "--experimental-dump-help"))["command"]
    version = re.search(r"[0-9]+\.[0-9]+\.[0-9]+\S*", ask(vqvae, "--version"))
    if not version:
        fail("no version", "a number such as 0.1.0 in vqvae --version", "none", "correct scripts/manual.py")
    before, _, codes = (root.get("discussion") or "").partition("Exit codes:\n")
    rows = re.findall(r"^\s*(\d+)\t(.+)$", codes, re.MULTILINE)
    if not rows:
        fail("no exit codes", "a list after 'Exit codes:' in vqvae --help", "none", "correct scripts/manual.py")
    # A fixed date, so that the same sources give the same page.
    date = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), datetime.timezone.utc)

    page = [
        f'.TH VQVAE 1 "{date:%Y-%m-%d}" "vqvae {roff(version[0])}" "User Commands"',
        ".\\\" Left-justified and without hyphens, because options and file names must not be broken.",
        ".nh",
        ".ad l",
        ".SH NAME",
        f"vqvae \\- {roff(root['abstract'][0].lower() + root['abstract'][1:].rstrip('.'))}",
        ".SH SYNOPSIS",
        "\\fBvqvae\\fR \\fIcommand\\fR [\\fIoptions\\fR]",
        ".SH DESCRIPTION",
        line(root["abstract"]),
        *(paragraphs(before) if before.strip() else []),
        ".PP",
        line("Progress goes to standard error, results go to standard output."),
        ".SH COMMANDS",
        *commands(root, "vqvae"),
        ".SH OPTIONS",
        *arguments(root),
        ".SH EXIT STATUS",
        *table(rows),
        ".SH FILES",
        *table((examples if name == "CONFIGS" else name, text) for name, text in FILES),
        ".SH ENVIRONMENT",
        *table(ENVIRONMENT),
        ".SH EXAMPLES",
        ".EX",
        line(f"vqvae train --config {examples}/smoke.yaml --run runs/first"),
        line("vqvae eval runs/first --split test"),
        line("vqvae reconstruct runs/first --count 36 --out grid.png"),
        ".EE",
    ]
    sys.stdout.reconfigure(encoding="utf-8")
    print("\n".join(page))


main()
