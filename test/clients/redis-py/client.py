from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel


def make_client(sentinels, name, **sentinel_kwargs):
    """`sentinels` is [("127.0.0.1", 26379)], `name` is "shard1"."""
    timeouts = {"socket_connect_timeout": 0.5, "socket_timeout": 0.5}
    sentinel = Sentinel(sentinels, sentinel_kwargs={**timeouts, **sentinel_kwargs})
    return sentinel.master_for(name, retry=Retry(NoBackoff(), 0), **timeouts)
