"""The README's console blocks: what is run, and what is said to come of it."""
import re

from harness import SOURCE


def commands_of(title):
    """[(command, lines that are shown of its output)] of the first console block under a heading."""
    text = (SOURCE / "README.md").read_text()
    block = re.search(rf"## {re.escape(title)}\n.*?```console\n(.*?)```", text, re.S)[1]
    return [(shown[0].removeprefix("$ "), shown[1:]) for part in re.split(r"(?m)^(?=\$ )", block) if (shown := part.splitlines())]


def pattern(line):
    """The line with any number, date of a version and family in place of its own."""
    text = re.escape(line.strip()).replace("\\ ", " ")
    text = re.sub(r"(tab_transformer|boosted_trees)", "(tab_transformer|boosted_trees)", text)
    return re.sub(r"\d[\d_.]*(?:\\\.\d+)?", r"[\\d_.]+", text)
