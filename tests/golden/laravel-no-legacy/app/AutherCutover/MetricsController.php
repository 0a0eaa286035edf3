<?php

namespace App\AutherCutover;

use Illuminate\Http\Request;
use Illuminate\Http\Response;
use Symfony\Component\HttpFoundation\Response as Answer;

/** The counters, for whoever has the token; to others the path does not exist. */
final class MetricsController
{
    public const PATH = '/migrator/metrics';

    public function __construct(
        private readonly Settings $settings,
        private readonly Counters $counters,
    ) {
    }

    public function show(Request $request): Answer
    {
        $expected = $this->settings->metrics_token;
        $isBearer = preg_match('/^Bearer +(\S+) *$/iD', (string) $request->headers->get('Authorization'), $found) === 1;
        if ($expected === '' || ! $isBearer || ! hash_equals($expected, $found[1])) {
            return $this->absent();
        }
        $text = $this->counters->exposition(array_map('strval', $this->settings->facts()));

        return new Response($text, 200, [
            'Cache-Control' => 'no-store', 'Content-Type' => 'text/plain; version=0.0.4; charset=utf-8',
        ]);
    }

    public function absent(): Answer
    {
        return Answers::json(404, 'not_found');
    }
}
