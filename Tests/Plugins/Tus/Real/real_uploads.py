"""Real uploads for the tests: tuspyserver as the server, tuspy as the client.

serve DIR              serves DIR on a free port, and prints the port
make URL DIR           makes finished and half-finished uploads, expired and not; prints their ids as JSON
resume URL DIR COUNT   goes on with COUNT half-finished uploads that are old enough to be removed, and prints a line "sweep"
                       each time that is the moment to remove them, a little before or after; at the end it prints as JSON
                       what the server said of each, and whether what it took is there
"""
import concurrent.futures, datetime, email.utils, io, json, os, random, socket, sys, threading, time
from pathlib import Path

SIZE = 3000
HALF = 1000


def serve(folder):
    import fastapi, uvicorn
    from tuspyserver import create_tus_router

    app = fastapi.FastAPI()
    app.include_router(create_tus_router(prefix="files", files_dir=folder))
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run(sockets=[listener])


def uploader(url, data, at=None):
    from tusclient.client import TusClient

    metadata = {"filename": "a.bin", "filetype": "application/octet-stream"}
    return TusClient(url).uploader(file_stream=io.BytesIO(data), chunk_size=500, metadata=metadata, url=at)


def age(folder, name, expires):
    """Makes an upload look three days old, by what the server wrote and by its files' times."""
    then = time.time() - 3 * 86400
    sidecar = Path(folder, name + ".info")
    info = json.loads(sidecar.read_text())
    info["created_at"] = str(datetime.datetime.fromtimestamp(then))
    info["expires"] = expires
    written = Path(folder, name + ".new")
    written.write_text(json.dumps(info, indent=4))
    os.utime(written, (then, then))
    os.replace(written, sidecar)
    os.utime(Path(folder, name), (then, then))


def make(url, folder):
    made = {}
    past = email.utils.formatdate(time.time() - 86400, usegmt=True)
    for kind, stop, old in [("finished", SIZE, False), ("half", HALF, False), ("old_finished", SIZE, True), ("old_half", HALF, True)]:
        for number in range(5):
            data = bytes([number]) * SIZE
            upload = uploader(url, data)
            upload.upload(stop_at=stop)
            name = upload.url.rsplit("/", 1)[1]
            if old:
                age(folder, name, past)
            made.setdefault(kind, []).append(name)
    print(json.dumps(made))


def resume_one(url, folder, number):
    from tusclient.exceptions import TusCommunicationError

    data = bytes([number % 251]) * SIZE
    upload = uploader(url, data)
    upload.upload(stop_at=HALF)
    name = upload.url.rsplit("/", 1)[1]
    # The server takes it on still, since its expiry isn't fixed; by its age it may be removed from now on.
    age(folder, name, None)
    threading.Timer(random.Random(number).random() * 0.06, lambda: print("sweep", flush=True)).start()
    try:
        upload.upload()
    except TusCommunicationError as error:
        return dict(name=name, taken=False, status=error.status_code)
    path = Path(folder, name)
    there = path.exists() and path.read_bytes() == data and Path(folder, name + ".info").exists()
    return dict(name=name, taken=True, there=there)


def resume(url, folder, count):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda number: resume_one(url, folder, number), range(int(count))))
    for timer in threading.enumerate():
        if timer is not threading.current_thread():
            timer.join()
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    dict(serve=serve, make=make, resume=resume)[sys.argv[1]](*sys.argv[2:])
