<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;

/**
 * Counters with closed labels, added up over all workers, and one line of JSON for each decision. A request notes what it
 * counts and writes it behind its answer, in one of a few files, each under a lock of its own, so that workers seldom meet.
 * They stay over restarts: a sum never shrinks.
 */
final class Counters
{
    private const SHARDS = 64;
    private const DURATION = 'auth_decision_duration_seconds';
    private const BUCKETS_S = ['0.001', '0.003', '0.01', '0.03', '0.1', '0.3', '1'];
    private const MICROSECONDS = 'decision_microseconds';
    private const PATHS = ['legacy', 'auther', 'both', 'foreign', 'none'];
    private const HELP = [
        'auth_requests_total' => 'Requests by decision.',
        'auth_logins_total' => 'Sessions that gained a user.',
        'auth_logins_refused_total' => 'Sign-ins refused at a closed door.',
        'auth_logins_failed_total' => 'Logins at Auther that came to no end.',
        'auth_errors_total' => 'Requests that the application answered with a 5xx.',
        'auth_jwks_fetch_total' => 'Fetches of the key set.',
        'auth_captures_total' => 'Passwords that Auther lacked and was given.',
        'auth_shadow_checks_total' => 'Passwords checked at Auther beside the request.',
        'auth_logouts_total' => "Sign-outs, and whether Auther's own session ended.",
        'auth_exchanges_total' => 'Legacy sessions exchanged for one at Auther.',
        'auth_renewals_total' => 'Expired tokens renewed.',
        'auth_jit_total' => 'Users of Auther who came for the first time.',
    ];

    /** @var array<string, int> By Prometheus's own notation. */
    private array $pending = [];
    /** @var list<array{array<string, string>, bool, list<string>, ?float}> Labels, whether synthetic, parties, seconds waited. */
    private array $decided = [];
    private string $lines = '';

    public function __construct(private readonly StateFolder $folder, private readonly Settings $settings)
    {
    }

    /** @param  array<string, string>  $labels  Each from a closed list. */
    public function add(string $name, array $labels, int $times = 1): void
    {
        $sample = self::sample($name, $labels);
        $this->pending[$sample] = ($this->pending[$sample] ?? 0) + $times;
    }

    /**
     * Counts a request; real traffic and the positive control go through this same line.
     *
     * @param  float|null  $sinceS  When the request's decision began, by `microtime(true)`.
     */
    public function decided(
        Decision $decision,
        string $stage,
        Request $request,
        ?float $sinceS = null,
        bool $synthetic = false,
    ): void {
        $labels = [
            'path' => $decision->path, 'outcome' => $decision->outcome, 'stage' => $stage, 'reason' => $decision->reason,
            'client' => $decision->clientOf($request),
        ];
        $waitedS = $sinceS === null ? null : max(0, microtime(true) - $sinceS);
        $this->decided[] = [$labels, $synthetic, $decision->parties, $waitedS];
    }

    /** Counts an answer of the application, where it failed. */
    public function answered(string $path, int $status): void
    {
        if ($status >= 500) {
            $this->add('auth_errors_total', ['path' => $path]);
        }
    }

    public function log(array $facts): void
    {
        $this->lines .= json_encode($facts)."\n";
    }

    /** Writes what this request has counted and has to say. Best effort: a full disk must not fail a request. */
    public function save(): void
    {
        foreach ($this->decided as [$labels, $synthetic, $parties, $waitedS]) {
            $this->add('auth_requests_total', $labels + ['synthetic' => $synthetic ? '1' : '0']);
            $waitedS === null || $this->observe($waitedS);
            $this->log(['event' => 'auth'] + $labels + array_filter(compact('synthetic', 'parties'))
                + ($waitedS === null ? [] : ['waited_us' => (int) round($waitedS * 1e6)]));
        }
        $this->decided = [];
        $this->lines === '' || @file_put_contents($this->settings->log, $this->lines, FILE_APPEND);
        $this->lines = '';
        $this->pending && $this->addUp();
    }

    /**
     * Everything in Prometheus's text form.
     *
     * @param  array<string, string>  $info  The labels of `migrator_shim_info`.
     * @param  array<string, int|float>  $gauges
     */
    public function exposition(array $info, array $gauges = []): string
    {
        $sums = $this->sums();
        foreach (self::PATHS as $path) {
            // There from the start: none so far is not the same as not counted.
            $sums += [self::sample('auth_errors_total', ['path' => $path]) => 0];
        }
        $text = '';
        foreach (self::HELP as $name => $help) {
            $own = array_filter($sums, fn ($sample) => str_starts_with($sample, $name.'{'), ARRAY_FILTER_USE_KEY);
            ksort($own);
            $lines = array_map(fn ($sample, $value) => "$sample $value\n", array_keys($own), $own);
            $text .= "# HELP $name $help\n# TYPE $name counter\n".implode($lines);
        }
        $gauges = [self::sample('migrator_shim_info', $info) => 1] + $gauges
            + ['migrator_process_start_time_seconds' => $this->startedAtS()];
        foreach ($gauges as $sample => $value) {
            $name = explode('{', $sample)[0];
            $text .= "# HELP $name Of this instance.\n# TYPE $name gauge\n$sample $value\n";
        }

        return $text.$this->durations($sums);
    }

    private function addUp(): void
    {
        $file = $this->folder->open('counters-'.getmypid() % self::SHARDS, 'c+');
        if ($file && flock($file, LOCK_EX)) {
            $kept = $this->readFrom($file);
            foreach ($this->pending as $sample => $times) {
                $kept[$sample] = ($kept[$sample] ?? 0) + $times;
            }
            // One write, and never of a shorter text: a worker that is killed leaves the old text or the new one.
            rewind($file);
            fwrite($file, json_encode($kept));
            fclose($file);
        }
        $this->pending = [];
    }

    private function observe(float $seconds): void
    {
        $bucket = '+Inf';
        foreach (array_reverse(self::BUCKETS_S) as $bound) {
            $bucket = $seconds <= (float) $bound ? $bound : $bucket;
        }
        $this->add(self::DURATION, ['le' => $bucket]);
        $this->add(self::MICROSECONDS, [], (int) ceil($seconds * 1e6));
    }

    private function durations(array $sums): string
    {
        $name = self::DURATION;
        $text = "# HELP $name How long a request waits for its decision.\n# TYPE $name histogram\n";
        $requests = 0;
        foreach ([...self::BUCKETS_S, '+Inf'] as $bound) {
            $requests += $sums[self::sample($name, ['le' => $bound])] ?? 0;
            $text .= self::sample("{$name}_bucket", ['le' => $bound])." $requests\n";
        }
        $sumS = ($sums[self::sample(self::MICROSECONDS, [])] ?? 0) / 1e6;

        return $text."{$name}_sum $sumS\n{$name}_count $requests\n";
    }

    /** @return array<string, int> */
    private function sums(): array
    {
        $sums = [];
        foreach (glob($this->folder->path('counters-*')) ?: [] as $path) {
            $file = fopen($path, 'r');
            flock($file, LOCK_SH);
            foreach ($this->readFrom($file) as $sample => $times) {
                $sums[$sample] = ($sums[$sample] ?? 0) + $times;
            }
            fclose($file);
        }

        return $sums;
    }

    /** @param  resource  $file */
    private function readFrom($file): array
    {
        return json_decode((string) stream_get_contents($file), true) ?? [];
    }

    /** Since when the sums grow: a restart takes nothing away from them. */
    private function startedAtS(): float
    {
        $since = $this->folder->read('counting-since');
        if ($since === null) {
            $since = (string) microtime(true);
            $this->folder->write('counting-since', $since);
        }

        return (float) $since;
    }

    private static function sample(string $name, array $labels): string
    {
        $pairs = array_map(fn ($label, $value) => $label.'="'.addcslashes($value, "\\\"\n").'"', array_keys($labels), $labels);

        return $pairs ? $name.'{'.implode(',', $pairs).'}' : $name;
    }
}
