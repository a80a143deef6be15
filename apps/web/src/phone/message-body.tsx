import type { ChatMessage } from '@curbline/client';
import { PinIcon } from '../icons/icons.js';
import { CannedWords } from './canned-words.js';
import { coordinates } from './format.js';
import { usePhone } from './phone-context.js';

/** What a message says. A client shows what it knows of a body and never guesses the rest. */
export function MessageBody({ body }: { readonly body: ChatMessage['body'] }) {
  const { t, language } = usePhone();
  if ('erased' in body) return <p className="italic">{t('message.erased')}</p>;
  if ('text' in body) {
    return (
      <p dir="auto" translate="no">
        {body.text}
      </p>
    );
  }
  if ('key' in body) {
    return (
      <p>
        <CannedWords of={body.key} language={language} {...(body.params && { params: body.params })} />
      </p>
    );
  }
  if ('lat' in body) {
    return (
      <div className="pin">
        <PinIcon size={30} />
        {body.label === undefined ? (
          <b>{t('message.location')}</b>
        ) : (
          <b dir="auto" translate="no">
            {body.label}
          </b>
        )}
        <span>
          <bdi translate="no">{coordinates(body.lat, body.lng)}</bdi>
        </span>
      </div>
    );
  }
  return <p className="italic">{t('message.unknown')}</p>;
}
