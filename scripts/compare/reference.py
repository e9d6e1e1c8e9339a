"""The check that all programs compute the same, before anything is timed."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from console import fail, note
from forms import EAGER
from images import Bytes, write_data
from numpy.typing import NDArray
from ours import Ours
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from workers import Launcher, Worker

CHECKED_IMAGES = 256  # one batch, so that their order does not matter
CHECKED_STEP = 10  # by then Adam's moments are in use

# Both sides add the same float32 numbers in different orders. The relative difference of a sum of n numbers
# is then at most about √n · 6e-8, and a gradient passes through a dozen layers of such sums.
LOSS_TOLERANCE = 1e-5  # relative
# For the weight of the commitment loss, which is too small a part of the total loss to be checked by it.
WEIGHT_TOLERANCE = 2e-3
MOMENT_TOLERANCE = 2e-4  # of the largest element of a tensor
# Relative. Adam normalizes each element of a gradient, so an element that is nearly zero is mostly rounding
# and may move by a whole learning rate in either direction. Therefore steps are compared as a whole, by the
# norm of their difference.
STEP_TOLERANCE = 2e-2
# A vector may choose either of two codewords if its distance to the plane halfway between them is below this
# fraction of its length.
TIE = 1e-5

# A bfloat16 has eight bits. With that in the convolutions 2 % of the codes are others, and with distances in
# bfloat16 too, as in OpenVINO, 30 %. Two unrelated models would agree in a few percent.
LOSS_TOLERANCE_BF16 = 3e-2
CODES_TOLERANCE_BF16 = 0.5  # the share of other codes

Finding = tuple[str, float, float]  # what, the difference found, the largest allowed


def commitment_weight(
    whole: float, reconstruction: float, codebook: float, commitment: float
) -> float:
    return (whole - reconstruction - codebook) / commitment


@dataclass(frozen=True)
class Reference:
    """Our step from the checkpoint, on all images of the folder."""

    data: Path
    checkpoint: Path
    before: dict[str, NDArray[np.float32]]
    after: dict[str, NDArray[np.float32]]
    metrics: dict[str, Any]
    folder: Path

    @classmethod
    def make(cls, ours: Ours, launcher: Launcher, images: Bytes) -> "Reference":
        data = write_data(launcher.folder / "checked", images[:CHECKED_IMAGES])
        run, checkpoint = launcher.folder / "run", launcher.folder / "start.safetensors"
        last = run / "checkpoints" / "last.safetensors"
        common = ["--set", f"training.batch_size={CHECKED_IMAGES}", "--run", str(run)]
        ours.run("train", data, *common, "--set", f"training.steps={CHECKED_STEP}")
        cls.spread_codebook(last, data, launcher)
        shutil.copyfile(last, checkpoint)
        ours.run("train", data, *common, "--set", f"training.steps={CHECKED_STEP + 1}", "--resume")
        lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
        metrics = [x for x in lines if x["step"] == CHECKED_STEP + 1 and "split" not in x]
        return cls(data, checkpoint, load_file(checkpoint), load_file(last), metrics[0], launcher.folder)

    @staticmethod
    def spread_codebook(checkpoint: Path, data: Path, launcher: Launcher) -> None:
        """Sets each codeword to one of the encoder's vectors plus noise with their standard deviation.
        Otherwise only two or three codewords of a new codebook are used, which would test little."""
        file = launcher.folder / "vectors.safetensors"
        with launcher.start(EAGER[0], checkpoint) as worker:
            worker.ask("vectors", images=str(data / "images.npy"), tensors=str(file))
        vectors = load_file(file)["vectors"]
        with safe_open(checkpoint, "numpy") as opened:
            metadata = opened.metadata()
        tensors = load_file(checkpoint)
        codes = len(tensors["quantizer.codebook"])
        random = np.random.default_rng(1)
        chosen = vectors[random.permutation(len(vectors))[:codes]]
        noise = vectors.std(axis=0).mean() * random.standard_normal(chosen.shape, np.float32)
        tensors["quantizer.codebook"] = chosen + noise
        save_file(tensors, checkpoint, metadata)

    def check(self, worker: Worker) -> None:
        """Ends the program unless what the worker computes agrees with ours."""
        is_exact = worker.form.precision == "float32"
        if worker.form.program == "torch":
            findings, summary = self.check_step(worker, is_exact)
        else:
            findings, summary = self.check_encoding(worker, is_exact)
        for what, found, allowed in findings:
            if not found <= allowed:
                fail(1, f"{worker.form.title} does not compute what vqvae does",
                     f"{what}: a difference of at most {allowed:g}", f"{found:g}",
                     "this is a fault in one of the two programs; nothing was timed")  # fmt: skip
        note(f"  {worker.form.title}: {summary}")

    def check_step(self, worker: Worker, is_exact: bool) -> tuple[list[Finding], str]:
        """Compares a step of PyTorch with ours."""
        file = self.folder / "checked.safetensors"
        answer = worker.ask(
            "check", images=str(self.data / "images.npy"), tensors=str(file), fraction=TIE
        )
        theirs = load_file(file)
        ties = int(theirs["ties"].sum())
        our_losses = [
            self.metrics[name] for name in ("loss", "nmse", "codebookLoss", "commitmentLoss")
        ]
        losses = max(
            abs(their / our - 1)
            for our, their in zip(our_losses, answer["losses"], strict=True)
        )
        moment, rows = self.largest_difference_of_moments(theirs)
        step = self.largest_difference_of_steps(theirs)
        if not is_exact:
            equal = self.share_of_equal_codes(theirs["codes"])
            return [
                ("losses", losses, LOSS_TOLERANCE_BF16),
                ("codes", 1 - equal, CODES_TOLERANCE_BF16),
            ], f"losses differ by {losses:.0e}, the step by {step:.0e}; {equal:.1%} of the codes are equal"
        # The first form that is checked is PyTorch in its usual form.
        if not self.codes_file.exists():
            np.savez(self.codes_file, codes=theirs["codes"], ties=theirs["ties"])
        weights = [commitment_weight(*x) for x in (our_losses, answer["losses"])]
        return [
            ("losses", losses, LOSS_TOLERANCE),
            ("the commitment's weight", abs(weights[0] - weights[1]), WEIGHT_TOLERANCE),
            ("moments of gradients", moment, MOMENT_TOLERANCE),
            ("the step of the weights", step, STEP_TOLERANCE),
            *self.usage_findings(theirs["codes"], ties),
            # A vector that chooses another codeword changes the gradients of two rows.
            ("codewords with another gradient", rows, 2 * ties),
        ], (
            f"losses differ by {losses:.0e}, gradients' moments by {moment:.0e}, the step by "
            f"{step:.0e}; {len(np.unique(theirs['codes']))} codewords used, {ties} of "
            f"{len(theirs['codes'])} vectors near a tie, {rows // 2} chose otherwise"
        )

    def check_encoding(self, worker: Worker, is_exact: bool) -> tuple[list[Finding], str]:
        """Compares the codes of a graph with those of PyTorch, whose step agrees with ours, and their use with
        that of our step."""
        file = self.folder / "codes.npy"
        worker.ask("codes", images=str(self.data / "images.npy"), codes=str(file))
        codes = np.load(file)
        equal = self.share_of_equal_codes(codes)
        if not is_exact:
            return [("codes", 1 - equal, CODES_TOLERANCE_BF16)], f"{equal:.1%} of the codes are equal"
        with np.load(self.codes_file) as reference:
            other = int(((codes != reference["codes"]) & ~reference["ties"]).sum())
            ties = int(reference["ties"].sum())
        return [
            ("other codes than those of a tie", other, 0), *self.usage_findings(codes, ties),
        ], f"{equal:.2%} of {len(codes)} codes are equal, the others ties"  # fmt: skip

    @property
    def codes_file(self) -> Path:
        """The codes of PyTorch in float32, and which vectors are near a tie."""
        return self.folder / "codes.npz"

    def share_of_equal_codes(self, codes: NDArray[np.int64]) -> float:
        with np.load(self.codes_file) as reference:
            return float((codes == reference["codes"]).mean())

    def usage_findings(self, codes: NDArray[np.int64], ties: int) -> list[Finding]:
        """Compares the use of the codewords with that of our step."""
        counts = np.unique(codes, return_counts=True)[1]
        p = counts / counts.sum()
        perplexity = float(np.exp(-(p * np.log(p)).sum()))
        return [
            # One vector in ten thousand changes the entropy by at most about ln(10,000)/10,000.
            ("perplexity", abs(perplexity / self.metrics["perplexity"] - 1),
             LOSS_TOLERANCE + 1e-3 * ties),
            ("codewords used", abs(len(counts) - self.metrics["codesUsed"]), ties),
        ]  # fmt: skip

    def largest_difference_of_moments(self, theirs: dict[str, Any]) -> tuple[float, int]:
        """The largest difference, relative to the largest element of a tensor, without codeword rows beyond
        the tolerance; and the number of such rows."""
        largest, rows = 0.0, 0
        for name, our in self.after.items():
            if not name.startswith("optimizer."):
                continue
            size = np.abs(our).max()
            difference = np.abs(theirs[name] - our) / size
            if name.endswith("quantizer.codebook"):
                of_row = difference.max(axis=1)
                rows = max(rows, int((of_row > MOMENT_TOLERANCE).sum()))
                difference = of_row[of_row <= MOMENT_TOLERANCE]
            largest = max(largest, float(difference.max(initial=0)))
        return largest, rows

    def largest_difference_of_steps(self, theirs: dict[str, Any]) -> float:
        """Over the tensors of the model, relative to the norm of the step of each."""
        names = [name for name in self.after if not name.startswith("optimizer.")]
        return max(
            float(
                np.linalg.norm(theirs[name] - self.after[name])
                / np.linalg.norm(self.after[name] - self.before[name])
            )
            for name in names
        )
