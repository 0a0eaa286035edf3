<?php

namespace App\AutherCutover;

use GuzzleHttp\Exception\TransferException;
use Illuminate\Http\Client\ConnectionException;
use Illuminate\Http\Client\PendingRequest;
use Illuminate\Http\Client\Response;
use Illuminate\Support\Facades\Http;

/** Calls to Auther, server to server: short, and never redirected. */
final class Plugin
{
    public function __construct(private readonly Settings $settings)
    {
    }

    /** Whether something of the plugin is set up. */
    public function has(string $secret): bool
    {
        return $this->settings->plugin_url !== '' && $secret !== '';
    }

    /**
     * What the migration plugin says.
     *
     * @throws Unavailable It cannot be asked, or does not answer with 200; `status` says with what.
     */
    public function post(string $path, string $secret, array $body, int $timeoutS): array
    {
        if (! $this->has($secret)) {
            throw new Unavailable("$path: no plugin URL or no secret");
        }
        $answer = self::send(
            fn (PendingRequest $http) => $http->withToken($secret)->post("{$this->settings->plugin_url}/$path", $body), $timeoutS,
        );

        return $answer->status() === 200 ? (array) $answer->json()
            : throw new Unavailable("$path answered {$answer->status()}", status: $answer->status());
    }

    /**
     * @param  callable(PendingRequest): Response  $request
     *
     * @throws Unavailable No answer in time.
     */
    public static function send(callable $request, int $timeoutS): Response
    {
        try {
            return $request(Http::acceptJson()->timeout($timeoutS)->withOptions(['allow_redirects' => false]));
        } catch (ConnectionException|TransferException) {
            throw new Unavailable('Auther does not answer');
        }
    }
}
