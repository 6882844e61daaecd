import { html } from 'htm/preact';
import { useId } from 'preact/hooks';

/** What one types or chooses, with its name. */

interface SearchProps {
  label: string;
  value: string;
  onInput: (text: string) => void;
}

export function Search({ label, value, onInput }: SearchProps) {
  return html`<input
    type="search"
    class="search"
    aria-label=${label}
    placeholder=${label}
    value=${value}
    maxlength="200"
    spellcheck="false"
    autocomplete="off"
    onInput=${(event: InputEvent) => onInput((event.currentTarget as HTMLInputElement).value)}
  />`;
}

interface SelectProps {
  label: string;
  /** Null: all. */
  value: string | null;
  options: [value: string, label: string][];
  /** What choosing none is called. */
  all: string;
  onChange: (value: string | null) => void;
}

export function Select({ label, value, options, all, onChange }: SelectProps) {
  const id = useId();
  return html`
    <label class="hidden" for=${id}>${label}</label>
    <select
      id=${id}
      value=${value ?? ''}
      onChange=${(event: Event) => onChange((event.currentTarget as HTMLSelectElement).value || null)}
    >
      <option value="" selected=${value === null}>${all}</option>
      ${options.map(([name, text]) => html`<option value=${name} selected=${name === value}>${text}</option>`)}
    </select>
  `;
}
