#!/usr/bin/env python3
"""Runs all benchmarks one after another, and prints the tables of the README.

    swift build -c release --product upkeep --static-swift-stdlib      # as it is deployed
    python3 Tests/Benchmarks/all.py                         # about 20 minutes on two cores
    python3 Tests/Benchmarks/all.py --quick                 # small sizes, once each: whether all works, no figures

Where the peers' packages are missing it makes a virtual environment for them (in --venv, or for this run alone) and goes on in
that; with --no-peers it does without. Each benchmark is a script of its own, whose --help says what is measured and how. The exit
status is 1 where one of them failed, or a contender left something else than it should.
"""
import datetime, importlib.metadata, importlib.util, os, platform, re, sqlite3, subprocess, sys, tempfile, time
sys.dont_write_bytecode = True        # or these imports would leave files in the repository
import bench, postgres

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGES = {"sqlalchemy": "sqlalchemy", "psycopg": "psycopg[binary]", "apscheduler": "apscheduler<4", "fastapi": "fastapi", "uvicorn": "uvicorn",
            "tuspyserver": "tuspyserver", "httpx": "httpx"}
# What is measured, the script, its sizes in a full run and in a quick one.
PARTS = [
    ("Old odds purged on SQLite, {snapshots} snapshots with three markets each, 60 % of them old, beside a writer of 500 rows/s", "purge.py",
     {"snapshots": 200_000}, {"snapshots": 3000, "orders": "drift,scattered"}),
    ("The same rows on PostgreSQL", "purge.py", {"engine": "postgres", "snapshots": 200_000, "orders": "drift,scattered"},
     {"engine": "postgres", "snapshots": 3000, "orders": "drift"}),
    ("A job queue cleaned up, {jobs} jobs and as many downloads, on SQLite", "jobs.py", {"jobs": 200_000}, {"jobs": 3000}),
    ("Expired TUS uploads removed, {uploads} of them, on disk", "tus.py", {"uploads": 1000}, {"uploads": 200}),
    ("Expired TUS uploads removed, {uploads} of them, in memory", "tus.py", {"uploads": 20_000, "folder": "/dev/shm"}, {"uploads": 500, "folder": "/dev/shm"}),
    ("`upkeep serve` at rest, asked, and with {tasks} tasks due at once", "serve.py", {"tasks": 1000, "lead": 10},
     {"tasks": 100, "lead": 4, "seconds": 2, "requests": 300, "starts": 2}),
    ("Three platforms scraped, {matches} made-up matches", "scrape.py", {"matches": 1000}, {"matches": 30}),
]


def said(*command):
    """What a command prints, or nothing."""
    try:
        return subprocess.run(command, capture_output=True, text=True, cwd=HERE).stdout.strip()
    except OSError:
        return ""


def machine():
    """A line that says what the figures were measured on."""
    def found(path, pattern):
        with open(path) as file:
            match = re.search(pattern, file.read())
        return match[1] if match else "?"
    memory = int(found("/proc/meminfo", r"MemTotal:\s+(\d+)")) / 1024 ** 2
    tools = postgres.tools()
    server = found_version(said(f"{tools}/postgres", "--version")) if tools else "none"
    versions = [f"{name} {importlib.metadata.version(name)}" for name in PACKAGES if importlib.util.find_spec(name)]
    commit = said("git", "rev-parse", "--short", "HEAD") + (" and changes" if said("git", "status", "--porcelain", "--untracked-files=no") else "")
    cpu = found("/proc/cpuinfo", r"model name\s*: (.*)")
    return (f"{datetime.date.today()}, commit {commit}: {cpu}, {os.cpu_count()} CPUs, {memory:.0f} GB, "
            f"{platform.system()} {platform.release()}, SQLite {sqlite3.sqlite_version}, PostgreSQL {server}, Python {platform.python_version()}"
            + (f"; {', '.join(versions)}" if versions else ""))


def found_version(text):
    return (re.search(r"\d[\d.]*", text) or ["?"])[0]


def in_environment(place):
    """Runs this again with the packages of the peers."""
    python = f"{place}/bin/python"
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", place], check=True)
    if subprocess.run([python, "-c", "import " + ",".join(PACKAGES)], capture_output=True).returncode:
        print(f"installing the peers' packages in {place}", file=sys.stderr)
        if subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES.values()]).returncode:
            sys.exit("the peers' packages couldn't be installed; --no-peers does without them")
    return bench.start([python, os.path.abspath(__file__), *sys.argv[1:], "--in-venv"]).wait()


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one repetition")
    parser.add_argument("--venv", help="where the peers' packages are, or are to be installed")
    parser.add_argument("--only", help="only these scripts, with commas between them")
    parser.add_argument("--in-venv", action="store_true", help=bench.HIDDEN)
    options = parser.parse_args()
    if not options.no_peers and not options.in_venv and (options.venv or not all(map(importlib.util.find_spec, PACKAGES))):
        if options.venv:
            return in_environment(os.path.abspath(options.venv))
        with tempfile.TemporaryDirectory(prefix="upkeep-peers-") as place:
            return in_environment(place)
    repetitions = "1" if options.quick else str(options.repetitions)
    print(f"Measured on {machine()}; medians of {repetitions}.", flush=True)
    failed, start = [], time.monotonic()
    for title, script, full, quick in PARTS:
        sizes = quick if options.quick else full
        if options.only and script not in options.only.split(",") or not os.path.isdir(sizes.get("folder", "/")):
            continue
        words = [word for key, value in sizes.items() for word in (f"--{key}", str(value))] + ["--no-peers"] * options.no_peers
        print("\n**" + title.format(**{key: f"{value:,}" if isinstance(value, int) else value for key, value in sizes.items()}) + "**\n", flush=True)
        if bench.start([sys.executable, f"{HERE}/{script}", "--upkeep", options.upkeep, "--repetitions", repetitions, *words]).wait():
            failed.append(f"{script} {' '.join(words)}")
    print(f"{(time.monotonic() - start) / 60:.1f} minutes" + "".join(f"\nfailed: {one}" for one in failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    bench.run(main)
