import { html } from 'htm/preact';
import { useState } from 'preact/hooks';

export interface TenantEntry {
  id: string;
  name: string;
}

interface HeaderProps {
  tenants: TenantEntry[];
  tenant: string;
  onChoose: (id: string) => void;
}

export function Header({ tenants, tenant, onChoose }: HeaderProps) {
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
      ${
        tenants.length > 1
          ? html`
              <label class="hidden" for="tenant">Tenant</label>
              <select
                id="tenant"
                class="tenant no-print"
                onChange=${(event: Event) => onChoose((event.currentTarget as HTMLSelectElement).value)}
              >
                ${tenants.map(({ id, name: each }) => html`<option value=${id} selected=${id === tenant}>${each}</option>`)}
              </select>
            `
          : null
      }
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
