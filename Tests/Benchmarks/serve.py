#!/usr/bin/env python3
"""Measures `upkeep serve` at rest, asked and all at once, beside an application of FastAPI, APScheduler and SQLAlchemy (peer.py).

    swift build -c release --product upkeep --static-swift-stdlib      # as it is deployed
    python3 -m venv .bench && .bench/bin/pip install fastapi uvicorn 'apscheduler<4' sqlalchemy
    .bench/bin/python Tests/Benchmarks/serve.py             # 20 s at rest, 3,000 requests, 1,000 tasks, 3 repetitions
    .bench/bin/python Tests/Benchmarks/serve.py --parts late --tasks 5000

- rest: both have six tasks, none of them due, and are watched through the same seconds. Wake-ups are the voluntary switches of
  all threads; private memory is what no other process shares. `list` is a process of its own: it shows the tasks with their last runs.
- asked: GETs over one connection, one after the other. The requests in a second are also this client's, the CPU time is the server's alone.
- late: that many tasks that do nothing are due at the same instant; how long after it each began. Both run ten at a time. APScheduler
  keeps no record of a run, unlike upkeep; with SQLAlchemy it does.

A server that answers anything else than 200 with all tasks, or starts fewer tasks than are due, has no figures.
"""
import contextlib, json, os, socket, statistics, subprocess, sys, time, urllib.request
from datetime import datetime
sys.dont_write_bytecode = True        # or `import bench` would leave files in the repository
import bench

PEER = "FastAPI, APScheduler, SQLAlchemy"
HOST = "version: 1\nhost: {{ state: state.sqlite, listen: \"127.0.0.1:{port}\", max_concurrent_runs: 10 }}\n"
TASKS = """databases: { odds: { sqlite: demo/data/odds.sqlite }, stash: { sqlite: demo/data/stash.sqlite } }
tasks:
  odds_retention: { interval: 24h, settings: { database: odds } }
  stale_jobs: { interval: 24h, settings: { database: stash } }
  job_history: { interval: 24h, settings: { database: stash } }
  download_log: { interval: 24h, settings: { database: stash } }
  stuck_plans: { interval: 24h, settings: { database: stash } }
  tus_expiry: { interval: 24h, settings: { folder: uploads } }
"""
ROUTES = {"/healthz": lambda answer: True, "/api/v1/tasks": lambda answer: len(answer["tasks"]) == 6}


class Server:
    """A server while it runs, from its first answer on."""

    def __init__(self, command, port, log):
        with open(log, "wb") as file:
            start, self.process, self.port = time.monotonic(), bench.start(command, stdout=file, stderr=file), port
        while True:
            try:
                self.get("/healthz")
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > start + 60:
                    with open(log, errors="replace") as file:
                        sys.exit(f"{command[0]} doesn't answer: {file.read()[-2000:]}")
                time.sleep(0.002)
        self.ready = (time.monotonic() - start) * 1e3

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer) if path != "/healthz" else answer.read()

    def cpu(self):
        """Seconds of all its threads, those that ended included: the clock of the process, by clock_getcpuclockid(3)."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def switches(self):
        """Voluntary switches by thread."""
        found = {}
        for thread in os.listdir(f"/proc/{self.process.pid}/task"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{self.process.pid}/task/{thread}/status") as file:
                found[thread] = int(file.read().split("\nvoluntary_ctxt_switches:")[1].split()[0])
        return found

    def memory(self):
        """MB resident, and of these not shared."""
        with open(f"/proc/{self.process.pid}/smaps_rollup") as file:
            found = {words[0]: int(words[1]) / 1024 for words in map(str.split, file) if len(words) == 3 and words[2] == "kB"}
        return found["Rss:"], found["Private_Clean:"] + found["Private_Dirty:"]

    def ask(self, path, is_right, count):
        """Requests over one connection, after some that warm up."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as connection, connection.makefile("rb") as stream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            request, wrong = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: application/json\r\n\r\n".encode(), 0
            for number in range(-200, count):
                if number == 0:
                    start, cpu = time.monotonic(), self.cpu()
                connection.sendall(request)
                status, length = stream.readline(), 0
                while (line := stream.readline().lower()).strip():
                    if line.startswith(b"content-length:"):
                        length = int(line[15:])
                answer = stream.read(length)
                wrong += not status.startswith(b"HTTP/1.1 200")
            seconds, cpu = time.monotonic() - start, self.cpu() - cpu
        wrong += not is_right(json.loads(answer) if answer[:1] == b"{" else answer)
        return {"per second": count / seconds, "cpu": cpu / count * 1e6, "faults": [f"{wrong:,} wrong answers"] if wrong else []}


def rest_and_asked(options, folder, peer):
    program = bench.program(options)
    bench.demo(program, f"{folder}/demo")
    configuration, ports = f"{folder}/upkeep.yaml", {"upkeep": bench.port(), PEER: bench.port()}
    with open(configuration, "w") as file:
        file.write(HOST.format(port=ports["upkeep"]) + TASKS)
    subprocess.run(program + ["run", "--all", "--quiet", "--config", configuration], check=True)        # so that there are last runs
    script = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer.py")]
    serves = {"upkeep": program + ["serve", "--config", configuration], PEER: script + ["serve", str(ports[PEER]), f"{folder}/peer.sqlite"]}
    lists = {"upkeep": program + ["list", "--config", configuration], PEER: script + ["list", f"{folder}/peer.sqlite"]}
    names = ["upkeep"] + [PEER] * peer
    rest, asked = {name: [] for name in names}, {route: {name: [] for name in names} for route in ROUTES}
    for repetition in range(options.repetitions):
        servers = {name: Server(serves[name], ports[name], f"{folder}/log") for name in names}
        time.sleep(min(3, options.seconds))
        before, start = {name: (server.cpu(), server.switches()) for name, server in servers.items()}, time.monotonic()
        time.sleep(options.seconds)
        for name, server in servers.items():
            (cpu, switches), seconds, (resident, private) = before[name], time.monotonic() - start, server.memory()
            woken = sum(count - switches.get(thread, 0) for thread, count in server.switches().items())
            rest[name].append({"ready": server.ready, "resident": resident, "private": private, "cpu": (server.cpu() - cpu) / seconds * 100, "switches": woken / seconds})
        turn = names if repetition % 2 == 0 else names[::-1]
        for route, is_right in ROUTES.items():
            for name in turn:
                asked[route][name].append(servers[name].ask(route, is_right, options.requests))
        for server in servers.values():
            bench.stop(server.process)
        starts = {name: [] for name in names}
        for name in bench.turns(turn, options.starts):
            starts[name].append(bench.Run(lists[name]).end())
        for name, own in starts.items():
            seconds, cpu = (statistics.median(run[key] for run in own) * 1e3 for key in ("seconds", "cpu"))
            rest[name][-1] |= {"list": seconds, "list cpu": cpu, "faults": [fault for run in own for fault in run["faults"]]}
    right = bench.Table(["at rest"], {"memory MB": "resident", "private MB": "private", "CPU %": "cpu", "wake-ups/s": "switches", "first answer ms": "ready",
                                      "`list` ms": "list", "its CPU ms": "list cpu"}).rows([], rest)
    print()
    table = bench.Table(["GET", "asked"], {"requests/s": "per second", "CPU µs a request": "cpu"})
    return all([table.rows([f"`{route}`"], runs) for route, runs in asked.items()]) and right


def late_upkeep(options, folder):
    os.makedirs(folder)
    port = bench.port()
    with open(f"{folder}/upkeep.yaml", "w") as file:
        file.write(HOST.format(port=port) + "tasks:\n")
        file.writelines(f"  t{number}: {{ plugin: noop, interval: {options.lead}s }}\n" for number in range(options.tasks))
    until = time.monotonic() + options.lead
    server, found = Server(bench.program(options) + ["serve", "--config", f"{folder}/upkeep.yaml"], port, f"{folder}/log"), {}
    time.sleep(max(0, until - time.monotonic()) + 2)                        # nobody asks while they start
    while len(found) < options.tasks and time.monotonic() < until + options.patience:
        page = {"next_cursor": ""}
        while page["next_cursor"] is not None:
            page = server.get("/api/v1/runs?limit=500" + (f"&cursor={page['next_cursor']}" if page["next_cursor"] else ""))
            for run in page["runs"]:                                        # the newest first: the oldest is the last to stay
                if run["status"] == "completed":
                    due, began = (datetime.fromisoformat(run[key].replace("Z", "+00:00")).timestamp() * 1e3 for key in ("scheduled_at", "started_at"))
                    found[run["task"]] = began - due
        time.sleep(1)
    bench.stop(server.process)
    return list(found.values())


def late_peer(options, database):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "peer.py")
    done = subprocess.run([sys.executable, script, "due", str(options.tasks), str(options.lead), database], capture_output=True, text=True)
    return json.loads(done.stdout or "[]")


def late(options, folder, peer):
    names = ["upkeep"] + ["APScheduler", "APScheduler and SQLAlchemy"] * peer
    runs = {name: [] for name in names}
    for number, name in enumerate(bench.turns(names, options.repetitions)):
        place = f"{folder}/late{number}"
        took = sorted(late_upkeep(options, place) if name == "upkeep" else late_peer(options, "-" if name == "APScheduler" else f"{place}.sqlite"))
        faults = [f"{len(took):,} of {options.tasks:,} tasks began"] if len(took) != options.tasks else ["a task began too early"] if took[0] < -1 else []
        took = took or [0]
        runs[name].append({"p50": took[len(took) // 2], "p99": took[int(len(took) * 0.99)], "max": took[-1], "faults": faults})
    return bench.Table([f"{options.tasks:,} tasks due at once"], {"late by p50 ms": "p50", "p99 ms": "p99", "max ms": "max"}).rows([], runs)


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="how long they are watched at rest")
    parser.add_argument("--starts", type=int, default=10, help="how often `list` is started")
    parser.add_argument("--requests", type=int, default=3000, help="of each route")
    parser.add_argument("--tasks", type=int, default=1000, help="that are due at once")
    parser.add_argument("--lead", type=int, default=15, help="seconds until they are")
    parser.add_argument("--patience", type=float, default=60, help="seconds after which a task that hasn't begun never will")
    parser.add_argument("--parts", default="rest,late")
    options = parser.parse_args()
    with bench.folder() as folder:
        right = True
        if "rest" in options.parts:
            right &= rest_and_asked(options, folder, bench.has(options, "fastapi", "uvicorn", "apscheduler", "sqlalchemy"))
            print()
        if "late" in options.parts:
            right &= late(options, folder, bench.has(options, "apscheduler", "sqlalchemy"))
        return 0 if right else 1


if __name__ == "__main__":
    bench.run(main)
