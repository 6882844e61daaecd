import { html } from 'htm/preact';
import { useRef } from 'preact/hooks';
import type { ListName } from '../route.ts';

interface TabsProps<Name extends ListName> {
  names: readonly Name[];
  titles: Record<Name, string>;
  /** Said beside the titles. */
  numbers?: Partial<Record<Name, number>>;
  shown: Name;
  onOpen: (name: Name) => void;
}

/** The heads of lists of which one is shown, in the panel `list`; the arrow keys go from one to the next. */
export function Tabs<Name extends ListName>({ names, titles, numbers, shown, onOpen }: TabsProps<Name>) {
  const tabs = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = (names.indexOf(shown) + step + names.length) % names.length;
    onOpen(names[next]!);
    tabs.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
  };
  return html`
    <div class="tabs" role="tablist" aria-label="Lists" ref=${tabs} onKeyDown=${onKeyDown}>
      ${names.map((name) => {
        const number = numbers?.[name];
        return html`
          <button
            type="button"
            role="tab"
            id=${`tab-${name}`}
            aria-controls="list"
            aria-selected=${String(shown === name)}
            tabindex=${shown === name ? 0 : -1}
            onClick=${() => onOpen(name)}
          >
            ${titles[name]}${number === undefined ? '' : html` <span class="soft">${number.toLocaleString('en-GB')}</span>`}
          </button>
        `;
      })}
    </div>
  `;
}
