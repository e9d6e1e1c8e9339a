"""What is compared: works, and forms of other programs."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field

from console import note
from processor import processor_flags


@dataclass(frozen=True)
class Work:
    """What is timed: training or encoding, with a batch size."""

    name: str
    kind: str  # train or encode
    batch: int
    warmup: int
    steps: int  # per round

    @property
    def title(self) -> str:
        return {
            "train": f"training step, batch {self.batch}",
            "encode": f"encoding {self.batch} images",
        }[self.kind]


WORKS = [
    Work("train-256", "train", 256, warmup=3, steps=10),
    Work("encode-256", "encode", 256, warmup=3, steps=20),
    Work("train-32", "train", 32, warmup=5, steps=40),
]
ENCODED = 256  # images: the graph of onnxruntime and OpenVINO is for this batch alone

# The titles of our program: with all instructions of the processor, and limited to AVX2.
OURS, OURS_AVX2 = "vqvae", "vqvae, AVX2"

# For the allocator of PyTorch. Without these, glibc returns large blocks to the system at once, and every
# step faults in the same pages again.
KEEPING_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40)}
KERNELS = "VQVAE_KERNELS"  # names the kernels of our program
OURS_LIMITED = {KERNELS: "avx2"}
PYTORCH_LIMITED = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}


@dataclass(frozen=True)
class Form:
    """A form of another program, such as a layout or a precision of PyTorch."""

    title: str
    program: str  # torch, onnxruntime or openvino
    layout: str = "contiguous"
    is_compiled: bool = False
    precision: str = "float32"  # or bfloat16
    environment: dict[str, str] = field(default_factory=dict, hash=False)
    against: str = OURS

    @property
    def kinds(self) -> set[str]:
        """The kinds of work that it does."""
        return {"train", "encode"} if self.program == "torch" else {"encode"}


def pytorch(title: str, layout: str, **more: object) -> Form:
    return Form(f"PyTorch {title}", "torch", layout, environment=KEEPING_MEMORY, **more)  # type: ignore[arg-type]


EAGER = [pytorch("eager, contiguous", "contiguous"), pytorch("eager, channels last", "channels_last")]
COMPILED = [
    pytorch("compiled, contiguous", "contiguous", is_compiled=True),
    pytorch("compiled, channels last", "channels_last", is_compiled=True),
]
BF16 = [pytorch("bf16 autocast, channels last", "channels_last", precision="bfloat16")]
AVX2 = [
    Form("PyTorch eager, channels last, AVX2", "torch", "channels_last",
         environment=KEEPING_MEMORY | PYTORCH_LIMITED, against=OURS_AVX2)
]  # fmt: skip
ONNXRUNTIME = [Form("onnxruntime", "onnxruntime")]
OPENVINO = [Form("OpenVINO", "openvino"), Form("OpenVINO bf16", "openvino", precision="bfloat16")]

# The names for --peers.
PEERS = {
    "eager": EAGER, "compiled": COMPILED, "bf16": BF16, "avx2": AVX2, "onnxruntime": ONNXRUNTIME,
    "openvino": OPENVINO,
}  # fmt: skip


def chosen_forms(peers: list[str]) -> list[Form]:
    """The forms of the peers, without those that this machine cannot run; says which and why."""
    forms = []
    flags = processor_flags()
    for peer in peers:
        reason = next(_reasons(peer, flags), None)
        if reason:
            note(f"left out: {peer}: {reason}")
            continue
        for form in PEERS[peer]:
            # Without instructions for it, bf16 is emulated, and slower than float32.
            if form.precision == "bfloat16" and not {"avx512_bf16", "amx_bf16"} & flags:
                note(f"left out: {form.title}: the processor has no instructions for bf16")
            else:
                forms.append(form)
    return forms


def _reasons(peer: str, flags: set[str]) -> Iterator[str]:
    if peer == "avx2" and "avx2" not in flags:
        yield "the processor has no AVX2"
    if peer == "avx2" and "avx512f" not in flags:
        yield "the processor has no AVX-512, so the other columns are limited to AVX2 already"
    if peer in ("onnxruntime", "openvino"):
        # torch.onnx needs the others for the export.
        packages = [peer, "onnx", "onnxscript"]
        missing = [name for name in packages if importlib.util.find_spec(name) is None]
        if missing:
            yield f"this Python has no {' and no '.join(missing)}; pip install {' '.join(missing)}"
