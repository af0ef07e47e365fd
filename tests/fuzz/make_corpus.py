#!/usr/bin/env python3
"""Makes the fuzzers' first inputs that no editor can write: tests/fuzz/{pickle,torch,sdv,bson,hostile_server,trees,scorecard}.

Run by hand with an interpreter that has torch (/usr/bin/python3), after that with one that has pandas
(build/peers/bin/python), with MAEIL_BIN: each makes what it can. The results are kept in the tree.
"""
import base64, collections, datetime, hashlib, io, json, os, pathlib, pickle, random, struct, subprocess, sys, tempfile, zipfile

sys.path.pop(0)  # the folder torch here is no module

HERE = pathlib.Path(__file__).resolve().parent


def keep(reader, name, data):
    (HERE / reader / name).write_bytes(data)
    print(f"{reader}/{name}: {len(data)} bytes")


shared = [1]
plain = {"ints": [0, -1, 2**40, 2**70], "reals": [2.5, float("inf")], "flags": (None, True, False), "bytes": b"\x00a",
         "set": {7}, "ordered": collections.OrderedDict(x=1), "shared": [shared, shared], "d": datetime.datetime(2024, 5, 31)}
plain["self"] = plain
for protocol in (0, 2, 4, 5):
    keep("pickle", f"plain{protocol}", pickle.dumps(plain, protocol))

try:
    import numpy as np
    import pandas as pd
    values = [np.array([1.5, 2.5]), np.array([[1, 2], [3, 4]], dtype=">i2", order="F"), np.array(["a", "bc"]), np.float64(3),
              np.array([None, "x"], dtype=object), np.array(["2024-05-31"], dtype="M8[ns]")]
    frame = pd.DataFrame({"n": [1, 2], "r": [0.5, None], "t": ["a", None], "c": pd.Categorical(["x", "y"])}, index=["p", "q"])
    keep("pickle", "numpy", pickle.dumps(values, 4))
    keep("pickle", "frame", pickle.dumps(frame, 4))
    keep("pickle", "series", pickle.dumps([frame["r"], frame.index, pd.to_datetime(["2024-05-31"]), frame["c"].dtype], 4))
except ImportError:
    pass

try:
    import torch
    file = io.BytesIO()
    state = collections.OrderedDict([("fc.weight", torch.arange(6.).reshape(2, 3)), ("fc.bias", torch.zeros(2).half())])
    torch.save({"model_state_dict": state, "metadata": {"names": ["a"], "epoch": 3, "t": torch.tensor(1.5)}}, file)
    keep("torch", "checkpoint.pth", file.getvalue())
    keep("torch", "data.pkl", next(zipfile.ZipFile(file).read(n) for n in zipfile.ZipFile(file).namelist() if n.endswith("data.pkl")))
except ImportError:
    pass
header = json.dumps({"w": {"dtype": "F16", "shape": [2, 2], "data_offsets": [0, 8]}, "__metadata__": {"a": "b"}}).encode()
keep("torch", "w.safetensors", struct.pack("<Q", len(header)) + header + bytes(8))

# The smallest of SDV's own files that holds a fitted copula.
pack = zipfile.ZipFile(HERE.parent / "data" / "sdv_pickles.zip")
whole = [e for e in pack.infolist() if e.filename.endswith(".pkl") and not e.filename.endswith(("ctgan.pkl", "unfitted.pkl"))]
smallest = min(whole, key=lambda entry: entry.file_size)
keep("sdv", "smallest.pkl", pack.read(smallest))


def element(name, value):
    key = name.encode() + b"\0"
    if isinstance(value, bool): return b"\x08" + key + bytes([value])
    if value is None: return b"\x0a" + key
    if isinstance(value, int): return b"\x12" + key + struct.pack("<q", value)
    if isinstance(value, float): return b"\x01" + key + struct.pack("<d", value)
    if isinstance(value, datetime.datetime): return b"\x09" + key + struct.pack("<q", int(value.timestamp() * 1000))
    if isinstance(value, bytes): return b"\x07" + key + value  # an ObjectId
    if isinstance(value, str): return b"\x02" + key + struct.pack("<i", len(value.encode()) + 1) + value.encode() + b"\0"
    if isinstance(value, list): return b"\x04" + key + bson({str(i): one for i, one in enumerate(value)})
    return b"\x03" + key + bson(value)


def bson(document):
    body = b"".join(element(name, value) for name, value in document.items())
    return struct.pack("<i", len(body) + 5) + body + b"\0"


one, two = bytes(11) + b"\x01", bytes(11) + b"\x02"
at = datetime.datetime(2024, 5, 31, tzinfo=datetime.timezone.utc)
lock = {"token": 3, "holder": "maeil run", "owner": {"host": "h", "machine": "m", "pid": 1, "started": 2}, "since": at, "expires": at}
keep("bson", "control", bson({"_id": "control", "schema": 2, "locks": {"runner": lock}, **lock}))
keep("bson", "document", bson({"_id": one, "maeil_batch": two, "x": 1.5, "a": [1, [True, None]], "d": {"e": "t"}}))
change = b"alerts\0" + one.hex().encode() + b"\0" + two.hex().encode() + b"\0"
keep("bson", "journal", change + two.hex().encode() + b"\0\0" + bson({}) + bson({"_id": one, "maeil_batch": two})
     + change + b"\0" + bson({"_id": one, "maeil_batch": one}) + bson({}))

# Databases of maeil, as Extended JSON: what a maeil of schema 1 left, and one of schema 2 with a batch that counts.
old = json.loads((HERE.parents[1] / "src/store/mongo/testdata/schema1_ferret.json").read_text())
keep("hostile_server", "schema1.json", json.dumps(old, separators=(",", ":")).encode())
oid = lambda text: {"$oid": text.hex()}
date = {"$date": {"$numberLong": "1700000000000"}}
journal = (HERE / "bson" / "journal").read_bytes()
keep("hostile_server", "schema2.json", json.dumps({
    "maeil_control": [{"_id": "control", "schema": 2, "intent": "schema 2", "locks": {"runner": {
        "token": 3, "nonce": "n", "holder": "maeil run", "owner": {"host": "h", "machine": "m", "pid": 1, "started": 2},
        "since": date, "expires": date}}}],
    "maeil_leases": [{"_id": "runner", "token": 3, "expires": date}],
    "maeil_heads": [{"_id": 7, "batch": oid(two), "state": "counts", "words": "", "past": [{"batch": oid(one)}], "refused": []}],
    "maeil_journal": [{"_id": oid(one), "batch": oid(two), "n": 0, "bytes": {"$binary": {
        "base64": base64.b64encode(journal).decode(), "subType": "00"}}}],
    "maeil_partitions": [{"_id": oid(one), "collection": "alerts", "partition": "p", "generation": {"$oid": "ffffffff00000001" + "0" * 8},
                          "rows": 1, "nulled": 0, "columns": [{"name": "x", "kind": "d"}], "constants": {"dataset": "d"}}],
    "maeil_generations": [{"_id": {"$oid": "ffffffff00000002" + "0" * 8}, "collection": "alerts", "partition": "p", "created": date,
                           "owner": {}, "leases": [{"name": "runner", "token": 1}], "nonce": "x", "dropped": date}],
    "maeil_uploads": [{"_id": oid(two), "begun": date}],
    "fs.files": [{"_id": oid(two), "length": 3, "chunkSize": 255, "uploadDate": date, "filename": "f", "metadata": {}, "sha256": "0"}],
    "fs.chunks": [{"_id": oid(one), "files_id": oid(two), "n": 0, "data": {"$binary": {"base64": "AAAA", "subType": "00"}}}],
    "alerts": [{"_id": {"$oid": "ffffffff0000000100000000"}, "x": 1.5}, {"_id": oid(one), "maeil_batch": oid(two), "timestamp": date}],
}, separators=(",", ":")).encode())

# Two trees and a scorecard of the features in src/model/test_book.h, as `maeil train` (MAEIL_BIN) writes them, and their files.
def maeil_file(facts, entry, model):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("facts.json", json.dumps(dict(facts, sha256=hashlib.sha256(model).hexdigest())))
        out.writestr(entry, model)
    return file.getvalue()


if binary := os.environ.get("MAEIL_BIN"):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        draw = random.Random(1)
        rows = ["grade,sector,rate,leverage,noise,bad"]
        for i in range(2000):
            grade, sector, rate = "ABC"[i % 3], 10 + i % 40, draw.gauss(0, 1)
            bad = "Y" if draw.random() < 0.1 + 0.5 * (grade == "C" and rate > 0) + 0.2 * (sector % 3 == 0) else "N"
            rows.append(f"{grade},S{sector},{rate if i % 9 else ''},{draw.gauss(0, 1)},{draw.gauss(0, 1)},{bad}")
        (folder / "rows.csv").write_text("\n".join(rows) + "\n")
        kinds = [("grade", "text"), ("sector", "text"), ("rate", "number"), ("leverage", "number"), ("noise", "number"), ("bad", "text")]
        (folder / "dataset.toml").write_text('name = "book"\ncolumns = [%s]\n[target]\ncolumn = "bad"\npositive = "Y"\nnegative = "N"\n' %
                                             ", ".join('{ name = "%s", type = "%s" }' % kind for kind in kinds))
        made = {}
        for family, entry in (("boosted_trees", "xgboost.json"), ("scorecard", "scorecard.json")):
            done = subprocess.run([binary, "train", "--in", "rows.csv", "--family", family, "--json"], cwd=folder, check=True, capture_output=True)
            version = json.loads(done.stdout)[-1]["result"]["model_version"]
            subprocess.run([binary, "model", "export", version, "--out", f"{family}.maeil"], cwd=folder, check=True, capture_output=True)
            pack = zipfile.ZipFile(folder / f"{family}.maeil")
            made[family] = json.loads(pack.read("facts.json")), json.loads(pack.read(entry))
    facts, model = made["boosted_trees"]
    of = model["learner"]["gradient_booster"]["model"]
    of["trees"], of["tree_info"], of["gbtree_model_param"]["num_trees"] = of["trees"][:2], [0, 0], "2"
    trees = json.dumps(model, separators=(",", ":")).encode()
    keep("trees", "trees.json", trees)
    keep("trees", "small.maeil", maeil_file(facts, "xgboost.json", trees))
    facts, model = made["scorecard"]
    card = json.dumps(model, separators=(",", ":")).encode()
    keep("scorecard", "scorecard.json", card)
    keep("scorecard", "small.maeil", maeil_file(facts, "scorecard.json", card))
