#!/usr/bin/env python3
"""Draws a dashboard's panels, as they are in dashboards/*.json, from a Prometheus' answers: a picture for where no Grafana runs. It looks
plainer than Grafana does, and shows the same queries, units, columns and legends.

  draw.py --url http://localhost:9090 --last 30d --out day.svg dashboards/maeil_day.json
"""
import argparse
import datetime
import html
import json
import pathlib
import re
import time
import urllib.parse
import urllib.request

CELL_W, CELL_H, GAP = 52, 30, 4  # pixels of a cell of Grafana's grid, 24 wide
COLOURS = ["#3274d9", "#e0752d", "#56a64b", "#a352cc", "#e02f44", "#1f978b", "#b7950b", "#6c757d", "#8f3bb8", "#37872d"]
NAMED = {"green": "#37872d", "yellow": "#b7950b", "red": "#c4162a"}
STEPS = 400  # points of a line


class Prometheus:
    def __init__(self, url, last):
        self.url, self.end, self.last = url.rstrip("/"), time.time(), last

    def ask(self, expression, over_time):
        values = {"query": expression}
        if over_time:
            values |= {"start": self.end - self.last, "end": self.end, "step": max(1, self.last / STEPS)}
        else:
            values["time"] = self.end
        path = "query_range" if over_time else "query"
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", urllib.parse.urlencode(values).encode()) as answer:
            return json.load(answer)["data"]["result"]


def amount(value, unit, now):
    if unit == "percentunit":
        return f"{100 * value:.1f} %"
    if unit == "bytes":
        return f"{value / 2**20:.1f} MiB"
    if unit == "dateTimeAsIso":
        return f"{datetime.datetime.fromtimestamp(value / 1000, datetime.timezone.utc):%Y-%m-%d %H:%M}"
    if unit == "dateTimeFromNow":
        return amount(now - value / 1000, "s", now) + " ago"
    if unit == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min")):
            if abs(value) >= size:
                return f"{value / size:.1f} {name}"
        return f"{value:.3g} s"
    return f"{value:,.0f}" if value == int(value) else f"{value:.4g}"


def named(legend, labels):
    return re.sub(r"{{\s*(\w+)\s*}}", lambda found: labels.get(found[1], ""), legend)


class Panel:
    def __init__(self, panel, prometheus):
        self.prometheus, self.panel = prometheus, panel
        at = panel["gridPos"]
        self.x, self.y = at["x"] * CELL_W + GAP, at["y"] * CELL_H + GAP
        self.w, self.h = at["w"] * CELL_W - 2 * GAP, at["h"] * CELL_H - 2 * GAP
        self.defaults = panel["fieldConfig"]["defaults"]
        self.parts = [f'<rect x="{self.x}" y="{self.y}" width="{self.w}" height="{self.h}" fill="#fff" stroke="#d0d4da" rx="3"/>']
        self.text(10, 18, panel["title"], weight="bold")
        self.series = [(named(target.get("legendFormat", ""), series["metric"]), number in self.dashed(), series)
                       for number, target in enumerate(panel["targets"])
                       for series in prometheus.ask(target["expr"].replace("$dataset", ".*"), target.get("range"))]

    def dashed(self):
        return {ord(one["matcher"]["options"]) - ord("A") for one in self.panel["fieldConfig"].get("overrides", [])}

    def say(self, value):
        return amount(value, self.defaults["unit"], self.prometheus.end)

    def text(self, x, y, what, size=11, colour="#24292e", weight="normal", anchor="start", room=None):
        wide = 0.75 if what.isupper() else 0.6  # of its size is a letter
        fits = room / (size * wide) if room else len(what)
        if len(what) > fits:
            what = what[:max(1, int(fits) - 1)] + "…"
        self.parts.append(f'<text x="{self.x + x:.0f}" y="{self.y + y:.0f}" font-size="{size}" fill="{colour}" font-weight="{weight}" '
                          f'text-anchor="{anchor}">{html.escape(what)}</text>')

    def colour_of(self, value):
        colour = "green"
        for step in self.defaults["thresholds"]["steps"]:
            if step["value"] is not None and value >= step["value"]:
                colour = step["color"]
        return NAMED[colour]

    def draw(self):
        if not self.series:
            self.text(self.w / 2, self.h / 2, "empty", colour="#8e8e8e", anchor="middle")
        else:
            {"stat": self.stat, "timeseries": self.lines, "bargauge": self.bars, "table": self.table}[self.panel["type"]]()
        return self.parts

    def stat(self):
        room = self.w / len(self.series)
        for place, (name, _, series) in enumerate(self.series):
            value = float(series["value"][1])
            what = [name] if self.panel["options"]["textMode"] == "name" else [self.say(value), name]
            middle = room * (place + 0.5)
            size = min(24, int(room / max(4, len(what[0])) / 0.7))
            self.text(middle, self.h * 0.6, what[0], size=size, colour=self.colour_of(value), weight="bold", anchor="middle")
            for small in what[1:]:
                self.text(middle, self.h * 0.6 + 20, small, size=10, colour="#57606a", anchor="middle", room=room - 6)

    def lines(self):
        shown = min(len(self.series), 8 if self.w > 700 else 4)
        left, top, right, bottom = 62, 30, self.w - 12, self.h - 32 - 13 * ((shown + 1) // 2)
        values = [float(value) for _, _, series in self.series for _, value in series["values"]]
        low, high = min(0, *values), max(values)
        if high == low:
            high = low + 1
        start = self.prometheus.end - self.prometheus.last
        def across(at): return left + (at - start) / self.prometheus.last * (right - left)
        def up(value): return bottom - (value - low) / (high - low) * (bottom - top)
        for part in range(4):
            value = low + (high - low) * part / 3
            self.parts.append(f'<path d="M{self.x + left} {self.y + up(value):.1f}H{self.x + right}" stroke="#e5e8eb"/>')
            self.text(left - 6, up(value) + 4, self.say(value), size=9, colour="#57606a", anchor="end")
        for part in range(3):
            at = start + self.prometheus.last * part / 2
            shape = "%H:%M:%S" if self.prometheus.last < 86400 else "%m-%d"
            self.text(across(at), bottom + 14, f"{datetime.datetime.fromtimestamp(at, datetime.timezone.utc):{shape}}", size=9, colour="#57606a",
                      anchor=("start", "middle", "end")[part])
        for number, (name, dashed, series) in enumerate(self.series):
            path, before = "", None
            for at, value in series["values"]:
                value = float(value)
                if before is None:
                    path = f"M{self.x + across(at):.1f} {self.y + up(value):.1f}"
                elif value != before:
                    path += f"H{self.x + across(at):.1f}V{self.y + up(value):.1f}"
                before = value
            path += f"H{self.x + across(series['values'][-1][0]):.1f}"
            colour = COLOURS[number % len(COLOURS)]
            self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{1 if dashed else 2}"'
                              + (' stroke-dasharray="5 4"' if dashed else "") + "/>")
            if number < shown:
                last = number == shown - 1 and len(self.series) > shown
                x, y = left + (number % 2) * (right - left) / 2, bottom + 30 + 13 * (number // 2)
                self.text(x, y, f"and {len(self.series) - shown + 1} more" if last else f"— {name}", size=10,
                          colour="#57606a" if last else colour, room=(right - left) / 2 - 4)

    def bars(self):
        found = sorted(((float(series["value"][1]), name) for name, _, series in self.series), reverse=True)
        line = min(22, (self.h - 34) / len(found))
        most = max(value for value, _ in found) or 1
        for place, (value, name) in enumerate(found):
            y = 34 + place * line
            self.text(self.w * 0.45, y + line / 2 + 2, name, size=10, anchor="end", room=self.w * 0.43)
            self.parts.append(f'<rect x="{self.x + self.w * 0.47:.0f}" y="{self.y + y:.1f}" width="{max(1, self.w * 0.4 * value / most):.1f}" '
                              f'height="{line - 5:.1f}" fill="{COLOURS[0]}"/>')
            self.text(self.w * 0.47 + self.w * 0.4 * value / most + 5, y + line / 2 + 2, self.say(value), size=10)

    def table(self):
        [change] = self.panel["transformations"]
        columns = list(change["options"]["indexByName"])
        rows = [[self.say(float(series["value"][1])) if column == "Value" else series["metric"][column] for column in columns]
                for _, _, series in self.series]
        fit = int((self.h - 44) / 16)
        if len(rows) > fit:
            rows = rows[:fit - 1] + [[f"and {len(rows) - fit + 1} more"] + [""] * (len(columns) - 1)]
        heads = [change["options"]["renameByName"].get(column, column) for column in columns]
        wide = [max(len(row[place]) for row in [heads, *rows]) for place in range(len(columns))]
        x = 10
        for place, head in enumerate(heads):
            room = (self.w - 20) * wide[place] / sum(wide)
            self.text(x, 38, head, size=10, colour="#57606a", room=room)
            for number, row in enumerate(rows):
                self.text(x, 54 + 16 * number, row[place], size=10, room=room)
            x += room


def picture(board, prometheus):
    panels = [Panel(panel, prometheus) for panel in board["panels"]]
    height = max(panel.y + panel.h for panel in panels) + GAP + 36
    body = "\n".join(part for panel in panels for part in panel.draw())
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{24 * CELL_W}" height="{height}" viewBox="0 -36 {24 * CELL_W} {height}" '
            f'font-family="Helvetica, Arial, sans-serif">\n<rect y="-36" width="100%" height="100%" fill="#f4f5f7"/>\n'
            f'<text x="10" y="-12" font-size="17" font-weight="bold" fill="#24292e">{html.escape(board["title"])}</text>\n{body}\n</svg>\n')


def seconds(text):
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise argparse.ArgumentTypeError("a number and s, m, h or d: 30d")
    return int(found[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[found[2]]


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("dashboard", type=pathlib.Path)
    options.add_argument("--url", default="http://localhost:9090")
    options.add_argument("--last", type=seconds, default="30d")
    options.add_argument("--out", type=pathlib.Path, required=True)
    asked = options.parse_args()
    asked.out.write_text(picture(json.loads(asked.dashboard.read_text()), Prometheus(asked.url, asked.last)))


if __name__ == "__main__":
    main()
