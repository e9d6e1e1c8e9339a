"""A process that encodes with onnxruntime or OpenVINO on request. workers.py starts it; it is not meant to be
run by hand.

The graph is that of pytorch_peer.py's export: encoder and nearest code, for batches of one size.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from serving import serve, take_standard_output

Images = NDArray[np.float32]
Codes = NDArray[np.int64]
Encode = Callable[[Images], Codes]


def onnxruntime_encoder(graph: Path, threads: int, precision: str) -> tuple[Encode, str]:
    import onnxruntime

    assert precision == "float32", "the processor's kernels of onnxruntime have no bf16"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return lambda images: session.run(None, {"images": images})[0], onnxruntime.__version__


def openvino_encoder(graph: Path, threads: int, precision: str) -> tuple[Encode, str]:
    import openvino

    compiled = openvino.Core().compile_model(
        str(graph), "CPU",
        {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads,
         "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision]},
    )  # fmt: skip
    request = compiled.create_infer_request()

    def encode(images: Images) -> Codes:
        codes: Codes = request.infer([images], share_inputs=True, share_outputs=True)[0]
        return codes

    return encode, openvino.__version__.split("-")[0]


ENCODERS = {"onnxruntime": onnxruntime_encoder, "openvino": openvino_encoder}


def load(file: Path) -> Images:
    """Converts bytes [N, 3, H, W] in a .npy file to floats in -0.5...0.5."""
    return np.load(file).astype(np.float32) / np.float32(255) - np.float32(0.5)


def measure(
    encode: Encode, images: Images, work: str, batch: int, warmup: int, steps: int
) -> dict[str, Any]:
    assert work == "encode"
    batches = [images[i : i + batch] for i in range(0, len(images), batch)]
    seconds = []
    for i in range(warmup + steps):
        start = time.perf_counter()
        encode(batches[i % len(batches)])
        seconds.append(time.perf_counter() - start)
    return {"seconds": seconds[warmup:]}


def save_codes(encode: Encode, images: Images, codes: str) -> dict[str, Any]:
    np.save(codes, encode(images))
    return {}


def main() -> None:
    parser = argparse.ArgumentParser(description="Serves scripts/compare.")
    parser.add_argument("--graph", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True)
    parser.add_argument("--program", choices=ENCODERS, required=True)
    parser.add_argument("--precision", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()

    answers = take_standard_output()
    encode, version = ENCODERS[options.program](options.graph, options.threads, options.precision)
    images = load(options.images)
    serve(
        {
            "codes": lambda images, codes: save_codes(encode, load(Path(images)), codes),
            "measure": lambda **rest: measure(encode, images, **rest),
            "about": lambda: {"version": version},
        },
        answers,
    )


if __name__ == "__main__":
    main()
