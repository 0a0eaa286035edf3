<?php

$place = parse_url(env('DATABASE_URL'));

return [
    'default' => 'pgsql',
    'connections' => ['pgsql' => [
        'driver' => 'pgsql', 'host' => $place['host'], 'port' => $place['port'] ?? 5432,
        'database' => ltrim($place['path'], '/'), 'username' => urldecode($place['user'] ?? ''),
        'password' => urldecode($place['pass'] ?? ''), 'charset' => 'utf8', 'schema' => 'public', 'prefix' => '',
    ]],
];
