<?php

namespace App\Exceptions;

use Illuminate\Foundation\Exceptions\Handler as ExceptionHandler;
use Illuminate\Http\Response;
use Symfony\Component\HttpKernel\Exception\HttpExceptionInterface;

class Handler extends ExceptionHandler
{
    protected function renderHttpException(HttpExceptionInterface $e)
    {
        return new Response('something went wrong', $e->getStatusCode(), $e->getHeaders());
    }
}
