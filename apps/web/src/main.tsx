import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nextProvider } from 'react-i18next';
import { DemoPage } from './demo/demo-page.js';
import { i18n } from './i18n/i18n.js';
import './styles/index.css';
import { applyTheme, chosenTheme } from './theme/theme.js';

// Before the first paint, so that a dark reader sees no flash of light.
applyTheme(chosenTheme());

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <I18nextProvider i18n={i18n}>
      <DemoPage />
    </I18nextProvider>
  </StrictMode>,
);
