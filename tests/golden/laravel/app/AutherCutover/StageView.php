<?php

namespace App\AutherCutover;

/** Where the whole migration stands. */
final class StageView
{
    private const BUCKETS = 100_000;

    /**
     * @param  string  $stage  legacy, dual, drain or auther.
     * @param  float  $percent  Share of browsers that sign in at Auther in `dual`, 0 to 100.
     * @param  float|null  $legacyUntilS  Unix time after which legacy credentials end in `drain`.
     * @param  array  $cohorts  Groups of the application's own making that sign in at Auther in `dual`.
     * @param  string  $origin  live, cached or baked.
     */
    public function __construct(
        public readonly string $stage,
        public readonly float $percent,
        public readonly string $salt,
        public readonly int $epoch,
        public readonly bool $stopAccepting,
        public readonly ?float $legacyUntilS,
        public readonly array $cohorts,
        public readonly string $origin,
    ) {
    }

    /** Whether legacy credentials no longer sign anybody in. */
    public function legacyIsOver(): bool
    {
        return $this->stage === 'auther'
            || ($this->stage === 'drain' && $this->legacyUntilS !== null && microtime(true) >= $this->legacyUntilS);
    }

    /** Whether Auther's tokens are good; after a compromise they are not. */
    public function acceptsAuther(): bool
    {
        return ! ($this->stage === 'legacy' && $this->stopAccepting);
    }

    /**
     * On which side a browser signs in: sticky, and monotonic in percent.
     *
     * @param  string  $key  The browser's random bucket cookie.
     * @param  string  $cohort  The group that the visitor belongs to.
     */
    public function sendsToAuther(string $key, string $cohort = ''): bool
    {
        if ($this->stage !== 'dual') {
            return $this->stage !== 'legacy';
        }
        // An integer on both sides: 0.07 * 1000 is 70.00000000000001.
        return in_array($cohort, $this->cohorts, true)
            || self::bucket($this->salt, $key) < (int) round($this->percent * 1000);
    }

    /** The first 8 bytes of the hash, modulo 100,000: in two halves, since PHP has no unsigned integers of 64 bits. */
    public static function bucket(string $salt, string $key): int
    {
        [, $high, $low] = unpack('N2', hash('sha256', $salt.$key, true));

        return (($high % self::BUCKETS) * (2 ** 32 % self::BUCKETS) + $low) % self::BUCKETS;
    }
}
