<?php

namespace App\AutherCutover;

use RuntimeException;

/** config/auther_cutover.php, checked: an application with half a configuration answers nobody. */
final class Settings
{
    private const URLS = ['jwks_url', 'authorize_url', 'token_url', 'redirect_uri'];
    private const OPTIONAL_URLS = ['plugin_url', 'check_permission_url'];

    /** @throws RuntimeException A setting is missing or unsafe. */
    public function __construct(private readonly array $values)
    {
        if ($values['problem'] !== '') {
            throw new RuntimeException("auther_cutover: {$values['problem']}");
        }
    }

    /** What is missing or unsafe in settings; '' when nothing is. */
    public static function problemIn(array $values): string
    {
        $left = array_keys(array_filter($values, fn ($value) => str_contains(json_encode($value), '"CHANGE_ME')));
        if ($left) {
            return 'CHANGE_ME is left in '.implode(', ', $left);
        }
        $urls = array_filter(array_intersect_key($values, array_flip(self::OPTIONAL_URLS)))
            + array_intersect_key($values, array_flip(self::URLS));
        $unsafe = array_keys(array_filter($urls, fn ($url) => ! self::isSafe($url)));
        $empty = array_filter(['issuers', 'audiences', 'algorithms'], fn ($name) => ! $values[$name]);
        $isWithin = fn ($name, $from, $to) => $values[$name] >= $from && $values[$name] <= $to;
        $problems = [
            ...array_map(fn ($name) => "$name must be https (http only on this machine)", $unsafe),
            ...array_map(fn ($name) => "$name must not be empty", $empty),
            // A symmetric algorithm would make every published key a signing key.
            array_diff($values['algorithms'], ['EdDSA', 'RS256', 'ES256']) ? 'algorithms may be EdDSA, RS256 and ES256' : '',
            $isWithin('leeway_s', 0, 60) ? '' : 'leeway_s must lie between 0 and 60',
            $isWithin('jwks_cooldown_s', 1, 30) ? '' : 'MIGRATOR_JWKS_COOLDOWN_S must lie between 1 and 30',
        ];

        return implode('; ', array_filter($problems));
    }

    public function __get(string $name): mixed
    {
        return $this->values[$name] ?? throw new RuntimeException("auther_cutover: there is no setting $name");
    }

    /**
     * A cookie's name in this application: browsers take a `__Host-` cookie from nobody but this host, over https only.
     * From the settings, not from the request: behind a proxy that ends TLS a request may look like http.
     */
    public function cookieName(string $name): string
    {
        return $this->isSecure() ? "__Host-$name" : $name;
    }

    public function isSecure(): bool
    {
        return str_starts_with($this->redirect_uri, 'https:');
    }

    /** Scheme, host and port of this application. */
    public function origin(): string
    {
        return preg_replace('#^(https?://[^/]+).*$#sD', '$1', $this->redirect_uri);
    }

    /** @return array<string, mixed> What an instance tells about itself: no stage moves it any more. */
    public function facts(): array
    {
        return [
            'instance' => $this->instance, 'build' => $this->build, 'baked' => 'auther', 'stage' => 'auther', 'epoch' => 0,
            'source' => 'baked',
        ];
    }

    private static function isSafe(string $url): bool
    {
        $parts = parse_url($url);
        $scheme = $parts['scheme'] ?? '';
        $isLoopback = in_array($parts['host'] ?? '', ['localhost', '127.0.0.1', '[::1]'], true);

        return $scheme === 'https' || ($scheme === 'http' && $isLoopback);
    }
}
