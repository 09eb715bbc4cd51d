"""Parts of soak.py: its writer, the server that it starts, and its verdict."""
import collections, glob, http.server, json, os, pwd, random, re, shutil, signal, socket, sqlite3, statistics, subprocess, sys
import threading, time, traceback, uuid
from datetime import datetime, timedelta, timezone

MB = 1e6
# Tasks whose schedule is never edited, with their interval in seconds: their slots must follow one another without a gap.
STEADY = {"tick": 2, "nap_skip": 5, "nap_queue": 4, "nap_cancel": 5, "broken": 7, "minute": 60, "odds_retention": 7, "odds_server": 9,
          "table_retention": 5, "job_history": 8, "stale_jobs": 6, "stale_server": 7, "tus_expiry": 6, "run_history": 10, "scraping": 15}
PAGES = ["/", "/tasks/odds_retention", "/tasks/tick", "/timeline", "/configuration", "/runs/RUN"]


def ago(days=0.0):
    return (datetime.now(timezone.utc) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")


# The writer: a process of its own. Each statement is one that both SQLite and PostgreSQL understand.

class Server:
    """PostgreSQL through psql, which answers on one pipe."""
    def __init__(self, psql, url):
        self.psql = subprocess.Popen([psql, "-qAtX", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     text=True, env={**os.environ, "PGTZ": "UTC"})

    def execute(self, text):
        self.psql.stdin.write(f"{text};\nSELECT '.';\n")
        self.psql.stdin.flush()
        rows = []
        while (line := self.psql.stdout.readline()) not in (".\n", ""):
            rows.append(line.rstrip("\n"))
        if not line or any(row.startswith(("ERROR", "FATAL", "psql:")) for row in rows):
            raise sqlite3.OperationalError("; ".join(rows) or "psql ended")
        return rows


class File:
    def __init__(self, path):
        self.database = sqlite3.connect(path, isolation_level=None, timeout=5)
        self.database.executescript("PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON")

    def execute(self, text):
        rows = []
        try:
            for statement in text.split(";"):
                rows += [row[0] for row in self.database.execute(statement.replace("BEGIN", "BEGIN IMMEDIATE"))]
        except sqlite3.Error:
            if self.database.in_transaction:
                self.database.execute("ROLLBACK")
            raise
        return rows


def age():
    """In days: old enough to go, or not."""
    return random.uniform(32, 60) if random.random() < 0.5 else random.uniform(0, 13)


def odds(database):
    events = database.execute(f"SELECT id FROM events WHERE kickoff > '{ago(-5)}' ORDER BY id LIMIT 200")
    while True:
        event, days, name = random.choice(events), age(), f"soak-{uuid.uuid4().hex}"
        at, snapshot = ago(days), "INSERT INTO odds_snapshots(event_id,bookmaker_id,captured_at)"
        if random.random() < 0.1:                                      # an old match, which takes its snapshot along
            yield ["INSERT INTO events(tournament_id,name,home_team,away_team,kickoff,sportradar_id,created_at) "
                   f"SELECT tournament_id,'a','b','c','{ago(40)}','{name}','{ago(50)}' FROM events WHERE id={event}",
                   f"{snapshot} SELECT id,1,'{at}' FROM events WHERE sportradar_id='{name}'"], []
        else:
            yield [f"{snapshot} VALUES({event},1,'{at}')", "INSERT INTO market_odds(snapshot_id,betpawa_market_id,betpawa_market_name,outcomes) "
                   f"SELECT id,'3743','1X2','[]' FROM odds_snapshots WHERE event_id={event} AND captured_at='{at}'"], (
                   [("odds_snapshots", at)] if days < 14 else [])


def media(database):
    def job(name, status, days):
        at, width = ago(days), random.choice([19, 26])
        done = "NULL" if status == "running" else f"'{at[:width]}'"
        return ("INSERT INTO job(id,type,status,progress,started_at,completed_at,created_at,updated_at) VALUES("
                f"'{name}','{random.choice(['sync', 'analysis', 'test'])}','{status}',{random.choice([50, 100])},'{at}',{done},'{at}','{at}')")
    number = 10 ** 9
    while True:
        number, days, name, other = number + 2, age(), str(uuid.uuid4()), str(uuid.uuid4())
        yield [job(name, "completed", days), "INSERT INTO daemon_job_history(id,daemon_id,job_id,action,created_at) "
               f"VALUES('{name}','d','{name}','started','{ago()}')"], [("job", name)] if days < 14 else []
        yield ["INSERT INTO handled_downloads(id,timestamp,download_name,destination_path,job_id) "
               f"VALUES({number + i},'{ago(days)[:width]}','n','p','j')" for i, days, width in ((0, 20, 19), (1, 3, 26))], [
               ("handled_downloads", str(number + 1))]
        if random.random() < 0.3:                                      # one that hangs, and a plan that waits for it
            yield [job(other, "running", 0.1), "INSERT INTO analysis_plan(id,name,plan_metadata,status,job_id,created_at,updated_at) "
                   f"VALUES({number},'soak','{{}}','PENDING','{other}','{ago()}','{ago()}')"], [("job", other)]


def app(database):
    number = 10 ** 6
    while True:
        number, days, level = number + 1, age(), random.choice(["info", "info", "info", "error"])
        yield [f"INSERT INTO logs(created_at,level,message) VALUES('{ago(days)}','{level}','soak {number}')",
               "INSERT INTO readings(device_id,taken_at,value) "
               f"VALUES({1 + number % 6},{int(time.time() - days * 86400)},{number})",
               f"INSERT INTO alarms(reading_id,text) SELECT max(id),'a' FROM readings WHERE value={number}"], (
               [("logs", f"soak {number}")] * (days < 14 or level == "error") + [("readings", str(number))] * (days < 14))


def uploads(folder):
    while True:
        for days in (2, 0):
            name, stamp = uuid.uuid4().hex, time.time() - days * 86400
            sidecar = {"metadata": {"filename": "a"}, "size": 100_000, "offset": 2000, "created_at": ago(days),
                       "expires": ago(days - 1).replace(" ", "T"), "defer_length": False, "is_partial": False, "is_final": False}
            for path, content in ((f"{folder}/{name}", "x" * 2000), (f"{folder}/{name}.info", json.dumps(sidecar))):
                with open(path, "w") as file:
                    file.write(content)
                os.utime(path, (stamp, stamp))
            yield [], [] if days else [("uploads", name), ("uploads", f"{name}.info")]


def writer(site, psql, url, rate, report):
    """Makes a transaction whenever one is due until SIGTERM, then says how late each was and which rows are young."""
    until, out = [float("inf")], {}
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGTERM, lambda *_: until.__setitem__(0, time.monotonic()))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    kinds = [(name, name, lambda name=name: File(f"{site}/data/{name}.sqlite"), kind, rate)
             for name, kind in (("odds", odds), ("stash", media), ("app", app))]
    kinds += [(f"server, {kind.__name__}", "server", lambda: Server(psql, url), kind, rate / 2) for kind in (odds, media)]
    kinds += [("uploads", "uploads", lambda: f"{site}/uploads/tuspyserver", uploads, 2)]

    def work(name, place, connect, kind, rate):
        late, errors, young = [], [], []
        out[name] = {"place": place, "late": late, "errors": errors, "young": young}
        try:
            database = connect()
            start, number = time.monotonic(), 0
            for statements, keys in kind(database):
                if (due := start + number / rate) > until[0]:
                    break
                while (wait := due - time.monotonic()) > 0 and until[0] == float("inf"):
                    time.sleep(min(wait, 0.2))
                try:
                    if statements:
                        database.execute("BEGIN;" + ";".join(statements) + ";COMMIT")
                    young += keys
                except sqlite3.Error as error:
                    errors.append(str(error))
                late.append((time.monotonic() - due) * 1e3)
                number += 1
        except Exception:
            errors.append(traceback.format_exc())
    threads = [threading.Thread(target=work, args=kind) for kind in kinds]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    with open(report, "w") as file:
        json.dump(out, file)


# What stands around the program.

class Cluster:
    """A PostgreSQL server in a folder; as root it runs as the user postgres, since it refuses to be root."""
    def __init__(self, folder):
        versions = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(re.sub(r"\D", "", path) or 0), reverse=True)
        found = [place for place in os.environ["PATH"].split(":") + versions
                 if all(os.access(f"{place}/{name}", os.X_OK) for name in ("initdb", "pg_ctl"))]
        if not found:
            sys.exit("no PostgreSQL server: neither the PATH nor /usr/lib/postgresql/*/bin has initdb and pg_ctl "
                     "(Debian: apt-get install postgresql)")
        self.programs, self.folder, self.user = os.path.dirname(os.path.realpath(f"{found[0]}/pg_ctl")), folder, {}
        self.url = f"postgresql:///soak?host={folder}&user=upkeep"

    def start(self):
        os.mkdir(self.folder)
        if os.getuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        self.run("initdb", "-D", f"{self.folder}/data", "-U", "upkeep", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-l", f"{self.folder}/log", "-w", "-t", "60", "-o",
                 f"-c listen_addresses= -c unix_socket_directories={self.folder} -c timezone=Pacific/Auckland", "start")
        self.run("psql", "-qX", self.url.replace("/soak?", "/postgres?"), "-c", "CREATE DATABASE soak")

    def run(self, name, *words):
        with open(f"{self.folder}/output", "a") as output:             # the server inherits what is open
            done = subprocess.run([f"{self.programs}/{name}", *words], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd="/", **self.user)
        if done.returncode:
            sys.exit(f"{name} failed: {open(output.name).read()}")

    def stop(self):
        if os.path.exists(f"{self.folder}/data/postmaster.pid"):
            self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


class Ear(http.server.BaseHTTPRequestHandler):
    """Gets the heartbeats and notices, and knows of no active job."""
    heard = collections.Counter()

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        Ear.heard[self.path] += 1
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")
    do_POST = do_GET

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def figures(values):
    values = sorted(values) or [0]
    return f"{statistics.median(values):.0f} | {values[int(len(values) * 0.99)]:.0f} | {values[-1]:.0f}"


class Verdict:
    """The part of a soak that looks back: whether all was as it should be, and the figures."""
    def judge_slots(self):
        by_task = collections.defaultdict(list)
        for run in self.runs.values():
            if run["first"] is not None:
                by_task[run["task"]].append(run)
        self.slots = 0
        for task, runs in by_task.items():
            runs.sort(key=lambda run: (run["first"], run["last"]))
            step = STEADY.get(task, 0) * 1_000_000
            self.slots += sum(run["slots"] for run in runs)
            for run in runs:
                if step and run["last"] - run["first"] != (run["slots"] - 1) * step:
                    self.fault(f"{task}: run {run['id']} names {run['slots']} slots between {run['first']} and {run['last']}")
            for one, two in zip(runs, runs[1:]):
                if two["first"] <= one["last"]:
                    self.fault(f"{task}: slot {two['first']} has two records, {one['id']} and {two['id']}")
                elif step and two["first"] != one["last"] + step:
                    self.fault(f"{task}: no record of the slots between {one['last']} ({one['id']}) and {two['first']} ({two['id']})")
            if step and runs[-1]["last"] != self.grids[task]:
                self.fault(f"{task}: recorded up to {self.grids[task]}, as is said, but its last record is of {runs[-1]['last']}")
        for task, interval in STEADY.items():
            runs = by_task[task]
            if not runs:
                if self.stopped - self.ready > interval + 1:
                    self.fault(f"{task}: no slot at all")
                continue
            first = runs[0]["first"] / 1e6
            if not (self.began <= first <= self.ready + 62 if task == "minute" else self.began <= first - interval <= self.ready + 2):
                self.fault(f"{task}: its first slot is {first}, after a start at {self.ready}")
            if runs[-1]["last"] / 1e6 + interval < self.stopped - 5:
                self.fault(f"{task}: its last slot is {runs[-1]['last'] / 1e6}, the stop was at {self.stopped}")

    def judge_runs(self):
        def is_meant(run):
            if run["status"] in ("completed", "skipped"):
                return True
            if run["status"] == "failed":
                return run["task"] == "broken"
            if run["status"] == "cancelled":
                return run["task"] == "nap_cancel" or run["id"] in self.cancelled
            return run["status"] == "missed" and ("serve stopped" in run["reason"] or "its task" in run["reason"])
        for run in self.runs.values():
            if not run["final"]:
                self.fault(f"{run['task']}: run {run['id']} is still {run['status']}")
            elif not is_meant(run):
                self.fault(f"{run['task']}: run {run['id']} ended as {run['status']}: {run['reason']} {run['errors']}")
        # Those of the command line are told of on streams of their own only.
        due = [run for run in self.runs.values() if run["final"] and run["trigger"] != "manual" and run["created"] > self.listened
               and run["finished"] < self.stopped - 2]
        if untold := [f"{run['task']} {run['mode']} {run['id']}" for run in due if run["id"] not in self.ends]:
            self.fault(f"{len(untold)} of {len(due)} ends weren't told to the listener: {untold[:5]}")
        if twice := [run for run, count in self.ends.items() if count > 1]:
            self.fault(f"ends were told more than once: {twice[:5]}")
        ticks = sum(run["task"] == "tick" and run["status"] == "completed" and run["mode"] == "run" for run in self.runs.values())
        if abs(Ear.heard["/tick"] - ticks) > 2:
            self.fault(f"{ticks} heartbeats are due, {Ear.heard['/tick']} came")
        with open(f"{self.folder}/serve.log") as file:
            for line in file:
                entry = json.loads(line)
                text = re.sub("[0-9A-Z]{26}", "RUN", entry["message"].split("\n")[0])[:160]
                if entry["level"] in ("error", "critical") and not re.match(r"failed|the configuration isn't valid|.*soak[.]yaml:\d", text):
                    self.fault(f"serve logged an error: {text}")
                if entry["level"] == "warning" and not re.match("(skipped|cancelled|missed): ", text):
                    self.logs[text] += 1

    def judge_data(self, cluster):
        month, count = ago(32)[:10], "SELECT count(*) FROM"
        left = {
            "odds": [f"{count} odds_snapshots WHERE captured_at < '{month}' AND (last_confirmed_at IS NULL OR last_confirmed_at < '{month}')",
                     f"{count} events WHERE sportradar_id LIKE 'soak-%'",
                     f"{count} market_odds m WHERE NOT EXISTS (SELECT 1 FROM odds_snapshots s WHERE s.id = m.snapshot_id)"],
            "stash": [f"{count} job WHERE completed_at < '{month}'", f"{count} handled_downloads WHERE timestamp < '{ago(16)[:10]}'",
                      f"{count} job WHERE status = 'running' AND started_at < '{ago(0.09)}'",
                      f"{count} analysis_plan p WHERE status = 'PENDING' AND NOT EXISTS (SELECT 1 FROM job j "
                      "WHERE j.id = p.job_id AND j.status IN ('running', 'pending'))"],
            "app": [f"{count} logs WHERE level <> 'error' AND created_at < '{month}'",
                    f"{count} readings WHERE value >= 1000000 AND taken_at < {time.time() - 32 * 86400:.0f}"]}
        left["server"] = left["odds"] + left["stash"]
        keys = {"odds_snapshots": "captured_at", "job": "id", "handled_downloads": "id", "logs": "message", "readings": "CAST(value AS INTEGER)"}
        young = collections.defaultdict(set)
        for name, said in self.written.items():
            if said["errors"]:
                self.fault(f"the writer of {name} had {len(said['errors'])} errors: {said['errors'][:3]}")
            for table, key in said["young"]:
                young[said["place"], table].add(key)
        connections = {name: File(f"{self.site}/{path}") for name, path in self.files().items()}
        connections["server"] = Server(f"{cluster.programs}/psql", cluster.url)
        folder = f"{self.site}/uploads/tuspyserver"
        for (place, table), wanted in young.items():
            if place == "uploads":
                there = set(os.listdir(folder))
            else:
                column = keys[table]
                if place == "server" and column == "captured_at":
                    column = "to_char(captured_at, 'YYYY-MM-DD HH24:MI:SS.US')"
                there = {str(key) for key in connections[place].execute(f"SELECT {column} FROM {table}")}
            if missing := wanted - there:
                self.fault(f"{len(missing)} of {len(wanted)} young rows of {place}, {table} are gone: {sorted(missing)[:3]}")
        self.young = sum(map(len, young.values()))
        for place, statements in left.items():
            for statement in statements:
                if (rows := int(connections[place].execute(statement)[0])) > 0:
                    self.fault(f"{place}: {rows} rows are left of {statement}")
        files = [name for name in os.listdir(folder) if os.path.getmtime(f"{folder}/{name}") < time.time() - 90000]
        whole = [name for name in files if name.endswith(".info") and json.load(open(f"{folder}/{name}")).get("offset") == 3000]   # the demo's
        if expired := [name for name in files if name.endswith(".info") and name not in whole]:
            self.fault(f"{len(expired)} expired uploads are left: {expired[:3]}")
        for name in self.files():
            if (found := connections[name].execute("PRAGMA integrity_check")) != ["ok"]:
                self.fault(f"{name}: integrity_check: {found[:3]}")
            if found := connections[name].execute("PRAGMA foreign_key_check"):
                self.fault(f"{name}: foreign_key_check: {found[:3]}")

    def quarter(self, number, key):
        length = self.samples[-1]["at"] / 4
        return statistics.median([one[key] for one in self.samples if number <= one["at"] / length <= number + 1] or [0])

    def quarters(self, key):
        return f"{self.quarter(1, key):.1f}, {self.quarter(3, key):.1f}, {max(one[key] for one in self.samples):.1f}"

    def judge_trends(self):
        if len(self.samples) < 4:
            return self.fault(f"only {len(self.samples)} samples were taken")
        for key, more, unit in (("rss", 3, " MB"), ("anonymous", 2, " MB"), ("descriptors", 3, ""), ("threads", 2, "")):
            before, after = self.quarter(1, key), self.quarter(3, key)
            hourly = (after - before) / (self.samples[-1]["at"] / 2) * 3600
            self.notes.append(f"{key}: {before:.1f}{unit} in the second quarter, {after:.1f}{unit} in the last, {hourly:+.1f}{unit} an hour")
            if self.seconds >= 900 and after > before * 1.05 + more:
                self.fault(f"growth of {self.notes[-1]}; what is open at last: {self.samples[-1]['targets'].most_common(8)}")
        self.peaks = {name: max(sample["logs"].get(name, 0) for sample in self.samples) for name in self.files()}
        for name, peak in self.peaks.items():
            if peak > (16 if name == "state store" else 48):
                self.fault(f"the log of {name} grew to {peak:.1f} MB")

    def table(self):
        outcomes, rows = collections.defaultdict(collections.Counter), collections.Counter()
        for run in self.runs.values():
            outcomes[run["task"]][run["status"] if run["mode"] == "run" else "previews"] += 1
            rows[run["task"]] += run["deleted"] if run["mode"] == "run" else 0
        last, bad, hangups = self.samples[-1], self.done["bad"], self.done["SIGHUP"]
        print("| what | |\n|---|---|")
        for name, value in (
                ("minutes", f"{self.seconds / 60:.1f}"),
                ("runs, slots", f"{sum(run['mode'] == 'run' for run in self.runs.values()):,} runs, {self.slots:,} slots"),
                ("rows and uploads removed", f"{sum(rows.values()):,}, and {self.young:,} young ones kept"),
                ("edits", f"{len(self.reloads) - bad} good, {bad} bad, {hangups} by SIGHUP"),
                ("in force after, p50, p99, max ms", figures(self.reloads).replace(" |", ",")),
                ("runs and previews by hand, pauses, cancellations", f"{sum(self.done.values()) - len(self.reloads) + bad - hangups}"),
                ("RSS MB: second quarter, last quarter, max", self.quarters("rss")),
                ("anonymous memory MB", self.quarters("anonymous")),
                ("descriptors", self.quarters("descriptors").replace(".0", "")),
                ("threads", self.quarters("threads").replace(".0", "")),
                ("CPU", f"{last['cpu'] / last['at'] * 100:.0f} % of one core"),
                ("largest log MB", ", ".join(f"{name} {peak:.1f}" for name, peak in self.peaks.items())),
                ("state store MB", self.quarters("store")),
                ("events told", ", ".join(f"{count:,} {kind}" for kind, count in sorted(self.kinds.items()))),
                ("heartbeats, notices", f"{Ear.heard['/tick'] + Ear.heard['/tick/start']}, {Ear.heard['/hook']}")):
            print(f"| {name} | {value} |")
        print("\n| in ms | count | p50 | p99 | max |\n|---|---|---|---|---|")
        late = [(datetime.fromisoformat(run["started_at"]).timestamp() - run["last"] / 1e6) * 1e3 for run in self.runs.values()
                if run["task"] == "tick" and run["last"] and run["started_at"]]
        slowest = max(PAGES, key=lambda path: sorted(self.times[path])[int(len(self.times[path]) * 0.99)] if self.times[path] else 0)
        for name, values in [("pages", sum((self.times[path] for path in PAGES), [])), (f"slowest of them: {slowest}", self.times[slowest]),
                             *((name, self.times[name]) for name in ("API", "stats and others", "/metrics")), ("start of tick after its slot", late),
                             *((f"writer: {name}", said["late"]) for name, said in self.written.items())]:
            print(f"| {name} | {len(values):,} | {figures(values)} |")
        print("\n| task | outcomes | rows removed |\n|---|---|---|")
        for task in sorted(outcomes):
            print(f"| {task} | {', '.join(f'{count:,} {status}' for status, count in outcomes[task].most_common())} | {rows[task]:,} |")
        print()
        for note in self.notes if self.seconds >= 900 else ["too short for a verdict about trends"]:
            print(note)
        for message, count in self.logs.most_common(10):
            print(f"serve warned {count} times: {message}")
