<?php

namespace App\AutherCutover;

/** One public key of Auther's. The algorithm is the key's, never the token's. */
final class Key
{
    private const RSA_BITS_MIN = 2048;
    // DER of the SubjectPublicKeyInfo of an uncompressed P-256 point, and of the algorithm rsaEncryption.
    private const EC_PREFIX = '3059301306072a8648ce3d020106082a8648ce3d030107034200';
    private const RSA_ALGORITHM = '300d06092a864886f70d0101010500';

    /** @param  string  $key  32 bytes of Ed25519, otherwise PEM. */
    public function __construct(public readonly string $algorithm, public readonly string $key)
    {
    }

    /** What a key is for: a JWK that names no algorithm gets the one of its kind. '' for any other kind. */
    public static function algorithmOf(array $jwk): string
    {
        $own = match ([$jwk['kty'], $jwk['kty'] === 'RSA' ? null : $jwk['crv'] ?? null]) {
            ['OKP', 'Ed25519'] => 'EdDSA',
            ['EC', 'P-256'] => 'ES256',
            ['RSA', null] => 'RS256',
            default => '',
        };

        return ($jwk['alg'] ?? $own) === $own ? $own : '';
    }

    /** Reads the public members only; null when they are no strong key. */
    public static function fromJwk(array $jwk): ?self
    {
        $algorithm = self::algorithmOf($jwk);
        [$x, $y, $n, $e] = array_map(
            fn ($name) => is_string($jwk[$name] ?? null) ? Base64Url::decode($jwk[$name]) : null,
            ['x', 'y', 'n', 'e'],
        );
        $key = match ($algorithm) {
            'EdDSA' => strlen((string) $x) === SODIUM_CRYPTO_SIGN_PUBLICKEYBYTES ? $x : null,
            'ES256' => strlen((string) $x) === 32 && strlen((string) $y) === 32
                ? self::pem(hex2bin(self::EC_PREFIX)."\x04$x$y") : null,
            'RS256' => $n && $e ? self::pem(self::rsa($n, $e)) : null,
            default => null,
        };
        if ($key === null || ($algorithm !== 'EdDSA' && ! self::isStrong($key))) {
            return null;
        }

        return new self($algorithm, $key);
    }

    public function verifies(string $signed, string $signature): bool
    {
        // Sodium and openssl throw or warn at signatures of another length.
        return match ($this->algorithm) {
            'EdDSA' => strlen($signature) === SODIUM_CRYPTO_SIGN_BYTES
                && sodium_crypto_sign_verify_detached($signature, $signed, $this->key),
            'ES256' => strlen($signature) === 64 && $this->opens($signed, self::ecSignature($signature)),
            'RS256' => $this->opens($signed, $signature),
        };
    }

    private function opens(string $signed, string $signature): bool
    {
        return openssl_verify($signed, $signature, $this->key, OPENSSL_ALGO_SHA256) === 1;
    }

    private static function isStrong(string $pem): bool
    {
        $key = openssl_pkey_get_public($pem);
        $details = $key ? openssl_pkey_get_details($key) : null;

        return $details && ($details['type'] === OPENSSL_KEYTYPE_EC || $details['bits'] >= self::RSA_BITS_MIN);
    }

    /** JOSE has both numbers side by side, OpenSSL expects DER. */
    private static function ecSignature(string $signature): string
    {
        return self::der("\x30", self::integer(substr($signature, 0, 32)).self::integer(substr($signature, 32)));
    }

    private static function rsa(string $n, string $e): string
    {
        $key = self::der("\x30", self::integer($n).self::integer($e));

        return self::der("\x30", hex2bin(self::RSA_ALGORITHM).self::der("\x03", "\x00$key"));
    }

    private static function integer(string $bytes): string
    {
        $bytes = ltrim($bytes, "\x00");

        // A leading bit would make it negative.
        return self::der("\x02", $bytes === '' || ord($bytes[0]) > 0x7f ? "\x00$bytes" : $bytes);
    }

    private static function der(string $tag, string $content): string
    {
        $length = strlen($content);
        if ($length < 0x80) {
            return $tag.chr($length).$content;
        }
        $bytes = ltrim(pack('N', $length), "\x00");

        return $tag.chr(0x80 | strlen($bytes)).$bytes.$content;
    }

    private static function pem(string $der): string
    {
        return "-----BEGIN PUBLIC KEY-----\n".chunk_split(base64_encode($der), 64, "\n").'-----END PUBLIC KEY-----';
    }
}
