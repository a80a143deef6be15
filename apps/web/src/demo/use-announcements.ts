import { useEffect, useState } from 'react';
import type { MessageObject } from '@curbline/client';
import { cannedString, cannedText } from '../i18n/canned.js';
import type { Translate } from '../i18n/i18n.js';
import type { LanguageTag } from '../i18n/languages.js';
import { isolate } from '../phone/format.js';
import type { PhoneChat } from '../phone/phone-chat.js';
import type { Role } from '../phone/phone-view.js';
import type { Announcement } from './announcer.js';

type PerPhone<T> = Readonly<Record<Role, T>>;

/** What a message says, in plain words of one language. */
function words(body: MessageObject['body'], language: LanguageTag, t: Translate): string {
  if ('erased' in body) return t('message.erased');
  if ('text' in body) return body.text;
  if ('key' in body) return cannedString(cannedText(body.key, body.params ?? {}, language));
  if ('lat' in body) return body.label ?? t('message.location');
  return t('message.unknown');
}

/** The newest message that reached one of the phones after it was opened. */
export function useAnnouncements(
  phones: PerPhone<{ chat: PhoneChat }>,
  names: PerPhone<string>,
  languages: PerPhone<LanguageTag>,
  t: Translate,
): Announcement | undefined {
  const [news, setNews] = useState<{ to: Role; message: MessageObject }>();
  const { chat: driver } = phones.driver;
  const { chat: customer } = phones.customer;
  useEffect(() => driver.onNews((message) => setNews({ to: 'driver', message })), [driver]);
  useEffect(() => customer.onNews((message) => setNews({ to: 'customer', message })), [customer]);
  if (news === undefined) return undefined;
  const language = languages[news.to];
  const text = t('phone.announce', {
    phone: t(`phone.${news.to}`),
    name: isolate(names[news.to === 'driver' ? 'customer' : 'driver']),
    text: words(news.message.body, language, t),
  });
  return { text, language };
}
