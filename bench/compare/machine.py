"""What a result belongs to: the machine, and which of its CPUs are used."""

import os
import platform
import re
import subprocess
from pathlib import Path

ISA = ("sse4_2", "avx", "f16c", "fma", "avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni",
       "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16")
# Settings of the caller's shell that would tune one library and not the others.
TUNING = re.compile(r"(OMP|KMP|GOMP|MKL|OPENBLAS|DNNL|ONEDNN|OV|ORT|TF|XLA|TORCH|ATEN)_")


def cpuinfo(field):
    match = re.search(rf"^{field}\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return match.group(1).strip() if match else ""


def instruction_sets():
    flags = set(cpuinfo("flags").split())
    return [name for name in ISA if name in flags]


def best_instruction_set():
    sets = instruction_sets()
    names = {"amx_tile": "amx", "avx512_bf16": "avx512-bf16", "avx512_vnni": "avx512-vnni",
             "avx512f": "avx512", "avx2": "avx2"}
    return next((short for name, short in names.items() if name in sets), "x86-64")


def core_of(cpu):
    topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology")
    try:
        return tuple((topology / part).read_text() for part in ("physical_package_id", "core_id"))
    except OSError:
        return cpu


def chosen_cpus(threads):
    """As many of the CPUs that this process may use, each on a core of its own while there are."""
    first, second, cores = [], [], set()
    for cpu in sorted(os.sched_getaffinity(0)):
        core = core_of(cpu)
        (second if core in cores else first).append(cpu)
        cores.add(core)
    cpus = (first + second)[:threads]
    if len(cpus) < threads:
        raise SystemExit(f"compare: {threads} threads, but only {len(cpus)} CPUs may be used")
    return cpus


def worker_environment(threads, variables=()):
    """`variables`: of one worker; None leaves one out."""
    kept = {name: value for name, value in os.environ.items() if not TUNING.match(name)}
    every = {**kept, "OMP_NUM_THREADS": str(threads), "TF_CPP_MIN_LOG_LEVEL": "3",
             "PYTHONWARNINGS": "ignore", "PYTHONDONTWRITEBYTECODE": "1", **dict(variables)}
    return {name: value for name, value in every.items() if value is not None}


def commit(root):
    git = ["git", "-C", str(root)]
    run = subprocess.run([*git, "describe", "--always", "--dirty", "--exclude=*"],
                         capture_output=True, text=True)
    return run.stdout.strip()


def description():
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    system = platform.freedesktop_os_release()
    return {
        "cpu": cpuinfo("model name"),
        "cpu_family_model_stepping": "-".join(map(cpuinfo, ("cpu family", "model", "stepping"))),
        "instruction_sets": instruction_sets(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory.group(1)) / 2**20),
        "system": f"{system.get('PRETTY_NAME', 'Linux')}, Linux {platform.release()}",
    }
