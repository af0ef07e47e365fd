"""Training and scoring speed of PyTorch: the peer of engine_speed.

    engine.py --model F.pth --data FOLDER --mode train|score --batch B --threads T

Prints one line of JSON with the answers to compare ("losses" of three steps without dropout, "logits" of all rows) and
"versions"; then, for every line on stdin, runs about a second and prints {"rows_per_second": ...}. Scoring chooses the fastest of eager,
inference mode and torch.compile first.
"""
import argparse
import copy
import json
import sys
import time

import numpy
import torch
import torch.nn.functional as F

from network import Classifier, load_state

CLASS_WEIGHT = [0.55, 5.5]


def rows(folder, batch):
    read = lambda name, dtype: numpy.loadtxt(f"{folder}/classifier_{name}.csv", delimiter=",", dtype=dtype, ndmin=2)
    codes, numbers, labels = read("cat", "int64"), read("num", "float32"), read("label", "int64")[:, 0]
    at = numpy.arange(max(batch, len(labels))) % len(labels)
    return [torch.from_numpy(x[at]) for x in (codes, numbers, labels)]


def rate(call, batch, seconds=1.0):
    call()
    begin, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begin < seconds:
        call()
        calls += 1
    return calls * batch / (time.perf_counter() - begin)


def trainer(state, data, batch, dropout):
    model = Classifier(state, dropout).train()
    adam = torch.optim.Adam(model.parameters(), 1e-4)
    weight = torch.tensor(CLASS_WEIGHT)
    codes, numbers, labels = data

    def step(first):
        i = slice(first, first + batch)
        loss = F.cross_entropy(model(codes[i], numbers[i]), labels[i], weight=weight)
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    return step


def scorers(model, data, batch):
    codes, numbers = data[0][:batch], data[1][:batch]

    def eager():
        with torch.no_grad():
            model(codes, numbers)

    def inference():
        with torch.inference_mode():
            model(codes, numbers)

    yield "eager", eager
    yield "inference_mode", inference
    try:
        compiled = torch.compile(copy.deepcopy(model))

        def compiled_call():
            with torch.inference_mode():
                compiled(codes, numbers)

        compiled_call()
        yield "torch.compile", compiled_call
    except Exception as error:  # no compiler, an old version: the others are there
        print(f"torch.compile is left out: {type(error).__name__}", file=sys.stderr)


def main():
    args = argparse.ArgumentParser()
    args.add_argument("--model", required=True)
    args.add_argument("--data", required=True)
    args.add_argument("--mode", choices=("train", "score"), required=True)
    args.add_argument("--batch", type=int, required=True)
    args.add_argument("--threads", type=int, required=True)
    args.add_argument("--no-compile", action="store_true")
    args = args.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    state = load_state(args.model)
    data = rows(args.data, args.batch)
    answer = {"versions": f"PyTorch {torch.__version__}"}
    if args.mode == "train":
        exact = trainer(state, rows(args.data, 48), 16, 0.0)
        answer["losses"] = [exact(first) for first in (0, 16, 32)]
        step = trainer(state, data, args.batch, 0.3)
        call = lambda: step(0)
    else:
        model = Classifier(state, 0.0).eval()
        with torch.no_grad():
            answer["logits"] = model(data[0], data[1]).tolist()
        ways = [(rate(way, args.batch, 0.5), name, way) for name, way in scorers(model, data, args.batch)
                if not (args.no_compile and name == "torch.compile")]
        _, answer["way"], call = max(ways, key=lambda way: way[0])
    print(json.dumps(answer), flush=True)
    for _ in sys.stdin:
        print(json.dumps({"rows_per_second": rate(call, args.batch)}), flush=True)


if __name__ == "__main__":
    main()
