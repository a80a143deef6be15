export type Theme = 'light' | 'dark';

const KEY = 'curbline.theme';
const isTheme = (value: unknown): value is Theme => value === 'light' || value === 'dark';

/** What the reader chose before; without a choice the system decides, and may change its mind. */
export function chosenTheme(): Theme | undefined {
  const kept = localStorage.getItem(KEY);
  return isTheme(kept) ? kept : undefined;
}

export const systemTheme = (): Theme =>
  matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';

export function applyTheme(theme: Theme | undefined): void {
  if (theme === undefined) delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}

export function rememberTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme(theme);
}
