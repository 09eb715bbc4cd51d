#!/usr/bin/env python3
"""Measures a purge beside what people use today, while an application goes on writing.

    swift build -c release --product upkeep
    python3 Tests/Benchmarks/purge.py                       # 200,000 snapshots, 3 repetitions
    python3 Tests/Benchmarks/purge.py --snapshots 1000000 --repetitions 5

Every contender deletes the same 60 % of the snapshots with their three markets each, from a fresh copy of one SQLite
file, while a second process inserts 500 rows a second. What is left is compared with what should be left; a contender
that leaves anything else has no time. Python's standard library is enough; with SQLAlchemy there is an ORM, too.

- one DELETE: two set-based statements in one transaction. Nothing deletes the rows faster; nothing writes meanwhile.
- usual loop: `DELETE … WHERE id IN (SELECT … LIMIT 1000)`, one table after the other.
- ORM: ids of 250 snapshots, then deletes by list, committed, again.
- upkeep: the whole process, start-up, configuration and preview included.

"x" is the time of the one DELETE in the same repetition divided by the contender's; the writer's latency counts from the
moment a row was due. The order of the events decides how hard the indexes that begin with event_id make it:
`drift` (events come and end), `runs` (all events in turn), `random`; `scattered` shuffles the markets over their table.
"""
import argparse, array, json, os, random, shlex, shutil, signal, sqlite3, statistics, subprocess, sys, tempfile, time
from datetime import datetime, timedelta, timezone

EVENTS = 5000
EXPIRED = "captured_at < ?1 AND (last_confirmed_at IS NULL OR last_confirmed_at < ?1)"
SCHEMA = """
CREATE TABLE tournaments(id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE competitor_tournaments(id integer PRIMARY KEY, name text NOT NULL);
CREATE TABLE events(id integer PRIMARY KEY, tournament_id int NOT NULL REFERENCES tournaments(id), kickoff datetime NOT NULL);
CREATE TABLE competitor_events(id integer PRIMARY KEY, tournament_id int NOT NULL REFERENCES competitor_tournaments(id),
  betpawa_event_id int REFERENCES events(id), kickoff datetime NOT NULL);
CREATE TABLE event_bookmakers(id integer PRIMARY KEY, event_id int NOT NULL REFERENCES events(id));
CREATE TABLE scrape_batches(id integer PRIMARY KEY, started_at datetime NOT NULL);
CREATE TABLE scrape_runs(id integer PRIMARY KEY, batch_id int REFERENCES scrape_batches(id), started_at datetime NOT NULL);
CREATE TABLE scrape_errors(id integer PRIMARY KEY, scrape_run_id int REFERENCES scrape_runs(id), event_id int REFERENCES events(id));
CREATE TABLE scrape_phase_logs(id integer PRIMARY KEY, scrape_run_id int REFERENCES scrape_runs(id));
CREATE TABLE event_scrape_status(id integer PRIMARY KEY, scrape_run_id int REFERENCES scrape_runs(id));
CREATE TABLE odds_snapshots(id integer PRIMARY KEY, event_id int NOT NULL REFERENCES events(id), bookmaker_id int NOT NULL,
  captured_at datetime NOT NULL, scrape_run_id int REFERENCES scrape_runs(id), last_confirmed_at datetime);
CREATE TABLE market_odds(id integer PRIMARY KEY, snapshot_id bigint NOT NULL, market_id text NOT NULL, outcomes json NOT NULL);
CREATE TABLE competitor_odds_snapshots(id integer PRIMARY KEY, competitor_event_id int NOT NULL REFERENCES competitor_events(id),
  captured_at datetime NOT NULL, scrape_run_id int REFERENCES scrape_runs(id), last_confirmed_at datetime);
CREATE TABLE competitor_market_odds(id integer PRIMARY KEY, snapshot_id bigint NOT NULL REFERENCES competitor_odds_snapshots(id));
"""
INDEXES = """
CREATE INDEX i1 ON odds_snapshots(event_id); CREATE INDEX i2 ON odds_snapshots(bookmaker_id);
CREATE INDEX i3 ON odds_snapshots(event_id, captured_at DESC); CREATE INDEX i4 ON odds_snapshots(captured_at);
CREATE INDEX i5 ON market_odds(snapshot_id); CREATE INDEX i6 ON competitor_odds_snapshots(competitor_event_id);
CREATE INDEX i7 ON competitor_odds_snapshots(captured_at); CREATE INDEX i8 ON competitor_market_odds(snapshot_id);
"""
OUTCOMES = '[{"name":"1","odds":2.15,"is_active":true},{"name":"X","odds":3.40,"is_active":true},{"name":"2","odds":3.95,"is_active":true}]'
CONFIGURATION = """version: 1
host: {{ state: state.sqlite }}
databases: {{ odds: {{ sqlite: odds.sqlite }} }}
tasks:
  odds_retention:
    timeout: 2h
    settings: {{ database: odds }}
"""


def text(instant):
    return instant.strftime("%Y-%m-%d %H:%M:%S.%f")


def make(path, count, order, now):
    """The sample: 60 % of the snapshots lie 15 to 44 days back, the others at most 13; some old ones were confirmed."""
    event = {"drift": lambda i: 1 + (i * EVENTS // count + i * 7919 % 200) % EVENTS, "runs": lambda i: 1 + i % EVENTS,
             "random": lambda i: 1 + i * 7919 % EVENTS}["drift" if order == "scattered" else order]
    old, lately = count * 3 // 5, text(now - timedelta(hours=3))

    def captured(i):
        if i <= old:
            return text(now - timedelta(days=44) + timedelta(days=29) * (i / old))
        return text(now - timedelta(days=13) + timedelta(days=12) * ((i - old) / (count - old)))
    database = sqlite3.connect(path, isolation_level=None)
    database.executescript("PRAGMA journal_mode=WAL;PRAGMA synchronous=OFF;PRAGMA foreign_keys=OFF;" + SCHEMA)
    database.execute("BEGIN")
    database.execute("INSERT INTO tournaments VALUES(1, 't')")
    soon = text(now + timedelta(days=3))
    database.executemany("INSERT INTO events VALUES(?,1,?)", ((i, soon) for i in range(1, EVENTS + 1)))
    database.executemany("INSERT INTO odds_snapshots VALUES(?,?,?,?,NULL,?)", (
        (i, event(i), 1 + i // EVENTS % 3, captured(i), lately if i <= old and i % 97 == 0 else None) for i in range(1, count + 1)))
    owner = array.array("I", (1 + k // 3 for k in range(3 * count)))
    if order == "scattered":
        random.Random(7).shuffle(owner)
    database.executemany("INSERT INTO market_odds VALUES(?,?,'3743',?)", ((k + 1, owner[k], OUTCOMES) for k in range(3 * count)))
    database.execute("COMMIT")
    database.executescript(INDEXES + "ANALYZE;PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


def connect(path):
    database = sqlite3.connect(path, isolation_level=None, timeout=60)
    for pragma in ("foreign_keys=ON", "synchronous=NORMAL", "cache_size=-64000"):
        database.execute("PRAGMA " + pragma)
    return database


def one_delete(path, cutoff):
    database = connect(path)
    database.execute("BEGIN IMMEDIATE")
    database.execute(f"DELETE FROM market_odds WHERE snapshot_id IN (SELECT id FROM odds_snapshots WHERE {EXPIRED})", (cutoff,))
    database.execute(f"DELETE FROM odds_snapshots WHERE {EXPIRED}", (cutoff,))
    database.execute("COMMIT")


def usual_loop(path, cutoff):
    database = connect(path)
    for statement in (f"DELETE FROM market_odds WHERE id IN (SELECT m.id FROM odds_snapshots s JOIN market_odds m ON m.snapshot_id = s.id WHERE {EXPIRED} LIMIT 1000)",
                      f"DELETE FROM odds_snapshots WHERE id IN (SELECT id FROM odds_snapshots WHERE {EXPIRED} LIMIT 1000)"):
        while database.execute(statement, (cutoff,)).rowcount:
            pass


def orm(path, cutoff):
    from sqlalchemy import create_engine, delete, event, or_, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Snapshot(Base):
        __tablename__ = "odds_snapshots"
        id: Mapped[int] = mapped_column(primary_key=True)
        captured_at: Mapped[str]
        last_confirmed_at: Mapped[str]

    class Market(Base):
        __tablename__ = "market_odds"
        id: Mapped[int] = mapped_column(primary_key=True)
        snapshot_id: Mapped[int]
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})
    event.listen(engine, "connect", lambda c, _: [c.execute("PRAGMA " + p) for p in ("foreign_keys=ON", "synchronous=NORMAL")])
    doomed = select(Snapshot.id).where(Snapshot.captured_at < cutoff, or_(Snapshot.last_confirmed_at.is_(None), Snapshot.last_confirmed_at < cutoff))
    with Session(engine) as session:
        while ids := session.scalars(doomed.order_by(Snapshot.captured_at).limit(250)).all():
            for statement in (delete(Market).where(Market.snapshot_id.in_(ids)), delete(Snapshot).where(Snapshot.id.in_(ids))):
                session.execute(statement, execution_options={"synchronize_session": False})
            session.commit()


def writer(path, rate, report):
    """Inserts a row whenever one is due until SIGTERM, then says how late each was."""
    until = [float("inf")]
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})      # whoever started us may have blocked it
    signal.signal(signal.SIGTERM, lambda *_: until.__setitem__(0, time.monotonic()))
    database = sqlite3.connect(path, isolation_level=None, timeout=5)
    database.execute("PRAGMA synchronous=NORMAL")
    start, number, late, errors = time.monotonic(), 0, [], 0
    while (due := start + number / rate) <= until[0]:
        time.sleep(max(0, due - time.monotonic()))
        try:
            database.execute("INSERT INTO odds_snapshots(event_id,bookmaker_id,captured_at) VALUES(?,1,?)",
                             (1 + number % EVENTS, text(datetime.now(timezone.utc))))
        except sqlite3.Error:
            errors += 1
        late.append((due, (time.monotonic() - due) * 1e3))
        number += 1
    with open(report, "w") as file:
        json.dump({"late": late, "errors": errors}, file)


def wrong(base, path, cutoff, count):
    """What differs from what should be left."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("ATTACH ? AS base", (base,))
    out = []
    for table, keep in (("odds_snapshots", f"NOT ({EXPIRED})"),
                        ("market_odds", f"snapshot_id IN (SELECT id FROM base.odds_snapshots WHERE NOT ({EXPIRED}))")):
        bound = f"AND id <= {count}" if table == "odds_snapshots" else ""
        missing = database.execute(f"SELECT count(*) FROM (SELECT * FROM base.{table} WHERE {keep} EXCEPT SELECT * FROM main.{table})", (cutoff,)).fetchone()[0]
        extra = database.execute(f"SELECT count(*) FROM (SELECT * FROM main.{table} WHERE 1 {bound} EXCEPT SELECT * FROM base.{table} WHERE {keep})", (cutoff,)).fetchone()[0]
        if missing or extra:
            out.append(f"{table}: {missing} rows too few, {extra} too many")
    return out


def measure(name, options, folder, base, cutoff):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    path, report = f"{folder}/odds.sqlite", f"{folder}/writer.json"
    shutil.copyfile(base, path)
    os.sync()
    with open(f"{folder}/upkeep.yaml", "w") as file:
        file.write(CONFIGURATION.format())
    if name == "upkeep":
        command = shlex.split(options.upkeep) + ["run", "odds_retention", "--config", f"{folder}/upkeep.yaml", "--override-guard", "--quiet"]
    else:
        command = [sys.executable, __file__, "--contender", name, path, cutoff]
    beside = subprocess.Popen([sys.executable, __file__, "--writer", path, str(options.rate), report])
    time.sleep(0.5)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    log, peak = f"{path}-wal", 0
    while process.poll() is None:
        if os.path.exists(log):
            peak = max(peak, os.path.getsize(log))
        time.sleep(0.004)
    database = sqlite3.connect(path, timeout=60)
    database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()      # what was left for later is part of the price
    database.close()
    end = time.monotonic()
    beside.terminate()
    beside.wait()
    with open(report) as file:
        said = json.load(file)
    late = sorted(ms for due, ms in said["late"] if start <= due <= end) or [0]
    faults = [f"exit status {process.returncode}"] if process.returncode else wrong(base, path, cutoff, options.snapshots)
    return {"seconds": end - start, "p99": late[int(len(late) * 0.99)], "max": late[-1], "errors": said["errors"], "log": peak / 1e6, "faults": faults}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=200_000)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--orders", default="drift,runs,random,scattered")
    parser.add_argument("--rate", type=float, default=500, help="rows that the writer inserts in a second")
    parser.add_argument("--upkeep", default=".build/release/upkeep", help="the program under test")
    parser.add_argument("--contender", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--writer", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        return {"one DELETE": one_delete, "usual loop": usual_loop, "ORM": orm}[options.contender[0]](*options.contender[1:])
    if options.writer:
        return writer(options.writer[0], float(options.writer[1]), options.writer[2])
    names = ["one DELETE", "usual loop", "upkeep"]
    try:
        import sqlalchemy  # noqa: F401
        names.insert(2, "ORM")
    except ImportError:
        print("no SQLAlchemy here: the ORM is left out", file=sys.stderr)
    failed = False
    print("| order | contender | s | x | writer p99 ms | max ms | errors | log MB |\n|---|---|---|---|---|---|---|---|")
    for order in options.orders.split(","):
        with tempfile.TemporaryDirectory(prefix="upkeep-benchmark-") as folder:
            now = datetime.now(timezone.utc)
            base, cutoff = f"{folder}/base.sqlite", text(now - timedelta(days=14))
            make(base, options.snapshots, order, now)
            runs = {name: [] for name in names}
            for repetition in range(options.repetitions):
                for name in names if repetition % 2 == 0 else names[::-1]:
                    runs[name].append(measure(name, options, f"{folder}/run", base, cutoff))
            for name in names:
                faults = [fault for run in runs[name] for fault in run["faults"]]
                failed |= bool(faults)
                ratio = [limit["seconds"] / run["seconds"] for limit, run in zip(runs["one DELETE"], runs[name])]
                median = lambda key: statistics.median(run[key] for run in runs[name])
                print(f"| {order} | {name} | " + ("; ".join(faults) if faults else
                      f"{median('seconds'):.2f} | {statistics.median(ratio):.2f} | {median('p99'):.0f} | {median('max'):.0f} | "
                      f"{sum(run['errors'] for run in runs[name])} | {median('log'):.0f}") + " |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
