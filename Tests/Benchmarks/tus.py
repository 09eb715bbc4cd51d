#!/usr/bin/env python3
"""Measures the expiry of uploads in the folder of a TUS server beside what else removes them.

    swift build -c release --product upkeep
    python3 Tests/Benchmarks/tus.py                         # 20,000 expired uploads, 3 repetitions
    python3 Tests/Benchmarks/tus.py --uploads 100000 --folder /dev/shm

The folder is one of tuspyserver: two files for each upload, unfinished ones that expired two days ago, and a tenth as many that
have to stay, half of them finished. What is left is compared byte by byte; a contender that leaves anything else has no time.

- unlink: is told the names, in the order of the folder, and reads no file. Nothing removes them faster.
- scan: one pass in plain Python that reads each sidecar, and removes what has expired.
- tuspyserver: the server's own collection, where that package is installed. It reads no date in the form that its newest
  versions write, so all sidecars have the older form.
- upkeep: the whole process; of the others only the work itself counts.

"x" is the time of unlink in the same repetition divided by the contender's. On a disk the times are mostly those of its file
system, and may differ twentyfold between two machines; --folder chooses another, such as /dev/shm, which is memory. CPU time
and memory, its peak, are those of the whole process for all.
"""
import json, os, random, shutil, sys, time, uuid
from datetime import datetime
sys.dont_write_bytecode = True        # or `import bench` would leave files in the repository
import bench

CONFIGURATION = """version: 1
host: { state: state.sqlite }
tasks:
  tus_expiry: { timeout: 2h, settings: { folder: uploads } }
"""
DAY = 86400


def make(folder, count):
    """The uploads; returns the contents of the files that have to stay, by name."""
    dice, now, stay = random.Random(11), time.time(), {}
    os.mkdir(folder)
    for number in range(count + count // 10):
        stays = number % 11 == 10
        name, made = uuid.UUID(int=dice.getrandbits(128), version=4).hex, now - 60 if stays else now - 3 * DAY
        sidecar = {"metadata": {"filename": "film.mp4", "filetype": "video/mp4"}, "size": 64 if stays and number % 2 else 300_000, "offset": 64, "upload_part": 1,
                   "created_at": str(datetime.fromtimestamp(made)), "defer_length": False, "upload_chunk_size": 64,
                   "expires": datetime.fromtimestamp(made + (5 if stays else 1) * DAY).isoformat(), "error": None,
                   "is_partial": False, "is_final": False, "partial_uploads": None}
        for file, content in ((name, b"x" * 64), (f"{name}.info", json.dumps(sidecar, indent=4).encode())):
            with open(f"{folder}/{file}", "wb") as handle:
                handle.write(content)
            os.utime(f"{folder}/{file}", (made, made))
            if stays:
                stay[file] = content
    return stay


def wrong(folder, stay):
    """What differs from what should be left."""
    there = {}
    for root, _, files in os.walk(folder):
        for file in files:
            with open(f"{root}/{file}", "rb") as handle:
                there[os.path.relpath(f"{root}/{file}", folder)] = handle.read()
    missing, extra = len(stay.keys() - there.keys()), len(there.keys() - stay.keys())
    changed = sum(there.get(file, content) != content for file, content in stay.items())
    return [f"{missing:,} files too few, {extra:,} too many, {changed:,} changed"] if missing or extra or changed else []


# The contenders

def unlink(folder):
    place = os.open(folder, os.O_RDONLY)
    with open(f"{folder}.doomed") as file:
        names = file.read().splitlines()
    bench.began()
    for name in names:
        os.unlink(name, dir_fd=place)


def scan(folder):
    bench.began()
    now = datetime.now()
    for entry in os.scandir(folder):
        if entry.name.endswith(".info"):
            with open(entry.path) as file:
                sidecar = json.load(file)
            if sidecar["offset"] < sidecar["size"] and datetime.fromisoformat(sidecar["expires"]) < now:
                os.unlink(entry.path.removesuffix(".info"))
                os.unlink(entry.path)


def tuspyserver(folder):
    from types import SimpleNamespace
    from tuspyserver.file import gc_files
    bench.began()
    gc_files(SimpleNamespace(files_dir=folder))


def measure(name, options, folder):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    uploads = f"{folder}/uploads"
    stay = make(uploads, options.uploads)
    with open(f"{uploads}.doomed", "w") as file:
        file.writelines(f"{entry.name}\n" for entry in os.scandir(uploads) if entry.name not in stay)
    with open(f"{folder}/upkeep.yaml", "w") as file:
        file.write(CONFIGURATION)
    os.sync()
    command = [sys.executable, __file__, "--contender", name, uploads]
    if name == "upkeep":
        command = bench.program(options) + ["run", "tus_expiry", "--config", f"{folder}/upkeep.yaml", "--quiet"]
    used = bench.Run(command).end()
    return used | {"files": 2 * options.uploads / (used["seconds"] or 1), "faults": used["faults"] or wrong(uploads, stay)}


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--uploads", type=int, default=20_000, help="expired uploads")
    parser.add_argument("--folder", help="where the folder of uploads is made; the place of temporary files, unless given")
    parser.add_argument("--contender", nargs=2, help=bench.HIDDEN)
    options = parser.parse_args()
    if options.contender:
        return {"unlink": unlink, "scan": scan, "tuspyserver": tuspyserver}[options.contender[0]](options.contender[1])
    names = ["unlink", "scan"] + ["tuspyserver"] * bench.has(options, "tuspyserver") + ["upkeep"]
    runs = {name: [] for name in names}
    with bench.folder(options.folder) as folder:
        table = bench.Table(["contender"], {"s": "seconds", "x": "x", "files/s": "files", "CPU s": "cpu", "memory MB": "memory"})
        for name in bench.turns(names, options.repetitions):
            runs[name].append(measure(name, options, f"{folder}/run"))
        return 0 if table.rows([], runs) else 1


if __name__ == "__main__":
    bench.run(main)
