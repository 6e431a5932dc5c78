#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the small float network of the digits demo and writes examples/digits/data/.

Run once by a maintainer; users of the library never need it. Needs Debian's packages
python3-sklearn and python3-torch, so run it with the system's interpreter:

    /usr/bin/python3 tools/train_digits/train.py            # train, write both files (2 minutes)
    /usr/bin/python3 tools/train_digits/train.py --check    # verify them, numpy and sklearn only

Seeds and thread count are fixed, so a run repeats exactly on one machine; another PyTorch version
or processor may round differently and end at slightly different weights.

The images are the 1,797 8x8 digits bundled with scikit-learn, in its order: 1,050 to train on,
150 to choose the epoch and the seed with, and the last 597 for the test. The formats of the two
files are described in examples/digits/data/README.md; digits_data.py reads and writes them.

The network (height, width, channels; a pixel is worth value / 16, all padding is zeros):

    stem    conv 3x3 pad 1, relu            8x8x1   -> 8x8x16
    depth   depthwise 3x3 pad 1, relu       8x8x16  -> 8x8x16
    point   conv 1x1                        8x8x16  -> 8x8x16
    skip    relu(stem + point)              8x8x16
    down    conv 3x3 stride 2 pad 1, relu   8x8x16  -> 4x4x32
    body    conv 3x3 pad 1, relu            4x4x32  -> 4x4x32
    pool    average 2x2 stride 2            4x4x32  -> 2x2x32
    logits  dense                           128     -> 10

Batch normalisation helps the training and is folded into the weights. So that the weights can
later be stored with 8 to 2 bits per channel, most batches see weights rounded to a random
coarse grid (the gradient passes straight through), and no weight may exceed a small multiple of
its channel's root mean square.
"""

import argparse
import pathlib
import re

import numpy as np

import digits_data as dd
from digits_data import FIT, IMAGES, TRAIN, Weights

DATA = pathlib.Path(__file__).resolve().parents[2] / "examples" / "digits" / "data"
SEEDS, EPOCHS, BATCH = 4, 200, 50


def train(pixels: np.ndarray, labels: np.ndarray) -> Weights:
    """Fits SEEDS networks and returns the late snapshot that does best in validation."""
    import torch
    from torch import nn
    from torch.nn import functional as fn

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    all_x = torch.tensor(pixels[:TRAIN], dtype=torch.float32)[:, None] / dd.PIXEL_MAX
    all_y = torch.tensor(labels[:TRAIN], dtype=torch.long)

    def per_channel(values: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        """One value per output channel, shaped to broadcast against w."""
        return values.view(-1, *[1] * (w.dim() - 1))

    def coarse(w: torch.Tensor, bits: int) -> torch.Tensor:
        """w rounded to `bits` bits with a random clipping point; gradients as if untouched."""
        top = 2 ** (bits - 1) - 1
        peak = w.detach().abs().flatten(1).amax(1) * (0.5 + 0.5 * torch.rand(len(w)))
        step = per_channel(peak / top + 1e-12, w)
        return w + ((w / step).round().clamp(-top, top) * step - w).detach()

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bits = 0  # 0: plain float weights
            self.convs = nn.ModuleDict({
                "stem": nn.Conv2d(1, 16, 3, padding=1, bias=False),
                "depth": nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False),
                "point": nn.Conv2d(16, 16, 1, bias=False),
                "down": nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False),
                "body": nn.Conv2d(32, 32, 3, padding=1, bias=False),
            })  # fmt: skip
            self.norms = nn.ModuleDict(
                {k: nn.BatchNorm2d(c.out_channels) for k, c in self.convs.items()}
            )
            self.logits = nn.Linear(128, 10)

        def weight(self, layer: nn.Module) -> torch.Tensor:
            return coarse(layer.weight, self.bits) if self.bits else layer.weight

        def layer(self, name: str, x: torch.Tensor) -> torch.Tensor:
            c = self.convs[name]
            x = fn.conv2d(x, self.weight(c), None, c.stride, c.padding, 1, c.groups)
            return self.norms[name](x)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            stem = fn.relu(self.layer("stem", x))
            point = self.layer("point", fn.relu(self.layer("depth", stem)))
            x = fn.relu(self.layer("down", fn.relu(stem + point)))
            x = fn.avg_pool2d(fn.relu(self.layer("body", x)), 2)
            x = x.permute(0, 2, 3, 1).flatten(1)  # flattened as height, width, channel
            x = fn.dropout(x, 0.2, self.training)
            return fn.linear(x, self.weight(self.logits), self.logits.bias)

        def limit_outliers(self) -> None:
            with torch.no_grad():
                for layer in (*self.convs.values(), self.logits):
                    w = layer.weight
                    bound = per_channel(2.0 * w.square().flatten(1).mean(1).sqrt(), w)
                    w.copy_(torch.minimum(torch.maximum(w, -bound), bound))

        def exported(self) -> Weights:
            out = {"logits_w": self.logits.weight, "logits_b": self.logits.bias}
            for name, c in self.convs.items():
                n = self.norms[name]
                gain = n.weight / (n.running_var + n.eps).sqrt()
                w = c.weight * per_channel(gain, c.weight)
                w = w[:, 0].permute(1, 2, 0) if name == "depth" else w.permute(0, 2, 3, 1)
                out[name + "_w"] = w
                out[name + "_b"] = n.bias - n.running_mean * gain
            return {k: v.detach().numpy().astype(np.float32).copy() for k, v in out.items()}

    def augmented(x: torch.Tensor) -> torch.Tensor:
        """Small random turns, scales, slants and shifts."""
        n = len(x)
        angle, slant = torch.randn(n) * 0.12, torch.randn(n) * 0.08
        sx, sy = 1 + torch.randn(n) * 0.07, 1 + torch.randn(n) * 0.07
        shift = torch.randn(n, 2) * 0.10
        cos, sin = angle.cos(), angle.sin()
        rows = (cos * sx, slant - sin * sy, shift[:, 0], sin * sx, cos * sy, shift[:, 1])
        maps = torch.stack(rows, 1).view(n, 2, 3)
        grid = fn.affine_grid(maps, list(x.shape), align_corners=False)
        return fn.grid_sample(x, grid, align_corners=False)

    check = pixels[FIT:TRAIN], labels[FIT:TRAIN]
    best_score, best = (TRAIN, 0.0), Weights()
    for seed in range(SEEDS):
        torch.manual_seed(seed)
        net, steps = Net(), FIT // BATCH
        optimizer = torch.optim.AdamW(net.parameters(), lr=6e-3, weight_decay=2e-2)
        plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, EPOCHS * steps)
        for epoch in range(EPOCHS):
            net.train()
            if epoch >= EPOCHS * 2 // 3:  # let the weights settle around fixed statistics
                net.norms.eval()
            for part in torch.randperm(FIT).view(steps, BATCH):
                net.bits = (0, 0, 4, 3, 2, 2)[int(torch.randint(6, ()))]
                logits = net(augmented(all_x[part]))
                loss = fn.cross_entropy(logits, all_y[part], label_smoothing=0.05)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                plan.step()
                net.limit_outliers()
            if epoch >= EPOCHS * 3 // 4 and epoch % 5 == 4:
                w = net.exported()
                versions = [w, *(dd.rounded(w, bits) for bits in (4, 3, 2))]
                misses = [TRAIN - FIT - dd.hits(v, *check) for v in versions]
                score = (sum(misses), sum(dd.cross_entropy(v, *check) for v in versions))
                if score < best_score:
                    best_score, best = score, w
                    print(f"seed {seed} epoch {epoch + 1}: misses with float, 4, 3, 2 bit weights "
                          f"{misses}, summed cross entropy {score[1]:.4f}", flush=True)  # fmt: skip
    return best


def report(weights: Weights, pixels: np.ndarray, labels: np.ndarray) -> None:
    versions = {"float": weights} | {f"{b} bit": dd.rounded(weights, b) for b in (8, 6, 4, 3, 2)}
    for name, a, b in (("fit", 0, FIT), ("validation", FIT, TRAIN), ("test", TRAIN, IMAGES)):
        correct = {k: dd.hits(v, pixels[a:b], labels[a:b]) for k, v in versions.items()}
        row = ", ".join(f"{k} {n} ({100 * n / (b - a):.2f} %)" for k, n in correct.items())
        print(f"{name}, hits of {b - a} by weight width: {row}")
    ranked = np.sort(dd.forward(weights, pixels[TRAIN:]), axis=1)
    gap = (ranked[:, -1] - ranked[:, -2]).min()
    print(f"test, smallest distance between the two leading float logits: {gap:.6f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the network of the digits demo.")
    parser.add_argument("--check", action="store_true", help="only verify the committed files")
    parser.add_argument("--out", type=pathlib.Path, default=DATA, help="folder of the two files")
    args = parser.parse_args()

    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels, labels = bunch.images.astype(np.uint8), bunch.target
    assert pixels.shape == (IMAGES, dd.SIDE, dd.SIDE) and pixels.max() == dd.PIXEL_MAX

    images_file, weights_file = args.out / "digits.bin", args.out / "float_weights.hpp"
    if not args.check:
        arrays = dd.arrays_text(train(pixels, labels))
        correct = dd.hits(dd.read_weights(arrays), pixels[TRAIN:], labels[TRAIN:])
        weights_file.write_text(dd.header_text(arrays, correct))
        images_file.write_bytes(dd.write_images(pixels, labels))

    stored_pixels, stored_labels = dd.read_images(images_file.read_bytes())
    assert np.array_equal(stored_pixels, pixels), "digits.bin: pixels differ from sklearn's"
    assert np.array_equal(stored_labels, labels), "digits.bin: labels differ from sklearn's"
    text = weights_file.read_text()
    weights = dd.read_weights(text)
    report(weights, stored_pixels, stored_labels)
    claimed = int(re.search(r"test_correct = (\d+)", text)[1])
    correct = dd.hits(weights, stored_pixels[TRAIN:], stored_labels[TRAIN:])
    assert correct == claimed, f"float_weights.hpp claims {claimed} hits, found {correct}"
    print(f"ok: {images_file.stat().st_size} and {weights_file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
