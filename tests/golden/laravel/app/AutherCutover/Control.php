<?php

namespace App\AutherCutover;

/**
 * The positive control: a signed request that must show up in the counters as legacy traffic. If it does not, a count of
 * zero proves nothing. It signs nobody in. Each marker is good once on this host, for a minute.
 */
final class Control
{
    public const HEADER = 'X-Migrator-Control';
    public const PATH = '/migrator/control';
    private const WINDOW_S = 60;
    private const MARKER = '/^(v1\.(\d{1,12})\.([0-9a-f]{32}))\.([0-9a-f]{64})$/D';

    public function __construct(private readonly Settings $settings, private readonly StateFolder $folder)
    {
    }

    /** Whether a marker is ours, fresh and unused. A bad one is as if it were not there. */
    public function accepts(?string $marker): bool
    {
        $secret = $this->settings->control_secret;
        if ($marker === null || $secret === '' || ! preg_match(self::MARKER, $marker, $found)) {
            return false;
        }
        [, $signed, $atS, $nonce, $mac] = $found;
        if (abs(time() - (int) $atS) > self::WINDOW_S || ! hash_equals(hash_hmac('sha256', $signed, $secret), $mac)) {
            return false;
        }
        // A marker from a clock that runs ahead stays valid for up to twice the window.
        $this->folder->forget('nonce-', 2 * self::WINDOW_S + 1);

        return $this->folder->claim("nonce-$nonce");
    }
}
