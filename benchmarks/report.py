"""Figures as tables: on the terminal, in the results' file, and between the marks in the documents."""
import json

from cases import CASES
from programs import ROOT

IN_THE_README = ("train-32-2", "score-256-2", "sample", "prepare", "day")
BEGIN, END = "<!-- measured by make bench -->", "<!-- end of what make bench measured -->"


def machine_line(m):
    return (f"{m['cores']} cores of {m['cpu']} ({', '.join(m['instruction_sets'])}), {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}, {m['compiler']}")


def _number(x):
    return f"{x:,.0f}" if x >= 100 else f"{x:.1f}" if x >= 10 else f"{x:.3g}"


def _cell(s, unit):
    return f"{_number(s['median'])} {unit} ({_number(s['min'])} to {_number(s['max'])})"


def table(results):
    if not results:
        return "nothing was compared"
    lines = ["| work | maeil | peer | ratio | bar |", "|---|---|---|---|---|"]
    for r in results:
        peer = r["peer_peer"] + (f", {r['peer_way']}" if r.get("peer_way", "eager") != "eager" else "")
        lines.append(f"| {r['what']} | {_cell(r['maeil'], r['unit'])} | {_cell(r['peer'], r['unit'])}, {peer} | **{r['ratio']:.1f}** | "
                     f"{r['bar']:g}{'' if r['ratio'] >= r['bar'] else ', missed'} |")
    notes = [f"{r['what']}: {r['peer_note']}." for r in results if r.get("peer_note")]
    return "\n".join(lines + ([""] + notes if notes else []))


def starts(measured):
    if not measured:
        return ""
    lines = ["| until the answer is there | time | bar |", "|---|---|---|"]
    lines += [f"| {name} | {_cell(s, 'ms')} | {s['bar']} ms{'' if s['median'] <= s['bar'] else ', missed'} |" for name, s in measured.items()]
    return "\n".join(lines)


def save(path, about, results, measured_starts):
    """Cases measured now replace those of the same name in the file; the others stay."""
    path.parent.mkdir(parents=True, exist_ok=True)
    old = json.loads(path.read_text()) if path.exists() else {"cases": [], "starts": {}}
    new = {r["name"] for r in results}
    order = [case[0] for case in CASES]
    kept = sorted([r for r in old["cases"] if r["name"] not in new] + results, key=lambda r: order.index(r["name"]))
    content = {**old, "machine": about, "cases": kept, "starts": {**old["starts"], **measured_starts}}
    path.write_text(json.dumps(content, indent=1) + "\n")


def splice(page, begin, end, text):
    """Replaces what stands between two marks of a document."""
    path = ROOT / page
    old = path.read_text()
    if begin not in old or end not in old:
        raise SystemExit(f"{page} has no place for the figures: it needs the lines {begin} and {end}")
    path.write_text(f"{old[: old.index(begin)]}{begin}\n\n{text}\n\n{old[old.index(end):]}")


def write_docs(path):
    """Puts the file's tables into docs/performance.md, and the lines that most people ask for into README.md."""
    content = json.loads(path.read_text())
    about = f"Medians and ranges, {machine_line(content['machine'])}."
    splice("docs/performance.md", BEGIN, END, f"{about}\n\n{table(content['cases'])}\n\n{starts(content['starts'])}")
    splice("README.md", BEGIN, END, f"{about}\n\n{table([{**r, 'peer_note': None} for r in content['cases'] if r['name'] in IN_THE_README])}")
