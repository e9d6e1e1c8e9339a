"""quantizer.straight_through rotation."""

import torch
from torch import Tensor


def rotate(z: Tensor, e: Tensor) -> Tensor:
    """λ·R·z for each row, where R is the rotation in the plane of z and e that turns z into the direction of
    e, and λ = ‖e‖ / ‖z‖; both are constants (Fifty et al. 2024).

    R is written with two orthonormal vectors of the plane and the angle between z and e, not with the
    paper's product of two reflections.
    """
    with torch.no_grad():
        u = z / z.norm(dim=1, keepdim=True)
        direction = e / e.norm(dim=1, keepdim=True)
        cosine = (u * direction).sum(1, keepdim=True)
        v = direction - cosine * u
        v = v / v.norm(dim=1, keepdim=True)
        sine = (v * direction).sum(1, keepdim=True)

        def outer(a: Tensor, b: Tensor) -> Tensor:
            return a[:, :, None] * b[:, None, :]

        plane = outer(u, u) + outer(v, v)
        rotation = (
            torch.eye(z.shape[1], dtype=z.dtype)
            + (cosine - 1)[:, :, None] * plane
            + sine[:, :, None] * (outer(v, u) - outer(u, v))
        )
        scaled = rotation * (e.norm(dim=1) / z.norm(dim=1))[:, None, None]
    output = torch.einsum("nij,nj->ni", scaled, z)
    assert torch.allclose(output, e, rtol=0, atol=1e-12), "the vector does not become the codeword"
    return output
