"""SDV drawing rows into a CSV file: the peer of `maeil generate`.

    sample.py MODEL.pkl ROWS OUT.csv

Prints {"versions", "load_seconds"} once; then, for every line on stdin, draws and writes and prints {"seconds": ...}. The
interpreter is warm and the model loaded: only sample and to_csv are timed.
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
begin = time.perf_counter()
import sdv
from sdv.single_table import GaussianCopulaSynthesizer

imported = time.perf_counter()
synthesizer = GaussianCopulaSynthesizer.load(sys.argv[1])
print(json.dumps({"versions": f"SDV {sdv.__version__}", "import_seconds": imported - begin, "load_seconds": time.perf_counter() - imported}), flush=True)
for _ in sys.stdin:
    begin = time.perf_counter()
    synthesizer.sample(int(sys.argv[2])).to_csv(sys.argv[3], index=False, encoding="utf-8-sig")
    print(json.dumps({"seconds": time.perf_counter() - begin}), flush=True)
