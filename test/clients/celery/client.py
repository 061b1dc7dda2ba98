from celery import Celery


def make_client(sentinels, name, **sentinel_kwargs):
    """`sentinels` is [("127.0.0.1", 26379)], `name` is "shard1"."""
    timeouts = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
    app = Celery(broker=";".join(f"sentinel://{host}:{port}" for host, port in sentinels))
    app.conf.broker_transport_options = {
        "master_name": name,
        "sentinel_kwargs": {**timeouts, **sentinel_kwargs},
        **{"interval_start": 0, "interval_step": 0.1, "interval_max": 0.5},  # between two attempts, in seconds
        **timeouts,
    }
    return app
