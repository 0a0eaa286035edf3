<?php

// The Laravel target's benchmark; `bench_shim` runs it beside a freshly generated folder. All is measured under PHP's server, with
// opcache and APCu, configuration and routes cached: in a loop as for the other targets, and in requests of their own, since PHP
// keeps nothing from one to the next. Debian packs no library for JWT: the bare side is what such a library does at least, its
// key in hand.

declare(strict_types=1);

const PAIRS = 500;
const CACHE = 10_000;

$folder = getcwd();
require "$folder/app/AutherCutover/Base64Url.php";
require "$folder/app/AutherCutover/Settings.php";

use App\AutherCutover\Base64Url;

function env(string $name, mixed $default = null): mixed
{
    return getenv($name) ?: $default;
}

function storage_path(string $path): string
{
    return getcwd()."/storage/$path";
}

foreach (['bootstrap/cache', 'state'] as $name) {
    mkdir("$folder/$name", 0700, true);
}
// Each decision's line is written, and goes nowhere: how fast a disk is, is not the shim's.
$settings = ['log' => '/dev/null', 'state_folder' => "$folder/state", 'stage_cache' => "$folder/kept.json", 'middleware' => []]
    + require "$folder/config/auther_cutover.php";
file_put_contents("$folder/bootstrap/cache/auther_cutover.php", '<?php return '.var_export($settings, true).';');
file_put_contents("$folder/bootstrap/cache/routes-v7.php", '<?php');
$keys = sodium_crypto_sign_keypair();
$public = Base64Url::encode(sodium_crypto_sign_publickey($keys));
file_put_contents("$folder/state/jwks.json", json_encode([
    'keys' => [['kty' => 'OKP', 'crv' => 'Ed25519', 'kid' => 'k1', 'x' => $public]],
]));

$token = function (int $number) use ($keys, $settings): string {
    $claims = [
        'iss' => $settings['issuers'][0], 'aud' => $settings['audiences'][0],
        'sub' => str_repeat('u', 32), 'iat' => time(), 'exp' => time() + 172_800,
        'nonce' => str_pad((string) $number, 43, '0', STR_PAD_LEFT), 'acr' => 'urn:mace:incommon:iap:silver',
        'name' => 'Alice Example', 'given_name' => 'Alice', 'family_name' => 'Example', 'email' => 'alice@example.org',
        'email_verified' => true,
    ];
    $signed = implode('.', array_map(fn ($part) => Base64Url::encode(json_encode($part)), [['alg' => 'EdDSA', 'kid' => 'k1'], $claims]));

    return $signed.'.'.Base64Url::encode(sodium_crypto_sign_detached($signed, sodium_crypto_sign_secretkey($keys)));
};

$listener = stream_socket_server('tcp://127.0.0.1:0');
$address = stream_socket_get_name($listener, false);
fclose($listener);
// In production a deployment empties opcache, and no file is looked at again.
$server = proc_open(
    ['php', '-d', 'opcache.validate_timestamps=0', '-q', '-d', 'error_reporting=E_ALL & ~E_DEPRECATED',
        '-S', $address, '-t', $folder, __DIR__.'/laravel_request.php'],
    [1 => ['file', "$folder/server.log", 'w'], 2 => ['file', "$folder/server.log", 'a']],
    $pipes,
);
register_shutdown_function(fn () => proc_terminate($server));
$http = curl_init();
$ask = function (string $query, string $bearer = '', ?string $body = null) use ($http, $address, $public): array {
    curl_setopt_array($http, [
        CURLOPT_URL => "http://$address/api/members?$query",
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_HTTPHEADER => array_filter([
            'Accept: application/json', 'Content-Type: application/json', 'Sec-Fetch-Mode: cors', 'Cookie: theme=dark; consent=1',
            "X-Key: $public", $bearer ? "Authorization: Bearer $bearer" : '',
        ]),
    ] + ($body === null ? [CURLOPT_HTTPGET => true] : [CURLOPT_POSTFIELDS => $body]));

    return json_decode((string) curl_exec($http), true)
        ?? throw new RuntimeException(curl_error($http).file_get_contents(getcwd().'/server.log'));
};
/** Nanoseconds without the shim and with it; of the latter its provider, its objects, its decision; and behind the answer. */
$alone = function (string $kind, int $number, string $bearer = '') use ($ask): array {
    $sides = $number % 2 ? ['shim', 'bare'] : ['bare', 'shim'];
    $found = array_combine($sides, array_map(fn ($side) => $ask("kind=$kind&side=$side", $bearer), $sides));
    [, $provided, $made, $shim, $behind] = $found['shim'];

    return [$found['bare'][1], $shim, $provided, $made - $provided, $shim - $made, $behind];
};
for ($tries = 0; ! @stream_socket_client("tcp://$address") && $tries < 100; $tries++) {
    usleep(50_000);
}
$seen = $token(0);
$each = fn (int $number, string $fresh) => [
    'fresh' => $alone('fresh', $number, $fresh), 'cached' => $alone('cached', $number, $seen), 'legacy' => $alone('legacy', $number),
    'nothing' => $ask('kind=fresh&side=nothing')[1],
];
// What is younger than two seconds opcache leaves alone.
for ($until = hrtime(true) + 3_000_000_000, $number = 1; hrtime(true) < $until; $number++) {
    $each($number, $token(-$number));
}
$rows = array_map(fn ($number) => $each($number, $token($number)), range(1, PAIRS));
$tokens = [
    'fresh' => array_map($token, range(PAIRS + 1, 2 * PAIRS)), 'cached' => array_fill(0, PAIRS, $seen), 'legacy' => array_fill(0, PAIRS, ''),
];
$memory = [];
// A token takes a slot at random: after three times as many as there are slots nearly all are taken, and there it begins.
for ($turn = 1; $turn <= 5; $turn++) {
    for ($number = 0; $number < CACHE; $number += PAIRS) {
        $ask('kind=fresh', body: json_encode(array_map($token, range($from = $turn * 1_000_000 + $number, $from + PAIRS - 1))));
    }
    preg_match('/VmRSS:\s+(\d+)/', file_get_contents('/proc/'.proc_get_status($server)['pid'].'/status'), $size);
    $turn >= 3 && $memory[] = (int) $size[1];
}
$found = ['nothing' => array_column($rows, 'nothing'), 'library' => 'sodium of PHP '.PHP_VERSION, 'memory_kib' => $memory];
foreach ($tokens as $kind => $bearers) {
    $found[$kind] = $ask("kind=$kind", body: json_encode($bearers));
    $found['alone'][$kind] = array_column($rows, $kind);
}
echo json_encode($found);
