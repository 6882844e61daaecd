import { describe, expect, it } from 'vitest';
import { sparkline } from '../../lambda/report/sparkline.ts';

describe('a sparkline', () => {
  it.each<[string, (number | null)[], number, string]>([
    ['from the lowest to the highest', [1, 2, 3, 4, 5, 6, 7, 8], 20, '▁▂▃▄▅▆▇█'],
    ['with gaps', [1, null, 8], 20, '▁ █'],
    ['that never moved', [5, 5, 5], 20, '▄▄▄'],
    ['of averages, where there is less room', [0, 0, 10, 10, 0, 10], 3, '▁█▅'],
    ['of nothing', [null, null], 20, ''],
    ['of one', [3], 20, '▄'],
  ])('%s', (_, values, width, drawn) => {
    expect(sparkline(values, width)).toBe(drawn);
  });

  it('of several lines can share a range', () => {
    expect(sparkline([5, 10], 20, { lowest: 0, highest: 10 })).toBe('▅█');
  });
});
