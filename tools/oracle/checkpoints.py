#!/usr/bin/env python3
"""Saves one small TabTransformer in every way that trainers do, each by its library's own untouched save, and PyTorch's logits beside.

    python tools/oracle/checkpoints.py FOLDER

tests/data/checkpoints.zip holds the files of PyTorch 2.15, Lightning 2.6 and safetensors 0.8 (run once, then `zip -X`). <name>.pth (or .ckpt,
.pt, .bin, .safetensors) are files; expected.json has the coded rows, and for each file the logits that PyTorch computes from what it loads
back, or the words that a refusal must hold.
"""
import argparse
import collections
import datetime
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from torch import nn

warnings.filterwarnings("ignore")
CARDINALITIES, NUMBERS, WIDTH, HEADS, HIDDEN = [4, 3], 2, 8, 2, 10


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.ModuleList(nn.Embedding(n, WIDTH) for n in CARDINALITIES)
        self.numeric_embeddings = nn.ModuleList(nn.Linear(1, WIDTH) for _ in range(NUMBERS))
        layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 12, 0.0, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, codes, numbers):
        tokens = [table(codes[:, i])[:, None] for i, table in enumerate(self.embeddings)]
        tokens += [linear(numbers[:, i:i + 1])[:, None] for i, linear in enumerate(self.numeric_embeddings)]
        return self.transformer(torch.cat(tokens, 1))


class Net(nn.Module):
    def __init__(self, classes=2):
        super().__init__()
        self.encoder = Encoder()
        self.fc = nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.ReLU(), nn.Dropout(0.0), nn.Linear(HIDDEN, classes))

    def forward(self, codes, numbers):
        return self.fc(self.encoder(codes, numbers).mean(1))


class Settings:
    """A class of the trainer's own, as hyper-parameters often are."""
    def __init__(self):
        self.rate, self.schedule, self.started = 1e-3, len, datetime.datetime(2026, 1, 9)


def net(seed=3, classes=2):
    torch.manual_seed(seed)
    return Net(classes).eval()


def trained_optimizer(model):
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)  # no step moves a weight
    model(CODES, ROWS).sum().backward()
    optimizer.step()
    return optimizer


def lightning_checkpoint(folder):
    import lightning

    class Task(lightning.LightningModule):
        def __init__(self, config, rate=0.0):
            super().__init__()
            self.save_hyperparameters()
            self.net = net()
            self.criterion = nn.CrossEntropyLoss(weight=torch.tensor([0.6, 3.1]))

        def training_step(self, batch, _):
            return self.criterion(self.net(batch[0], batch[1]), batch[2])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=self.hparams.rate)

    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(CODES, ROWS, torch.zeros(len(ROWS), dtype=torch.long)), 3)
    callback = lightning.pytorch.callbacks.ModelCheckpoint(dirpath=folder, filename="lightning", save_weights_only=False)
    trainer = lightning.Trainer(max_epochs=1, callbacks=[callback], logger=False, enable_progress_bar=False, enable_model_summary=False, accelerator="cpu")
    trainer.fit(Task(argparse.Namespace(folder=pathlib.Path("runs/1"), seed=np.int64(4), notes=Settings())), data)


GENERATOR = torch.Generator().manual_seed(11)
CODES = torch.stack([torch.randint(0, n, (6,), generator=GENERATOR) for n in CARDINALITIES], 1)
ROWS = torch.randn(6, NUMBERS, generator=GENERATOR)


def main(folder):
    import safetensors.torch
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}

    def logits(state=None, model=None):
        model = model or net()
        if state is not None:
            model.load_state_dict(state)
        with torch.no_grad():
            return model.double()(CODES, ROWS.double()).tolist()

    def save(name, value, state=None, refused=None, **options):
        torch.save(value, folder / name, **options)
        expected[name] = {"refused": refused} if refused else {"logits": logits(state)}

    state, other = net().state_dict(), net(5).state_dict()
    save("plain.pth", state)
    save("dataparallel.pth", nn.DataParallel(net()).state_dict())
    save("compiled.pth", torch.compile(net()).state_dict())
    save("both.pth", torch.compile(nn.DataParallel(net())).state_dict())
    parts = net()
    parts.encoder = torch.compile(parts.encoder)
    parts.fc = nn.DataParallel(parts.fc)
    parts.encoder.transformer.layers[0] = torch.compile(parts.encoder.transformer.layers[0])
    save("parts.pth", parts.state_dict())
    averaged = torch.optim.swa_utils.AveragedModel(net())
    averaged.update_parameters(net())
    save("averaged.pth", averaged.state_dict())
    optimizer = trained_optimizer(net())
    save("state_dict.pth.tar", {"epoch": 3, "arch": "tab", "state_dict": state, "best_acc1": torch.tensor(0.5), "optimizer": optimizer.state_dict()})
    save("model.pt", {"model": state, "optimizer": optimizer.state_dict(), "model_args": {"n_layer": 2}, "iter_num": 7, "config": {"out_dir": "out"}})
    save("net.pth", {"net": state, "acc": np.float64(93.1), "epoch": np.int64(4)})
    save("deep.pth", [{"best": {"params": state}}, (1, 2), collections.defaultdict(list, {"loss": [0.5]})])
    save("twice.pth", {"model": state, "best": state})
    save("objects.pth", {"args": argparse.Namespace(path=pathlib.PurePosixPath("data/x.csv"), dtype=torch.bfloat16, f=len), "settings": SETTINGS,
                         "rng": {"numpy": np.random.get_state(), "torch": torch.get_rng_state(), "generator": np.random.default_rng(3)},
                         "model_state_dict": state, "counter": collections.Counter("aab"), "when": datetime.date(2026, 1, 9), "array": np.arange(3)})
    lightning_checkpoint(folder)
    expected["lightning.ckpt"] = {"logits": logits()}
    half = {k: v.half() for k, v in state.items()}
    save("half.pth", half, half)
    bfloat = {k: v.bfloat16() for k, v in state.items()}
    save("bfloat16.pth", bfloat, bfloat)
    double = net().double().state_dict()
    save("double.pth", double, double)
    attributed = {k: nn.Parameter(v) for k, v in state.items()}
    for value in attributed.values():
        value.tag = "decay"
    save("parameters.pth", attributed)
    for name, tensors in {"plain": state, "half": half, "bfloat16": bfloat, "double": double}.items():
        safetensors.torch.save_file(tensors, folder / f"{name}.safetensors", metadata={"format": "pt"})
        expected[f"{name}.safetensors"] = {"logits": logits(tensors)}
    safetensors.torch.save_model(nn.DataParallel(net()), str(folder / "model.safetensors"))
    expected["model.safetensors"] = {"logits": logits()}

    save("ema.pth", {"state_dict": state, "state_dict_ema": other}, refused=["2 models", "'state_dict'", "'state_dict_ema'"])
    save("student.pth", {f"student.{k}": v for k, v in state.items()} | {f"teacher.{k}": v for k, v in other.items()}, refused=["2 models", "'student.encoder.*'", "'teacher.encoder.*'"])
    save("three.pth", net(classes=3).state_dict(), refused=["3 classes"])
    save("one.pth", net(classes=1).state_dict(), refused=["one output"])
    save("whole.pth", net(), refused=["Net", "state_dict()"])
    save("foreign.pth", {"state_dict": nn.Sequential(nn.Linear(2, 2)).state_dict()}, refused=["2 tensors under 'state_dict' ('0.weight', '0.bias')", "expected names"])
    save("nothing.pth", {"epoch": 1}, refused=["no tensors"])
    save("legacy.pth", state, refused=["before PyTorch 1.6"], _use_new_zipfile_serialization=False)
    position = nn.Module()
    position.model, position.encoder, position.fc = None, net().encoder, net().fc
    position.position = nn.Parameter(torch.zeros(4, WIDTH))
    save("position.pth", position.state_dict(), refused=["tensor position is not part"])
    overflowing = {k: v.double() for k, v in state.items()}
    overflowing["fc.3.bias"] = torch.tensor([0.0, 1e39], dtype=torch.float64)
    save("overflow.pth", overflowing, refused=["fc.3.bias", "(1)", "beyond float32"])
    infinite = {k: (v * 1e6).half() if k == "fc.0.weight" else v.half() for k, v in state.items()}
    save("infinite_half.pth", infinite, refused=["fc.0.weight", "infinity"])
    json.dump({"torch": torch.__version__, "codes": CODES.tolist(), "numbers": ROWS.tolist(), "files": expected}, open(folder / "expected.json", "w"), indent=1)


SETTINGS = Settings()
if __name__ == "__main__":
    main(sys.argv[1])
