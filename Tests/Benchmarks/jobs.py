#!/usr/bin/env python3
"""Measures the clean-up of a job queue beside plain statements and a loop over objects.

    swift build -c release --product upkeep
    python3 Tests/Benchmarks/jobs.py                        # 200,000 jobs and as many downloads, 3 repetitions
    python3 Tests/Benchmarks/jobs.py --jobs 20000 --repetitions 1

Every contender ends the jobs that hang, removes jobs that ended 30 days ago and downloads of 14 days ago, and resets the plans
whose job is over or gone, in a fresh copy of one SQLite file in the media application's schema. Times have both widths in which
that application writes them, types may be unknown or in capitals, and some jobs start in the future. What is left is
compared row by row; a contender that leaves anything else has no time.

- statements: four of them, each over the whole set, in one transaction. Nothing does it faster.
- ORM: SQLAlchemy loads the objects, changes or deletes each and commits once, as applications do it.
- upkeep: `upkeep run cleanup`, the whole process, previews included; of the others only the work itself counts.

"x" is the time of the statements in the same repetition divided by the contender's. CPU time and memory, its peak, are those
of the whole process for all.
"""
import os, random, shutil, sqlite3, sys, uuid
from datetime import timedelta
sys.dont_write_bytecode = True        # or `import bench` would leave files in the repository
import bench

LIMITS = {"sync": 30, "sync_scenes": 30, "analysis": 60, "apply_plan": 30, "generate_details": 45, "export": 15, "import": 15, "cleanup": 5}
TYPES = [*LIMITS, "non_ai_analysis", "process_downloads", "stash_scan", "stash_generate", "test", "sync_all", "ANALYSIS"]
CONFIGURATION = """version: 1
host: { state: state.sqlite }
databases: { stash: { sqlite: stash.sqlite } }
tasks:
  stale_jobs: { timeout: 2h, settings: { database: stash } }
  job_history: { timeout: 2h, settings: { database: stash } }
  download_log: { timeout: 2h, settings: { database: stash } }
  stuck_plans: { timeout: 2h, settings: { database: stash } }
groups:
  cleanup: [stale_jobs, job_history, download_log, stuck_plans]
"""


def sample(count, now):
    """The rows, and what has to become of those that don't stay as they are. No time lies within a day of its limit (of a job that
    hangs: two hours), so that it doesn't matter when a contender looks at the clock."""
    dice, fates, tables = random.Random(5), [], {"job": [], "handled_downloads": [], "analysis_plan": [], "plan_change": [], "daemon_job_history": []}
    ids = {fate: [] for fate in ("gone", "kept", "failed", "completed", "active")}

    def name():
        return str(uuid.UUID(int=dice.getrandbits(128), version=4))

    def time(days):
        return bench.text(now - timedelta(days=days))[:26 if dice.random() < 0.7 else 19]

    def age(limit):
        return dice.uniform(limit + 1, 3 * limit) if dice.random() < 0.6 else dice.uniform(0.1, limit - 1)

    def job(fate, status, progress, started, ended, created):
        row = (name(), dice.choice(TYPES), status, progress, 10, 5, '{"note": "%s"}' % ("r" * dice.randint(20, 300)) if ended else None,
               "boom" if status == "failed" else None, dice.choice([None, "null", '{"triggered_by": "manual"}']), started, ended, created, ended or created)
        tables["job"].append(row)
        ids[fate].append(row[0])
        if fate in ("gone", "failed", "completed"):
            fates.append(("job", row[0], fate))
    for k in range(max(10, count // 400)):
        since = time(dice.uniform(0.1, 4))          # it hangs: running since then, or never started
        done = k % 7 == 0
        job("completed" if done else "failed", "running" if k % 3 else "pending", 100 if done else 40, since if k % 3 else None, None, since)
        soon = time(dice.uniform(-1, -0.2))         # it is to start, or has started by a clock that is ahead
        job("active", "running" if k % 2 else "pending", 100 if k % 9 == 0 else 1, soon if k % 2 else None, None, soon)
        job("kept", "cancelling", 50, time(50), None, time(50))
        job("kept", "cancelled", 50, None, None, time(60))
    while len(tables["job"]) < count:
        days = age(30)
        job("gone" if days > 30 else "kept", dice.choices(["completed", "failed", "cancelled"], [80, 12, 8])[0], 100,
            time(days + 0.007), time(days), time(days + 0.01))
    for k in range(1, count + 1):
        days = age(14)
        tables["handled_downloads"].append((k, time(days), f"Some.Name.{k // 7}", f"/downloads/Some.Name.{k // 7}/{k % 7}.mp4", dice.choice(ids["kept"])))
        if days > 14:
            fates.append(("handled_downloads", k, "gone"))
    for k in range(1, max(40, count // 200) + 1):
        owner = [lambda: None, lambda: "", name, *(lambda fate=fate: dice.choice(ids[fate]) for fate in ids)][k % 8]()
        status = "PENDING" if k % 3 else dice.choice(["DRAFT", "REVIEWING", "APPLIED", "CANCELLED"])
        tables["analysis_plan"].append((k, f"Plan {k}", None, "{}", status, owner, None, time(2), time(2)))
        tables["plan_change"] += ((3 * k + i, k, "tags", '{"name": "v"}') for i in range(3))
        if status == "PENDING" and owner not in ids["active"]:
            fates.append(("analysis_plan", k, "DRAFT"))
    for owner, fate in [(owner, fate) for fate in ("gone", "kept") for owner in ids[fate][:count // 200 + 1]]:
        tables["daemon_job_history"].append((name(), "daemon", owner, "LAUNCHED", None, time(3)))
        if fate == "gone":                          # goes along
            fates.append(("daemon_job_history", tables["daemon_job_history"][-1][0], "gone"))
    return tables, fates


def wrong(path, base, fates, began):
    """What differs from what should be left: the rows that stay, those that go, and those that change."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("ATTACH ? AS base", (base,))
    database.execute("CREATE TEMP TABLE fates(kind, id, fate, PRIMARY KEY(kind, id))")
    database.executemany("INSERT INTO fates VALUES(?,?,?)", fates)
    kinds = ("job", "handled_downloads", "analysis_plan", "daemon_job_history")
    out = bench.differences(database, {kind: f"id NOT IN (SELECT id FROM fates WHERE kind = '{kind}')" for kind in kinds},
                            {kind: f"id NOT IN (SELECT id FROM fates WHERE kind = '{kind}' AND fate <> 'gone')" for kind in kinds})

    def unmarked(kind, same, marked):
        """How many rows that should have been changed weren't, or in another way."""
        same = " AND ".join(f"now.{column} IS was.{column}" for column in same.split())
        (count,) = database.execute(f"SELECT count(*) FROM fates f JOIN base.{kind} was ON was.id = f.id LEFT JOIN main.{kind} now ON now.id = f.id "
                                    f"WHERE f.kind = '{kind}' AND f.fate <> 'gone' AND NOT coalesce(now.status = f.fate AND {same} AND {marked}, 0)", (began,)).fetchone()
        out.extend([f"{kind}: {count:,} rows not marked as they should be"] if count else [])
    unmarked("job", "type progress total_items processed_items result metadata started_at created_at", """now.completed_at = now.updated_at
        AND replace(now.updated_at, 'T', ' ') >= ? AND CASE f.fate WHEN 'completed' THEN now.error IS NULL ELSE now.error LIKE 'Job timed out after %.% minutes'
        AND abs(CAST(substr(now.error, 21) AS real) - 1440 * (julianday(now.completed_at) - julianday(coalesce(was.started_at, was.created_at)))) < 0.11 END""")
    unmarked("analysis_plan", "name description plan_metadata job_id applied_at created_at", "replace(now.updated_at, 'T', ' ') >= ?")
    database.close()
    return out


# The contenders

def statements(path):
    database = bench.connect(path)
    bench.began()
    now = bench.now()
    values = {"now": bench.text(now), "jobs": bench.text(now - timedelta(days=30)), "downloads": bench.text(now - timedelta(days=14))}
    minutes = "(julianday(:now) - julianday(coalesce(started_at, created_at))) * 1440"
    limit = "CASE type " + " ".join(f"WHEN '{kind}' THEN {limit}" for kind, limit in LIMITS.items()) + " ELSE 30 END"
    database.execute("BEGIN IMMEDIATE")
    for statement in (
            f"""UPDATE job SET status = iif(progress = 100, 'completed', 'failed'), completed_at = :now, updated_at = :now,
                error = iif(progress = 100, NULL, printf('Job timed out after %.1f minutes', {minutes}))
                WHERE status IN ('running', 'pending') AND {minutes} > {limit}""",
            "DELETE FROM job WHERE status IN ('completed', 'failed', 'cancelled') AND completed_at < :jobs",
            "DELETE FROM handled_downloads WHERE timestamp < :downloads",
            """UPDATE analysis_plan SET status = 'DRAFT', updated_at = :now WHERE status = 'PENDING' AND coalesce(job_id, '') NOT IN
                (SELECT id FROM job WHERE status IN ('running', 'pending'))"""):
        database.execute(statement, values)
    database.execute("COMMIT")


def orm(path):
    from datetime import datetime
    from sqlalchemy import JSON, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

    class Base(DeclarativeBase):
        type_annotation_map = {dict: JSON}

    class Job(Base):
        __tablename__ = "job"
        id: Mapped[str] = mapped_column(primary_key=True)
        type: Mapped[str]
        status: Mapped[str]
        progress: Mapped[int]
        total_items: Mapped[int | None]
        processed_items: Mapped[int]
        result: Mapped[dict | None]
        error: Mapped[str | None]
        details: Mapped[dict | None] = mapped_column("metadata")
        started_at: Mapped[datetime | None]
        completed_at: Mapped[datetime | None]
        created_at: Mapped[datetime]
        updated_at: Mapped[datetime]

    class Download(Base):
        __tablename__ = "handled_downloads"
        id: Mapped[int] = mapped_column(primary_key=True)
        timestamp: Mapped[datetime]
        download_name: Mapped[str]
        destination_path: Mapped[str]
        job_id: Mapped[str]

    class Plan(Base):
        __tablename__ = "analysis_plan"
        id: Mapped[int] = mapped_column(primary_key=True)
        status: Mapped[str]
        job_id: Mapped[str | None]
        updated_at: Mapped[datetime]
    engine = bench.engine(path)
    bench.began()
    now = bench.now()
    with Session(engine) as session:
        for job in session.scalars(select(Job).where(Job.status.in_(["running", "pending"]))):
            minutes = (now - (job.started_at or job.created_at)).total_seconds() / 60
            if minutes > LIMITS.get(job.type, 30):
                job.status, job.error = ("completed", None) if job.progress == 100 else ("failed", f"Job timed out after {minutes:.1f} minutes")
                job.completed_at = job.updated_at = now
        old = select(Job).where(Job.status.in_(["completed", "failed", "cancelled"]), Job.completed_at < now - timedelta(days=30))
        for row in [*session.scalars(old), *session.scalars(select(Download).where(Download.timestamp < now - timedelta(days=14)))]:
            session.delete(row)
        session.flush()
        for plan in session.scalars(select(Plan).where(Plan.status == "PENDING")).all():
            job = session.get(Job, plan.job_id) if plan.job_id else None
            if not job or job.status not in ("running", "pending"):
                plan.status, plan.updated_at = "DRAFT", now
        session.commit()


def measure(name, options, base, folder, fates):
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    path, began = f"{folder}/stash.sqlite", bench.text(bench.now())[:19]
    shutil.copyfile(base, path)
    os.sync()
    with open(f"{folder}/upkeep.yaml", "w") as file:
        file.write(CONFIGURATION)
    command = [sys.executable, __file__, "--contender", name, path]
    if name == "upkeep":
        command = bench.program(options) + ["run", "cleanup", "--config", f"{folder}/upkeep.yaml", "--override-guard", "--quiet"]
    application = bench.connect(path)               # has the file open, so that nobody's end brings the log into it
    application.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    used = bench.Run(command).end()
    log = os.path.getsize(f"{path}-wal") / 1e6
    used["seconds"] += bench.timed(lambda: application.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall())
    application.close()
    return used | {"log": log, "faults": used["faults"] or wrong(path, base, fates, began)}


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--jobs", type=int, default=200_000, help="jobs, and as many downloads")
    parser.add_argument("--contender", nargs=2, help=bench.HIDDEN)
    options = parser.parse_args()
    if options.contender:
        return {"statements": statements, "ORM": orm}[options.contender[0]](options.contender[1])
    names = ["statements"] + ["ORM"] * bench.has(options, "sqlalchemy") + ["upkeep"]
    with bench.folder() as folder:
        bench.demo(bench.program(options), f"{folder}/demo")
        base, runs = f"{folder}/demo/data/stash.sqlite", {name: [] for name in names}
        tables, fates = sample(options.jobs, bench.now())
        bench.fill(base, tables)
        del tables
        table = bench.Table(["contender"], {"s": "seconds", "x": "x", "CPU s": "cpu", "log MB": "log", "memory MB": "memory"})
        for name in bench.turns(names, options.repetitions):
            runs[name].append(measure(name, options, base, f"{folder}/run", fates))
        return 0 if table.rows([], runs) else 1


if __name__ == "__main__":
    bench.run(main)
