#!/usr/bin/env python3
"""Makes dashboards/*.json, which Grafana is provisioned with, of dashboards.yml. `generate.py --check` only says whether they are fresh.

A dashboard has a fixed uid and no id, so Grafana replaces what it had of that uid. Panels are laid out from left to right, 24 wide.
"""
import json
import pathlib
import sys

import yaml

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = {"type": "prometheus", "uid": "maeil-prom"}  # provisioning/datasources/maeil.yml
TYPES = {"stat": "stat", "lines": "timeseries", "table": "table", "bars": "bargauge"}
HEIGHTS = {"stat": 5, "lines": 8, "table": 8, "bars": 8}
VARIABLE = {"name": "dataset", "label": "Dataset", "type": "query", "datasource": SOURCE, "refresh": 2, "sort": 1, "multi": True,
            "includeAll": True, "allValue": ".*", "current": {"text": "All", "value": "$__all", "selected": True}, "hide": 0,
            "query": {"query": "label_values(maeil_dag_run_state, dataset)", "refId": "dataset"}}


def targets(panel):
    for number, one in enumerate(panel.get("queries") or [panel]):
        expression = one["query"].replace("$D", 'dataset=~"$dataset"')
        target = {"refId": chr(ord("A") + number), "datasource": SOURCE, "expr": expression}
        if panel["kind"] == "lines":
            target["range"] = True
        else:
            target["instant"] = True
        if panel["kind"] == "table":
            target["format"] = "table"
        else:
            target["format"], target["legendFormat"] = "time_series", one["legend"]
        yield target


def thresholds(panel):
    steps = [{"value": None, "color": "green"}]
    for name, color in (("yellow_from", "yellow"), ("red_from", "red")):
        if name in panel:
            steps.append({"value": panel[name], "color": color})
    return {"mode": "absolute", "steps": steps}


def field_config(panel):
    defaults = {"unit": panel.get("unit", "none"), "thresholds": thresholds(panel), "color": {"mode": "palette-classic"}}
    if "decimals" in panel:
        defaults["decimals"] = panel["decimals"]
    if "red_from" in panel or "yellow_from" in panel:
        defaults["color"] = {"mode": "thresholds"}
    overrides = []
    if panel["kind"] == "lines":  # a day's numbers stay until the next day's: no slope between them
        defaults["custom"] = {"drawStyle": "line", "lineInterpolation": "stepAfter", "lineWidth": 2, "fillOpacity": 0, "spanNulls": True}
        for number, one in enumerate(panel.get("queries", [])):
            if one.get("dashed"):
                overrides.append({"matcher": {"id": "byFrameRefID", "options": chr(ord("A") + number)},
                                  "properties": [{"id": "custom.lineStyle", "value": {"fill": "dash", "dash": [8, 8]}},
                                                 {"id": "custom.lineWidth", "value": 1}]})
    return {"defaults": defaults, "overrides": overrides}


def options(panel):
    now = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"stat": lambda: {"reduceOptions": now, "textMode": panel.get("text", "value_and_name"), "colorMode": "value", "graphMode": "none",
                             "justifyMode": "auto", "orientation": "auto"},
            "lines": lambda: {"legend": {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []},
                              "tooltip": {"mode": "multi", "sort": "desc"}},
            "bars": lambda: {"reduceOptions": now, "displayMode": "basic", "orientation": "horizontal", "showUnfilled": True, "valueMode": "color"},
            "table": lambda: {"showHeader": True, "cellHeight": "sm"}}[panel["kind"]]()


def transformations(panel):
    """Of a table: its columns alone, in their order; the value only where it says something."""
    columns = panel["columns"] + ([panel["value"]] if "value" in panel else [])
    hidden = {"Time": True} | ({} if "value" in panel else {"Value": True})
    return [{"id": "organize", "options": {"excludeByName": hidden, "indexByName": {
        "Value" if name == panel.get("value") else name: place for place, name in enumerate(columns)}, "renameByName":
        {"Value": panel["value"]} if "value" in panel else {}}}]


def dashboard(described):
    panels, x, y, tallest = [], 0, 0, 0
    for number, panel in enumerate(described["panels"], 1):
        width, height = panel["width"], panel.get("height", HEIGHTS[panel["kind"]])
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        out = {"id": number, "type": TYPES[panel["kind"]], "title": panel["title"], "description": panel.get("about", ""), "datasource": SOURCE,
               "gridPos": {"x": x, "y": y, "w": width, "h": height}, "targets": list(targets(panel)), "fieldConfig": field_config(panel),
               "options": options(panel)}
        if panel["kind"] == "table":
            out["transformations"] = transformations(panel)
        panels.append(out)
        x, tallest = x + width, max(tallest, height)
    return {"uid": described["uid"], "title": described["title"], "description": described["description"], "tags": ["maeil"], "schemaVersion": 39,
            "version": 1, "editable": False, "graphTooltip": 1, "timezone": "browser", "refresh": "1m", "time": {"from": described["from"], "to": "now"},
            "templating": {"list": [VARIABLE]}, "annotations": {"list": []}, "panels": panels}


def made():
    """File name -> text."""
    return {f"{one['uid'].replace('-', '_')}.json": json.dumps(dashboard(one), indent=1, ensure_ascii=False) + "\n"
            for one in yaml.safe_load((HERE / "dashboards.yml").read_text())}


def main():
    folder = HERE / "dashboards"
    files = made()
    stale = [name for name, text in files.items() if not (folder / name).is_file() or (folder / name).read_text() != text]
    stale += [path.name for path in folder.glob("*.json") if path.name not in files]
    if "--check" not in sys.argv:
        folder.mkdir(exist_ok=True)
        for name in stale:
            (folder / name).write_text(files[name]) if name in files else (folder / name).unlink()
        return 0
    if stale:
        print(f"{', '.join(stale)}: not what dashboards.yml says; integrations/grafana/generate.py makes them", file=sys.stderr)
    return bool(stale)


if __name__ == "__main__":
    sys.exit(main())
