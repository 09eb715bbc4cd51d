"""The application that serve.py sets beside upkeep, as small as one of FastAPI, APScheduler and SQLAlchemy gets.

    peer.py serve PORT DATABASE             six jobs, of which none is due, and two routes
    peer.py list DATABASE                   prints each job with its last run
    peer.py due COUNT SECONDS DATABASE      jobs that are all due in so many seconds; prints how late each started, in ms;
                                            with - for the database they leave no record of their runs
"""
import json, sys, threading, time
from datetime import datetime, timezone
from sqlalchemy import create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

TASKS = ("odds_retention", "stale_jobs", "job_history", "download_log", "stuck_plans", "tus_expiry")


class Base(DeclarativeBase):
    pass


class Run(Base):
    __tablename__ = "runs"
    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(index=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime]
    status: Mapped[str]


def database(path):
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 60})
    event.listen(engine, "connect", lambda c, _: [c.execute("PRAGMA " + p) for p in ("journal_mode=WAL", "synchronous=NORMAL")])
    Base.metadata.create_all(engine)
    return engine


def record(engine, task):
    started = datetime.now(timezone.utc)
    with Session(engine) as session:
        session.add(Run(task=task, started_at=started, finished_at=datetime.now(timezone.utc), status="completed"))
        session.commit()


def last_runs(engine):
    with Session(engine) as session:
        return dict(session.execute(select(Run.task, func.max(Run.started_at)).group_by(Run.task)).all())


def serve(port, path):
    import uvicorn
    from apscheduler.schedulers.background import BackgroundScheduler
    from fastapi import FastAPI
    engine, scheduler, app = database(path), BackgroundScheduler(timezone="UTC"), FastAPI()
    for task in TASKS:
        scheduler.add_job(record, "interval", hours=24, args=[engine, task], id=task)
        record(engine, task)
    scheduler.start()

    @app.get("/healthz")
    async def healthz():
        return {"status": "ok"}

    @app.get("/api/v1/tasks")
    async def tasks():
        last = last_runs(engine)
        return {"tasks": [{"task": job.id, "schedule": str(job.trigger), "next_run": job.next_run_time, "last_run": last.get(job.id)} for job in scheduler.get_jobs()]}
    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning", access_log=False)


def show(path):
    last = last_runs(database(path))
    for task in TASKS:
        print(task, "every 24 h", last.get(task))


def due(count, seconds, path):
    from apscheduler.schedulers.background import BackgroundScheduler
    at, late, lock, ended = time.time() + int(seconds), [], threading.Lock(), threading.Event()
    engine = None if path == "-" else database(path)

    def job(number):
        started = time.time()
        if engine:
            record(engine, f"t{number}")
        with lock:
            late.append((started - at) * 1e3)
            if len(late) == int(count):
                ended.set()
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"misfire_grace_time": None})      # its pool has ten threads
    first = datetime.fromtimestamp(at, timezone.utc)
    for number in range(int(count)):
        scheduler.add_job(job, "interval", start_date=first, hours=1, args=[number])
    scheduler.start()
    ended.wait(int(seconds) + 120)
    print(json.dumps(late))


if __name__ == "__main__":
    {"serve": serve, "list": show, "due": due}[sys.argv[1]](*sys.argv[2:])
