"""Draws the two SDV samples that the statistical tests of src/copula compare with: tests/data/sdv_samples.zip.

    python tools/oracle/sdv_samples.py distribution_model.pkl tests/data/sdv_samples.zip     # sdv==1.32.0

Each is 20,000 rows from its own random state, as SDV's user writes them (UTF-8 with BOM). SDV otherwise samples from a
fixed state, so that two samples would be the same rows.
"""
import hashlib, json, sys, warnings, zipfile

warnings.filterwarnings("ignore")
import numpy as np
from sdv.single_table import GaussianCopulaSynthesizer

source, target = sys.argv[1:3]
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
    for name, state in (("a.csv", 101), ("b.csv", 202)):
        synthesizer = GaussianCopulaSynthesizer.load(source)
        synthesizer._set_random_state(np.random.RandomState(state))
        content = b"\xef\xbb\xbf" + synthesizer.sample(20000).to_csv(index=False).encode()
        out.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED, 9)
    about = {"format": "maeil.sdv_samples", "version": 1, "sdv": "1.32.0", "rows": 20000, "states": [101, 202],
             "source_sha256": hashlib.sha256(open(source, "rb").read()).hexdigest()}
    out.writestr(zipfile.ZipInfo("about.json"), json.dumps(about, indent=1), zipfile.ZIP_DEFLATED)
