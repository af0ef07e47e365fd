"""What the figures were measured on."""
import os
import pathlib
import platform
import re
import shutil
import subprocess


def _first(pattern, text, default="unknown"):
    found = re.search(pattern, text, re.M)
    return found.group(1).strip() if found else default


def describe():
    cpu = pathlib.Path("/proc/cpuinfo").read_text()
    flags = set(_first(r"^flags\s*:(.*)$", cpu, "").split())
    compiler = shutil.which("g++")
    return {
        "cpu": _first(r"^model name\s*:(.*)$", cpu),
        "instruction_sets": [f for f in ("avx2", "fma", "avx512f") if f in flags],
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": platform.release().split("-")[0],
        "system": _first(r'^PRETTY_NAME="(.*)"$', pathlib.Path("/etc/os-release").read_text()),
        "compiler": subprocess.run([compiler, "--version"], capture_output=True, text=True).stdout.splitlines()[0] if compiler else "none",
        "python": platform.python_version(),
    }


def file_name(machine):
    return re.sub(r"[^a-z0-9]+", "-", f"{machine['cpu']} {machine['cores']} cores".lower()).strip("-") + ".json"


def load_warning():
    """A sentence when other work is running, or ""."""
    load = os.getloadavg()[0]
    return f"the machine is busy (load {load:.1f}): ratios of one run still compare, times do not" if load > 0.5 else ""
