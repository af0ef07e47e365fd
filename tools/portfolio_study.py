#!/usr/bin/env python3
"""How learnable is the simulated book, and does each scenario do what it is for? Needs numpy, pandas, scikit-learn, PyTorch.

  tools/portfolio_study.py CALM_TRAIN.csv CALM_TEST.csv SCENARIO.csv...

The files come from `maeil generate --scenario S --seed N --num-rows M --out F.csv` without a distribution model. Everything is
prepared as maeil prepares it, with the values fitted on CALM_TRAIN. Judges: gradient boosting, logistic regression, and a
small network (learnt values for every category, numbers as they are) trained and fine-tuned with the engine's settings.
For each scenario file: base models as they are; the network after fine-tuning on 1,500 of its rows (3 epochs, batch 16,
1e-4, balanced weights) and tested on the rest; boosting retrained on half of it.
"""
import argparse
import sys

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, precision_score, recall_score, roc_auc_score
from sklearn.preprocessing import OneHotEncoder

from portfolio_rows import Preparation, read


class Network(torch.nn.Module):
    def __init__(self, sizes, numbers, width=64, embedded=4):
        super().__init__()
        self.embeddings = torch.nn.ModuleList(torch.nn.Embedding(n, embedded) for n in sizes)
        self.body = torch.nn.Sequential(torch.nn.Linear(embedded * len(sizes) + numbers, width), torch.nn.ReLU(), torch.nn.Dropout(0.1),
                                        torch.nn.Linear(width, width), torch.nn.ReLU(), torch.nn.Linear(width, 2))

    def forward(self, codes, numbers):
        return self.body(torch.cat([e(codes[:, i]) for i, e in enumerate(self.embeddings)] + [numbers], dim=1))


def fit(model, codes, numbers, label, epochs, batch, rate):
    weights = torch.tensor(len(label) / (2 * np.bincount(label, minlength=2)), dtype=torch.float32)
    loss = torch.nn.CrossEntropyLoss(weight=weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    codes, numbers, label = torch.from_numpy(codes), torch.from_numpy(numbers), torch.from_numpy(label)
    model.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(label)).split(batch):
            optimizer.zero_grad()
            loss(model(codes[rows], numbers[rows]), label[rows]).backward()
            optimizer.step()
    return model


def probability(model, codes, numbers):
    model.eval()
    with torch.no_grad():
        return torch.softmax(model(torch.from_numpy(codes), torch.from_numpy(numbers)), 1)[:, 1].numpy()


def report(who, label, p):
    hit = p >= 0.5
    print(f"  {who:34s} F1 {f1_score(label, hit):.3f}  precision {precision_score(label, hit, zero_division=0):.3f}  "
          f"recall {recall_score(label, hit):.3f}  AUC {roc_auc_score(label, p):.4f}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("train")
    arguments.add_argument("test")
    arguments.add_argument("scenario", nargs="*")
    arguments.add_argument("--epochs", type=int, default=3, help="epochs of the network on TRAIN (Adam 3e-4, batch 32)")
    arguments = arguments.parse_args()
    torch.manual_seed(0)

    text, numbers, label = read(arguments.train)
    prepare = Preparation(text, numbers)
    codes, scaled = prepare(text, numbers)
    one_hot = OneHotEncoder(handle_unknown="ignore").fit(codes)
    wide = lambda c, x: np.hstack([one_hot.transform(c).toarray(), np.clip(x, -10, 10)])
    far = {n: float(v) for n, v in zip(numbers, np.abs(scaled).max(0)) if v > 10}
    print(f"train: {len(label)} rows, {label.mean():.4f} default, {len(prepare.columns)} categories, {scaled.shape[1]} numbers"
          f"; beyond 10 scaled units: {far or 'none'}")
    boosting = HistGradientBoostingClassifier(random_state=0).fit(np.hstack([codes, scaled]), label)
    logistic = LogisticRegression(class_weight="balanced", max_iter=2000, C=0.3).fit(wide(codes, scaled), label)
    network = fit(Network(prepare.sizes, scaled.shape[1]), codes, scaled, label, arguments.epochs, 32, 3e-4)
    state = {k: v.clone() for k, v in network.state_dict().items()}

    for path in [arguments.test] + arguments.scenario:
        text, numbers, label = read(path)
        codes, scaled = prepare(text, numbers)
        print(f"{path}: {len(label)} rows, {label.mean():.4f} default")
        report("boosting", label, boosting.predict_proba(np.hstack([codes, scaled]))[:, 1])
        report("logistic, balanced", label, logistic.predict_proba(wide(codes, scaled))[:, 1])
        report("network, balanced", label, probability(network, codes, scaled))
        if path == arguments.test:
            continue
        network.load_state_dict(state)
        for attempt in (1, 2, 3):
            fit(network, codes[:1500], scaled[:1500], label[:1500], 3, 16, 1e-4)
            report(f"network after fine-tuning {attempt}", label[1500:], probability(network, codes[1500:], scaled[1500:]))
        network.load_state_dict(state)
        half = len(label) // 2
        judge = HistGradientBoostingClassifier(random_state=0).fit(np.hstack([codes, scaled])[:half], label[:half])
        report("boosting retrained on half of it", label[half:], judge.predict_proba(np.hstack([codes, scaled])[half:])[:, 1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
