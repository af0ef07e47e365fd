"""A small model and its data, made by the binary under test from the built-in portfolio: for the tests that
need a model, but not the Python stack's own one. Rows (rows.csv), a copula fitted on them
(distribution.json), an encoder and a classifier that is worse than the gate of 0.75 (encoder.pth,
classifier.pth).

Made once for a binary, in a folder beside it, in some seconds: in a temporary folder that is renamed when
it is whole, by one test while the others wait. The folder is named after the binary and this file, so that
a new build gets a new one.
"""
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import time

from harness import BINARY, Workspace

# The F1 of one epoch on rows held out is 0.28; one epoch of fine-tuning at 1e-4 does not lift it over the gate.
TRAINING = dict(D_MODEL=8, NHEAD=2, NUM_LAYERS=1, DIM_FEEDFORWARD=8, PRETRAIN_EPOCHS=1, EPOCHS=1,
                LEARNING_RATE=0.002, SEED=42)
ROWS, TARGET = 2000, "DLNQ_1M_FLG"
MADE = {"classifier": "classifier.pth", "encoder": "encoder.pth", "distribution": "distribution.json",
        "rows": "rows.csv"}


class Files:
    """The paths of what was made."""

    def __init__(self, folder):
        self.classifier, self.encoder = folder / MADE["classifier"], folder / MADE["encoder"]
        self.distribution, self.rows = folder / MADE["distribution"], folder / MADE["rows"]

    def workspace(self, **settings):
        """A workspace whose days draw their rows from the copula and judge the imported classifier."""
        workspace = Workspace(DISTRIBUTION_MODEL=self.distribution, FINETUNE_EPOCHS=1, MIN_POSITIVES=1,
                              **settings)
        workspace.run("model", "import", self.classifier, expect=0)
        return workspace


def make(folder):
    with Workspace(**TRAINING) as work:
        work.run("generate", "--num-rows", ROWS, "--seed", 7, "--out", folder / MADE["rows"], expect=0)
        work.run("fit", "--in", folder / MADE["rows"], "--target", TARGET, "--no-report",
                 "--out", folder / MADE["distribution"], expect=0)
        work.run("train", "--pretrain", "--train", "--rows", ROWS, expect=0)
        for version in work.find("model_metadata"):
            name = MADE[version["model_name"].rpartition("_")[2]]
            work.run("model", "export", version["model_version"], "--out", folder / name, expect=0)
        classifier, = work.find("model_metadata", {"model_name": "default_prediction_classifier"})
    assert 0 < classifier["metrics"]["f1_score"] < 0.75, "it must be worse than the gate, and not useless"
    assert all((folder / name).stat().st_size for name in MADE.values())


def small_model():
    binary = pathlib.Path(BINARY).resolve()
    at = binary.stat()
    build = json.dumps([str(binary), at.st_size, at.st_mtime_ns])
    recipe = pathlib.Path(__file__).read_bytes() + build.encode()
    parent = binary.parent / "small_models"
    parent.mkdir(exist_ok=True)
    whole = parent / hashlib.sha256(recipe).hexdigest()[:16]
    with open(parent / "lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # ends with its process
        if not whole.exists():
            for old in parent.iterdir():  # of another build, or begun by a test that was killed; none in use
                if old.is_dir() and time.time() - old.stat().st_mtime > 86400:
                    shutil.rmtree(old)
            begun = pathlib.Path(tempfile.mkdtemp(dir=parent))
            make(begun)
            os.rename(begun, whole)
    return Files(whole)
