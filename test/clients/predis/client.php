<?php

// $sentinels is ['tcp://127.0.0.1:26379?timeout=0.5'], $name is 'shard1'.
function make_client(array $sentinels, string $name): Predis\Client
{
    $client = new Predis\Client($sentinels, [
        'replication' => 'sentinel',
        'service' => $name,
        'parameters' => ['timeout' => 0.5, 'read_write_timeout' => 0.5],
    ]);
    $client->getConnection()->setRetryWait(50); // milliseconds between two questions
    return $client;
}

// Predis forgets an address that does not answer, so a long-running process needs a new client then.
function run_with(?Predis\Client &$client, callable $make, callable $run)
{
    try {
        return $run($client ??= $make());
    } catch (Predis\ClientException $error) {
        $client = null;
        throw $error;
    }
}
