require 'json'
require_relative 'client'

job = JSON.parse(ARGV[0])
sentinels = job['sentinels'].map do |at|
  host, _, port = at.rpartition(':')
  { host: host, port: port.to_i }
end
options = job.key?('password') ? { sentinel_password: job['password'] } : {}
client = make_client(sentinels, job['name'], **options)
now_ms = -> { Process.clock_gettime(Process::CLOCK_REALTIME, :float_millisecond) }

(1..).each do |n|
  begin
    client.sadd(job['key'], n)
    puts JSON.generate({ n: n, atMs: now_ms.call })
    $stdout.flush
  rescue StandardError => e
    warn JSON.generate({ n: n, atMs: now_ms.call, error: "#{e.class}: #{e.message}" })
  end
  sleep 0.01
end
