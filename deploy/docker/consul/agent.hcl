# The agent of a host. Its API and its DNS listen on the host's loopback only, which is the default.
retry_join           = ["172.29.86.11", "172.29.86.12", "172.29.86.13"]
retry_interval       = "2s"
data_dir             = "/consul/data"
disable_update_check = true

# Leaving Consul takes longer than the ten seconds that Docker gives a container to stop.
leave_on_terminate = false
