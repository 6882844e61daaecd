import { html } from 'htm/preact';
import { day as fullDay, points, score, signedUnits } from '../../../lambda/report/format.ts';
import { accountOf, type Account, type Move, type Span } from '../model.ts';
import type { History } from '../wire.ts';
import { percent } from './words.ts';

interface SummaryProps {
  history: History;
  moves: Move[];
  span: Span;
}

/** The score at the end of the days shown, how it came there, and how others do. */
export function Summary({ history, moves, span }: SummaryProps) {
  const [first, last] = [history.days[span.from]!, history.days[span.to]!];
  const account = accountOf(history, moves, span.from, span.to);
  return html`
    <section class="summary" aria-label="Summary">
      <div class="now">
        <p class="score">${score(last).replace(' ', '\u00A0')}</p>
        <p class="soft">${points(last.points)} of ${points(last.maximum)} points</p>
        <p class="soft">${fullDay(last.date)}</p>
      </div>
      <div class="way">
        ${
          account &&
          html`
            <${Moved}
              account=${account}
              words=${`percentage points since ${fullDay(first.date)}, from ${score(first).replace(' ', '\u00A0')}`}
            />
            <${Causes} account=${account} />
          `
        }
      </div>
      <dl class="peers">
        ${peer('Tenants of similar size', last.peersSimilar, last.percentage)}
        ${peer('All tenants', last.peersAll, last.percentage)}
      </dl>
    </section>
  `;
}

function peer(name: string, theirs: number | null, ours: number | null) {
  if (theirs === null) return null;
  return html`
    <div>
      <dt>${name}</dt>
      <dd>
        <strong>${percent(theirs)}</strong>
        ${ours !== null && html` <span class="soft">${ahead(ours - theirs)}</span>`}
      </dd>
    </div>
  `;
}

/** "14.9 ahead", of percentage points. */
function ahead(by: number): string {
  const amount = Math.round(10 * Math.abs(by));
  return amount === 0 ? 'level' : `${(amount / 10).toFixed(1)} ${by > 0 ? 'ahead' : 'behind'}`;
}

/** "▲ +0.3 percentage points since …". @param words what follows the amount */
export function Moved({ account, words }: { account: Account; words: string }) {
  const { total } = account;
  const [tone, arrow] = total > 0 ? ['good', '▲ '] : total < 0 ? ['bad', '▼ '] : ['soft', ''];
  return html`
    <p class="moved">
      <strong class=${tone}>${arrow}${signedUnits(total, 1)}</strong>
      ${` ${words}`}
    </p>
  `;
}

/** What a change is made of; as printed, it adds up. */
export function Causes({ account }: { account: Account }) {
  const parts: [string, string, number][] = [
    ['earned', account.earned < 0 ? 'lost here' : 'earned here', account.earned],
    ['decided', 'by decisions', account.decided],
    ['microsoft', 're-scored by Microsoft', account.rescored],
    ['rest', 'not explained', account.unexplained],
  ];
  const shown = parts.filter(([, , value]) => value !== 0);
  if (shown.length === 0) return null;
  const total = shown.reduce((sum, [, , value]) => sum + Math.abs(value), 0);
  return html`
    <div class="causes">
      <div class="bars" aria-hidden="true">
        ${shown.map(
          ([name, , value]) =>
            html`<span
              class=${`part ${name} ${value < 0 ? 'minus' : ''}`}
              style=${{ width: `${(100 * Math.abs(value)) / total}%` }}
            ></span>`,
        )}
      </div>
      <ul>
        ${shown.map(
          ([name, label, value]) => html`
            <li>
              <span class=${`key ${name}`} aria-hidden="true"></span><b>${signedUnits(value, 1)}</b> ${label}
            </li>
          `,
        )}
      </ul>
    </div>
  `;
}
