"""The images that both sides train on."""

from pathlib import Path

import numpy as np
from console import fail
from numpy.typing import NDArray
from settings import ROOT

USUAL_DATA = ROOT / "data" / "cifar10" / "cifar-10-batches-bin"
IMAGES = 2048  # for training: several batches, which are used in turn

Bytes = NDArray[np.uint8]


def real_images(folder: Path) -> Bytes:
    """The first images of a CIFAR-10 folder, [N, 3, 32, 32]."""
    file = folder / "data_batch_1.bin"
    if not file.is_file():
        fail(66, f"{file} is not there", "a folder with CIFAR-10's binary batches", "no such file",
             "name the folder in --data, or leave it out for synthetic images")  # fmt: skip
    records = np.fromfile(file, np.uint8, count=IMAGES * 3073)
    if len(records) < IMAGES * 3073:
        fail(66, f"{file} is too short", f"{IMAGES} images of 3073 bytes", f"{len(records)} bytes",
             "scripts/download_cifar10.sh downloads the official files")  # fmt: skip
    return records.reshape(-1, 3073)[:, 1:].reshape(-1, 3, 32, 32)


def synthetic_images() -> Bytes:
    """Blocks of random colours, with noise. If many patches were equal, a ReLU that rounding activates would
    be activated in all of them, and the check would fail."""
    random = np.random.default_rng(1)
    blocks = random.integers(32, 224, (IMAGES, 3, 4, 4), np.uint8)
    noise = random.integers(0, 32, (IMAGES, 3, 32, 32), np.uint8)
    return blocks.repeat(8, axis=2).repeat(8, axis=3) + noise


def write_data(folder: Path, images: Bytes) -> Path:
    """Writes the images as CIFAR-10 files for vqvae, and as images.npy for the others."""
    folder.mkdir()
    labels = np.zeros((len(images), 1), np.uint8)
    records = np.concatenate([labels, images.reshape(len(images), -1)], axis=1)
    for i, part in enumerate(np.array_split(records, 5)):
        part.tofile(folder / f"data_batch_{i + 1}.bin")
    records[:1].tofile(folder / "test_batch.bin")
    np.save(folder / "images.npy", images)
    return folder
