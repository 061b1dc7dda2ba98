<?php

require __DIR__ . '/../../../.tools/predis1/usr/share/php/Predis/autoload.php';
require __DIR__ . '/client.php';

$job = json_decode($argv[1], true);
$sentinels = array_map(fn ($at) => "tcp://$at?timeout=0.5", $job['sentinels']);
$client = null;
$make = fn () => make_client($sentinels, $job['name']);

for ($n = 1; ; $n++) {
    try {
        run_with($client, $make, fn ($client) => $client->sadd($job['key'], [$n]));
        fwrite(STDOUT, json_encode(['n' => $n, 'atMs' => microtime(true) * 1000]) . "\n");
    } catch (Exception $error) {
        $line = ['n' => $n, 'atMs' => microtime(true) * 1000, 'error' => get_class($error) . ': ' . $error->getMessage()];
        fwrite(STDERR, json_encode($line) . "\n");
    }
    usleep(10000);
}
