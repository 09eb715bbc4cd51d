"""A PostgreSQL server for the length of a benchmark, and sessions of psql with it."""
import csv, glob, os, pwd, shutil, subprocess, sys


def tools():
    """Where the programs of a PostgreSQL server are: on PATH, or the newest where Debian puts them."""
    found = shutil.which("initdb")
    debian = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: float(path.split("/")[4]))
    return os.path.dirname(os.path.realpath(found or debian[-1])) if found or debian else None


def psql(url, *words):
    path = f"{tools()}/psql"
    return subprocess.Popen([path if os.path.exists(path) else "psql", "-XAt", "-d", url, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


class Psql:
    """A session of psql: statements go in, the last line that each prints comes out."""

    def __init__(self, url):
        self.session = psql(url)

    def __call__(self, statement):
        self.session.stdin.write(statement + ";\n\\echo .\n")
        self.session.stdin.flush()
        lines = []
        while (line := self.session.stdout.readline()) != ".\n":
            if not line:
                raise OSError(f"psql has ended: {lines}")
            lines.append(line.strip())
        if any(line.startswith("ERROR") for line in lines):
            raise OSError(f"{lines}: {statement}")
        return lines[-1]


class Cluster:
    """A PostgreSQL server of its own, in a folder, as long as a `with`."""

    def __init__(self, path, port):
        self.tools = tools()
        if not self.tools:
            sys.exit("no PostgreSQL server here: initdb is neither on PATH nor under /usr/lib/postgresql")
        self.path, self.port, self.user = f"{path}/postgres", port, {}
        os.mkdir(self.path)
        if os.geteuid() == 0:                       # the server refuses to run as root
            names = [entry.pw_name for entry in pwd.getpwall()]
            who = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
            self.user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}
            os.chown(self.path, who.pw_uid, who.pw_gid)
            os.chmod(path, 0o711)

    def tool(self, name, *words):
        with open(f"{self.path}.log", "ab") as log:
            done = subprocess.run([f"{self.tools}/{name}", "-D", f"{self.path}/data", *words], cwd="/", stdout=log, stderr=log, **self.user)
        if done.returncode:
            with open(f"{self.path}.log", errors="replace") as file:
                sys.exit(f"{name} ended with {done.returncode}: {file.read()[-2000:]}")

    def __enter__(self):
        self.tool("initdb", "-A", "trust", "-U", "bench", "-E", "UTF8", "--locale=C", "--no-sync")
        self.tool("pg_ctl", "-w", "-o", f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c timezone=UTC "
                  "-c client_min_messages=warning -c shared_buffers=256MB -c max_wal_size=4GB", "start")
        return self

    def __exit__(self, *_):
        self.tool("pg_ctl", "-m", "immediate", "-w", "stop")

    def url(self, name):
        return f"postgresql://bench@127.0.0.1:{self.port}/{name}"

    def __call__(self, statement, name="postgres"):
        return self.feed(statement, name, None)

    def feed(self, statement, name, rows):
        """One statement, with rows for a COPY where there are some."""
        session = psql(self.url(name), "-q", "-v", "ON_ERROR_STOP=1", "-c", statement)
        if rows is not None:
            csv.writer(session.stdin, lineterminator="\n").writerows(rows)
        said = session.communicate()[0].strip()
        if session.returncode:
            sys.exit(f"{said}: {statement[:200]}")
        return said

    def fill(self, name, tables):
        """Replaces all rows of a database."""
        self("DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace "
             "AND relkind IN ('r', 'p') LOOP EXECUTE format('TRUNCATE %s CASCADE', t); END LOOP; END $$", name)
        for table, rows in tables.items():
            self.feed(f"COPY {table} FROM STDIN CSV", name, rows)
        self(f"REINDEX DATABASE {name}", name)
        self("VACUUM ANALYZE", name)
