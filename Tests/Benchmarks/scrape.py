#!/usr/bin/env python3
"""Measures a scrape beside a loop of httpx and SQLAlchemy, against made-up platforms on this machine.

    swift build -c release --product upkeep
    python3 -m venv .bench && .bench/bin/pip install httpx sqlalchemy
    .bench/bin/python Tests/Benchmarks/scrape.py                       # 1,000 matches on 3 platforms, 3 repetitions

Both ask the same server (`upkeep demo DIR --platforms PORT`) with as many requests at a time and no pause between them, and store
into a copy of the same empty SQLite file, 50 events a transaction. The first scrape finds everything new, the second
nothing changed: it has to write no snapshot. A contender that stores anything else has no figure. Memory is the peak of
the whole process.
"""
import asyncio, json, os, shutil, sqlite3, statistics, subprocess, sys, time, urllib.request
from datetime import datetime, timezone
sys.dont_write_bytecode = True        # or `import bench` would leave files in the repository
import bench

PLATFORMS = {"betpawa": 50, "sportybet": 50, "bet9ja": 15}
CONFIGURATION = """version: 1
host: {{ state: state.sqlite }}
databases: {{ odds: {{ sqlite: odds.sqlite }} }}
tasks:
  scraping:
    settings:
      database: odds
      platforms:
{platforms}
"""
TABLES = ("events", "competitor_events", "odds_snapshots", "competitor_odds_snapshots", "market_odds", "competitor_market_odds")


def count(path):
    database = sqlite3.connect(path)
    counts = {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}
    database.close()
    return counts


# The peer: what an application of httpx and SQLAlchemy does, one function a platform.

MARKETS = {"sportybet": {"1": "3743", "10": "4693", "29": "3795", "18": "5000"}, "bet9ja": {"S_1X2": "3743", "S_DC": "4693", "S_GGNG": "3795", "S_OU": "5000"}}


async def betpawa(client, base, limit):
    got = (await client.get(f"{base}/api/sportsbook/v3/categories/list/2")).raise_for_status().json()
    for region in got["withRegions"][0]["regions"]:
        for entry in region["competitions"]:
            skip, page = 0, [None] * 100
            while len(page) == 100:
                query = {"queries": [{"query": {"eventType": "UPCOMING", "categories": ["2"], "zones": {"competitions": [entry["competition"]["id"]]}, "hasOdds": True},
                                      "view": {}, "skip": skip, "take": 100}]}
                page = (await client.get(f"{base}/api/sportsbook/v3/events/lists/by-queries", params={"q": json.dumps(query, separators=(",", ":"))})).raise_for_status().json()["responses"][0]["responses"]
                skip += 100
                for event in page:
                    yield event["id"], next(str(w["id"]) for w in event["widgets"] if w["type"] == "SPORTRADAR")


def betpawa_event(got, match):
    markets = {}
    for market in got["markets"]:
        if market["marketType"]["id"] in ("3743", "4693", "3795", "5000"):
            for row in market["row"]:
                line = float(row["formattedHandicap"]) if row.get("formattedHandicap") else None
                markets[(market["marketType"]["id"], line)] = [
                    {"name": p["name"], "odds": float(p["price"]), "is_active": not p.get("suspended", False)} for p in row["prices"]]
    home, away = (next(p["name"] for p in got["participants"] if p["position"] == n) for n in (1, 2))
    return {"id": got["id"], "match": match, "home": home, "away": away, "kickoff": datetime.fromisoformat(got["startTime"]).replace(tzinfo=None),
            "tournament": got["competition"]["name"], "country": got["region"]["name"], "tournament_id": "", "markets": markets}


async def sportybet(client, base, limit):
    got = (await client.get(f"{base}/api/ng/factsCenter/popularAndSportList", params={"sportId": "sr:sport:1", "timeline": "", "productId": 3})).raise_for_status().json()
    for category in got["data"]["sportList"][0]["categories"]:
        for tournament in category["tournaments"]:
            body = [{"sportId": "sr:sport:1", "marketId": "1,18,10,29,11,26,36,14", "tournamentId": [[tournament["id"]]]}]
            page = (await client.post(f"{base}/api/ng/factsCenter/pcEvents", json=body)).raise_for_status().json()
            for event in page["data"][0]["events"]:
                yield event["eventId"], event["eventId"].removeprefix("sr:match:")


def sportybet_event(got, match):
    got, markets = got["data"], {}
    for market in got["markets"]:
        if known := MARKETS["sportybet"].get(market["id"]):
            text = (market.get("specifier") or "").partition("=")[2]
            line = float(text) if text and known == "5000" else None
            markets[(known, line)] = [{"name": o["desc"], "odds": float(o["odds"]), "is_active": o["isActive"] == 1} for o in market["outcomes"]]
    place = got["sport"]["category"]
    return {"id": got["eventId"], "match": match, "home": got["homeTeamName"], "away": got["awayTeamName"],
            "kickoff": datetime.fromtimestamp(got["estimateStartTime"] / 1000, timezone.utc).replace(tzinfo=None),
            "tournament": place["tournament"]["name"], "country": place["name"], "tournament_id": place["tournament"]["id"], "markets": markets}


async def bet9ja(client, base, limit):
    version = {"v_cache_version": "1.301.2.225"}
    got = (await client.get(f"{base}/GetSports", params={"DISP": 0, **version})).raise_for_status().json()
    for country in got["D"]["PAL"]["1"]["SG"].values():
        for group in country["G"]:
            page = (await client.get(f"{base}/GetEventsInGroupV2", params={"GROUPID": group, "DISP": 0, "GROUPMARKETID": 1, **version})).raise_for_status().json()
            for event in page["D"]["E"]:
                yield event["ID"], str(event["EXTID"])


def bet9ja_event(got, match):
    got, markets = got["D"], {}
    for key, odds in got["O"].items():
        prefix, _, outcome = key.rpartition("_")
        market, _, line = prefix.partition("@")
        if known := MARKETS["bet9ja"].get(market):
            markets.setdefault((known, float(line) if line else None), []).append({"name": outcome, "odds": float(odds), "is_active": True})
    home, away = got["DS"].split(" - ")
    return {"id": got["ID"], "match": match, "home": home, "away": away, "kickoff": datetime.fromisoformat(got["STARTDATE"]),
            "tournament": got["GN"], "country": got["SG"], "tournament_id": got["GID"], "markets": markets}


ADDRESS = {"betpawa": lambda base, id: (f"{base}/api/sportsbook/v3/events/{id}", {}),
           "sportybet": lambda base, id: (f"{base}/api/ng/factsCenter/event", {"eventId": id, "productId": 3}),
           "bet9ja": lambda base, id: (f"{base}/GetEvent", {"EVENTID": id, "v_cache_version": "1.301.2.225"})}


async def peer(path, port):
    import httpx
    from sqlalchemy import JSON, ForeignKey, select
    from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

    class Base(DeclarativeBase):
        type_annotation_map = {list: JSON}

    class Tournament(Base):
        __tablename__ = "tournaments"
        id: Mapped[int] = mapped_column(primary_key=True)
        sport_id: Mapped[int]
        name: Mapped[str]
        country: Mapped[str]

    class Event(Base):
        __tablename__ = "events"
        id: Mapped[int] = mapped_column(primary_key=True)
        tournament_id: Mapped[int]
        name: Mapped[str]
        home_team: Mapped[str]
        away_team: Mapped[str]
        kickoff: Mapped[datetime]
        sportradar_id: Mapped[str]
        created_at: Mapped[datetime] = mapped_column(default=bench.now)

    class Link(Base):
        __tablename__ = "event_bookmakers"
        id: Mapped[int] = mapped_column(primary_key=True)
        event_id: Mapped[int]
        bookmaker_id: Mapped[int]
        external_event_id: Mapped[str]
        created_at: Mapped[datetime] = mapped_column(default=bench.now)

    class Snapshot(Base):
        __tablename__ = "odds_snapshots"
        id: Mapped[int] = mapped_column(primary_key=True)
        event_id: Mapped[int]
        bookmaker_id: Mapped[int]
        captured_at: Mapped[datetime]
        last_confirmed_at: Mapped[datetime]
        markets: Mapped[list["Market"]] = relationship(lazy="selectin")

    class Market(Base):
        __tablename__ = "market_odds"
        id: Mapped[int] = mapped_column(primary_key=True)
        snapshot_id: Mapped[int] = mapped_column(ForeignKey("odds_snapshots.id"))
        betpawa_market_id: Mapped[str]
        betpawa_market_name: Mapped[str]
        line: Mapped[float | None]
        outcomes: Mapped[list]

    class CompetitorTournament(Base):
        __tablename__ = "competitor_tournaments"
        id: Mapped[int] = mapped_column(primary_key=True)
        source: Mapped[str]
        sport_id: Mapped[int]
        name: Mapped[str]
        country_raw: Mapped[str]
        external_id: Mapped[str]
        created_at: Mapped[datetime] = mapped_column(default=bench.now)

    class CompetitorEvent(Base):
        __tablename__ = "competitor_events"
        id: Mapped[int] = mapped_column(primary_key=True)
        source: Mapped[str]
        tournament_id: Mapped[int]
        betpawa_event_id: Mapped[int | None]
        name: Mapped[str]
        home_team: Mapped[str]
        away_team: Mapped[str]
        kickoff: Mapped[datetime]
        external_id: Mapped[str]
        sportradar_id: Mapped[str]
        created_at: Mapped[datetime] = mapped_column(default=bench.now)
        updated_at: Mapped[datetime] = mapped_column(default=bench.now)

    class CompetitorSnapshot(Base):
        __tablename__ = "competitor_odds_snapshots"
        id: Mapped[int] = mapped_column(primary_key=True)
        competitor_event_id: Mapped[int]
        captured_at: Mapped[datetime]
        last_confirmed_at: Mapped[datetime]
        markets: Mapped[list["CompetitorMarket"]] = relationship(lazy="selectin")

    class CompetitorMarket(Base):
        __tablename__ = "competitor_market_odds"
        id: Mapped[int] = mapped_column(primary_key=True)
        snapshot_id: Mapped[int] = mapped_column(ForeignKey("competitor_odds_snapshots.id"))
        betpawa_market_id: Mapped[str]
        betpawa_market_name: Mapped[str]
        line: Mapped[float | None]
        outcomes: Mapped[list]

    def one(session, kind, keys, **values):
        found = session.scalars(select(kind).filter_by(**keys)).first()
        if not found:
            found = kind(**keys, **values)
            session.add(found)
            session.flush()
        return found

    def store(session, name, scraped):
        fields = {key: scraped[key] for key in ("kickoff",)} | {
            "name": f"{scraped['home']} - {scraped['away']}", "home_team": scraped["home"], "away_team": scraped["away"]}
        if name == "betpawa":
            tournament = one(session, Tournament, {"sport_id": 1, "name": scraped["tournament"], "country": scraped["country"]})
            event = one(session, Event, {"sportradar_id": scraped["match"]}, tournament_id=tournament.id, **fields)
            kind, part, owner = Snapshot, Market, {"event_id": event.id, "bookmaker_id": 1}
        else:
            tournament = one(session, CompetitorTournament, {"source": name, "external_id": scraped["tournament_id"]},
                             sport_id=1, name=scraped["tournament"], country_raw=scraped["country"])
            event = session.scalars(select(Event).filter_by(sportradar_id=scraped["match"])).first()
            own = one(session, CompetitorEvent, {"source": name, "external_id": scraped["id"]}, tournament_id=tournament.id,
                      betpawa_event_id=event and event.id, sportradar_id=scraped["match"], **fields)
            kind, part, owner = CompetitorSnapshot, CompetitorMarket, {"competitor_event_id": own.id}
        if event:
            one(session, Link, {"event_id": event.id, "bookmaker_id": 1 + list(PLATFORMS).index(name)}, external_event_id=scraped["id"])
        newest = session.scalars(select(kind).filter_by(**owner).order_by(kind.captured_at.desc()).limit(1)).first()
        if newest and {(m.betpawa_market_id, m.line): m.outcomes for m in newest.markets} == scraped["markets"]:
            newest.last_confirmed_at = bench.now()
            return
        session.add(kind(**owner, captured_at=bench.now(), last_confirmed_at=bench.now(), markets=[
            part(betpawa_market_id=id, betpawa_market_name=id, line=line, outcomes=outcomes) for (id, line), outcomes in scraped["markets"].items()]))

    engine = bench.engine(path)
    with Session(engine) as session:
        session.connection().exec_driver_sql("INSERT OR IGNORE INTO sports(id, name, slug) VALUES (1, 'Football', 'football')")
        for number, name in enumerate(PLATFORMS):
            session.connection().exec_driver_sql(
                "INSERT OR IGNORE INTO bookmakers(id, name, slug, is_active, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?)",
                (number + 1, name, name, str(bench.now()), str(bench.now())))
        session.commit()

    async def scrape(name, limit):
        base, parse = f"http://127.0.0.1:{port}/{name}", globals()[f"{name}_event"]
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=limit), timeout=30) as client:
            async def fetch(id, match):
                address, query = ADDRESS[name](base, id)
                return parse((await client.get(address, params=query)).raise_for_status().json(), match)
            listed = [entry async for entry in globals()[name](client, base, limit)]
            for start in range(0, len(listed), 50):
                events = await asyncio.gather(*(fetch(*entry) for entry in listed[start:start + 50]))
                with Session(engine) as session:
                    for event in events:
                        store(session, name, event)
                    session.commit()
    await scrape("betpawa", PLATFORMS["betpawa"])
    await asyncio.gather(*(scrape(name, limit) for name, limit in PLATFORMS.items() if name != "betpawa"))


def measure(command, work, wanted):
    """A scrape that finds everything new, and one that finds nothing changed."""
    first = bench.Run(command, cwd=work).end()
    stored = count(f"{work}/odds.sqlite")
    second = bench.Run(command, cwd=work).end()
    again = count(f"{work}/odds.sqlite")
    faults = first["faults"] + second["faults"]
    if stored != wanted or again != wanted:
        faults.append(f"stored {stored}, then {again}, expected {wanted}")
    return {"seconds": first["seconds"], "new": first["seconds"], "same": second["seconds"], "cpu": first["cpu"], "memory": max(first["memory"], second["memory"]), "faults": faults}


def main():
    parser = bench.options(__doc__)
    parser.add_argument("--matches", type=int, default=1000)
    parser.add_argument("--port", type=int, default=0, help="where the platforms answer; any that is free, unless given")
    parser.add_argument("--contender", nargs=2, help=bench.HIDDEN)
    options = parser.parse_args()
    if options.contender:
        return asyncio.run(peer(*options.contender))
    program, port = bench.program(options), options.port or bench.port()
    commands = {"upkeep": program + ["run", "scraping", "--quiet", "--config", "upkeep.yaml"]}
    if bench.has(options, "httpx", "sqlalchemy"):
        commands["httpx and SQLAlchemy"] = [sys.executable, os.path.abspath(__file__), "--contender", "odds.sqlite", str(port)]
    runs, n = {name: [] for name in commands}, options.matches
    wanted = dict(zip(TABLES, (n, 2 * n, n, 2 * n, 6 * n, 12 * n)))
    with bench.folder() as folder:
        server = bench.start(program + ["demo", f"{folder}/demo", "--scale", "0.00001", "--platforms", str(port), "--matches", str(n)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/betpawa/api/sportsbook/v3/categories/list/2").read()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > until:
                    sys.exit(f"the made-up platforms don't answer; is port {port} taken?")
                time.sleep(0.1)
        base, work = f"{folder}/demo/data/odds.sqlite", f"{folder}/work"
        bench.fill(base, {})
        table = bench.Table(["contender"], {"new: events/s": rate("new", 3 * n), "unchanged: events/s": rate("same", 3 * n), "CPU s": "cpu", "memory MB": "memory"})
        for name in bench.turns(list(commands), options.repetitions):
            shutil.rmtree(work, ignore_errors=True)
            os.mkdir(work)
            shutil.copyfile(base, f"{work}/odds.sqlite")
            with open(f"{work}/upkeep.yaml", "w") as file:
                file.write(CONFIGURATION.format(platforms="\n".join(
                    f"        {name}: {{ base_url: \"http://127.0.0.1:{port}/{name}\", delay: 0s, concurrency: {limit} }}" for name, limit in PLATFORMS.items())))
            runs[name].append(measure(commands[name], work, wanted))
        right = table.rows([], runs)
        bench.stop(server)
        return 0 if right else 1


def rate(key, events):
    return lambda runs: events / statistics.median(run[key] for run in runs)


if __name__ == "__main__":
    bench.run(main)
