import { expect, test } from 'vitest';
import { clockTime, codePoints, coordinates, initials, isolate } from './format.js';

test('two letters stand for a person, whatever the script', () => {
  expect(initials('Meera K.')).toBe('MK');
  expect(initials(' मीरा ')).toBe('म');
  expect(initials('𝒜 b c')).toBe('𝒜B');
  expect(initials('')).toBe('');
});

test('a text is as long as its code points, as the server counts', () => {
  expect(codePoints('a👍🏽')).toBe(3);
});

test('a name cannot turn the sentence around it', () => {
  expect(isolate('Arjun')).toBe('\u2068Arjun\u2069');
});

test('times follow the language, coordinates do not', () => {
  const at = new Date(2026, 0, 1, 14, 5);
  expect(clockTime(at, 'es')).toBe('14:05');
  expect(clockTime(at, 'en')).toMatch(/^02:05\sPM$/);
  expect(coordinates(28.548312, -0.1)).toBe('28.5483, -0.1000');
});
