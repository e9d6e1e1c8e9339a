"""Damages checkpoints, configurations and data files, and checks how the program reacts."""

from __future__ import annotations

import json
import random
import re
import struct
from typing import Callable, Iterator

from campaign import Case, Failure, Files, Place, read_files
from program import Outcome
from runs import BEST, LAST, Scenario, World, ends_well, header_of, is_finite, leaves_no_temporary_file, read

Mutator = Callable[[bytes, random.Random], bytes]

# The limits of rejecting a file, whatever sizes it claims: seconds, memory and bytes of message.
SECONDS, KIBIBYTES, MESSAGE = 15, 200 << 10, 8 << 10
REFUSALS = (64, 65, 66, 73, 78)
# How often each mutator is used, for each kind of file and command.
TIMES = {"short": 4, "default": 100, "long": 1000}
# Expensive mutators are used less often by this factor.
DEAR = 20

HUGE = [
    "0", "-1", "1", "4", "7", "255", "65536", "1000000", "2147483647", "2147483648", "4294967296", "99999999999",
    "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e308", "-1e308", "1e-320", "1e999",
    "nan", ".nan", ".inf", "-.inf", "inf", "0x10", "1_000", "٣", "true", "null", "~", "''", '""', "[]", "{}",
    "[1, 2]", "!!binary aGk=", "1.5", "+4", "04", "4.0", "4e0", " 4", "9" * 400]
WORDS = [
    "seed", "data", "kind", "images", "side", "model", "hidden", "quantizer", "training", "steps", "output",
    "folder", "ema", "vq", "resblock", "cifar10", "widths", "&a", "*a", "<<", "!!str", "!!map", "? ", "- ", ": ",
    "|", ">", "%YAML 1.2", "---", "...", "\t", "#", "{", "}", "[", "]", ",", "'", '"', "\n", "\n  ", "1", "1e9"]
STRINGS = [
    "", "x", "\0", "\x1b[31m", "\r", "\x7f", "\u0085", "\u202e", "é" * 50, "../../etc/passwd", "-1", "nan",
    "1e999", "99999999999999999999", "%s%n", "\\", "'", "\n\n", "{", "{}", "A" * 5000, "32x32", "8x", "x8", "0x0",
    "4096x4096", "8x8x8", "１"]
FLOATS = [
    float("nan"), float("inf"), float("-inf"), 3.4e38, -3.4e38, 1e-45, -0.0, -1.0, 1e30, 1e19, -1e-8, 1e-30, 0.0]


# MARK: Mutators for any file


def flip_bits(content: bytes, source: random.Random) -> bytes:
    result = bytearray(content)
    for _ in range(source.choice([1, 1, 2, 8])):
        result[source.randrange(len(result))] ^= 1 << source.randrange(8)
    return bytes(result)


def flip_early(content: bytes, source: random.Random) -> bytes:
    """Flips bits near the beginning, where lengths and names are."""
    edge = min(len(content), source.choice([8, 64, 512, 4096]))
    return flip_bits(content[:edge], source) + content[edge:]


def truncate(content: bytes, source: random.Random) -> bytes:
    return content[: source.choice([0, 1, 7, 8, 9, source.randrange(len(content)), len(content) - 1])]


def extend(content: bytes, source: random.Random) -> bytes:
    return content + source.randbytes(source.choice([1, 4, 8, 3073, 5000]))


def splice(content: bytes, source: random.Random) -> bytes:
    """Copies a part of the file to another place, overwriting or inserting."""
    a, b = sorted(source.randrange(len(content) + 1) for _ in range(2))
    part = content[a : min(b, a + 3000)]
    at = source.randrange(len(content) + 1)
    return content[:at] + part + content[at + source.choice([0, len(part)]) :]


def blank(content: bytes, source: random.Random) -> bytes:
    """Overwrites a block with one byte value, as a failing disk may do."""
    at, size = source.randrange(len(content)), source.choice([1, 16, 512, 4096])
    fill = source.choice([b"\0", b"\xff", b" ", b"\n"])
    return content[:at] + fill * min(size, len(content) - at) + content[at + size :]


def random_bytes(content: bytes, source: random.Random) -> bytes:
    return source.randbytes(source.choice([1, 8, 9, 100, 5000]))


def control_characters(content: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(content))
    sign = source.choice([b"\0", b"\x1b[2J", b"\r", b"\x07", b"\x7f", b"\xc2\x9b31m", b"\xe2\x80\xae", b"\x0c"])
    return content[:at] + sign + content[at:]


def invalid_utf8(content: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(content))
    sign = source.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82", b"\x80"])
    return content[:at] + sign + content[at:]


# MARK: Mutators for checkpoints


def rebuilt(header: dict | str, tensors: bytes) -> bytes:
    text = (header if isinstance(header, str) else json.dumps(header, ensure_ascii=False)).encode(
        "utf-8", "surrogatepass")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + tensors


def parts(content: bytes) -> tuple[dict, bytes]:
    (size,) = struct.unpack("<Q", content[:8])
    return header_of(content), content[8 + size :]


def header_size(content: bytes, source: random.Random) -> bytes:
    (size,) = struct.unpack("<Q", content[:8])
    value = source.choice([0, 1, 2, 7, size - 1, size + 1, size - 8, size + 8, len(content) - 8, len(content),
                           100_000_000, 100_000_001, 1 << 31, 1 << 32, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
    return struct.pack("<Q", value) + content[8:]


def header_field(content: bytes, source: random.Random) -> bytes:
    """Changes the values, names or number of the fields that describe a tensor."""
    header, tensors = parts(content)
    name = source.choice([key for key in header if key != "__metadata__"])
    entry = header[name]
    way = source.randrange(7)
    if way == 0:
        entry["dtype"] = source.choice(["F16", "BF16", "F64", "I64", "", "f32", "F32\0", "A" * 3000, 4])
    elif way == 1:
        entry["shape"] = source.choice(
            [[], [0], [-1], [1 << 62, 4], [1 << 32, 1 << 32], [1.5], ["4"], [4] * 500, [1] * 40 + entry["shape"], None])
    elif way == 2:
        entry["data_offsets"] = source.choice([[0, 0], [4, 0], [0, 1 << 62], [0], [0, 4, 8], [1, 5], [-4, 0], None])
    elif way == 3:
        del header[name]
    elif way == 4:
        header[source.choice(STRINGS) or "y"] = header.pop(name)
    elif way == 5:
        entry[source.choice(STRINGS)] = source.choice([1, "x", [], {}])
    else:
        other = source.choice([key for key in header if key != "__metadata__"])
        header[name], header[other] = header[other], header[name]
    return rebuilt(header, tensors)


def metadata_field(content: bytes, source: random.Random) -> bytes:
    header, tensors = parts(content)
    metadata = header["__metadata__"]
    key = source.choice(list(metadata))
    if source.random() < 0.15:
        del metadata[key]
    elif source.random() < 0.1:
        metadata[source.choice(STRINGS)] = source.choice(STRINGS)
    else:
        metadata[key] = source.choice(STRINGS + HUGE)
    return rebuilt(header, tensors)


def metadata_configuration(content: bytes, source: random.Random) -> bytes:
    """Changes a number in the configuration inside the checkpoint."""
    header, tensors = parts(content)
    metadata = header["__metadata__"]
    text = metadata["vqvae.config"]
    if source.random() < 0.2:
        metadata["vqvae.config"] = random.Random(source.random()).choice(YAML)(text.encode(), source).decode(
            "utf-8", "replace")
    else:
        numbers = list(re.finditer(r": ([0-9.e-]+)$", text, re.MULTILINE))
        place = source.choice(numbers)
        metadata["vqvae.config"] = text[: place.start(1)] + source.choice(HUGE) + text[place.end(1) :]
    return rebuilt(header, tensors)


def numbers(content: bytes, source: random.Random) -> bytes:
    """A valid file with numbers that training never writes."""
    header, tensors = parts(content)
    result = bytearray(tensors)
    names = [key for key in header if key != "__metadata__" and header[key]["data_offsets"][1] > 0]
    for _ in range(source.choice([1, 1, 3])):
        begin, end = header[source.choice(names)]["data_offsets"]
        value = struct.pack("<f", source.choice(FLOATS))
        if source.random() < 0.3:
            result[begin:end] = value * ((end - begin) // 4)
        else:
            at = begin + 4 * source.randrange((end - begin) // 4)
            result[at : at + 4] = value
    return rebuilt(header, bytes(result))


def json_forms(content: bytes, source: random.Random) -> bytes:
    """JSON that readers may interpret differently: duplicate names, deep nesting, unusual escapes."""
    header, tensors = parts(content)
    text = json.dumps(header)
    depth = source.choice([10, 1000, 100_000])
    return rebuilt(source.choice([
        text[:-1] + ',"__metadata__":{}}', text[:-1] + "," + text[1:], text + text, "[" * depth, '{"a":' * depth,
        text.replace('"F32"', '"\\u0046\\u0033\\u0032"', 1), text.replace('"F32"', '"\\ud800"', 1),
        text.replace(":", " : "), text.replace("[", "[ \n\t"), text.replace("[0", "[00", 1), text.replace("[0", "[-0", 1),
        text.replace(",", ",,", 1), text[:-1] + ",}", "null", '""', "{}", '{"__metadata__":{}}', "\ufeff" + text,
        text.replace("{", "{/**/", 1), text.replace('"', "'"), "\0" * 64 + text]), tensors)


def huge_header(content: bytes, source: random.Random) -> bytes:
    """A header of several megabytes, to measure the cost of rejecting it."""
    header, tensors = parts(content)
    megabytes = source.choice([1, 2, 8])
    fill = megabytes << 20
    way = source.randrange(6)
    if way == 0:
        header["__metadata__"]["vqvae.config"] = "[" + "1," * (fill // 2) + "1]"
    elif way == 1:
        header["__metadata__"]["vqvae.config"] = "".join(f"k{i}: 1\n" for i in range(fill // 10))
    elif way == 2:
        header["__metadata__"]["vqvae.config"] = "a" * fill
    elif way == 3:
        header["B" * fill] = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    elif way == 4:
        header["__metadata__"].update({f"k{i}": "v" for i in range(fill // 12)})
    else:
        return rebuilt("[" * fill, tensors)
    return rebuilt(header, tensors)


# MARK: Mutators for configurations


def another_number(content: bytes, source: random.Random) -> bytes:
    places = list(re.finditer(rb"\b\d[0-9.e-]*\b", content))
    place = source.choice(places)
    return content[: place.start()] + source.choice(HUGE).encode() + content[place.end() :]


def soup(content: bytes, source: random.Random) -> bytes:
    """Words of YAML and of the program in random order."""
    lines = "".join(source.choice(WORDS) + source.choice(["", " ", ": "]) for _ in range(source.randrange(60)))
    return (content if source.random() < 0.5 else b"") + lines.encode()


def nesting(content: bytes, source: random.Random) -> bytes:
    depth = source.choice([10, 100, 1000, 20_000])
    text = source.choice(["[" * depth, "{a: " * depth, "- " * depth, "? " * depth, "".join(
        " " * i + "a:\n" for i in range(min(depth, 300))), "[" * depth + "]" * depth])
    return content + b"extra: " + text.encode()


def anchors(content: bytes, source: random.Random) -> bytes:
    """Nested lists of aliases: a few lines that expand to billions of elements."""
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    for i in range(1, source.choice([2, 9, 30])):
        lines.append(f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]")
    extra = source.choice(["\n", "\nseed: *a1\n", "\n<<: *a1\n", "\n&b b: *b\n"])
    return content + "\n".join(lines).encode() + extra.encode()


def lines_twice(content: bytes, source: random.Random) -> bytes:
    lines = content.split(b"\n")
    lines.insert(source.randrange(len(lines)), source.choice(lines))
    return b"\n".join(lines)


def long_line(content: bytes, source: random.Random) -> bytes:
    size = source.choice([1000, 60_000, 65_536, 70_000])
    fill = source.choice([b"x", b"#", b"9", b" ", b"\xc3\xa9", b"a: "])
    return content + source.choice([b"k", b"seed: ", b"# ", b'"']) + fill * (size // len(fill))


def unknown_names(content: bytes, source: random.Random) -> bytes:
    count = source.choice([1, 20, 3000])
    return content + b"".join(b"k%d%s: 1\n" % (i, source.choice([b"", b"\xc3\xa9", b"x" * 5])) for i in range(count))


def other_encoding(content: bytes, source: random.Random) -> bytes:
    text = content.decode()
    return source.choice([
        text.encode("utf-16"), text.encode("utf-16-be"), text.encode("utf-32"), b"\xef\xbb\xbf" + content,
        content.replace(b"\n", b"\r\n"), content.replace(b"\n", b"\r"), content.replace(b" ", b"\t")])


YAML: list[Mutator] = [
    flip_bits, truncate, splice, blank, random_bytes, control_characters, invalid_utf8, another_number, soup, nesting,
    anchors, lines_twice, long_line, unknown_names, other_encoding]
CHECKPOINT: list[Mutator] = [
    flip_bits, flip_early, truncate, extend, splice, blank, random_bytes, control_characters, invalid_utf8, header_size,
    header_field, metadata_field, metadata_configuration, numbers, json_forms, huge_header]
# The format has no header and no checksum, so most damaged files are valid images.
DATA: list[Mutator] = [flip_early, truncate, extend, splice, blank, random_bytes]
EXPENSIVE = {huge_header}


# MARK: Cases


def cases(world: World, place: Place, scale: str, seed: int) -> Iterator[Case]:
    train, data = world.scenarios["train"], world.scenarios["data"]
    reading = ("--threads", "1")
    on_checkpoints = [
        ("eval", ("eval", BEST, *reading), 1.5),
        ("reconstruct", ("reconstruct", BEST, *reading, "--count", "2", "--scale", "1", "--out", "g.png"), 0.8),
        ("resume", ("train", "--run", "run", "--resume", "--set", "training.steps=6"), 2)]
    for command, arguments, share in on_checkpoints:
        for mutator in CHECKPOINT:
            for number in range(times(scale, share, mutator)):
                yield case(
                    f"{command}-checkpoint", mutator, number, train.expected,
                    LAST if command == "resume" else BEST, arguments,
                    f"mutation: a damaged checkpoint in `{command.replace('resume', 'train --resume')}`: refused at "
                    "little cost, or harmless")
    small = [
        word for field in ("data.images=32", "data.side=8", "model.hidden=4", "model.residual_layers=1",
                           "model.residual_hidden=4", "quantizer.codebook_size=16", "quantizer.dimension=4",
                           "training.batch_size=8") for word in ("--set", field)]
    configuration = ("train", "--config", "c.yaml", "--run", "new", "--set", "training.steps=1", "--threads", "1")
    for mutator in YAML:
        for number in range(times(scale, 2, mutator)):
            # Small sizes, because large but valid numbers would rightly create a large model.
            yield case(
                "configuration", mutator, number, {"c.yaml": train.files["c.yaml"]}, "c.yaml", configuration + tuple(small),
                "mutation: a damaged configuration in `train`: refused at little cost, or harmless")
    for command, arguments in (
        ("eval", ("eval", "run", *reading, "--split", "train")),
        ("train", ("train", "--config", "c.yaml", "--run", "new", "--threads", "1")),
        ("resume", ("train", "--run", "run", "--resume", "--set", "training.steps=4"))):
        for mutator in DATA:
            for number in range(times(scale, 0.7, mutator)):
                yield case(
                    f"{command}-data", mutator, number, data.expected, f"data/data_batch_{1 + number % 5}.bin", arguments,
                    "mutation: damaged data files in `train` and `eval`: refused at little cost, or harmless")


def times(scale: str, share: float, mutator: Mutator) -> int:
    count = TIMES[scale] * share / (DEAR if mutator in EXPENSIVE else 1)
    return max(1, round(count))


def case(
    what: str, mutator: Mutator, number: int, files: Files, path: str, arguments: tuple[str, ...], promise: str
) -> Case:
    def check(place: Place) -> Iterator[Failure]:
        place.counts["mutants"] += 1
        damaged = {**files, path: mutator(files[path], place.random)}
        place.prepare(damaged)
        outcome = place.run(*arguments, timeout=SECONDS, uses_shim=False)
        yield from is_modest(outcome)
        yield from leaves_no_temporary_file()
        if outcome.code in REFUSALS and read_files() != damaged:
            yield Failure("a refusal that changes files", str(outcome))
        if outcome.code is not None and arguments[0] == "train":
            yield from is_sound(outcome, damaged)

    return Case(f"mutation/{what}/{mutator.__name__}/{number}", promise, check)


def is_modest(outcome: Outcome) -> Iterator[Failure]:
    """The program ends as documented, with a message of reasonable length and little memory."""
    yield from ends_well(outcome)
    if outcome.code in REFUSALS and outcome.kibibytes > KIBIBYTES:
        yield Failure("a refusal that needs much memory", f"{outcome.kibibytes >> 10} MB; {outcome}")
    if len(outcome.err) > MESSAGE:
        yield Failure("a long message", f"{len(outcome.err)} bytes; {outcome}")
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", outcome.text):
        yield Failure("control characters in a message", repr(outcome.text[:120]))


def is_sound(outcome: Outcome, before: Files) -> Iterator[Failure]:
    """Training never replaces a checkpoint with one that has non-finite numbers."""
    for folder in ("run", "new"):
        for name in ("last", "best"):
            path = f"{folder}/checkpoints/{name}.safetensors"
            content = read(path)
            if content is None or content == before.get(path):
                continue
            if not is_finite(content):
                yield Failure("saved numbers that are not finite", f"{path}; {outcome}")
