/**
 * Where /oauth2/authorize sends a browser without a session. better-auth remembers the authorization request in a
 * signed cookie and continues it after the sign-in: the answer to this form is the redirect to the application.
 */
const loginPage = `<!doctype html>
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

const links = `<p><a href="/sign-up">Register</a> <a href="/forgot-password">Forgot your password?</a>
`;

/** The pages by path. */
export const pages = (all: boolean): Record<string, string> =>
  all
    ? { "/sign-in": loginPage.replace("</form>\n", `</form>\n${links}`), ...otherPages }
    : { "/sign-in": loginPage };

const page = (title: string, action: string, fields: string) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<h1>${title}</h1>
<form method="post" action="${action}">
${fields}  <p><button>${title}</button>
</form>
</html>
`;

const email = `  <p><label>E-mail <input name="email" type="email" autocomplete="username" required></label>\n`;
const otherPages = {
  "/sign-up": page(
    "Register at Auther",
    "/api/auth/sign-up/email",
    `  <p><label>Name <input name="name" autocomplete="name" required></label>
${email}  <p><label>Password <input name="password" type="password" autocomplete="new-password" required></label>\n`,
  ),
  "/forgot-password": page("Forgot your password?", "/api/auth/request-password-reset", email),
};
