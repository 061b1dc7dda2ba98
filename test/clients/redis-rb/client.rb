require 'redis'

# `sentinels` is [{ host: '127.0.0.1', port: 26379 }], `name` is 'shard1'.
def make_client(sentinels, name, **sentinel_options)
  Redis.new(
    name: name, role: :master, sentinels: sentinels, timeout: 0.5, reconnect_attempts: [0, 0.05, 0.1], **sentinel_options
  )
end
