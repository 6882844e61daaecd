import { html } from 'htm/preact';
import { useState } from 'preact/hooks';

interface HeaderProps {
  /** The way to all tenants, where there are several and another view is shown. */
  back: string | null;
}

export function Header({ back }: HeaderProps) {
  return html`
    <a
      class="skip"
      href="#main"
      onClick=${(event: Event) => {
        event.preventDefault();
        document.getElementById('main')?.focus();
      }}
      >Skip to the content</a
    >
    <header>
      <p class="brand"><span class="logo" aria-hidden="true"></span>Secure Score history</p>
      ${back !== null && html`<nav class="no-print" aria-label="Pages"><a href=${back}>← All tenants</a></nav>`}
      <${ThemeButton} />
    </header>
  `;
}

/** As the system has it, until somebody chooses. */
function ThemeButton() {
  const [dark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches);
  const choose = () => {
    document.documentElement.dataset['theme'] = dark ? 'light' : 'dark';
    setDark(!dark);
  };
  return html`
    <button
      type="button"
      class="theme no-print"
      aria-label="Dark"
      aria-pressed=${String(dark)}
      onClick=${choose}
    >
      <span aria-hidden="true">◐</span><span class="theme-word">Dark</span>
    </button>
  `;
}
