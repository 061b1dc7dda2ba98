server           = true
bootstrap_expect = 3
retry_join       = ["172.29.86.11", "172.29.86.12", "172.29.86.13"]
retry_interval   = "2s"
data_dir         = "/consul/data"
client_addr      = "0.0.0.0"
disable_update_check = true

# As Consul recommends for servers in production. The default detects a dead leader more slowly.
performance { raft_multiplier = 1 }
