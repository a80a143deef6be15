import { useCallback, useEffect, useState } from 'react';
import { applyTheme, chosenTheme, rememberTheme, systemTheme, type Theme } from './theme.js';

/** The theme in use, and the round button's action. */
export function useTheme(): { theme: Theme; toggle: () => void } {
  const [chosen, setChosen] = useState(chosenTheme);
  const [system, setSystem] = useState(systemTheme);

  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const follow = () => setSystem(systemTheme());
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
  useEffect(() => applyTheme(chosen), [chosen]);

  const theme = chosen ?? system;
  const toggle = useCallback(() => {
    const next = theme === 'dark' ? 'light' : 'dark';
    rememberTheme(next);
    setChosen(next);
  }, [theme]);
  return { theme, toggle };
}
