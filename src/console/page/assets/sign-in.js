import { html, useState } from './libraries.js';

/**
 * What is shown without a session.
 * @param {{ message?: string | undefined, signIn: (secret: string) => void }} props
 */
export function SignIn({ message, signIn }) {
  const [secret, setSecret] = useState('');
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (secret !== '') signIn(secret);
  };
  return html`
    <main class="sign-in">
      <form class="card" onSubmit=${submit}>
        <h1>rxflume console</h1>
        ${message && html`<p class="note bad" role="alert">${message}</p>`}
        <p>
          Open the address that <code>rxflume run --console</code> printed: the token is in it. Or enter the token or the
          password here.
        </p>
        <label for="secret">Token or password</label>
        <input id="secret" type="password" autocomplete="current-password" value=${secret}
          onInput=${(/** @type {any} */ event) => setSecret(event.target.value)} />
        <button class="primary" type="submit">Sign in</button>
      </form>
    </main>`;
}
