// Requests to the console: all are POST with JSON and the token of the session.

let csrf = "";
let loggedOut = () => {};

/** What went wrong; `status` is that of HTTP, 0 if nothing came back. */
export class Failure extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** Call `f` whenever the session is over. */
export function onLoggedOut(f) {
  loggedOut = f;
}

async function send(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("The console does not answer.", 0);
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  const failure = new Failure(told.error ?? response.statusText, response.status);
  if (response.status === 401 && path !== "/api/login") loggedOut(failure);
  throw failure;
}

/** The answer to a request. Throws a Failure. */
export async function call(path, body = {}) {
  return (await send(path, body)).json();
}

/** Who is logged in, or how one may log in. */
export async function session() {
  const told = await call("/api/session");
  csrf = told.csrf ?? "";
  return told;
}

/** Log in with `{username, password}`, `{key}` or `{}`. */
export async function logIn(wanted) {
  const told = await call("/api/login", wanted);
  csrf = told.csrf;
  return told;
}

/** Call `take` with each line of an answer that goes on, until it ends or `signal` says so. */
export async function follow(path, body, take, signal) {
  const response = await send(path, body, signal);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) take(JSON.parse(line));
  }
}
