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
        $left = array_keys(array_filter($values, fn ($value) => str_contains(json_encode($value), '"CHANGE_ME')));
        $this->require(! $left, 'CHANGE_ME is left in '.implode(', ', $left));
        foreach (self::URLS as $name) {
            $this->require($this->isSafe($values[$name]), "$name must be https (http only on this machine)");
        }
        foreach (self::OPTIONAL_URLS as $name) {
            $isSafe = $values[$name] === '' || $this->isSafe($values[$name]);
            $this->require($isSafe, "$name must be https (http only on this machine)");
        }
        foreach (['issuers', 'audiences', 'algorithms'] as $name) {
            $this->require((bool) $values[$name], "$name must not be empty");
        }
        // A symmetric algorithm would make every published key a signing key.
        $unknown = array_diff($values['algorithms'], ['EdDSA', 'RS256', 'ES256']);
        $this->require(! $unknown, 'algorithms may be EdDSA, RS256 and ES256');
        $this->require($values['leeway_s'] >= 0 && $values['leeway_s'] <= 60, 'leeway_s must lie between 0 and 60');
        $cooldownS = $values['jwks_cooldown_s'];
        $this->require($cooldownS >= 1 && $cooldownS <= 30, 'MIGRATOR_JWKS_COOLDOWN_S must lie between 1 and 30');
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

    private function isSafe(string $url): bool
    {
        $parts = parse_url($url);
        $scheme = $parts['scheme'] ?? '';
        $isLoopback = in_array($parts['host'] ?? '', ['localhost', '127.0.0.1', '[::1]'], true);

        return $scheme === 'https' || ($scheme === 'http' && $isLoopback);
    }

    private function require(bool $holds, string $otherwise): void
    {
        if (! $holds) {
            throw new RuntimeException("auther_cutover: $otherwise");
        }
    }
}
