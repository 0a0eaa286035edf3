<?php

// Says for each kind of key what comes of a good token, a forged one and a short signature.

use App\AutherCutover\Base64Url;
use App\AutherCutover\Key;

require 'bootstrap/app.php';

/** JOSE's form of an ECDSA signature. */
function raw(string $der): string
{
    $numbers = '';
    for ($at = 2; $at < strlen($der); $at += 2 + ord($der[$at + 1])) {
        $number = ltrim(substr($der, $at + 2, ord($der[$at + 1])), "\0");
        $numbers .= str_pad($number, 32, "\0", STR_PAD_LEFT);
    }

    return $numbers;
}

function rsa(int $bits): array
{
    $pair = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_RSA, 'private_key_bits' => $bits]);
    ['n' => $n, 'e' => $e] = openssl_pkey_get_details($pair)['rsa'];
    openssl_sign('text', $signature, $pair, OPENSSL_ALGO_SHA256);

    return [['kty' => 'RSA', 'n' => Base64Url::encode($n), 'e' => Base64Url::encode($e)], $signature];
}

function ec(string $curve, string $name): array
{
    $pair = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => $curve]);
    ['x' => $x, 'y' => $y] = openssl_pkey_get_details($pair)['ec'];
    openssl_sign('text', $signature, $pair, OPENSSL_ALGO_SHA256);
    // OpenSSL leaves leading zeros out.
    [$x, $y] = array_map(fn ($part) => Base64Url::encode(str_pad($part, 32, "\0", STR_PAD_LEFT)), [$x, $y]);

    return [['kty' => 'EC', 'crv' => $name, 'x' => $x, 'y' => $y], raw($signature)];
}

function ed25519(): array
{
    $pair = sodium_crypto_sign_keypair();
    $jwk = ['kty' => 'OKP', 'crv' => 'Ed25519', 'x' => Base64Url::encode(sodium_crypto_sign_publickey($pair))];

    return [$jwk, sodium_crypto_sign_detached('text', sodium_crypto_sign_secretkey($pair))];
}

$kinds = [
    'EdDSA' => ed25519(),
    'ES256' => ec('prime256v1', 'P-256'),
    'RS256' => rsa(2048),
    'a short RSA key' => rsa(1024),
    'another curve' => ec('secp384r1', 'P-384'),
];
// A private key's own members change nothing.
$said = [];
foreach ($kinds as $name => [$jwk, $signature]) {
    $key = Key::fromJwk($jwk + ['d' => 'x', 'kid' => 'k']);
    $spoilt = $signature;
    $spoilt[0] = chr(ord($spoilt[0]) ^ 1);
    $said[$name] = $key ? [$key->algorithm, ...array_map(
        fn ($one) => $key->verifies('text', $one), [$signature, $spoilt, "\0", ''],
    )] : null;
}
$said['an algorithm of another kind'] = Key::fromJwk($kinds['RS256'][0] + ['alg' => 'EdDSA']);
echo json_encode($said);
