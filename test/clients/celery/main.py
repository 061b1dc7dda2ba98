# Sends tasks to the queue `key`: each has one number.
import json
import sys
import time

from client import make_client

job = json.loads(sys.argv[1])
sentinels = [(host, int(port)) for host, port in (at.rsplit(":", 1) for at in job["sentinels"])]
options = {"password": job["password"]} if "password" in job else {}
app = make_client(sentinels, job["name"], **options)

n = 0
while True:
    n += 1
    try:
        app.send_task("write", args=[n], queue=job["key"], ignore_result=True)
        print(json.dumps({"n": n, "atMs": time.time() * 1000}), flush=True)
    except Exception as error:
        print(json.dumps({"n": n, "atMs": time.time() * 1000, "error": repr(error)}), file=sys.stderr, flush=True)
    time.sleep(0.01)
