/**
 * Where /oauth2/authorize sends a browser without a session. better-auth remembers the authorization request in a
 * signed cookie and continues it after the sign-in: the answer to this form is the redirect to the application.
 */
export const loginPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sign in at Auther</title>
<h1>Sign in at Auther</h1>
<form method="post" action="/api/auth/sign-in/email">
  <p><label>E-mail <input name="email" type="email" autocomplete="username" required></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label>
  <p><button>Sign in</button>
</form>
</html>
`;
