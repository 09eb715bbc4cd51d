#!/usr/bin/env python3
"""Measures a purge beside what people use today, while an application goes on writing.

    swift build -c release --product upkeep
    python3 Tests/Benchmarks/purge.py                       # SQLite, 200,000 snapshots, 3 repetitions
    python3 Tests/Benchmarks/purge.py --snapshots 1000000 --repetitions 5
    python3 Tests/Benchmarks/purge.py --engine postgres     # on a server that it starts for itself

Every contender deletes the same 60 % of the snapshots with their three markets each, from a fresh copy of one database
in the odds application's schema, while a second process inserts 500 rows a second. What is left is compared with what
should be left; a contender that leaves anything else has no time. Python's standard library is enough, and psql for
PostgreSQL; with SQLAlchemy (and psycopg) there is an ORM, too.

- one DELETE: two set-based statements in one transaction. Nothing deletes the rows faster; nothing writes meanwhile.
- usual loop: `DELETE … WHERE id IN (SELECT … LIMIT 1000)`, one table after the other.
- ORM: ids of 250 snapshots, then deletes by list, committed, again.
- upkeep: the whole process, start-up, configuration and preview included; of the others only the statements count.

"x" is the time of the one DELETE in the same repetition divided by the contender's; the writer's latency counts from the
moment a row was due. The log is the largest size of SQLite's write-ahead log, or what PostgreSQL wrote to its own; both
have the writer's share in them. Memory is the peak of the process (on PostgreSQL without the server's).

The order of the events decides how hard the indexes that begin with event_id make it: `drift` (events come and end), `runs`
(all events in turn), `random`; `scattered` shuffles the markets over their table.
"""
import array, os, random, shutil, sqlite3, sys, time
from datetime import timedelta
sys.dont_write_bytecode = True        # or these imports would leave files in the repository
import bench, postgres

EVENTS = 5000
EXPIRED = "captured_at < '{cutoff}' AND (last_confirmed_at IS NULL OR last_confirmed_at < '{cutoff}')"
OUTCOMES = '[{"name":"1","odds":2.15,"is_active":true},{"name":"X","odds":3.40,"is_active":true},{"name":"2","odds":3.95,"is_active":true}]'
CONFIGURATION = """version: 1
host: {{ state: state.sqlite }}
databases: {{ odds: {{ {kind}: "{target}" }} }}
tasks:
  odds_retention:
    timeout: 2h
    settings: {{ database: odds }}
"""
ROW = "INSERT INTO odds_snapshots(event_id, bookmaker_id, captured_at) VALUES (1 + {number} % 5000, 1, '{now}')"


def sample(count, order, now):
    """The rows: 60 % of the snapshots lie 15 to 44 days back, the others at most 13; some old ones were confirmed."""
    event = {"drift": lambda i: 1 + (i * EVENTS // count + i * 7919 % 200) % EVENTS, "runs": lambda i: 1 + i % EVENTS,
             "random": lambda i: 1 + i * 7919 % EVENTS}["drift" if order == "scattered" else order]
    old, lately, soon = count * 3 // 5, bench.text(now - timedelta(hours=3)), bench.text(now + timedelta(days=3))

    def captured(i):
        if i <= old:
            return bench.text(now - timedelta(days=44) + timedelta(days=29) * (i / old))
        return bench.text(now - timedelta(days=13) + timedelta(days=12) * ((i - old) / (count - old)))
    owner = array.array("I", (1 + k // 3 for k in range(3 * count)))
    if order == "scattered":
        random.Random(7).shuffle(owner)
    return {
        "sports": [(1, "Football", "football")],
        "bookmakers": [(i, f"Bookmaker {i}", f"bookmaker_{i}", True, None, None, lately, lately) for i in (1, 2, 3)],
        "tournaments": [(1, 1, "League", "Latvia", None)],
        "events": ((i, 1, f"A{i} - B{i}", f"A{i}", f"B{i}", soon, f"s{i}", lately) for i in range(1, EVENTS + 1)),
        "odds_snapshots": ((i, event(i), 1 + i // EVENTS % 3, captured(i), None, lately if i <= old and i % 97 == 0 else None) for i in range(1, count + 1)),
        "market_odds": ((k + 1, owner[k], "3743", "1X2 - FT", None, None, None, None, OUTCOMES, None, None) for k in range(3 * count)),
    }


class SQLite:
    """The sample in a file; a run gets a copy of it."""
    kind, target = "sqlite", "odds.sqlite"

    def __init__(self, command, folder):
        bench.demo(command, f"{folder}/demo")
        self.base = f"{folder}/demo/data/odds.sqlite"

    def fill(self, tables, cutoff, count):
        bench.fill(self.base, tables)
        self.expired, self.count = EXPIRED.format(cutoff=cutoff), count

    def fresh(self, folder):
        self.path, self.peak = f"{folder}/odds.sqlite", 0
        shutil.copyfile(self.base, self.path)
        os.sync()
        return self.path

    def look(self):
        if os.path.exists(log := f"{self.path}-wal"):
            self.peak = max(self.peak, os.path.getsize(log))

    def settle(self):
        """Brings the log into the file: what was left for later is part of the price."""
        database = sqlite3.connect(self.path, timeout=60)
        database.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        database.close()

    def log(self):
        return self.peak / 1e6

    def wrong(self, written):
        """What differs from what should be left."""
        database = sqlite3.connect(self.path, isolation_level=None)
        database.execute("ATTACH ? AS base", (self.base,))
        keep = {"odds_snapshots": f"NOT ({self.expired})", "market_odds": f"snapshot_id IN (SELECT id FROM base.odds_snapshots WHERE NOT ({self.expired}))"}
        out = bench.differences(database, keep, {"odds_snapshots": f"id <= {self.count}"})
        (there,) = database.execute("SELECT count(*) FROM main.odds_snapshots WHERE id > ?", (self.count,)).fetchone()
        database.close()
        return out + ([f"{there:,} of {written:,} rows of the writer"] if there != written else [])


class PostgreSQL:
    """The sample in a database of a server; a run gets a copy of it."""
    kind = "postgres"

    def __init__(self, command, folder, server):
        self.server, self.target = server, server.url("odds")
        server("CREATE DATABASE base")
        bench.demo(command, f"{folder}/demo", "--postgres", server.url("base"))
        self.tables = server("SELECT string_agg(relname, ' ') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
                             "AND NOT relispartition AND relname <> 'cleanup_runs'", "base").split()

    def digest(self, name, keep):
        """By table the number of rows that a condition is true for, and the sum of their hashes."""
        return {table: self.server(f"SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t WHERE {keep.get(table, 'true')}", name)
                for table in self.tables}

    def fill(self, tables, cutoff, count):
        self.server.fill("base", tables)
        self.server(f"SELECT setval(pg_get_serial_sequence('odds_snapshots', 'id'), {count})", "base")
        expired, self.count = EXPIRED.format(cutoff=cutoff), count
        self.wanted = self.digest("base", {"odds_snapshots": f"NOT ({expired})",
                                           "market_odds": f"EXISTS (SELECT FROM odds_snapshots WHERE id = snapshot_id AND NOT ({expired}))"})

    def fresh(self, folder):
        self.server("DROP DATABASE IF EXISTS odds WITH (FORCE)")
        self.server("CREATE DATABASE odds TEMPLATE base")
        self.server("CHECKPOINT")
        self.place = self.server("SELECT pg_current_wal_lsn()")
        return self.target

    def look(self):
        pass

    def settle(self):
        pass

    def log(self):
        return float(self.server(f"SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '{self.place}')")) / 1e6

    def wrong(self, written):
        """What differs from what should be left."""
        found, out = self.digest("odds", {"odds_snapshots": f"id <= {self.count}"}), []
        for table in self.tables:
            (wanted, _), (there, _) = self.wanted[table].split("|"), found[table].split("|")
            if found[table] != self.wanted[table]:
                out.append(f"{table}: {there} rows instead of {wanted}" if there != wanted else f"{table}: rows with other contents")
        there = int(self.server(f"SELECT count(*) FROM odds_snapshots WHERE id > {self.count}", "odds"))
        return out + ([f"{there:,} of {written:,} rows of the writer"] if there != written else [])


# The contenders

def one_delete(target, cutoff):
    expired = EXPIRED.format(cutoff=cutoff)
    run = postgres.Psql(target) if target.startswith("postgresql:") else bench.connect(target).execute
    bench.began()
    run("BEGIN" if isinstance(run, postgres.Psql) else "BEGIN IMMEDIATE")
    run(f"DELETE FROM market_odds WHERE snapshot_id IN (SELECT id FROM odds_snapshots WHERE {expired})")
    run(f"DELETE FROM odds_snapshots WHERE {expired}")
    run("COMMIT")


def usual_loop(target, cutoff):
    expired = EXPIRED.format(cutoff=cutoff)
    if target.startswith("postgresql:"):
        session = postgres.Psql(target)
        key, deleted = "(id, captured_at)", lambda statement: session(statement) != "DELETE 0"
    else:
        database = bench.connect(target)
        key, deleted = "id", lambda statement: database.execute(statement).rowcount
    bench.began()
    for statement in (f"DELETE FROM market_odds WHERE id IN (SELECT m.id FROM odds_snapshots s JOIN market_odds m ON m.snapshot_id = s.id WHERE {expired} LIMIT 1000)",
                      f"DELETE FROM odds_snapshots WHERE {key} IN (SELECT {key.strip('()')} FROM odds_snapshots WHERE {expired} LIMIT 1000)"):
        while deleted(statement):
            pass


def orm(target, cutoff):
    from datetime import datetime
    from sqlalchemy import DateTime, delete, or_, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        pass

    class Snapshot(Base):
        __tablename__ = "odds_snapshots"
        id: Mapped[int] = mapped_column(primary_key=True)
        captured_at: Mapped[datetime] = mapped_column(DateTime)
        last_confirmed_at: Mapped[datetime] = mapped_column(DateTime)

    class Market(Base):
        __tablename__ = "market_odds"
        id: Mapped[int] = mapped_column(primary_key=True)
        snapshot_id: Mapped[int]
    cutoff, engine = datetime.fromisoformat(cutoff), bench.engine(target)
    doomed = select(Snapshot.id).where(Snapshot.captured_at < cutoff, or_(Snapshot.last_confirmed_at.is_(None), Snapshot.last_confirmed_at < cutoff))
    bench.began()
    with Session(engine) as session:
        while ids := session.scalars(doomed.order_by(Snapshot.captured_at).limit(250)).all():
            for statement in (delete(Market).where(Market.snapshot_id.in_(ids)), delete(Snapshot).where(Snapshot.id.in_(ids))):
                session.execute(statement, execution_options={"synchronize_session": False})
            session.commit()


def measure(name, options, engine, folder, cutoff):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    target = engine.fresh(folder)
    with open(f"{folder}/upkeep.yaml", "w") as file:
        file.write(CONFIGURATION.format(kind=engine.kind, target=engine.target))
    command = [sys.executable, __file__, "--contender", name, target, cutoff]
    if name == "upkeep":
        command = bench.program(options) + ["run", "odds_retention", "--config", f"{folder}/upkeep.yaml", "--override-guard", "--quiet"]
    writer = bench.Writer(target, ROW, options.rate, f"{folder}/writer.json")
    process = bench.Run(command)
    while process.is_going():
        engine.look()
        time.sleep(0.004)
    used = process.end()
    used["end"] += bench.timed(engine.settle)
    used["seconds"] = used["end"] - used["start"]
    used |= writer.end(used["start"], used["end"]) | {"log": engine.log()}
    used["faults"] = used["faults"] or engine.wrong(used["written"])
    return used


def measure_all(options, engine, folder):
    names = ["one DELETE", "usual loop", "upkeep"]
    if bench.has(options, "sqlalchemy", *["psycopg"] * (engine.kind == "postgres")):
        names.insert(2, "ORM")
    right = True
    table = bench.Table(["order", "contender"], {"s": "seconds", "x": "x", "writer p99 ms": "p99", "max ms": "max", "errors": bench.total("errors"),
                                                 "log MB": "log", "memory MB": "memory"})
    for order in options.orders.split(","):
        now = bench.now()
        cutoff, runs = bench.text(now - timedelta(days=14)), {name: [] for name in names}
        engine.fill(sample(options.snapshots, order, now), cutoff, options.snapshots)
        for name in bench.turns(names, options.repetitions):
            runs[name].append(measure(name, options, engine, f"{folder}/run", cutoff))
        right &= table.rows([order], runs)
    return 0 if right else 1


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--engine", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--snapshots", type=int, default=200_000)
    parser.add_argument("--orders", default="drift,runs,random,scattered")
    parser.add_argument("--rate", type=float, default=500, help="rows that the writer inserts in a second")
    parser.add_argument("--contender", nargs=3, help=bench.HIDDEN)
    options = parser.parse_args()
    if options.contender:
        return {"one DELETE": one_delete, "usual loop": usual_loop, "ORM": orm}[options.contender[0]](*options.contender[1:])
    with bench.folder() as folder:
        if options.engine == "sqlite":
            return measure_all(options, SQLite(bench.program(options), folder), folder)
        with postgres.Cluster(folder, bench.port()) as server:
            return measure_all(options, PostgreSQL(bench.program(options), folder, server), folder)


if __name__ == "__main__":
    bench.run(main)
