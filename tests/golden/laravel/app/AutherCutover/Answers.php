<?php

namespace App\AutherCutover;

use Illuminate\Http\JsonResponse;
use Illuminate\Http\RedirectResponse;
use Illuminate\Http\Request;
use Illuminate\Http\Response;

/** Small answers, and what is asked of requests for them. */
final class Answers
{
    private const MAX_PATH = 1024;

    public static function json(int $status, string $error): JsonResponse
    {
        $challenge = $status === 401 ? ['WWW-Authenticate' => 'Bearer error="invalid_token"'] : [];

        return new JsonResponse(['error' => $error], $status, ['Cache-Control' => 'no-store'] + $challenge);
    }

    public static function unavailable(int $retryAfterS): JsonResponse
    {
        $answer = self::json(503, 'verification_unavailable');
        $answer->headers->set('Retry-After', (string) $retryAfterS);

        return $answer;
    }

    public static function seeOther(string $location): RedirectResponse
    {
        return new RedirectResponse($location, 303, ['Cache-Control' => 'no-store']);
    }

    /** @param  string  $body  HTML. */
    public static function page(int $status, string $title, string $body): Response
    {
        $page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>$title</title>".
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><h1>$title</h1>$body</html>\n";

        return new Response($page, $status, [
            'Cache-Control' => 'no-store',
            'Content-Security-Policy' => "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
        ]);
    }

    /** Whether a person waits for a page, who can be sent to another one. */
    public static function wantsPage(Request $request): bool
    {
        $mode = (string) $request->headers->get('Sec-Fetch-Mode');

        return $mode !== ''
            ? $mode === 'navigate'
            : str_contains((string) $request->headers->get('Accept'), 'text/html');
    }

    /** Whether it has the signs of a browser, whatever it asks for. */
    public static function isFromBrowser(Request $request): bool
    {
        return $request->headers->has('Sec-Fetch-Mode')
            || str_starts_with((string) $request->headers->get('User-Agent'), 'Mozilla/')
            || str_contains((string) $request->headers->get('Accept'), 'text/html');
    }

    /** Whether it is a person on the way to a page. */
    public static function isNavigation(Request $request): bool
    {
        return in_array($request->getRealMethod(), ['GET', 'HEAD'], true) && self::wantsPage($request);
    }

    /** Whether a POST comes from a page of our own. Not compared with the Host header: behind a proxy it is another. */
    public static function isSameOrigin(Request $request, Settings $settings): bool
    {
        $site = (string) $request->headers->get('Sec-Fetch-Site');

        return $site !== '' ? $site === 'same-origin' : $request->headers->get('Origin') === $settings->origin();
    }

    /** Where a login may return to: a path of this site, nothing that a browser reads as another host. */
    public static function safeReturnPath(mixed $path, string $otherwise): string
    {
        // D: without it `$` also matches before a last line break.
        $isSafe = is_string($path) && strlen($path) <= self::MAX_PATH
            && preg_match('#^/(?![/\\\\])[\x21-\x5b\x5d-\x7e]*$#D', $path) === 1;

        return $isSafe && ! str_starts_with($path, '/auth/') ? $path : $otherwise;
    }

    public static function withReturn(string $path, string $returnTo): string
    {
        return $returnTo === '' ? $path : $path.'?'.http_build_query(['return_to' => $returnTo]);
    }

    /** The path as it was asked for, not decoded: what a proxy saw. */
    public static function pathOf(Request $request): string
    {
        return explode('?', $request->getRequestUri(), 2)[0];
    }
}
