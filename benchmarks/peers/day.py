"""A day of the Python stack, its own functions one after the other without an orchestrator: the peer of `maeil run`.

    day.py SEED_FOLDER WORK_FOLDER THREADS

Draws 10,000 rows with SDV and writes them; reads, prepares (with encoders, imputer and scaler of the day) and writes them; loads the
classifier, evaluates it on the test split; three times: fine-tunes 3 epochs in batches of 16 with Adam 1e-4 and balanced class
weights, saves the version, evaluates it. Documents go to JSON files where the stack writes to MongoDB, so that no
server is timed. Prints {"versions"} once; for every line on stdin a day, as {"seconds", "trained_rows", "parts"}.
"""
import json
import pathlib
import sys
import time
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import sdv
import torch
import torch.nn.functional as F
from sdv.single_table import GaussianCopulaSynthesizer
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import train_test_split

import preparation
from network import Classifier, load_state

ROWS, ATTEMPTS, EPOCHS, BATCH, GATE = 10000, 3, 3, 16, 0.75


def figures(labels, logits):
    p = torch.softmax(torch.cat(logits), 1)[:, 1].numpy()
    return {"accuracy": accuracy_score(labels, p >= 0.5), "roc_auc": roc_auc_score(labels, p), "f1_score": f1_score(labels, p >= 0.5)}


def evaluate(model, codes, numbers, labels):
    model.eval()
    with torch.no_grad():
        logits = [model(codes[i : i + 256], numbers[i : i + 256]) for i in range(0, len(labels), 256)]
    return figures(labels, logits)


def finetune(model, codes, numbers, labels):
    model.train()
    counts = torch.bincount(labels, minlength=2)
    weight = len(labels) / (2 * counts.float())
    adam, epochs = torch.optim.Adam(model.parameters(), 1e-4), []
    for _ in range(EPOCHS):
        order, losses, logits = torch.randperm(len(labels)), [], []
        for i in range(0, len(labels), BATCH):
            picked = order[i : i + BATCH]
            out = model(codes[picked], numbers[picked])
            loss = F.cross_entropy(out, labels[picked], weight=weight)
            adam.zero_grad()
            loss.backward()
            adam.step()
            losses.append(loss.item())
            logits.append(out.detach())
        epochs.append({"loss": float(np.mean(losses)), **figures(labels[order], logits)})
    return epochs


def day(seed_folder, work):
    work.mkdir(parents=True, exist_ok=True)
    document = lambda name, content: (work / f"{name}.json").write_text(json.dumps(content, default=float))
    parts, clock = {}, [time.perf_counter()]

    def part(name):
        parts[name] = parts.get(name, 0) + time.perf_counter() - clock[0]
        clock[0] = time.perf_counter()

    rows = GaussianCopulaSynthesizer.load(str(seed_folder / "distribution_model.pkl")).sample(ROWS)
    rows.to_csv(work / "synthetic_data.csv", index=False, encoding="utf-8-sig")
    part("generate")
    feature_map = json.loads((seed_folder / "feature_map.json").read_text())
    codes, scaled, label, dates = preparation.prepare(preparation.read(work / "synthetic_data.csv", feature_map), feature_map)
    preparation.write(work / "processed_data.csv", codes, scaled, label, dates)
    part("prepare")
    state = load_state(seed_folder / "finetuned_model_f.pth")
    model = Classifier(state, 0.3)
    limits = [e.num_embeddings - 1 for e in model.encoder.embeddings]
    codes = torch.from_numpy(np.minimum(codes.to_numpy(), limits))  # today's encoders know labels the model does not
    numbers, labels = torch.from_numpy(scaled.to_numpy(np.float32)), torch.from_numpy(label.to_numpy())
    train, rest = train_test_split(np.arange(ROWS), test_size=0.3, random_state=42)
    fine, test = train_test_split(rest, test_size=0.5, random_state=42)
    take = lambda rows: (codes[rows], numbers[rows], labels[rows])
    metrics = evaluate(model, *take(test))
    document("performance_metrics", metrics)
    part("evaluate")
    trained = 0
    for attempt in range(1, ATTEMPTS + 1):
        if metrics["f1_score"] >= GATE:
            break
        epochs = finetune(model, *take(fine))
        trained += EPOCHS * len(fine)
        part("finetune")
        torch.save({"model_state_dict": model.state_dict(), "metadata": {}}, work / f"classifier_finetuned_{attempt}.pth")
        document(f"training_events_{attempt}", epochs)
        metrics = evaluate(model, *take(test))
        document(f"performance_metrics_{attempt}", metrics)
        part("evaluate")
    document("alerts", {"f1_score": metrics["f1_score"]})
    return {"trained_rows": trained, "test_rows": len(test), "f1_score": metrics["f1_score"], "parts": parts}


def main():
    torch.set_num_threads(int(sys.argv[3]))
    print(json.dumps({"versions": f"SDV {sdv.__version__}, PyTorch {torch.__version__}"}), flush=True)
    for _ in sys.stdin:
        begin = time.perf_counter()
        result = day(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
        print(json.dumps({"seconds": time.perf_counter() - begin, **result}), flush=True)


if __name__ == "__main__":
    main()
