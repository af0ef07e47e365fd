"""PyTorch's speed on the standard TabTransformer: the peer of nn_bench.

    python benchmarks/peers/torch_speed.py [--threads 2] [--batch 16] [--seconds 5]

Eager mode. Training: forward, weighted cross entropy, backward, Adam, dropout 0.3. Scoring: forward without gradients.
Same shape as nn_bench (83 + 59 tokens, width 32, 4 heads, 6 layers, feed-forward 64). Prints the median of the calls as
rows per second of wall time, and rows per second of processor time times threads, which a busy machine disturbs less.
"""
import argparse
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

CARDINALITIES = [20 << i % 6 for i in range(9)] + [2] * 74
NUMERIC = 59


class TabTransformer(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(c, 32) for c in CARDINALITIES)
        self.numeric = nn.ModuleList(nn.Linear(1, 32) for _ in range(NUMERIC))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, 6, enable_nested_tensor=False)
        self.fc = nn.Sequential(nn.Linear(32, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 2))

    def forward(self, codes, numbers):
        tokens = [m(codes[:, i])[:, None] for i, m in enumerate(self.embeddings)]
        tokens += [m(numbers[:, i : i + 1])[:, None] for i, m in enumerate(self.numeric)]
        return self.fc(self.transformer(torch.cat(tokens, 1)).mean(1))


def measure(name, call, batch, threads, seconds):
    for _ in range(3):
        call()
    wall, processor, end = [], [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(wall) < 5:
        w, p = time.perf_counter(), time.process_time()
        call()
        wall.append(time.perf_counter() - w)
        processor.append(time.process_time() - p)
    print(f"{name}: {batch / statistics.median(wall):.0f} rows/s wall, "
          f"{threads * batch / statistics.median(processor):.0f} rows/s by processor time ({len(wall)} calls)")


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--threads", type=int, default=2)
    args.add_argument("--batch", type=int, default=16)
    args.add_argument("--seconds", type=float, default=5)
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    codes = torch.stack([torch.randint(c, (args.batch,)) for c in CARDINALITIES], 1)
    numbers, labels = torch.randn(args.batch, NUMERIC), torch.randint(2, (args.batch,))
    weight = torch.tensor([0.55, 5.5])
    print(f"PyTorch {torch.__version__}, {args.threads} threads, batch {args.batch}")

    model = TabTransformer(0.3).train()
    adam = torch.optim.Adam(model.parameters(), 1e-4)

    def step():
        loss = F.cross_entropy(model(codes, numbers), labels, weight=weight)
        adam.zero_grad()
        loss.backward()
        adam.step()

    measure("training", step, args.batch, args.threads, args.seconds)
    model.eval()

    def score():
        with torch.no_grad():
            model(codes, numbers)

    measure("scoring", score, args.batch, args.threads, args.seconds)


if __name__ == "__main__":
    main()
