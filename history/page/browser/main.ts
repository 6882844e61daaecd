import { html } from 'htm/preact';
import { render } from 'preact';
import { App } from './app.ts';
import { pageData } from './data.ts';

const root = document.getElementById('app');
if (!root) throw new Error('the page has no place for itself');
root.replaceChildren();
render(html`<${App} data=${pageData()} />`, root);
