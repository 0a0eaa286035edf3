<?php

namespace App\AutherCutover;

use JsonException;

/** A bearer in three parts. Nothing of it is verified. */
final class Token
{
    // Auther writes `iat` in milliseconds; no date in seconds is that large before the year 5138.
    public const MILLISECONDS_FROM = 1e11;
    private const DEPTH = 32;

    public readonly ?array $header;
    public readonly ?array $claims;
    public readonly ?string $signature;
    /** What the signature is for. */
    public readonly string $signed;

    public function __construct(string $text)
    {
        $parts = explode('.', $text);
        [$header, $claims, $signature] = count($parts) === 3 ? $parts : ['', '', ''];
        $this->header = self::readObject($header);
        $this->claims = self::readObject($claims);
        $this->signature = Base64Url::decode($signature);
        $this->signed = "$header.$claims";
    }

    /** Whether it claims to come from a listed issuer; used for routing only. */
    public function isCandidate(Settings $settings): bool
    {
        return in_array($this->claims['iss'] ?? null, $settings->issuers, true);
    }

    /** When verified claims were issued, in whole seconds, whichever unit they use. */
    public static function issuedAtS(array $claims): ?int
    {
        return isset($claims['iat']) ? (int) floor(self::seconds($claims['iat'])) : null;
    }

    public static function seconds(int|float $time): float
    {
        return $time > self::MILLISECONDS_FROM ? $time / 1000 : $time;
    }

    private static function readObject(string $segment): ?array
    {
        $json = Base64Url::decode($segment);
        try {
            // As arrays, [] and {} look alike.
            $isObject = $json !== null && str_starts_with(ltrim($json, " \t\r\n"), '{');

            return $isObject ? json_decode($json, true, self::DEPTH, JSON_THROW_ON_ERROR) : null;
        } catch (JsonException) {
            return null;
        }
    }
}
