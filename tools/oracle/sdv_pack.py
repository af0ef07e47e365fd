#!/usr/bin/env python3
"""Packs what tools/oracle/sdv_pickles.py wrote, with the list of it that the tests read.

    python tools/oracle/sdv_pack.py FOLDER tests/data/sdv_pickles.zip

manifest.json names the files without their endings: "sampled" have SDV's account (.json) beside them, "refused" have none.
"""
import json, pathlib, sys, zipfile

folder, out = map(pathlib.Path, sys.argv[1:3])
pickles = sorted(folder.glob("*.pkl"))
manifest = {"sampled": [p.stem for p in pickles if p.with_suffix(".json").exists()],
            "refused": [p.stem for p in pickles if not p.with_suffix(".json").exists()]}
with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    def add(name, data):
        archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    for path in sorted(folder.iterdir()):
        add(path.name, path.read_bytes())
    add("manifest.json", json.dumps(manifest, indent=1))
