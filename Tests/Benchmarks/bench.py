"""What the benchmarks share: options, processes and what they used, sample databases, a writer, tables."""
import argparse, atexit, contextlib, importlib.util, json, os, shlex, shutil, signal, socket, sqlite3, statistics, subprocess, sys, tempfile, time
from datetime import datetime, timezone
from postgres import Psql

# Linux counts the memory of a process that starts another into the other's peak: the one that starts it has to be small.
LAUNCHER = """
import json, os, sys, time
report = int(sys.argv[1])
os.set_inheritable(report, False)
start = time.monotonic()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
os.write(report, json.dumps({"start": start, "end": time.monotonic(), "cpu": usage.ru_utime + usage.ru_stime,
    "memory": usage.ru_maxrss / 1024, "status": os.waitstatus_to_exitcode(status)}).encode())
"""
HIDDEN = argparse.SUPPRESS
processes = []


def options(description):
    """A script's parser, with the options that all have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--upkeep", default=".build/release/upkeep", help="the program under test")
    parser.add_argument("--repetitions", type=int, default=3, help="how often everything is measured; the medians are shown")
    parser.add_argument("--no-peers", action="store_true", help="leave out what needs packages of Python")
    return parser


def program(chosen):
    """The words that start the program under test, from any folder."""
    words = [os.path.abspath(word) if os.path.exists(word) else word for word in shlex.split(chosen.upkeep)]
    return words if words and shutil.which(words[0]) else sys.exit(f"there is no program {chosen.upkeep}; swift build -c release --product upkeep makes it")


def has(chosen, *modules):
    """Whether a peer's packages are here and wanted."""
    missing = [module for module in modules if not importlib.util.find_spec(module)]
    if missing and not chosen.no_peers:
        print(f"no {', '.join(missing)} here: a peer is left out", file=sys.stderr)
    return not missing and not chosen.no_peers


def run(main):
    """Runs a script; whatever way it ends, the processes that it started end with it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)


@atexit.register
def end():
    for process in processes:
        for kind in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(process.pid, kind)
                    process.wait(30)


@contextlib.contextmanager
def folder(place=None):
    with tempfile.TemporaryDirectory(prefix="upkeep-benchmark-", dir=place, ignore_cleanup_errors=True) as path:
        yield path


def start(command, **how):
    """A process in a session of its own, without input, that ends with this one."""
    processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **how))
    return processes[-1]


def stop(process):
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Run:
    """A command while it runs. A contender that prints `began()` is measured from there, all others from their start."""

    def __init__(self, command, cwd=None):
        self.report, report = os.pipe()
        self.output = tempfile.TemporaryFile()
        launcher = [sys.executable, "-ISc", LAUNCHER, str(report)]
        self.process = start(launcher + [str(word) for word in command], cwd=cwd, stdout=self.output, pass_fds=[report])
        os.close(report)

    def is_going(self):
        return self.process.poll() is None

    def end(self):
        self.process.wait(1800)
        processes.remove(self.process)
        with open(self.report) as file:
            used = json.loads(file.read() or '{"start": 0, "end": 0, "cpu": 0, "memory": 0, "status": 127}')
        self.output.seek(0)
        words = self.output.read().decode(errors="replace").split()
        self.output.close()
        if words[:1] == ["began"]:
            used["start"] = float(words[1])
        return used | {"seconds": used["end"] - used["start"], "faults": [f"exit status {used['status']}"] if used["status"] else []}


def began():
    print("began", time.monotonic(), flush=True)


def timed(work):
    """How many seconds something takes."""
    start = time.monotonic()
    work()
    return time.monotonic() - start


def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def text(instant):
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


def now():
    return datetime.now(timezone.utc).replace(tzinfo=None)


# Samples. Whatever the program's demo makes is the schema; the rows are taken out and others put in.

def demo(command, path, *more):
    done = subprocess.run(command + ["demo", path, "--scale", "0.00001", "--only", *more], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"upkeep demo ended with {done.returncode}: {done.stderr}")


def fill(path, tables):
    """Replaces all rows of an SQLite file, and makes its indexes anew."""
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF;PRAGMA foreign_keys=OFF;BEGIN")
    indexes = database.execute("SELECT name, sql FROM sqlite_schema WHERE type='index' AND sql IS NOT NULL").fetchall()
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    for (table,) in database.execute("SELECT name FROM sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%'").fetchall():
        database.execute(f'DELETE FROM "{table}"')
    for table, rows in tables.items():
        width = len(database.execute(f"PRAGMA table_info({table})").fetchall())
        database.executemany(f"INSERT INTO {table} VALUES({','.join('?' * width)})", rows)
    for _, statement in indexes:
        database.execute(statement)
    database.execute("COMMIT")
    database.executescript("ANALYZE;PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def connect(path):
    database = sqlite3.connect(path, isolation_level=None, timeout=60)
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-64000"):
        database.execute("PRAGMA " + pragma)
    return database


def engine(target):
    """SQLAlchemy's, with the same settings as `connect`."""
    from sqlalchemy import create_engine, event
    if target.startswith("postgresql:"):
        return create_engine(target.replace("postgresql:", "postgresql+psycopg:", 1))
    made = create_engine(f"sqlite:///{target}", connect_args={"timeout": 60})
    event.listen(made, "connect", lambda c, _: [c.execute("PRAGMA " + p) for p in ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-64000")])
    return made


def differences(database, keep, mine, bound=()):
    """How the tables of the attached `base` differ from the main ones. By table, `keep` says which rows of the base must be there
    unchanged, and `mine` which rows here are meant to be compared; all where nothing is said."""
    out = []
    for (table,) in database.execute("SELECT name FROM base.sqlite_schema WHERE type='table' AND name NOT LIKE 'sqlite%' AND name <> 'cleanup_runs'").fetchall():
        wanted, there = f"SELECT * FROM base.{table} WHERE {keep.get(table, 1)}", f"SELECT * FROM main.{table} WHERE {mine.get(table, 1)}"
        missing, extra = (database.execute(f"SELECT count(*) FROM ({a} EXCEPT {b})", bound).fetchone()[0] for a, b in ((wanted, there), (there, wanted)))
        if missing or extra:
            out.append(f"{table}: {missing:,} rows too few, {extra:,} too many")
    return out


class Writer:
    """An application that goes on writing: a process that runs one statement whenever it is due, at a fixed rate.

    How late each was counts from the moment it was due, so that waiting in the queue counts, too."""

    def __init__(self, target, statement, rate, report):
        self.report = report
        self.process = start([sys.executable, os.path.abspath(__file__), target, statement, str(rate), report])
        time.sleep(0.5)

    def end(self, since, until):
        """Latencies of what was due in this time, in ms."""
        stop(self.process)
        processes.remove(self.process)
        with open(self.report) as file:
            said = json.load(file)
        late = sorted(ms for due, ms in said["late"] if since <= due <= until) or [0]
        return {"p99": late[int(len(late) * 0.99)], "max": late[-1], "errors": said["errors"], "written": len(said["late"]) - said["errors"]}


def write(target, statement, rate, report):
    until = [float("inf")]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})      # whoever started us may have blocked it
    signal.signal(signal.SIGTERM, lambda *_: until.__setitem__(0, time.monotonic()))
    if target.startswith("postgresql:"):
        run = Psql(target)
    else:
        run = sqlite3.connect(target, isolation_level=None, timeout=5).execute
        run("PRAGMA synchronous=NORMAL")
    began, number, late, errors = time.monotonic(), 0, [], 0
    while (due := began + number / rate) <= until[0]:
        time.sleep(max(0, due - time.monotonic()))
        try:
            run(statement.format(number=number, now=text(now())))
        except (OSError, sqlite3.Error):
            errors += 1
        late.append((due, (time.monotonic() - due) * 1e3))
        number += 1
    with open(report, "w") as file:
        json.dump({"late": late, "errors": errors}, file)


# Tables

def turns(names, repetitions):
    """Repetition by repetition, forwards and backwards in turn, so that what changes with time hits all alike."""
    for repetition in range(repetitions):
        yield from names if repetition % 2 == 0 else names[::-1]


def figure(value):
    if isinstance(value, str):
        return value
    return f"{value:.2f}" if abs(value) < 10 and isinstance(value, float) else f"{value:.1f}" if abs(value) < 100 and isinstance(value, float) else f"{value:,.0f}"


class Table:
    """A Markdown table with a row for each contender. A column is the median of a key of its runs, or what a function makes of them;
    "x" is the first contender's time in the same repetition divided by the contender's own."""

    def __init__(self, leads, columns):
        self.columns = columns
        heads = leads + list(columns)
        print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads), flush=True)

    def rows(self, leads, runs):
        """Prints the rows, and says whether all did what they should; one that didn't has no figures."""
        limit, right = next(iter(runs.values())), True
        for name, own in runs.items():
            faults = list(dict.fromkeys(fault for run in own for fault in run.get("faults", [])))
            right &= not faults
            for run, best in zip(own, limit):
                run["x"] = best.get("seconds", 0) / (run.get("seconds") or 1)
            cells = [self.cell(own, column) for column in self.columns.values()] if not faults else ["; ".join(faults)]
            print("| " + " | ".join(leads + [name] + cells) + " |", flush=True)
        return right

    @staticmethod
    def cell(own, column):
        if callable(column):
            return figure(column(own))
        found = [run[column] for run in own if column in run]
        return figure(float(statistics.median(found))) if found else ""


def total(key):
    return lambda runs: sum(run[key] for run in runs)


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
