import { findChromium } from './chromium.ts';

/** Before any history is made, which takes a while. */
export default function setup(): void {
  findChromium();
}
