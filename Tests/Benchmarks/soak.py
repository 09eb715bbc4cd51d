#!/usr/bin/env python3
"""Lets `upkeep serve` work for a while with every kind of task at once, and says whether it is at the end what it was at first.

    swift build -c release --product upkeep
    python3 Tests/Benchmarks/soak.py --minutes 30           # the default
    python3 Tests/Benchmarks/soak.py --minutes 2 --keep     # for trying; the folder stays

Python's standard library and a PostgreSQL server (initdb, pg_ctl and psql, in the PATH or /usr/lib/postgresql/*/bin) are enough. The
data is that of `upkeep demo`, once in files and once on a server of its own. Tasks come every 2 to 60 seconds. Meanwhile

- a writer makes 25 transactions of about two rows a second on each of four databases, half of them old enough to go, and two
  uploads a second;
- something is done every few seconds: values set by command and over HTTP, files renamed over the YAML (bad ones, too), SIGHUP,
  pauses, runs and previews by hand, groups, cancellations;
- pages and API are asked every second, one listens to all events, and others come and go.

The exit status is 1 where one of these doesn't hold: memory, descriptors and threads are flat (the median of the last quarter of
the time beside that of the second: 5 % and 2 or 3 more may be chance, so that a longer soak finds a smaller leak; below a quarter
of an hour, where all is still getting warm, no trend is looked at); logs are bounded; each slot has exactly one record; nothing
fails that isn't meant to; every end of a run is told once; the last good YAML is in force; the writer has no error; what is young
is there, what is old is gone, and every database is whole.
"""
import argparse, collections, hashlib, http.client, http.server, json, os, random, re, shlex, shutil, signal, socket, sqlite3, string
import subprocess, sys, tempfile, threading, time, traceback
sys.dont_write_bytecode = True
from soak_parts import MB, PAGES, Cluster, Ear, Verdict, ago, free_port, writer

GUEST = "  guest: { plugin: noop, interval: 2s, settings: { duration: 50ms } }\n"
CONFIGURATION = """version: 1
host:
  state: var/upkeep.sqlite
  listen: 127.0.0.1:$port
  max_concurrent_runs: 8
  history: { keep: ${keep}s, keep_failures: ${keep}s }
  log: { format: json }
  on_failure: { command: ["true"], webhook: "$ear/hook" }
databases:
  odds: { sqlite: data/odds.sqlite }
  stash: { sqlite: data/stash.sqlite }
  app: { sqlite: data/app.sqlite }
  server: { postgres: "$server" }
tasks:
""" + GUEST + """  tick: { plugin: noop, interval: 2s, heartbeat_url: "$ear/tick", settings: { duration: 10ms } }
  minute: { plugin: noop, cron: "* * * * *" }
  moving: { plugin: noop, interval: 3s, settings: { duration: 100ms } }
  pausing: { plugin: noop, interval: 2s }
  broken: { plugin: noop, interval: 7s, settings: { fail: true } }
  nap_skip: { plugin: noop, interval: 5s, settings: { duration: 6s } }
  nap_queue: { plugin: noop, interval: 4s, concurrency: { overlap: queue }, settings: { duration: 5s } }
  nap_cancel: { plugin: noop, interval: 5s, concurrency: { overlap: cancel_previous }, settings: { duration: 7s } }
  odds_retention:
    interval: 7s
    concurrency: { exclusive_with: [scraping] }
    settings: { database: odds, odds_keep: 30d, match_keep: 30d }
  odds_server: { plugin: odds_retention, interval: 9s, settings: { database: server, odds_keep: 30d, match_keep: 30d } }
  scraping:
    interval: 15s
    settings:
      database: odds
      platforms:
        betpawa: { base_url: "$platforms/betpawa" }
        sportybet: { base_url: "$platforms/sportybet" }
        bet9ja: { base_url: "$platforms/bet9ja", delay: 0s }
  table_retention:
    interval: 5s
    jitter: 500ms
    settings:
      database: app
      rules:
        - { table: logs, time_column: created_at, keep: 30d, where: "level <> 'error'" }
        - { table: readings, time_column: taken_at, keep: 30d, keep_last: 100, per: device_id }
  stale_jobs: { interval: 6s, settings: { database: stash, liveness: http, liveness_url: "$ear/active" } }
  job_history: { interval: 8s, settings: { database: stash, keep: 30d } }
  download_log: { interval: 6s, settings: { database: stash, keep: 14d } }
  stuck_plans: { interval: 5s, settings: { database: stash } }
  stale_server: { plugin: stale_jobs, interval: 7s, settings: { database: server } }
  jobs_server: { plugin: job_history, interval: 9s, settings: { database: server, keep: 30d } }
  downloads_server: { plugin: download_log, interval: 8s, settings: { database: server, keep: 14d } }
  plans_server: { plugin: stuck_plans, interval: 6s, settings: { database: server } }
  tus_expiry: { run_on_start: true, interval: 6s, settings: { folder: uploads, expire_after: 24h, quiet: 2s, time_zone: UTC } }
  run_history: { interval: 10s }
groups:
  cleanup: [stale_jobs, job_history, download_log, stuck_plans]
"""
CLEANERS = ["odds_retention", "odds_server", "table_retention", "stale_jobs", "job_history", "download_log", "stuck_plans", "stale_server",
            "jobs_server", "downloads_server", "plans_server", "tus_expiry"]
ROUTES = ["/api/v1/tasks", "/api/v1/tasks/tick", "/api/v1/runs?limit=50", "/api/v1/runs/RUN", "/api/v1/config", "/healthz", "/readyz"]
SELDOM = ["/metrics", "/api/v1/tasks/odds_server/stats", "/api/cleanup/status", "/api/cleanup/history", "/openapi.json", "/assets/app.js"]


class Soak(Verdict):
    def __init__(self, options, folder):
        self.options, self.folder, self.site, self.seconds = options, folder, f"{folder}/site", options.seconds or options.minutes * 60
        self.yaml, self.program = f"{self.site}/soak.yaml", [os.path.abspath(options.upkeep)]
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("UPKEEP_") and key != "STATE_DIRECTORY"}
        self.faults, self.notes, self.over, self.processes = [], [], threading.Event(), []
        self.times, self.done, self.reloads = collections.defaultdict(list), collections.Counter(), []
        self.samples, self.runs, self.ends, self.kinds, self.latest = [], {}, collections.Counter(), collections.Counter(), "none"
        self.cancelled, self.logs, self.good = set(), collections.Counter(), ""

    def fault(self, text):
        if text not in self.faults:
            self.faults.append(text)
            print(f"{ago()[11:19]} fault: {text[:2000]}", file=sys.stderr, flush=True)

    # The scene.

    def start(self, *words, **more):
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, env=self.environment, **more)
        self.processes.append(process)
        return process

    def command(self, *words, expect=(0,)):
        done = subprocess.run(self.program + list(words), stdin=subprocess.DEVNULL, env=self.environment, capture_output=True, text=True,
                              cwd=self.site)
        if done.returncode not in expect:
            self.fault(f"upkeep {shlex.join(words)}: exit status {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def make(self, cluster):
        self.port, platforms = free_port(), free_port()
        ear = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
        threading.Thread(target=ear.serve_forever, daemon=True).start()
        scale = str(self.options.scale)
        said = open(f"{self.folder}/platforms.log", "w")
        stand_in = self.start(*self.program, "demo", self.site, "--scale", scale, "--platforms", str(platforms), stdout=said, stderr=said)
        subprocess.run(self.program + ["demo", f"{self.folder}/server", "--only", "--scale", scale, "--postgres", cluster.url], env=self.environment,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while "answer on" not in open(said.name).read():
            if stand_in.poll() is not None:
                sys.exit(f"upkeep demo ended: {open(said.name).read()}")
            time.sleep(0.1)
        self.write(string.Template(CONFIGURATION).substitute(
            port=self.port, keep=max(60, int(self.seconds / 5)), ear=f"http://127.0.0.1:{ear.server_port}", server=cluster.url,
            platforms=f"http://127.0.0.1:{platforms}"))
        self.command("validate", "--live", "--config", self.yaml)

    def write(self, text):
        with open(f"{self.yaml}.new", "w") as file:
            file.write(text)
        os.rename(f"{self.yaml}.new", self.yaml)

    def read(self):
        with open(self.yaml) as file:
            return file.read()

    def ask(self, path, method="GET", document=None, headers={}, expect=(200,), kind=None):
        start = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = None if document is None else json.dumps(document)
        connection.request(method, path, body, {**({"Content-Type": "application/json"} if method != "GET" else {}), **headers})
        answer = connection.getresponse()
        content = answer.read().decode()
        connection.close()
        if kind:
            self.times[kind].append((time.monotonic() - start) * 1e3)
        if answer.status not in expect:
            self.fault(f"{method} {path}: {answer.status} {content[:300]}")
        return json.loads(content) if "json" in (answer.getheader("Content-Type") or "") else content

    # What goes on meanwhile, each on a thread of its own.

    def along(self, body):
        def work():
            try:
                body()
            except Exception:
                if not self.over.is_set():
                    self.fault(f"{body.__name__}: {traceback.format_exc()}")
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread

    def asking(self):
        round = 0
        while not self.over.wait(1):
            for path in PAGES:
                self.ask(path.replace("RUN", self.latest), kind=path)
            for path in ROUTES:
                answer = self.ask(path.replace("RUN", self.latest), kind="API")
                if "limit" in path:
                    self.latest = random.choice(answer["runs"])["run_id"]
            for path in SELDOM if round % 10 == 0 else []:
                self.ask(path, kind=path if path == "/metrics" else "stats and others")
            if round % 3 == 0:                                          # somebody who goes in the middle
                with socket.create_connection(("127.0.0.1", self.port)) as other:
                    path = random.choice(["/api/v1/events", f"/api/v1/runs/{self.latest}/events"])
                    other.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
                    other.recv(100)
            round += 1

    def listening(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/api/v1/events")
        answer, kind = connection.getresponse(), ""
        self.listened = time.time()
        for line in answer:
            if line.startswith(b"event: "):
                kind = line[7:].decode().strip()
                self.kinds[kind] += 1
            elif line.startswith(b"data: ") and kind == "end":
                if run := json.loads(line[6:]).get("run_id"):          # that of a group has none
                    self.ends[run] += 1
        if not self.over.is_set():
            self.fault("the stream of events ended early")

    def sampling(self):
        pid, number, every = self.serve.pid, 0, min(5, self.seconds / 20)
        while not self.over.wait(every):
            if self.serve.poll() is not None:
                return self.fault(f"serve ended by itself: {self.serve.returncode}")
            with open(f"/proc/{pid}/smaps_rollup") as file:
                memory = {line.split(":")[0]: int(line.split()[1]) * 1024 / MB for line in file if line.endswith("kB\n")}
            targets = []
            for name in os.listdir(f"/proc/{pid}/fd"):
                try:
                    targets.append(re.sub(r"\d+", "N", os.readlink(f"/proc/{pid}/fd/{name}").replace(self.folder, "")))
                except FileNotFoundError:
                    pass
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            size = lambda path: os.path.getsize(f"{self.site}/{path}") / MB if os.path.exists(f"{self.site}/{path}") else 0
            self.samples.append({
                "at": time.time() - self.began, "rss": memory["Rss"], "anonymous": memory["Anonymous"], "threads": int(fields[17]),
                "descriptors": len(targets), "targets": collections.Counter(targets), "store": size("var/upkeep.sqlite"),
                "cpu": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
                "logs": {name: size(f"{path}-wal") for name, path in self.files().items()}})
            number += 1
            if number % 2 == 0:
                self.harvest()

    def files(self):
        return {"odds": "data/odds.sqlite", "stash": "data/stash.sqlite", "app": "data/app.sqlite", "state store": "var/upkeep.sqlite"}

    def harvest(self):
        """Reads the records that are new or weren't final: run_history removes them later."""
        database = sqlite3.connect(f"file:{self.site}/var/upkeep.sqlite?mode=ro", uri=True, timeout=30)
        known, live = sorted(self.runs), [key for key, run in self.runs.items() if not run["final"]]
        since = known[-200] if len(known) > 200 else ""                # processes make ids side by side
        for *columns, document in database.execute(
                "SELECT run_id, task, mode, is_final, created_at / 1e6, finished_at / 1e6, first_slot, last_slot, slots, document FROM runs "
                f"WHERE run_id > ? OR run_id IN ({','.join('?' * len(live))})", [since, *live]):
            run, said = dict(zip(("id", "task", "mode", "final", "created", "finished", "first", "last", "slots"), columns)), json.loads(document)
            run |= {key: said[key] or "" for key in ("status", "reason", "errors", "trigger", "started_at")}
            self.runs[run["id"]] = run | {"deleted": sum(table["deleted"] for table in said["tables"])}
        self.grids = dict(database.execute("SELECT task, last_slot FROM grids"))
        database.close()

    # The edits.

    def in_force(self, bad=False):
        """Waits until the file as it stands is in force, or known as bad with the last good one in force."""
        since, digest = time.monotonic(), hashlib.sha256(self.read().encode()).hexdigest()
        while time.monotonic() - since < 15:
            said = self.ask("/api/v1/config")
            if bad and said["errors"] or not bad and said["etag"] == digest and not said["errors"]:
                if bad and said["etag"] != self.good:
                    self.fault("with a bad file another configuration than the last good one is in force")
                self.good = said["etag"]
                self.reloads.append((time.monotonic() - since) * 1e3)
                return
            time.sleep(0.05)
        self.fault(f"a {'bad' if bad else 'good'} file isn't noticed within 15 s: {said['errors']}")

    def doing(self):
        pick, pause, state = random.Random(1), min(2.5, self.seconds / 60), collections.Counter()

        def flip(key, *values):
            state[key] += 1
            return values[state[key] % len(values)]

        def edit(*words):
            self.command(*words, "--config", self.yaml)
            self.in_force()

        def run(what):
            self.command("run", what, "--config", self.yaml, expect=(0, 5))

        def patch(task, document):
            tag = self.ask("/api/v1/config")["etag"]
            self.ask(f"/api/v1/tasks/{task}", "PATCH", document, {"If-Match": f'"{tag}"'})
            self.in_force()

        def rename(change):
            self.write(change(self.read()))
            self.in_force()

        def bad():
            good = self.read()
            self.write(flip("bad", "tasks: [\n", "", good[:len(good) // 2] + "\n\t", good.replace("interval: 2s", "interval: 2"),
                            good.replace("plugin: noop", "plugin: nop"), good.replace("state: var/", "states: var/")))
            self.in_force(bad=True)
            self.over.wait(min(3, self.seconds / 20))
            self.write(good)
            self.in_force()

        def cancel():
            for run in self.ask("/api/v1/runs?status=running")["runs"]:
                if run["task"] == "nap_skip":
                    self.cancelled.add(run["run_id"])
                    self.ask(f"/api/v1/runs/{run['run_id']}/cancel", "POST", expect=(202, 409))

        actions = {
            "set retention": lambda: edit("set", "odds_retention", "odds_keep", flip("keep", "30d", "29d", "28d")),
            "set retention on the server": lambda: edit("set", "odds_server", "match_keep", flip("match", "30d", "29d")),
            "set interval": lambda: edit("set", "moving", "interval", flip("interval", "3s", "1s", "4s", "2s500ms")),
            "disable, enable": lambda: edit(flip("plans", "enable", "disable"), "stuck_plans"),
            "PATCH settings": lambda: patch("job_history", {"settings": {"keep": flip("jobs", "30d", "29d")}}),
            "PATCH interval": lambda: patch("download_log", {"interval": flip("downloads", "6s", "3s"), "timeout": flip("out", "1h", "30m")}),
            "PATCH, to fail or not": lambda: patch("broken", {"settings": {"fail": flip("fail", True, False)}}),
            "rename: a task less, more": lambda: rename(
                lambda text: text.replace(GUEST, "") if GUEST in text else text.replace("tasks:\n", "tasks:\n" + GUEST)),
            "rename: places": lambda: rename(lambda text: re.sub("runs: [0-9]+", f"runs: {flip('places', 8, 9)}", text)),
            "bad": bad,
            "SIGHUP": lambda: self.serve.send_signal(signal.SIGHUP),
            "pause, resume": lambda: self.command(flip("pause", "resume", "pause"), "pausing", "--config", self.yaml),
            "pause over HTTP": lambda: self.ask("/api/v1/tasks/pausing/pause", "POST", {"for": "3s", "why": "soak"}),
            "run": lambda: run(pick.choice(["tick", "odds_server", "job_history", "tus_expiry"])),
            "run a group": lambda: run("cleanup"),
            "run a group over HTTP": lambda: self.ask("/api/jobs/run", "POST", {"job_type": "cleanup"}, expect=(200, 409)),
            "run over HTTP": lambda: self.ask("/api/v1/tasks/table_retention/run?wait=true", "POST", {}, expect=(200, 409)),
            "preview": lambda: self.command("preview", pick.choice(CLEANERS), "--config", self.yaml),
            "preview over HTTP": lambda: self.ask("/api/v1/tasks/odds_retention/preview?wait=true", "POST", {}),
            "cancel": cancel,
        }
        names = list(actions)
        while not self.over.is_set():
            pick.shuffle(names)
            for name in names:
                if self.over.wait(pause) or self.serve.poll() is not None:
                    return
                actions[name]()
                self.done[name] += 1

    # The way of it.

    def run(self, cluster):
        self.make(cluster)
        spec = json.dumps([self.site, f"{cluster.programs}/psql", cluster.url, self.options.rate, f"{self.folder}/writer.json"])
        beside = self.start(sys.executable, os.path.abspath(__file__), "--writer", spec)
        log = open(f"{self.folder}/serve.log", "w")
        self.began = time.time()
        self.serve = self.start(*self.program, "serve", "--config", self.yaml, stderr=log, stdout=log, cwd="/")
        while '"serving"' not in open(log.name).read():
            if self.serve.poll() is not None or time.time() - self.began > 60:
                sys.exit(f"serve doesn't serve: {open(log.name).read()}")
            time.sleep(0.05)
        self.ready = time.time()
        while not (runs := self.ask("/api/v1/runs")["runs"]):           # that of tus_expiry, which runs at the start, is coming
            time.sleep(0.1)
        self.latest = runs[0]["run_id"]
        self.good = self.ask("/api/v1/config")["etag"]
        self.along(self.listening)
        threads = [self.along(body) for body in (self.asking, self.sampling, self.doing)]
        deadline = self.ready + self.seconds
        while time.time() < deadline and self.serve.poll() is None:
            time.sleep(min(1, max(0, deadline - time.time())))
        self.over.set()
        [thread.join(60) for thread in threads]
        self.stopped = time.time()
        self.serve.terminate()
        try:
            status = self.serve.wait(60)
        except subprocess.TimeoutExpired:
            self.serve.kill()
            status = "none: it had to be killed after 60 s"
        if status != 0:
            self.fault(f"serve ended with status {status}")
        self.harvest()
        beside.terminate()
        beside.wait(60)
        with open(f"{self.folder}/writer.json") as file:
            self.written = json.load(file)
        # What is still to go goes now, so that it is known that nothing is left.
        time.sleep(3)
        for task in CLEANERS:
            self.command("run", task, "--config", self.yaml, "--override-guard")
        self.judge_slots()
        self.judge_runs()
        self.judge_data(cluster)
        self.judge_trends()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seconds", type=float, help="instead of minutes")
    parser.add_argument("--scale", type=float, default=0.05, help="how much data there is at first, as upkeep demo takes it")
    parser.add_argument("--rate", type=float, default=25, help="transactions a second of the writer on each database")
    parser.add_argument("--upkeep", default=".build/release/upkeep", help="the program under test")
    parser.add_argument("--keep", action="store_true", help="leave the folder, with the log of serve")
    parser.add_argument("--writer", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.writer:
        return writer(*json.loads(options.writer))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="soak-")
    os.chmod(folder, 0o755)
    cluster, soak = Cluster(f"{folder}/pg"), Soak(options, folder)
    try:
        cluster.start()
        soak.run(cluster)
        soak.table()
    finally:
        for process in soak.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
        cluster.stop()
        if options.keep:
            with open(f"{folder}/samples.json", "w") as file:
                json.dump(soak.samples, file)
            print(f"the folder is {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder)
    for fault in soak.faults:
        print(f"fault: {fault}")
    print("the soak found " + (f"{len(soak.faults)} faults" if soak.faults else "nothing wrong"))
    return 1 if soak.faults else 0


if __name__ == "__main__":
    sys.exit(main())
