import type { Translate } from '../i18n/i18n.js';
import type { LanguageTag } from '../i18n/languages.js';
import type { Delivery } from './delivery.js';

interface SidePanelProps {
  readonly t: Translate;
  readonly language: LanguageTag;
  readonly bookingId: string;
  readonly delivery: Delivery;
}

const TRIES = ['type', 'network', 'language', 'trip'] as const;

/** What this is, what to try, and what came of it. */
export function SidePanel({ t, language, bookingId, delivery }: SidePanelProps) {
  const numbers = new Intl.NumberFormat(language);
  return (
    <div className="flex w-full max-w-[744px] flex-col gap-6 xl:max-w-[400px] max-md:pt-5 xl:pt-8">
      <div className="grid gap-3">
        <h1 className="text-[34px] leading-[1.08] font-bold tracking-[-0.035em] text-balance">
          {t('page.heading')}
        </h1>
        <p className="text-[15.5px] leading-relaxed text-ink2">{t('page.lead')}</p>
        <p className="text-[13px] text-ink2">
          {t('page.booking')}{' '}
          <code
            className="rounded-lg border border-line bg-card px-2 py-1 font-mono text-[12px] text-ink"
            translate="no"
          >
            {bookingId}
          </code>
        </p>
      </div>
      <section className="card p-4.5" aria-labelledby="delivery-heading">
        <h2 id="delivery-heading" className="text-[13px] font-semibold text-ink2">
          {t('delivery.heading')}
        </h2>
        <p
          className="mt-2 flex flex-wrap items-baseline gap-x-2 text-[26px] font-bold tracking-tight"
          data-testid="lost-duplicated"
        >
          <Figure value={numbers.format(delivery.lost)} bad={delivery.lost > 0} word={t('delivery.lost')} />
          <span className="text-ink2" aria-hidden="true">
            ·
          </span>
          <Figure
            value={numbers.format(delivery.duplicated)}
            bad={delivery.duplicated > 0}
            word={t('delivery.duplicated')}
          />
        </p>
        <dl className="mt-3 grid grid-cols-3 gap-2 text-[12.5px]">
          {(['sent', 'arrived', 'waiting'] as const).map((name) => (
            <div key={name} className="flex flex-col-reverse rounded-xl bg-sys-soft px-3 py-2">
              <dt className="text-ink2">{t(`delivery.${name}`)}</dt>
              <dd className="text-[19px] leading-tight font-bold tabular-nums" data-testid={`count-${name}`}>
                {numbers.format(delivery[name])}
              </dd>
            </div>
          ))}
        </dl>
        <p className="mt-3 text-[12.5px] text-ink2">{t('delivery.note')}</p>
      </section>
      <section aria-labelledby="try-heading">
        <h2 id="try-heading" className="mb-2 text-[13px] font-semibold text-ink2">
          {t('try.heading')}
        </h2>
        <ol className="grid gap-2.5">
          {TRIES.map((name, index) => (
            <li key={name} className="flex gap-3 text-[14px]">
              <span
                className="grid size-6 flex-none place-items-center rounded-full bg-brand-soft text-[12px] font-bold text-brand-ink"
                aria-hidden="true"
              >
                {numbers.format(index + 1)}
              </span>
              <span>{t(`try.${name}`)}</span>
            </li>
          ))}
        </ol>
      </section>
    </div>
  );
}

function Figure({
  value,
  word,
  bad,
}: {
  readonly value: string;
  readonly word: string;
  readonly bad: boolean;
}) {
  return (
    <span className={bad ? 'text-bad' : undefined}>
      <bdi className="tabular-nums">{value}</bdi> <small className="text-[15px] font-semibold">{word}</small>
    </span>
  );
}
